"""HTTP/1.x as it passes by: the bytes of both directions in, turns (a request and its answer) out.

Three rules hold here. Every request whose head was complete ends exactly once, answered or failed. What cannot be
parsed never raises: that direction goes blind and says so through `gap`. Memory is bounded whatever is sent: heads,
bodies, the requests in flight, and the bytes held back behind an upgrade all have a limit.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import httptools

from ..headers import Headers
from ..model import Failure, FailureKind
from .heads import RawHead, split_request, split_response
from .pieces import Pieces
from .turn import Budget, RawTurn

BODY_CAP = 8 << 20
MOST_IN_FLIGHT = 1000
HELD_CAP = 256 << 10

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
        "body_cap",
        "budget",
        "client_blind",
        "gap",
        "opaque",
        "turns",
    )

    def __init__(
        self,
        begun: Callable[[RawTurn], None],
        ended: Callable[[RawTurn], None],
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
        self.turns: deque[RawTurn] = deque()
        self.opaque = False
        self.client_blind = False
        self._client = _ClientSide(self)
        self._server = _ServerSide(self)

    @property
    def at_rest(self) -> bool:
        """Whether both directions stand between two messages, as they did before the first."""
        lost = self.opaque or self.client_blind
        return not (lost or self.turns) and self._client.at_rest and self._server.at_rest

    @property
    def is_asking(self) -> bool:
        """Whether the client is in the middle of a request that can be understood."""
        return self._client.unfinished and not (self.opaque or self.client_blind)

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

    def begin(self, turn: RawTurn) -> None:
        """A request's head is complete."""
        self.turns.append(turn)
        self.begun(turn)

    def answered(self, turn: RawTurn, at_us: int) -> None:
        """An answer is complete; its turn ends now, unless the request is still being sent."""
        turn.response_done = True
        turn.ended_us = at_us
        if turn.request_done or self.client_blind:
            self.end(turn)

    def end(self, turn: RawTurn) -> None:
        """`turn`, the first in line, is over."""
        self.turns.popleft()
        turn.release(self.budget)
        if self.client_blind and not self.turns:
            self.opaque = True
        self._ended(turn)

    def upgraded(self, at_us: int) -> None:
        """From here on the bytes speak another protocol."""
        self.lost(FailureKind.PROTOCOL, "the connection changed its protocol", at_us)

    def upgrade_refused(self, turn: RawTurn) -> None:
        """`turn` is answered in plain HTTP: what the client sent behind it, hoping for an upgrade, is HTTP too."""
        if self._client.holds and turn is self.turns[-1]:
            self._client.resume()

    def _fail(self, turn: RawTurn, kind: FailureKind, detail: str, at_us: int) -> None:
        if turn.status:
            detail = f"{detail} after status {turn.status} and {turn.response_size} bytes of the body"
        turn.failure = Failure(kind, detail)
        turn.ended_us = at_us
        self.end(turn)


class _ClientSide(Pieces):
    """The requests of one connection, as httptools calls them out.

    `Upgrade` and CONNECT stop the parser: what follows is held back until the answer says whose bytes they are.
    """

    __slots__ = ("_conn", "_held", "_primed", "_turn", "holds")

    def __init__(self, conn: Http1Connection) -> None:
        super().__init__()
        self._conn = conn
        self._turn: RawTurn | None = None
        self._held: list[tuple[bytes, int]] = []
        self._primed = False
        self.holds = False

    @property
    def at_rest(self) -> bool:
        return super().at_rest and not self.holds

    @property
    def unfinished(self) -> bool:
        """Whether the bytes so far end inside a request."""
        return self.open_head or self._turn is not None

    def feed(self, data: bytes, at_us: int) -> None:
        self._now = at_us
        conn = self._conn
        while data and not conn.client_blind:
            if self.holds:
                self._hold(data, at_us)
                return
            data = self._feed_piece(data)

    def resume(self) -> None:
        """Go on with what was held back."""
        held, self._held, self.holds = self._held, [], False
        self._parser = self._fresh()
        for data, at_us in held:
            self._conn.feed_client(data, at_us)

    def _hold(self, data: bytes, at_us: int) -> None:
        if sum(len(part) for part, _ in self._held) + len(data) > HELD_CAP:
            self._held = []
            self._give_up("too much was sent behind an unanswered upgrade")
        else:
            self._held.append((data, at_us))

    def _fresh(self) -> Any:
        return httptools.HttpRequestParser(self)

    def _give_up(self, reason: str | None) -> None:
        self._head_size = 0
        self._conn.blind_client(reason or "client bytes that are not HTTP/1.1")

    def _stopped(self) -> None:
        """It takes no body with an upgrade, so a fresh parser is led up to the body."""
        turn = self._turn
        if turn is None:
            self.holds = True
            return
        self._parser = self._fresh()
        self._primed = True
        self._parser.feed_data(_head_with_framing(turn.request_head))
        self._primed = False

    def on_headers_complete(self) -> None:
        if self._primed:
            return
        conn = self._conn
        if len(conn.turns) >= MOST_IN_FLIGHT:
            raise httptools.HttpParserError("too many requests in flight")
        method = self._parser.get_method()
        turn = self._turn = RawTurn(self.began_us, _METHODS.get(method) or method.decode("latin-1"), self._whole_head())
        self._chunked = b"chunked" in turn.request_head.lower
        conn.begin(turn)

    def on_body(self, chunk: bytes) -> None:
        self._fed += len(chunk)
        if self._turn is not None:
            self._turn.add_request_body(chunk, self._conn.body_cap, self._conn.budget)

    def on_message_complete(self) -> None:
        turn = self._turn
        if turn is None or self._primed:
            return
        if self._parser.should_upgrade() and turn.method != "CONNECT" and _has_body(turn.request_head):
            return
        self._next_head()
        self._turn = None
        turn.request_done = True
        if turn.response_done:
            self._conn.end(turn)


