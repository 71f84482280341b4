"""A protocol that nobody here speaks: bursts of bytes.

What one side sends until the other answers is a request, what comes back until the first side speaks again is its
answer. The bytes go on as they are; the sanitizer withholds them, so that a capture holds their sizes and hashes.
"""

from ..headers import Headers
from ..model import FailureKind
from .call import BODY_CAP, OK, Call, CallEvents

_BYTES = Headers((("content-type", "application/octet-stream"),))


class SegmentDecoder:
    """One connection's bursts as calls."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._events = events
        self._call: Call | None = None
        self._asked = _Burst()
        self._answered = _Burst()
        self._answered_us = 0

    @property
    def in_flight(self) -> bool:
        """Whether the client has said something that is not answered yet."""
        return self._call is not None and not self._answered.size

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent: the end of an answer, if one had begun."""
        if self._answered.size:
            self._end()
        if self._call is None:
            self._call = Call(at_us, "SEND")
            self._asked = _Burst()
            self._call.headers = _BYTES
            self._events.begun(self._call)
        self._asked.add(data)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent: an answer, or a greeting that nobody asked for."""
        if self._call is None:
            self._call = Call(at_us, "GREETING")
            self._asked = _Burst()
            self._events.begun(self._call)
        self._answered.add(data)
        self._answered_us = at_us

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: what was answered is whole, what was not has failed."""
        call = self._call
        if call is None:
            return
        if self._answered.size:
            self._end()
            return
        self._describe(call)
        call.fail(kind, detail, at_us)
        self._call = None
        self._events.ended(call)

    def _describe(self, call: Call) -> None:
        call.body = self._asked.body()
        call.truncated = self._asked.cut
        if self._asked.cut:
            call.headers = Headers((*_BYTES.items, *self._asked.summary()))

    def _end(self) -> None:
        call, answer = self._call, self._answered
        assert call is not None
        self._describe(call)
        call.truncated = call.truncated or answer.cut
        headers = Headers((*_BYTES.items, *answer.summary())) if answer.cut else _BYTES
        call.answer(OK, self._answered_us, answer.body(), headers)
        self._call = None
        self._answered = _Burst()
        self._events.ended(call)


class _Burst:
    """Bytes of one direction, kept up to the cap; their size in any case."""

    __slots__ = ("_parts", "cut", "size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0
        self.cut = False

    def add(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > BODY_CAP:
            self.cut = True
            self._parts.clear()
        else:
            self._parts.append(data)

    def body(self) -> bytes:
        return b"".join(self._parts)

    def summary(self) -> tuple[tuple[str, str], ...]:
        return (("size", str(self.size)),)
