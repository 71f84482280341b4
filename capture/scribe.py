"""The sanitizer process: frames in, clean exchanges into the capture, counts out.

Two rules hold here. Nothing reaches the disk that has not gone through the sanitizer. Nothing that an exchange holds
is put into words: once exchanges flow, an error is told by its type and its place only.

Run as `python -m seamline.capture.scribe FD` with one end of a socket pair; `recorder.Recorder` holds the other.
"""

import json
import marshal
import os
import pickle
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

from .errors import CouldNotCheck, SeamlineError
from .frames import FrameReader, Hello, Kind, Trust, frame, losses_of
from .model import Ask, Exchange, Losses, Role
from .sanitize.sanitizer import Sanitizer
from .sessions import SessionNames
from .store.reader import open_capture
from .store.records import unpack_exchange
from .store.writer import CaptureWriter
from .wire.carried import exchanges_of
from .wire.replayed import ReplayedDecoder
from .wire.turn import exchange_of_raw
from .wire.whole import WholeDecoder

NICENESS = 10
FLUSH_EVERY_S = 1.0
_CHUNK = 1 << 20
_TRUST_AT_ONCE = 256


class Trusting:
    """The requests of a capture, trusted piece by piece. Trust only ever makes the sanitizer leave more alone, so what
    is left of the capture has to be read only once something would be changed: most often never."""

    def __init__(self, trust: Trust) -> None:
        self.sanitizer = Sanitizer(trust.key, trust.rules)
        self.done = False
        self._capture = open_capture(trust.trusted)
        self._stubbed = frozenset(trust.stubbed)
        self._requests = (
            each for each in self._trusted() if each.role is Role.INBOUND or each.service in self._stubbed
        )

    def _trusted(self) -> Iterator[Exchange | Ask]:
        """Without stubs nothing of an answer comes back, and it need not be decoded."""
        return iter(self._capture) if self._stubbed else self._capture.asks()

    def step(self) -> None:
        """Trust some more of them."""
        piece = list(islice(self._requests, _TRUST_AT_ONCE))
        if piece:
            self.sanitizer.trust_requests(piece)
            for each in piece:
                if isinstance(each, Exchange) and each.role is Role.OUTBOUND:
                    self.sanitizer.trust(each)
        else:
            self._capture.close()
            self.done = True

    def finish(self) -> None:
        """Trust the rest."""
        while not self.done:
            self.step()


class Scribe:
    """Cleans and writes what it is given, and counts what the capture will not hold."""

    def __init__(self, hello: Hello, trusting: Trusting | None = None) -> None:
        self._sanitizer = trusting.sanitizer if trusting is not None else Sanitizer(hello.key, hello.rules)
        self._trusting = trusting
        self._decoder = ReplayedDecoder()
        self._whole_decoder = WholeDecoder(SessionNames(hello.key))
        manifest = replace(hello.manifest, key_id=self._sanitizer.key_id, rules=self._sanitizer.rules_id)
        self._writer = CaptureWriter(hello.output, manifest)
        self._unflushed = False
        self._withheld = 0
        self._truncated = 0
        self._reasons: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self.front = Losses()
        """What the recorder lost before it came here; the latest word counts."""

    def replayed(self, payload: bytes) -> None:
        """Write a batch of replayed exchanges: their requests come from a capture, so they are clean."""
        # Sound: as with Hello, nobody but our own recorder, of this very Python, speaks on this socket.
        for exchange in self._decoder.exchanges(marshal.loads(payload)):  # noqa: S302
            self.write(exchange, is_request_clean=True)

    def calls(self, payload: bytes) -> None:
        """Write a batch of calls."""
        for exchange in exchanges_of(marshal.loads(payload)):  # noqa: S302  # as above
            self.write(exchange)

    def whole(self, payload: bytes) -> None:
        """Write a batch of exchanges that come as they passed by."""
        for exchange in self._whole_decoder.exchanges(marshal.loads(payload)):  # noqa: S302  # as above
            if exchange is not None:
                self.write(exchange)
            else:
                self._refuse("not understood")

    def write(self, exchange: Exchange, packed: bytes | None = None, *, is_request_clean: bool = False) -> None:
        """Clean and write one exchange. `packed` is its record, if there is one already: it goes into the capture as
        it is where the sanitizer handed the very same exchange back."""
        given = exchange
        exchange = self._sanitizer.clean(given, is_request_clean=is_request_clean)
        if exchange is not given and self._trusting is not None:
            self._trusting.finish()
            self._trusting = None
            exchange = self._sanitizer.clean(given, is_request_clean=is_request_clean)
        if packed is not None and exchange is given:
            self._writer.write_packed(packed, exchange.seq, exchange.started_us)
        elif not self._writer.write(exchange):
            self._refuse("over the limits of a record")
            return
        self._unflushed = True
        if exchange.truncated:
            self._truncated += 1
            self._count("body over the cap, or cut off")
        if exchange.withheld:
            self._withheld += 1
            for part in exchange.withheld:
                self._count(f"{part.part}: {part.why}")

    def _losses(self) -> Losses:
        """What went missing here: parts that could not be cleaned, bodies that were cut."""
        return Losses(withheld=self._withheld, truncated=self._truncated, reasons=self._reasons)

    def flush(self) -> bool:
        """Make what was written so far survive a kill; whether there was anything new."""
        if not self._unflushed:
            return False
        self._writer.flush(self._losses() + self.front)
        self._unflushed = False
        return True

    def close(self) -> None:
        """Close the capture with its losses."""
        self._writer.close(self._losses() + self.front)

    def summary(self) -> bytes:
        """Counts for the recorder, without what it has counted itself."""
        losses = self._losses()
        if self._refused:
            losses += Losses(dropped=sum(self._refused.values()), reasons=self._refused)
        return json.dumps({"recorded": self._writer.count, "losses": asdict(losses)}).encode()

    def _refuse(self, reason: str) -> None:
        self._refused[reason] = self._refused.get(reason, 0) + 1

    def _count(self, reason: str) -> None:
        self._reasons[reason] = self._reasons.get(reason, 0) + 1