class _ServerSide(Pieces):
    """The answers of one connection, as httptools calls them out.

    httptools does not know which request an answer belongs to and expects a body behind the head of an answer to
    HEAD, so a fresh parser takes over there.
    """

    __slots__ = ("_conn", "_renew", "_turn", "_upgraded")

    def __init__(self, conn: Http1Connection) -> None:
        super().__init__()
        self._conn = conn
        self._turn: RawTurn | None = None
        self._renew = False
        self._upgraded = False

    def finish(self, at_us: int) -> None:
        """The server's bytes end: complete an answer that only the close delimits."""
        turn = self._turn
        if turn is not None and turn.status and _until_close(turn):
            self._next_head()
            self._turn = None
            self._conn.answered(turn, at_us)

    def _feed_piece(self, data: bytes) -> bytes:
        rest = super()._feed_piece(data)
        if self._upgraded:
            self._conn.upgraded(self._now)
            return b""
        if self._renew:
            self._renew = False
            self._parser = self._fresh()
        return b"" if self._conn.opaque else rest

    def _fresh(self) -> Any:
        return httptools.HttpResponseParser(self)

    def _give_up(self, reason: str | None) -> None:
        if not self._upgraded:
            self._conn.blind(reason or "server bytes that are not HTTP/1.1", self._now)

    def _stopped(self) -> None:
        self._upgraded = True

    def on_headers_complete(self) -> None:
        turns = self._conn.turns
        if not turns or turns[0].response_done:
            raise httptools.HttpParserError("an answer without a request")
        turn = self._turn = turns[0]
        head = self._whole_head()
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            return
        turn.status = status
        turn.response_head = head
        self._chunked = b"chunked" in head.lower()
        if status == 101 or (turn.method == "CONNECT" and status < 300):
            self._upgraded = True
            self.on_message_complete()
            return
        self._conn.upgrade_refused(turn)
        if turn.method == "HEAD":
            self._renew = True
            self.on_message_complete()

    def on_body(self, chunk: bytes) -> None:
        self._fed += len(chunk)
        if self._turn is not None:
            self._turn.add_response_body(chunk, self._conn.body_cap, self._conn.budget)

    def on_message_complete(self) -> None:
        turn = self._turn
        if turn is not None:
            self._next_head()
            self._turn = None
            if turn.status:
                self._conn.answered(turn, self._now)


def _has_body(head: RawHead) -> bool:
    headers = split_request(head.raw)[3]
    return _is_chunked(headers) or (headers.get("content-length") or "0").strip("0") != ""


def _head_with_framing(head: RawHead) -> bytes:
    """A head that makes a fresh parser expect the body that `head` announces."""
    headers = split_request(head.raw)[3]
    if _is_chunked(headers):
        return b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    length = (headers.get("content-length") or "0").encode("latin-1")
    return b"POST / HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n"


def _until_close(turn: RawTurn) -> bool:
    """Whether nothing but the end of the connection delimits the answer's body (RFC 9112, 6.3)."""
    if turn.status in (204, 304):
        return False
    headers = split_response(turn.response_head)[2]
    if "transfer-encoding" in headers:
        return not _is_chunked(headers)
    return "content-length" not in headers


def _is_chunked(headers: Headers) -> bool:
    codings = ",".join(headers.get_all("transfer-encoding")).lower()
    return codings.rpartition(",")[2].strip() == "chunked"
