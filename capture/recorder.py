"""The front of the recording path: engines hand exchanges over, the sanitizer process cleans and writes them.

Three rules hold here. `offer` never waits and never raises, whatever has happened behind it. What does not fit the
queue is dropped and counted. Exchanges are in this process's memory only: nothing here writes, logs or quotes one.
Everything runs on the event loop's thread.
"""

import asyncio
import hashlib
import itertools
import json
import marshal
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self, cast

from .clock import Clock
from .errors import CouldNotCheck, SeamlineError, UsageError
from .frames import MAX_FRAME, BrokenChannel, FrameReader, Hello, Kind, Trust, frame, header, losses_of
from .model import Exchange, Losses, Manifest, Role
from .sanitize.rules import Rules
from .sessions import SessionNames
from .store.records import pack_exchange
from .wire.call import Call
from .wire.carried import carried, size_of
from .wire.replayed import Replayed, replayed_size
from .wire.whole import WholeBatch

QUEUE_BYTES = 64 << 20
_FLUSH_EVERY_S = 0.005
_WRITE_AT_ONCE = 1 << 20
_MOST_IN_BATCH = 1000
_LOSSES_EVERY_S = 1.0
_START_WITHIN_S = 60.0
_STALLED_AFTER_S = 120.0


class Sink(Protocol):
    """What an engine needs of a recorder."""

    clock: Clock
    sessions: SessionNames
    prefix: str

    def next_id(self) -> tuple[str, int]:
        """A fresh exchange id and its sequence number."""

    def next_seq(self) -> int:
        """A fresh sequence number alone; its id is `prefix`-number."""

    def offer(self, exchange: Exchange) -> None:
        """Take an exchange. Never waits, never raises."""

    def offer_call(self, call: Call, role: Role, service: str, protocol: str) -> None:
        """Take a call as an exchange; `role`, `service` and `protocol` are the tap's."""

    def offer_raw(self, turn: tuple[Any, ...]) -> None:
        """Take an exchange as `wire.turn.RawTurn.raw`, whose heads the sanitizer process decodes."""

    def offer_whole(self, batch: WholeBatch) -> None:
        """Take exchanges as they came, which the sanitizer process takes apart."""

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        """Count something that will not be in the capture; `kind` is a field of `Losses`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How a recording went. `failed` says why the sanitizer process died, if it did."""

    recorded: int
    losses: Losses
    failed: str | None


class ScribeProcess:
    """A sanitizer process that has been started and waits for the name of its output."""

    def __init__(self) -> None:
        self.channel, theirs = socket.socketpair()
        with theirs:
            self.process = _start_scribe(theirs)

    def trust(self, key: bytes, rules: Rules, capture: Path, stubbed: tuple[str, ...] = ()) -> None:
        """Let the values of the requests in `capture` pass unchanged, and those of the calls to the services `stubbed`.
        The process reads them while others go on."""
        self.channel.sendall(frame(Kind.TRUST, pickle.dumps(Trust(key, rules, capture, stubbed))))

    def abandon(self) -> None:
        """Nothing will be recorded after all."""
        self.channel.close()
        self.process.kill()
        self.process.wait()


