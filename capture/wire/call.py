"""A call: one request and what came for it on a protocol other than HTTP/1.1, while a decoder still collects it.

What the fields mean on each protocol stands in docs/format.md: `operation` is what is asked for (a SQL text, a Redis
command, "publish"), `target` what it is asked of (a key, a topic), `arguments` a JSON array or object as text.
"""

from typing import Any, Protocol

from ..headers import Headers
from ..model import Exchange, Failure, FailureKind, Link, Request, Response, Role

OK = 0
ERROR = 1
"""Statuses of answers on protocols that have none of their own."""

BODY_CAP = 1 << 20
"""Bytes of one body that are kept; a longer one is cut and told by its size and hash."""

_NO_HEADERS = Headers()


class Late(Protocol):
    """A body that is made once somebody reads it: in the sanitizer process, if nobody has before."""

    @property
    def size(self) -> int:
        """About how many bytes are kept for it."""

    def body(self) -> bytes:
        """The body."""

    def plain(self) -> tuple[Any, ...]:
        """What it is made of, in values that marshal knows: the name of a maker (`carried.MAKERS`), its arguments."""


class Call:
    """What a decoder collects. Times are the microseconds that the bytes were fed with.

    `exchange_id`, `seq`, `session`, `links` and `origin` (the recorded message that a replay produced) belong to
    whoever drives the decoder. `protocol` is "" for the tap's own (plain HTTP/2 may pass a tap for gRPC). `role` is
    None for the tap's own role; a message that the service consumes is INBOUND on whatever tap. `lane` names what ties
    calls of one connection together (a transaction, a channel), None where nothing does.
    """

    __slots__ = (
        "_response_body",
        "answered",
        "arguments",
        "body",
        "ended_us",
        "exchange_id",
        "failure",
        "headers",
        "lane",
        "links",
        "method",
        "operation",
        "origin",
        "protocol",
        "reason",
        "response_headers",
        "role",
        "seq",
        "session",
        "started_us",
        "status",
        "target",
        "truncated",
        "version",
    )

    def __init__(self, started_us: int, method: str, target: str = "", operation: str = "") -> None:
        self.started_us = started_us
        self.ended_us = started_us
        self.method = method
        self.target = target
        self.operation = operation
        self.arguments = ""
        self.headers = _NO_HEADERS
        self.body = b""
        self.version = ""
        self.answered = False
        self.status = OK
        self.reason = ""
        self.response_headers = _NO_HEADERS
        self._response_body: bytes | Late = b""
        self.failure: Failure | None = None
        self.truncated = False
        self.role: Role | None = None
        self.lane: str | None = None
        self.protocol = ""
        self.exchange_id = ""
        self.seq = 0
        self.session = ""
        self.links: tuple[Link, ...] = ()
        self.origin: str | None = None

    @property
    def response_body(self) -> bytes:
        """The answer's body."""
        body = self._response_body
        if not isinstance(body, bytes):
            body = self._response_body = body.body()
        return body

    @response_body.setter
    def response_body(self, body: bytes) -> None:
        self._response_body = body

    @property
    def kept_body(self) -> bytes | Late:
        """The answer's body, as it is kept."""
        return self._response_body

    @property
    def size(self) -> int:
        """About how many bytes are kept of it."""
        body = self._response_body
        kept = len(body) if isinstance(body, bytes) else body.size
        return kept + len(self.arguments) + len(self.body) + len(self.target) + len(self.operation)

    def answer(self, status: int, ended_us: int, body: bytes | Late = b"", headers: Headers = _NO_HEADERS) -> None:
        """The whole answer has come."""
        self.answered = True
        self.status = status
        self.ended_us = ended_us
        self._response_body = body
        self.response_headers = headers

    def fail(self, kind: FailureKind, detail: str, ended_us: int) -> None:
        """No (whole) answer will come."""
        self.failure = Failure(kind, detail)
        self.ended_us = ended_us

    def exchange(self, role: Role, service: str, protocol: str) -> Exchange:
        """The call as an exchange. `role` is the tap's."""
        request = Request(
            self.method, self.target, self.headers, self.body, self.version, self.operation, self.arguments
        )
        response = None
        if self.answered:
            response = Response(self.status, self.response_headers, self.response_body, self.reason, self.version)
        return Exchange(
            self.exchange_id,
            self.seq,
            self.role or role,
            self.protocol or protocol,
            service,
            self.session,
            self.started_us,
            self.ended_us - self.started_us,
            request,
            response,
            self.failure if response is None else None,
            self.links,
            self.origin,
            self.truncated,
        )


class CallEvents(Protocol):
    """Who is told of a decoder's calls."""

    def begun(self, call: Call) -> None:
        """A request is whole, method, target, operation, arguments and headers are filled in; its answer is not
        here yet. Every call that is begun is also ended, in any order."""

    def ended(self, call: Call) -> None:
        """The call is answered or has failed."""

    def gap(self, reason: str) -> None:
        """Bytes passed that were not understood; `reason` quotes none of them."""


class CallDecoder(Protocol):
    """Bytes of one connection in, calls out. Pure: times come with the bytes. Never raises on any bytes: what it cannot
    follow is told once by `gap`, the open calls fail with PROTOCOL, and it falls silent."""

    @property
    def in_flight(self) -> bool:
        """Whether a call is begun and not ended."""

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone (closed by either side, or broken): open calls fail with `kind`."""
