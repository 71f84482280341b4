"""Our own HTTP/1.1 client: byte-true requests, one decoder with the recorder's tap, little CPU a request.

Three rules hold here. A request is on the wire at most once, but for one case: a safe request whose kept-alive
connection turns out to be closed before a byte of an answer came is sent again, once, on a fresh connection, and the
outcome says so. Every `send` ends, at the latest by its deadline. Redirects are answers, never followed.
"""

import asyncio
import ssl
from contextlib import suppress

from ...capture.clock import Clock
from ...capture.model import Failure, FailureKind, Request, Response
from ...capture.wire.http1 import Http1Connection
from ...capture.wire.turn import Turn
from ..safety import SAFE_METHODS
from .base import Outcome
from .encode import closes, encode_request

TIMEOUT_S = 30.0
_SWEEP_EVERY_S = 0.25


class Http1Transport:
    """Keep-alive connections to one target. `address` is where to connect (resolved once, then pinned),
    `authority` what a missing Host header becomes; `clock` is the run's."""

    def __init__(
        self,
        address: tuple[str, int],
        authority: str,
        clock: Clock,
        *,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
    ) -> None:
        self.clock = clock
        self._address = address
        self._authority = authority
        self._timeout_us = round(timeout_s * 1_000_000)
        self._tls = tls
        self._server_hostname = server_hostname
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def send(self, request: Request) -> Outcome:
        """Send `request`; what came of it, a failure as data."""
        reused = self._take_idle()
        connection = reused or await self._connect()
        if isinstance(connection, Outcome):
            return connection
        data = encode_request(request, self._authority)
        outcome = await connection.exchange(request, data, self._timeout_us, fresh=reused is None)
        return await self._again(request, data) if outcome is _STALE else outcome

    async def close(self) -> None:
        """Give up the connections."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in tuple(self._all):
            connection.abandon()

    def kept(self, connection: "_Connection") -> None:
        """`connection` is free for the next request."""
        self._idle.append(connection)

    def gone(self, connection: "_Connection") -> None:
        """`connection` is closed."""
        self._all.discard(connection)
        with suppress(ValueError):
            self._idle.remove(connection)

    async def _again(self, request: Request, data: bytes) -> Outcome:
        connection = await self._connect()
        if isinstance(connection, Outcome):
            return connection
        outcome = await connection.exchange(request, data, self._timeout_us, fresh=True)
        return Outcome(
            outcome.response, outcome.failure, outcome.sent_us, outcome.done_us, outcome.truncated, retried=True
        )

    def _take_idle(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self) -> "_Connection | Outcome":
        began_us = self.clock.now_us()
        loop = asyncio.get_running_loop()
        host, port = self._address
        hostname = self._server_hostname if self._tls else None
        try:
            async with asyncio.timeout(self._timeout_us / 1_000_000):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self), host, port, ssl=self._tls, server_hostname=hostname
                )
        except TimeoutError:
            return self._unsent(FailureKind.TIMEOUT, "no connection in time", began_us)
        except OSError as error:
            return self._unsent(FailureKind.CONNECT, error.strerror or type(error).__name__, began_us)
        self._all.add(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(_SWEEP_EVERY_S, self._sweep_overdue)
        return connection

    def _unsent(self, kind: FailureKind, detail: str, began_us: int) -> Outcome:
        return Outcome(None, Failure(kind, detail), began_us, self.clock.now_us())

    def _sweep_overdue(self) -> None:
        """One timer for all deadlines: a timer a request would cost more than the request."""
        now_us = self.clock.now_us()
        for connection in tuple(self._all):
            connection.expire(now_us)
        self._sweep = asyncio.get_running_loop().call_later(_SWEEP_EVERY_S, self._sweep_overdue)


_STALE = Outcome(None, Failure(FailureKind.RESET, "the kept-alive connection was closed"), 0, 0)


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, owner: Http1Transport) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._decoder = Http1Connection(_ignore, self._ended, self._gap)
        self._waiting: asyncio.Future[Outcome] | None = None
        self._sent_us = 0
        self._deadline_us = 0
        self._retriable = False
        self._closing = False
        self._heard = False

    @property
    def usable(self) -> bool:
        """Whether another request may be sent here."""
        return self._transport is not None and not self._closing and not self._transport.is_closing()

    async def exchange(self, request: Request, data: bytes, timeout_us: int, *, fresh: bool) -> Outcome:
        """Send `data`, the bytes of `request`, and wait for its outcome; `_STALE` where sending again is safe."""
        waiting: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        assert self._transport is not None
        self._sent_us = now_us = self._owner.clock.now_us()
        self._deadline_us = now_us + timeout_us
        self._heard = False
        self._retriable = not fresh and request.method in SAFE_METHODS
        turn = Turn(now_us, request.method, request.target, "1.1", request.headers)
        turn.request_done = True
        self._decoder.begin(turn)
        self._transport.write(data)
        try:
            return await waiting
        finally:
            # A send that is given up leaves a connection whose next answer would be the wrong one.
            if not waiting.done() or waiting.cancelled():
                self.abandon()

    def abandon(self) -> None:
        """Close at once."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def expire(self, now_us: int) -> None:
        """Give up where the deadline has passed."""
        if self._waiting is not None and now_us > self._deadline_us:
            self._decoder.lost(FailureKind.TIMEOUT, "no whole answer in time", now_us)
            self.abandon()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard = True
        self._decoder.feed_server(data, self._owner.clock.now_us())

    def eof_received(self) -> bool:
        self._closing = True
        self._decoder.server_eof(self._owner.clock.now_us())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        if self._waiting is not None:
            self._decoder.lost(FailureKind.RESET, "the connection was reset", self._owner.clock.now_us())
        self._owner.gone(self)

    def _ended(self, turn: Turn) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return
        if not turn.response_done:
            self.abandon()
            stale = self._retriable and not self._heard
            waiting.set_result(_STALE if stale else Outcome(None, turn.failure, self._sent_us, turn.ended_us))
            return
        body = b"".join(turn.response_parts)
        response = Response(turn.status, turn.response_headers, body, turn.reason, turn.response_version)
        waiting.set_result(Outcome(response, None, self._sent_us, turn.ended_us, turn.truncated))
        if closes(turn.request_headers) or closes(turn.response_headers) or turn.response_version == "1.0":
            self.abandon()
        elif not self._closing:
            self._owner.kept(self)

    def _gap(self, reason: str) -> None:
        # The decoder fails the turn with it; bytes outside of one (an answer nobody asked for) end the connection.
        self._closing = True
        if self._waiting is None:
            self.abandon()


def _ignore(_: Turn) -> None:
    """A request of our own has begun: we know."""