class Recorder:
    """A bounded queue in front of one sanitizer process. Make one with `open`."""

    def __init__(self, manifest: Manifest, key: bytes, queue_bytes: int, most: int | None) -> None:
        self.clock = Clock()
        self.sessions = SessionNames(key)
        self.filled = asyncio.Event()
        """Set once `most` exchanges have been taken; what is offered after that is ignored."""
        self.prefix = hashlib.blake2b(manifest.capture_id.encode(), digest_size=4).hexdigest()
        self.next_seq = itertools.count(1).__next__
        """A fresh sequence number. Take it when the request starts."""
        self._most = most
        self._queue: deque[tuple[Kind, bytes]] = deque()
        self._queued = 0
        self._batch: list[Any] = []
        self._batch_kind = Kind.CALLS
        self._batch_bytes = 0
        self._queue_bytes = queue_bytes
        self._accepted = 0
        self._losses: dict[str, int] = {}
        self._reasons: dict[str, int] = {}
        self._told: Losses | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._channel: _Channel | None = None
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(
        cls,
        output: Path,
        manifest: Manifest,
        *,
        key: bytes,
        rules: Rules,
        trusted: Path | None = None,
        stubbed: tuple[str, ...] = (),
        process: ScribeProcess | None = None,
        queue_bytes: int = QUEUE_BYTES,
        most: int | None = None,
    ) -> Self:
        """Start the sanitizer process for `output`, or take one that was started before; it is ready when this returns.

        `trusted` is a capture the values of whose requests pass unchanged, and those of its calls to the services
        `stubbed`. `most` ends the taking after so many
        exchanges.
        UsageError where `output` cannot be written or `trusted` not read, CouldNotCheck where the process fails.
        """
        recorder = cls(manifest, key, queue_bytes, most)
        process = process or ScribeProcess()
        if trusted is not None:
            process.trust(key, rules, trusted, stubbed)
        recorder._channel = channel = _Channel(recorder, process.process)
        await recorder._loop.create_unix_connection(lambda: channel, sock=process.channel)
        channel.write(frame(Kind.HELLO, pickle.dumps(Hello(output, manifest, key, rules))))
        try:
            await asyncio.wait_for(asyncio.shield(channel.ready), _START_WITHIN_S)
        except TimeoutError as error:
            await channel.end()
            raise CouldNotCheck(
                "the sanitizer process did not start", f"no answer in {_START_WITHIN_S:.0f} s"
            ) from error
        if channel.failure is not None:
            await channel.end()
            raise channel.failure
        recorder._timer = recorder._loop.call_later(_LOSSES_EVERY_S, recorder._tell_losses)
        return recorder

    @property
    def failed(self) -> str | None:
        """Why nothing is recorded any more, or None."""
        return self._channel.failure.message if self._channel and self._channel.failure else None

    @property
    def congested(self) -> bool:
        """Whether the queue is a quarter full: whoever can slow down (a replay without a pace) loses nothing by it.
        False once the process has failed: the queue then never drains, and nobody must wait for it."""
        return self._queued * 4 > self._queue_bytes and self.failed is None

    @property
    def process_id(self) -> int:
        """The sanitizer process."""
        assert self._channel is not None
        return self._channel.process.pid

    def next_id(self) -> tuple[str, int]:
        """A fresh exchange id, unique over captures, and its sequence number. Take it when the request starts."""
        seq = self.next_seq()
        return f"{self.prefix}-{seq}", seq

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        """Count something that will not be in the capture; `kind` is a field of `Losses`."""
        self._losses[kind] = self._losses.get(kind, 0) + count
        self._reasons[reason] = self._reasons.get(reason, 0) + count

    def offer(self, exchange: Exchange) -> None:
        """Take an exchange. Never waits, never raises: a full queue and a dead process drop and count."""
        try:
            packed = pack_exchange(exchange)
        except (ValueError, TypeError, OverflowError):
            self.lost("dropped", "over the limits of a record")
            return
        self._take(Kind.EXCHANGE, packed)

    def offer_call(self, call: Call, role: Role, service: str, protocol: str) -> None:
        """Take a call. Calls are handed over in batches of plain values, so that what they have in common crosses
        once and everything that can be made of them is made in the sanitizer process."""
        self._gather(Kind.CALLS, carried(call, role, service, protocol), size_of(call))

    def offer_raw(self, turn: tuple[Any, ...]) -> None:
        """Take an exchange as `wire.turn.RawTurn.raw`: a third of the work, the rest is the sanitizer process's."""
        self._take(Kind.TURN, marshal.dumps(turn))

    def offer_whole(self, batch: WholeBatch) -> None:
        """Take exchanges as they came: all of them, or none where the queue is full."""
        wholes = batch[3]
        if self._most is not None:
            del wholes[max(0, self._most - self._accepted) :]
        if wholes:
            self._take(Kind.WHOLE, marshal.dumps(batch), len(wholes))

    def offer_replayed(self, values: Replayed) -> None:
        """Take an exchange of a replay, whose request has been clean before. They are handed over in batches, so that
        what they have in common crosses once."""
        self._gather(Kind.REPLAYED, values, replayed_size(values))

    def _gather(self, kind: Kind, values: tuple[Any, ...], size: int) -> None:
        """Put plain values into the batch of their kind."""
        if not self._accepts(size):
            return
        if kind is not self._batch_kind:
            self._cut_batch()
            self._batch_kind = kind
        self._batch.append(values)
        self._batch_bytes += size
        if len(self._batch) >= _MOST_IN_BATCH or self._batch_bytes >= _WRITE_AT_ONCE:
            self._cut_batch()

    def _cut_batch(self) -> None:
        """Queue the exchanges that have come together."""
        if self._batch:
            batch, self._batch = self._batch, []
            self._queued -= self._batch_bytes
            self._batch_bytes = 0
            self._queue_batch(batch)

    def _queue_batch(self, batch: list[Any]) -> None:
        packed = marshal.dumps(batch)
        if len(packed) <= MAX_FRAME:
            self._queued += len(packed)
            self._queue.append((self._batch_kind, packed))
        elif len(batch) == 1:
            self._accepted -= 1
            self.lost("dropped", "over the limits of a record")
        else:
            middle = len(batch) // 2
            self._queue_batch(batch[:middle])
            self._queue_batch(batch[middle:])

    def _take(self, kind: Kind, packed: bytes, count: int = 1) -> None:
        if self._accepts(len(packed), count):
            self._queue.append((kind, packed))

    def _accepts(self, size: int, count: int = 1) -> bool:
        """Count in `count` exchanges of `size` bytes, or count them as dropped; whether they are in."""
        if self._most is not None and self._accepted >= self._most:
            return False
        channel = self._channel
        if channel is None or channel.failure is not None or channel.closing:
            self.lost("dropped", "the sanitizer process has failed" if self.failed else "offered after the end", count)
            return False
        if self._queued + size > self._queue_bytes or size > MAX_FRAME:
            self.lost("dropped", "queue full", count)
            return False
        if not self._queue and not self._batch and not channel.paused:
            self._loop.call_later(_FLUSH_EVERY_S, self.flush)
        self._queued += size
        self._accepted += count
        if self._accepted == self._most:
            self.filled.set()
        return True

    def flush(self) -> None:
        """Hand over what is queued, as much as the channel takes without waiting."""
        self._cut_batch()
        channel = self._channel
        queue = self._queue
        while queue and channel is not None and not channel.paused and channel.failure is None:
            batch: list[bytes] = []
            size = 0
            while queue and size < _WRITE_AT_ONCE:
                kind, packed = queue.popleft()
                size += len(packed)
                batch.append(header(kind, len(packed)))
                batch.append(packed)
            self._queued -= size
            channel.write(b"".join(batch))

    async def close(self) -> Summary:
        """Drain the queue, close the capture, and say how it went."""
        channel = self._channel
        assert channel is not None
        if self._timer is not None:
            self._timer.cancel()
        await self._drained(channel)
        if channel.failure is None:
            losses = json.dumps(asdict(self._own_losses())).encode()
            channel.write(frame(Kind.LOSSES, losses) + frame(Kind.CLOSE))
            channel.closing = True
            await channel.finished(_STALLED_AFTER_S)
        await channel.end()
        return self._summary(channel)

    async def _drained(self, channel: "_Channel") -> None:
        left, since = -1, self._loop.time()
        self.flush()
        while self._queue and channel.failure is None:
            self.flush()
            if self._queued != left:
                left, since = self._queued, self._loop.time()
            elif self._loop.time() - since > _STALLED_AFTER_S:
                channel.fail(CouldNotCheck("the sanitizer process has stalled"))
            await asyncio.sleep(0.01)

    def _summary(self, channel: "_Channel") -> Summary:
        missing = self._accepted - channel.recorded - channel.losses.dropped
        if missing > 0:
            self.lost("dropped", "in the sanitizer process when it failed", missing)
        return Summary(channel.recorded, channel.losses + self._own_losses(), self.failed)

    def _own_losses(self) -> Losses:
        return Losses(**self._losses, reasons=dict(self._reasons))

    def _tell_losses(self) -> None:
        """Keep the scribe up to date, so that a capture says what it lacks even if this process is killed."""
        losses = self._own_losses()
        channel = self._channel
        if losses != self._told and channel is not None and not channel.paused and channel.failure is None:
            self._told = losses
            channel.write(frame(Kind.LOSSES, json.dumps(asdict(losses)).encode()))
        self._timer = self._loop.call_later(_LOSSES_EVERY_S, self._tell_losses)


