"""gRPC, and any HTTP/2 in cleartext, as calls: a stream is a call, its messages in order are its bodies.

Two rules hold here. A call is begun as soon as the server can act on it: with its whole request, with the first whole
message of a request that goes on, or when the server answers. What a hostile peer can pile up (streams, bodies) is
bounded for the connection, and what goes over is cut and told, never half told.

Trailers stand behind the answer's headers, and `grpc-status` is the first of them: what a body comes between on the
wire stays tellable.
"""

from ..model import FailureKind
from .call import CallEvents
from .h2c import Opening
from .header_blocks import Pairs
from .http2 import FrameReader, Http2Error, code_name
from .http2_stream import Http2Stream, request_of
from .turn import Budget

MAX_STREAMS = 1000
"""Streams of one connection that are followed at once; Go's and Envoy's servers allow 100 to 250."""
MAX_KEPT = 32 << 20
"""Bytes of bodies and headers that one connection may have in flight."""


class GrpcDecoder:
    """One connection's streams as calls."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._events = events
        self._opening: Opening | None = Opening()
        self._open: dict[int, Http2Stream] = {}
        self._fresh: list[Http2Stream] = []
        self._budget = Budget(MAX_KEPT)
        self._last = 0
        self._now_us = 0
        self._is_silent = False
        self._is_full = False
        self._from_client = FrameReader(_Asking(self))
        self._from_server = FrameReader(_Answering(self))

    @property
    def in_flight(self) -> bool:
        """Whether a stream is open."""
        return bool(self._open)

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        if self._is_silent:
            return
        self._now_us = at_us
        try:
            self._from_client.feed(data if self._opening is None else self._opened(self._opening, data))
        except Http2Error as error:
            self._give_up(str(error))
        if self._fresh:
            self._begin_streaming()

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        if self._is_silent:
            return
        self._now_us = at_us
        try:
            self._from_server.feed(data if self._opening is None else self._opened_server(self._opening, data))
        except Http2Error as error:
            self._give_up(str(error))

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: what is open has failed."""
        self._now_us = at_us
        for stream in list(self._open.values()):
            self._fail(stream, kind, detail)

    def _opened(self, opening: Opening, data: bytes) -> bytes:
        known = opening.request
        frames = opening.client(data)
        if known is None and opening.request is not None:
            method, target, headers = opening.request
            self._ask(1, Http2Stream(1, self._now_us, method, target, headers, self._budget))
            self._request_done(self._open[1])
        self._check_opening(opening)
        return frames

    def _opened_server(self, opening: Opening, data: bytes) -> bytes:
        frames = opening.server(data)
        self._check_opening(opening)
        return frames

    def _check_opening(self, opening: Opening) -> None:
        if opening.client_is_done and opening.server_is_done:
            self._opening = None

    def _give_up(self, reason: str) -> None:
        self._is_silent = True
        self._fresh.clear()
        for stream in list(self._open.values()):
            self._fail(stream, FailureKind.PROTOCOL, "the connection could not be followed")
        self._events.gap(reason)

    # What the client says.

    def asked(self, number: int, pairs: Pairs, ended: bool) -> None:
        """A request's head, or its trailers."""
        stream = self._open.get(number)
        if stream is not None:
            stream.add_headers(pairs)
            if not ended or stream.is_whole:
                raise Http2Error("trailers of a request that goes on")
            self._request_done(stream)
            return
        if number <= self._last:
            return  # its answer has come, or it is not followed
        if not number & 1:
            raise Http2Error("a request on a stream of the server's")
        self._last = number
        if len(self._open) >= MAX_STREAMS or self._budget.left <= 0:
            self._too_many()
            return
        stream = request_of(number, pairs, self._now_us, self._budget)
        self._ask(number, stream)
        if ended:
            self._request_done(stream)
        else:
            self._fresh.append(stream)

    def asked_more(self, number: int, chunk: bytes, ended: bool) -> None:
        """A piece of a request's body."""
        stream = self._open.get(number)
        if stream is None or stream.is_whole:
            return
        stream.request.add(chunk)
        if ended:
            self._request_done(stream)

    def given_up(self, number: int, code: int) -> None:
        """The client wants no answer any more."""
        stream = self._open.get(number)
        if stream is not None:
            kind = FailureKind.TIMEOUT if stream.is_overdue(self._now_us) else FailureKind.CANCELLED
            self._fail(stream, kind, f"the client reset the stream: {code_name(code)}")

    # What the server says.

    def answered(self, number: int, pairs: Pairs, ended: bool) -> None:
        """An answer's head, or its trailers."""
        stream = self._open.get(number)
        if stream is None:
            return
        self._begin(stream)
        if not stream.status:
            status = pairs[0][1] if pairs and pairs[0][0] == ":status" else ""
            if not (status.isascii() and status.isdigit() and len(status) == 3):
                raise Http2Error("an answer without a status")
            if status[0] == "1" and not ended:
                return  # an interim answer (RFC 9110, 15.2): the real one follows
            stream.status = int(status)
            stream.answer_head(pairs[1:])
        elif not ended:
            raise Http2Error("trailers of an answer that goes on")
        else:
            stream.trailers(pairs)
        if ended:
            self._answer_done(stream)

    def answered_more(self, number: int, chunk: bytes, ended: bool) -> None:
        """A piece of an answer's body."""
        stream = self._open.get(number)
        if stream is None:
            return
        if not stream.status:
            raise Http2Error("an answer without a head")
        stream.answer.add(chunk)
        if ended:
            self._answer_done(stream)

    def refused(self, number: int, code: int) -> None:
        """The server does not answer, or not to the end."""
        stream = self._open.get(number)
        if stream is not None:
            # A server that keeps deadlines gives up on the same stream at the same moment.
            kind = FailureKind.TIMEOUT if stream.is_overdue(self._now_us) else FailureKind.RESET
            self._fail(stream, kind, f"the server reset the stream: {code_name(code)}")

    def leaving(self, last: int, code: int) -> None:
        """The server takes no more streams; those above `last` it has not looked at."""
        for number, stream in list(self._open.items()):
            if number > last:
                self._fail(stream, FailureKind.RESET, f"the server is going away: {code_name(code)}")

    # A stream's life.

    def _ask(self, number: int, stream: "Http2Stream") -> None:
        self._last = max(self._last, number)
        self._open[number] = stream

    def _request_done(self, stream: "Http2Stream") -> None:
        stream.is_whole = True
        self._begin(stream)

    def _begin(self, stream: "Http2Stream") -> None:
        if not stream.is_begun:
            stream.is_begun = True
            stream.call.body = stream.request.bytes()
            self._events.begun(stream.call)

    def _begin_streaming(self) -> None:
        """Begin those of the new requests that go on and whose first message is here."""
        fresh, self._fresh = self._fresh, []
        for stream in fresh:
            if stream.is_begun or stream.number not in self._open:
                continue
            if stream.at_boundary():
                self._begin(stream)
            else:
                self._fresh.append(stream)

    def _answer_done(self, stream: "Http2Stream") -> None:
        self._close(stream)
        stream.finish(self._now_us)
        self._events.ended(stream.call)

    def _fail(self, stream: "Http2Stream", kind: FailureKind, detail: str) -> None:
        self._begin(stream)
        self._close(stream)
        stream.fail(kind, detail, self._now_us)
        self._events.ended(stream.call)

    def _close(self, stream: "Http2Stream") -> None:
        del self._open[stream.number]
        stream.release()

    def _too_many(self) -> None:
        if not self._is_full:
            self._is_full = True
            self._events.gap(f"more than {MAX_STREAMS} streams or {MAX_KEPT} bytes at once on a connection")


class _Asking:
    """The client's direction."""

    __slots__ = ("data", "headers", "reset")

    def __init__(self, decoder: GrpcDecoder) -> None:
        self.headers = decoder.asked
        self.data = decoder.asked_more
        self.reset = decoder.given_up

    def goaway(self, last: int, code: int) -> None:
        """Says something of pushed streams alone."""


class _Answering:
    """The server's direction."""

    __slots__ = ("data", "goaway", "headers", "reset")

    def __init__(self, decoder: GrpcDecoder) -> None:
        self.headers = decoder.answered
        self.data = decoder.answered_more
        self.reset = decoder.refused
        self.goaway = decoder.leaving
