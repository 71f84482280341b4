"""HTTP/1.x as it passes by: the bytes of both directions in, turns (a request and its answer) out.

Three rules hold here. Every request whose head was complete ends exactly once, answered or failed. What cannot be
parsed never raises: that direction goes blind and says so through `gap`. Memory is bounded whatever is sent: heads,
bodies, the requests in flight, and the bytes held back behind an upgrade all have a limit.
"""

from collections import deque
from collections.abc import Callable

import httptools

from ..headers import Headers
from ..model import Failure, FailureKind
from .turn import Budget, Turn

BODY_CAP = 8 << 20
HEAD_CAP = 256 << 10
MOST_IN_FLIGHT = 1000
HELD_CAP = 256 << 10

_NO_HEADERS = Headers()
_BODILESS = ("HEAD", "CONNECT")
_HEAD_END = b"\r\n\r\n"
_METHODS = {word.encode(): word for word in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT")}


class Http1Connection:
    """The two directions of one client connection.

    `begun(turn)` is called when a request's head is complete, `ended(turn)` once it is answered or has failed, in
    the order of the requests; `gap(reason)` when bytes cannot be understood. The callbacks must not feed.
    """

    __slots__ = (
        "_client",
        "_ended",
        "_server",
        "begun",
        "bodiless",
        "body_cap",
        "budget",
        "client_blind",
        "gap",
        "opaque",
        "turns",
    )

    def __init__(
        self,
        begun: Callable[[Turn], None],
        ended: Callable[[Turn], None],
        gap: Callable[[str], None],
        *,
        body_cap: int = BODY_CAP,
        budget: Budget | None = None,
    ) -> None:
        self.begun = begun
        self._ended = ended
        self.gap = gap
        self.body_cap = body_cap
        self.budget = budget or Budget(64 * body_cap)
        self.turns: deque[Turn] = deque()
        self.bodiless = 0
        self.opaque = False
        self.client_blind = False
        self._client = _ClientSide(self)
        self._server = _ServerSide(self)

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        if not self.opaque and not self.client_blind:
            self._client.feed(data, at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        if not self.opaque:
            self._server.feed(data, at_us)

    def client_eof(self, at_us: int) -> None:
        """The client sends no more; it may still read, so what it asked is still answered."""
        if not self.opaque and not self.client_blind and self._client.unfinished:
            self.blind_client("the client's bytes end inside a request")

    def server_eof(self, at_us: int) -> None:
        """The server sends no more: an answer delimited by the close is complete, everything else has failed."""
        if self.opaque:
            return
        self._server.finish(at_us)
        front = self.turns[0] if self.turns else None
        if front is not None and front.status and not front.response_done:
            self._fail(front, FailureKind.TRUNCATED, "closed", at_us)
        self.lost(FailureKind.RESET, "closed without an answer", at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: every request that still waits has failed with `kind`."""
        if not self.opaque and self._client.open_head:
            self.gap("a request's head was cut off")
        self.opaque = True
        while self.turns:
            if self.turns[0].response_done:
                self.end(self.turns[0])
            else:
                self._fail(self.turns[0], kind, detail, at_us)

    def blind_client(self, reason: str) -> None:
        """Stop reading the client's direction; answers to what came before are still understood."""
        self.client_blind = True
        self.gap(reason)
        if self.turns and self.turns[0].response_done:
            self.end(self.turns[0])
        self.opaque = self.opaque or not self.turns

    def blind(self, reason: str, at_us: int) -> None:
        """Stop reading altogether: without the answers' bounds nothing can be told apart any more."""
        if not self.opaque:
            self.gap(reason)
            self.lost(FailureKind.PROTOCOL, reason, at_us)

    # What the two sides tell each other.

    def begin(self, turn: Turn) -> None:
        """A request's head is complete."""
        self.turns.append(turn)
        self.bodiless += turn.method in _BODILESS
        self.begun(turn)

    def answered(self, turn: Turn, at_us: int) -> None:
        """An answer is complete; its turn ends now, unless the request is still being sent."""
        turn.response_done = True
        turn.ended_us = at_us
        if turn.request_done or self.client_blind:
            self.end(turn)

    def end(self, turn: Turn) -> None:
        """`turn`, the first in line, is over."""
        self.turns.popleft()
        self.bodiless -= turn.method in _BODILESS
        turn.release(self.budget)
        if self.client_blind and not self.turns:
            self.opaque = True
        self._ended(turn)

    def upgraded(self, at_us: int) -> None:
        """From here on the bytes speak another protocol."""
        self.lost(FailureKind.PROTOCOL, "the connection changed its protocol", at_us)

    def upgrade_refused(self, turn: Turn) -> None:
        """`turn` is answered in plain HTTP: what the client sent behind it, hoping for an upgrade, is HTTP too."""
        if self._client.holds and turn is self.turns[-1]:
            self._client.resume()

    def _fail(self, turn: Turn, kind: FailureKind, detail: str, at_us: int) -> None:
        if turn.status:
            detail = f"{detail} after status {turn.status} and {turn.response_size} bytes of the body"
        turn.failure = Failure(kind, detail)
        turn.ended_us = at_us
        self.end(turn)


class _ClientSide:
    """The requests of one connection, as httptools calls them out.

    `Upgrade` and CONNECT stop the parser: what follows is held back until the answer says whose bytes they are.
    """

    __slots__ = (
        "_began_us",
        "_conn",
        "_head_size",
        "_held",
        "_now",
        "_parser",
        "_primed",
        "_raw",
        "_turn",
        "_url",
        "holds",
        "open_head",
    )

    def __init__(self, conn: Http1Connection) -> None:
        self._conn = conn
        self._parser = httptools.HttpRequestParser(self)
        self._turn: Turn | None = None
        self._raw: list[bytes] = []
        self._url = b""
        self._now = 0
        self._began_us = 0
        self._head_size = 0
        self._held: list[tuple[bytes, int]] = []
        self._primed = False
        self.holds = False
        self.open_head = False

    @property
    def unfinished(self) -> bool:
        """Whether the bytes so far end inside a request."""
        return self.open_head or (self._turn is not None and not self._turn.request_done)

    def feed(self, data: bytes, at_us: int) -> None:
        self._now = at_us
        if self.holds:
            self._hold(data, at_us)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stopped(data[upgrade.args[0] :], at_us)
        except httptools.HttpParserError:
            self._conn.blind_client("client bytes that are not HTTP/1.1")
        if self.open_head:
            self._head_size += len(data)
            if self._head_size > HEAD_CAP and not self._conn.client_blind:
                self._conn.blind_client("a request's head is too large")

    def resume(self) -> None:
        """Go on with what was held back."""
        held, self._held, self.holds = self._held, [], False
        self._parser = httptools.HttpRequestParser(self)
        for data, at_us in held:
            self._conn.feed_client(data, at_us)

    def _hold(self, data: bytes, at_us: int) -> None:
        if sum(len(part) for part, _ in self._held) + len(data) > HELD_CAP:
            self._held = []
            self._conn.blind_client("too much was sent behind an unanswered upgrade")
        elif data:
            self._held.append((data, at_us))

    def _stopped(self, rest: bytes, at_us: int) -> None:
        """The parser has stopped at an upgrade. It takes no body then, so a fresh one is led up to the body."""
        turn = self._turn
        if turn is None or turn.request_done:
            self.holds = True
            self._hold(rest, at_us)
            return
        self._parser = httptools.HttpRequestParser(self)
        self._primed = True
        self._parser.feed_data(_head_with_framing(turn.request_headers))
        self._primed = False
        self.feed(rest, at_us)

    def on_message_begin(self) -> None:
        if not self._primed:
            self._raw = []
            self._url = b""
            self._turn = None
            self._head_size = 0
            self._began_us = self._now
            self.open_head = True

    def on_url(self, url: bytes) -> None:
        if not self._primed:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # After the head these are a chunked body's trailers, which an exchange has no place for.
        if self.open_head:
            self._raw += (name, value)

    def on_headers_complete(self) -> None:
        if self._primed:
            return
        self.open_head = False
        conn = self._conn
        if len(conn.turns) >= MOST_IN_FLIGHT:
            raise httptools.HttpParserError("too many requests in flight")
        parser = self._parser
        method = parser.get_method()
        turn = self._turn = Turn(
            self._began_us,
            _METHODS.get(method) or method.decode("latin-1"),
            self._url.decode("latin-1"),
            parser.get_http_version(),
            _headers(self._raw),
        )
        conn.begin(turn)

    def on_body(self, chunk: bytes) -> None:
        if self._turn is not None:
            self._turn.add_request_body(chunk, self._conn.body_cap, self._conn.budget)

    def on_message_complete(self) -> None:
        turn = self._turn
        if turn is None or self._primed:
            return
        if self._parser.should_upgrade() and turn.method != "CONNECT" and _has_body(turn.request_headers):
            return
        turn.request_done = True
        if turn.response_done:
            self._conn.end(turn)


class _ServerSide:
    """The answers of one connection, as httptools calls them out.

    httptools does not know which request an answer belongs to, so it expects a body behind the head of an answer to
    HEAD. While such a request waits, bytes are fed in pieces that end where a head can end, and a fresh parser takes
    over behind a head that has no body.
    """

    __slots__ = (
        "_conn",
        "_fresh",
        "_head_size",
        "_now",
        "_open_head",
        "_parser",
        "_raw",
        "_reason",
        "_tail",
        "_turn",
        "_upgraded",
    )

    def __init__(self, conn: Http1Connection) -> None:
        self._conn = conn
        self._parser = httptools.HttpResponseParser(self)
        self._turn: Turn | None = None
        self._raw: list[bytes] = []
        self._reason = b""
        self._now = 0
        self._head_size = 0
        self._open_head = False
        self._fresh = False
        self._upgraded = False
        self._tail = b""

    def feed(self, data: bytes, at_us: int) -> None:
        self._now = at_us
        if self._conn.bodiless:
            self._feed_pieces(data)
        else:
            self._feed(data)
        if self._open_head:
            self._head_size += len(data)
            if self._head_size > HEAD_CAP:
                self._conn.blind("an answer's head is too large", at_us)

    def finish(self, at_us: int) -> None:
        """The server's bytes end: complete an answer that only the close delimits."""
        turn, self._turn = self._turn, None
        if turn is not None and not self._open_head and _until_close(turn):
            self._conn.answered(turn, at_us)

    def _feed_pieces(self, data: bytes) -> None:
        seen = self._tail + data
        before = len(self._tail)
        self._tail = seen[-3:]
        start = 0
        while start < len(data) and not self._conn.opaque:
            found = seen.find(_HEAD_END, max(0, before + start - 3))
            end = len(data) if found < 0 else found + len(_HEAD_END) - before
            self._feed(data[start:end])
            start = end

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserUpgrade, httptools.HttpParserError):
            if not self._upgraded:
                self._conn.blind("server bytes that are not HTTP/1.1", self._now)
        if self._upgraded:
            self._conn.upgraded(self._now)
        elif self._fresh:
            self._fresh = False
            self._parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        turns = self._conn.turns
        if not turns or turns[0].response_done:
            raise httptools.HttpParserError("an answer without a request")
        self._turn = turns[0]
        self._raw = []
        self._reason = b""
        self._head_size = 0
        self._open_head = True

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._open_head:
            self._raw += (name, value)

    def on_headers_complete(self) -> None:
        self._open_head = False
        status = self._parser.get_status_code()
        turn = self._turn
        if turn is None or (status < 200 and status != 101):
            return
        turn.status = status
        turn.reason = self._reason.decode("latin-1")
        turn.response_version = self._parser.get_http_version()
        turn.response_headers = _headers(self._raw)
        if status == 101:
            self._upgraded = True
        elif turn.method == "CONNECT" and status < 300:
            self._upgraded = True
            self.on_message_complete()
        else:
            self._conn.upgrade_refused(turn)
            if turn.method == "HEAD":
                self._fresh = True
                self.on_message_complete()

    def on_body(self, chunk: bytes) -> None:
        if self._turn is not None:
            self._turn.add_response_body(chunk, self._conn.body_cap, self._conn.budget)

    def on_message_complete(self) -> None:
        turn = self._turn
        if turn is not None and turn.status:
            self._turn = None
            self._conn.answered(turn, self._now)


def _headers(raw: list[bytes]) -> Headers:
    """Headers of names and values in turn. One decoding for all of them: a parsed value holds no line feed."""
    if not raw:
        return _NO_HEADERS
    texts = b"\n".join(raw).decode("latin-1").split("\n")
    return Headers.of_pairs(tuple(zip(texts[::2], texts[1::2], strict=True)))


def _chunked(headers: Headers) -> bool:
    codings = ",".join(headers.get_all("transfer-encoding")).lower()
    return codings.rpartition(",")[2].strip() == "chunked"


def _has_body(headers: Headers) -> bool:
    return _chunked(headers) or (headers.get("content-length") or "0").strip("0") != ""


def _head_with_framing(headers: Headers) -> bytes:
    """A head that makes a fresh parser expect the body that `headers` announce."""
    if _chunked(headers):
        return b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    length = (headers.get("content-length") or "0").encode("latin-1")
    return b"POST / HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n"


def _until_close(turn: Turn) -> bool:
    """Whether nothing but the end of the connection delimits the answer's body (RFC 9112, 6.3)."""
    if turn.status in (204, 304) or not turn.status:
        return False
    headers = turn.response_headers
    if "transfer-encoding" in headers:
        return not _chunked(headers)
    return "content-length" not in headers