_BATCHES = {Kind.CALLS: Scribe.calls, Kind.REPLAYED: Scribe.replayed, Kind.WHOLE: Scribe.whole}


def serve(channel: socket.socket) -> None:
    """Read frames until CLOSE or until the recorder is gone, then close the capture. Reports before it raises."""
    reader = FrameReader()
    scribe: Scribe | None = None
    try:
        frames = _more(channel, reader)
        trusting = None
        if frames[0][0] is Kind.TRUST:
            # Sound: the other end of this private socket pair is the process that started us.
            trusting = Trusting(pickle.loads(frames[0][1]))  # noqa: S301
            frames = frames[1:]
            while not (frames or trusting.done or select.select([channel], [], [], 0)[0]):
                trusting.step()
            frames = frames or _more(channel, reader)
        scribe = Scribe(pickle.loads(frames[0][1]), trusting)  # noqa: S301  # as above
        channel.sendall(frame(Kind.READY))
        _scribble(channel, reader, scribe, frames[1:])
    except BaseException as error:
        _tell(channel, Kind.FAILED, _account(error, started=scribe is not None))
        raise


def _more(channel: socket.socket, reader: FrameReader) -> list[tuple[Kind, bytes]]:
    while True:
        data = channel.recv(_CHUNK)
        if not data:
            raise EOFError("the recorder left before it said what to do")
        frames = reader.feed(data)
        if frames:
            return frames


def _scribble(channel: socket.socket, reader: FrameReader, scribe: Scribe, frames: list[tuple[Kind, bytes]]) -> None:
    flushed = time.monotonic()
    while True:
        for kind, payload in frames:
            if kind is Kind.EXCHANGE:
                scribe.write(unpack_exchange(payload), payload)
            elif kind in _BATCHES:
                _BATCHES[kind](scribe, payload)
            elif kind is Kind.TURN:
                # Sound: as with HELLO, nobody but our own recorder, of this very Python, speaks on this socket.
                scribe.write(exchange_of_raw(marshal.loads(payload)))  # noqa: S302
            elif kind is Kind.LOSSES:
                scribe.front = losses_of(json.loads(payload))
            elif kind is Kind.CLOSE:
                scribe.close()
                _tell(channel, Kind.SUMMARY, scribe.summary())
                return
        if time.monotonic() - flushed >= FLUSH_EVERY_S:
            flushed = time.monotonic()
            if scribe.flush():
                _tell(channel, Kind.PROGRESS, scribe.summary())
        if not select.select([channel], [], [], FLUSH_EVERY_S)[0]:
            frames = []
            continue
        data = channel.recv(_CHUNK)
        if not data:
            scribe.front += Losses(gaps=1, reasons={"the recorder died before it closed the capture": 1})
            scribe.close()
            return
        frames = reader.feed(data)


def _account(error: BaseException, *, started: bool) -> bytes:
    """What went wrong, without a byte of any exchange."""
    usage = isinstance(error, SeamlineError) and error.exit_code == 2
    if isinstance(error, OSError):
        text = f"{error.filename}: {error.strerror}" if error.filename else (error.strerror or type(error).__name__)
        usage = not started
    elif started and not isinstance(error, CouldNotCheck):
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    else:
        text = error.message if isinstance(error, SeamlineError) else f"{type(error).__name__}: {error}"
    hint = error.hint if isinstance(error, SeamlineError) and not started else ""
    return json.dumps({"text": text, "hint": hint, "usage": usage}).encode()


def _tell(channel: socket.socket, kind: Kind, payload: bytes) -> None:
    try:
        channel.sendall(frame(kind, payload))
    except OSError:
        # The recorder is gone. The capture is what matters, and the end of the channel is noticed where it is read.
        return


def main() -> None:
    """Be the sanitizer process on the file descriptor in argv[1]."""
    # Only the end of the channel ends us: Ctrl-C, a closed terminal and a service manager's SIGTERM go to the
    # recorder, which drains first.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.nice(NICENESS)
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        try:
            serve(channel)
        except BaseException:
            # Told already; a traceback could quote traffic.
            sys.exit(1)


if __name__ == "__main__":
    main()