class _Channel(asyncio.Protocol):
    """Our end of the socket pair, and the process at the other end."""

    def __init__(self, recorder: Recorder, process: subprocess.Popen[bytes]) -> None:
        loop = asyncio.get_running_loop()
        self._recorder = recorder
        self.process = process
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self.ready: asyncio.Future[None] = loop.create_future()
        self._over: asyncio.Future[None] = loop.create_future()
        self.paused = False
        self.closing = False
        self.failure: SeamlineError | None = None
        self.recorded = 0
        self.losses = Losses()

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport, which sends what the socket takes and keeps the rest."""
        if self._transport is not None:
            self._transport.write(data)

    def fail(self, failure: SeamlineError) -> None:
        """The sanitizer process is of no more use; the first reason counts."""
        if self.failure is None and not self._over.done():
            self.failure = failure
        self._settle()

    async def finished(self, within_s: float) -> None:
        """Wait for the summary, or for a failure."""
        try:
            await asyncio.wait_for(asyncio.shield(self._over), within_s)
        except TimeoutError:
            self.fail(CouldNotCheck("the sanitizer process did not finish"))

    async def end(self) -> None:
        """Close the channel and see the process out; one that does not leave is killed."""
        if self._transport is not None:
            self._transport.abort() if self.failure else self._transport.close()
        for _ in range(500):
            code = self.process.poll()
            if code is not None:
                if code < 0 and self.failure is not None:
                    self.failure = CouldNotCheck(f"the sanitizer process was ended by {signal.Signals(-code).name}")
                return
            await asyncio.sleep(0.01)
        self.process.kill()
        self.process.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_WRITE_AT_ONCE)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, payload in self._reader.feed(data):
                self._told(kind, payload)
        except BrokenChannel:
            self.fail(CouldNotCheck("the sanitizer process talks nonsense"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(CouldNotCheck("the sanitizer process ended before its work was done"))

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self._recorder.flush()

    def _told(self, kind: Kind, payload: bytes) -> None:
        if kind is Kind.READY:
            if not self.ready.done():
                self.ready.set_result(None)
            return
        said: dict[str, Any] = json.loads(payload)
        if kind is Kind.FAILED:
            make = UsageError if said["usage"] else CouldNotCheck
            self.fail(make(said["text"], said["hint"]))
            return
        self.recorded = said["recorded"]
        self.losses = losses_of(said["losses"])
        if kind is Kind.SUMMARY:
            self._settle()

    def _settle(self) -> None:
        for future in (self.ready, self._over):
            if not future.done():
                future.set_result(None)


def _start_scribe(channel: socket.socket) -> subprocess.Popen[bytes]:
    """A process group of its own keeps Ctrl-C away from it; its streams lead nowhere, so it cannot quote traffic."""
    fd = channel.fileno()
    return subprocess.Popen(
        [sys.executable, "-P", "-m", f"{__package__}.scribe", str(fd)],
        pass_fds=(fd,),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
