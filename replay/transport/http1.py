"""Byte-true HTTP/1.1 to one pinned address: keep-alive connections, one request at a time on each.

Rules of this file:
- every request ends once, answered or failed; only a GET, HEAD or OPTIONS whose kept connection the server had
  closed, without a byte of an answer, is sent again, once, on a fresh connection;
- a connection is kept only if its last answer ended cleanly and nothing came after it;
- bodies, heads and times are bounded; redirects are never followed, names never resolved.

Callbacks instead of tasks and futures, and one sweep for all time limits, keep a request near 10 µs. A plain answer
that came in one piece is taken as it is; whatever is more than that goes through the parser.
"""

import asyncio
import ssl
from typing import cast

import httptools

from ...capture.engines.sockets import Dial, reaching
from ...capture.headers import Headers
from ...capture.model import Failure, FailureKind, Request, Response
from ...capture.wire.answers import AnswerFramer, RawAnswer
from .base import Clock, Done, Outcome, send_through
from .encode import Encoder

BODY_CAP = 8 << 20
HEAD_CAP = 256 << 10
TIMEOUT_S = 30.0
CONNECT_WITHIN_S = 5.0
_MOST_HEADERS = 4000
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})
_UNFRAMED = frozenset({"HEAD", "CONNECT"})
# A server may close a connection that idles just as we send. What may not be sent twice goes on a fresher one.
_FRESH_US = 1_000_000


class _Shot:
    """A request under way."""

    __slots__ = ("done", "framed", "keep", "raw", "repeatable", "request", "retried", "sent_us")

    def __init__(self, request: Request, raw: bytes, keep: bool, done: Done) -> None:
        self.request = request
        self.raw = raw
        self.keep = keep
        self.done = done
        method = request.method
        self.repeatable = method in _REPEATABLE
        # Whether an answer's head tells how long its body is.
        self.framed = method not in _UNFRAMED
        self.retried = False
        self.sent_us = 0


class Http1Transport:
    """The connections to one target. `address` is where to connect (resolved once, judged by `safety.check_target`,
    then pinned), `authority` what a missing Host header becomes; `tls` with `server_hostname` makes it https. `dial`
    connects to an address in another network."""

    def __init__(
        self,
        address: tuple[str, int],
        authority: str,
        clock: Clock,
        *,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        body_cap: int = BODY_CAP,
        dial: Dial | None = None,
    ) -> None:
        self._address = address
        self.clock = clock
        self.body_cap = body_cap
        self._dial = dial
        self._tls = tls
        self._server_hostname = server_hostname if tls is not None else None
        self._timeout_us = round(timeout_s * 1_000_000)
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._encode = Encoder(authority).encode
        self.head_size = AnswerFramer().head_size
        self.idle: list[_Connection] = []
        self.connections: set[_Connection] = set()
        self._connecting: dict[asyncio.Task[None], _Shot] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def fire(self, request: Request, done: Done) -> None:
        """Send `request` on an idle connection, or on a new one; see `Transport`."""
        raw, keep = self._encode(request)
        shot = _Shot(request, raw, keep, done)
        if self._closed:
            self._loop.call_soon(self._give_up, shot, FailureKind.CANCELLED, "the transport was closed")
            return
        idle = self.idle
        if idle and (shot.repeatable or self.clock.now_us() - idle[-1].done_us < _FRESH_US):
            idle.pop().take(shot)
        else:
            self._connect(shot)

    async def send(self, request: Request) -> Outcome:
        """Fire and await."""
        return await send_through(self, request)

    async def close(self) -> None:
        """End all connections; see `Transport`."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for task, shot in list(self._connecting.items()):
            if not task.done():
                # Here and not in the task: one that is cancelled before its first step never gets to run.
                task.cancel()
                self._give_up(shot, FailureKind.CANCELLED, "the transport was closed")
        for connection in list(self.connections):
            connection.fail(FailureKind.CANCELLED, "the transport was closed")
        if self._connecting:
            await asyncio.wait(list(self._connecting))
        # One round of the loop lets the sockets close.
        await asyncio.sleep(0)

    def again(self, shot: _Shot) -> bool:
        """Send `shot` once more if that is allowed; whether it was."""
        if self._closed or not shot.repeatable or shot.retried:
            return False
        shot.retried = True
        self._connect(shot)
        return True

    def _connect(self, shot: _Shot) -> None:
        task = self._loop.create_task(self._connected(shot))
        self._connecting[task] = shot
        task.add_done_callback(self._connecting.pop)
        if self._sweeper is None:
            self._sweep()

    async def _connected(self, shot: _Shot) -> None:
        limit_s = min(self._timeout_s, CONNECT_WITHIN_S)
        try:
            async with asyncio.timeout(limit_s):
                _, connection = await self._loop.create_connection(
                    lambda: _Connection(self),
                    **await reaching(self._address, self._dial),
                    ssl=self._tls,
                    server_hostname=self._server_hostname,
                )
        except TimeoutError:
            self._give_up(shot, FailureKind.CONNECT, f"no connection within {limit_s:g} s")
        except ssl.SSLError as error:
            self._give_up(shot, FailureKind.CONNECT, f"TLS: {error.reason or error}")
        except OSError as error:
            self._give_up(shot, FailureKind.CONNECT, error.strerror or str(error))
        else:
            connection.take(shot)

    def _give_up(self, shot: _Shot, kind: FailureKind, detail: str) -> None:
        now_us = self.clock.now_us()
        shot.done(Outcome(None, Failure(kind, detail), shot.sent_us or now_us, now_us, False, shot.retried))

    def _sweep(self) -> None:
        """End what has waited too long: one timer for all, as exact as a twentieth of the limit."""
        before_us = self.clock.now_us() - self._timeout_us
        late = [conn for conn in self.connections if conn.shot is not None and conn.began_us < before_us]
        for connection in late:
            connection.fail(FailureKind.TIMEOUT, f"no whole answer within {self._timeout_s:g} s")
        if not self._closed:
            self._sweeper = self._loop.call_later(min(0.25, self._timeout_s / 20), self._sweep)


class _Connection(asyncio.Protocol):
    """One connection, and the answer that is coming in on it."""

    __slots__ = (
        "_body",
        "_body_size",
        "_complete",
        "_head_size",
        "_headers",
        "_keeps",
        "_parser",
        "_pool",
        "_raw",
        "_reason",
        "_served",
        "_status",
        "_transport",
        "_unclean",
        "began_us",
        "done_us",
        "heard",
        "shot",
    )

    def __init__(self, pool: Http1Transport) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._served = 0
        self._unclean = False
        self.shot: _Shot | None = None
        self.heard = False
        self.began_us = 0
        self.done_us = 0
        self._reset()

    def _reset(self) -> None:
        self._raw: list[tuple[bytes, bytes]] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._reason = b""
        self._body: list[bytes] = []
        self._body_size = 0
        self._head_size = 0
        self._status = 0
        self._complete = False
        self._keeps = False

    def take(self, shot: _Shot) -> None:
        """Send `shot` and wait for its answer."""
        transport = self._transport
        assert transport is not None
        self.heard = False
        self.shot = shot
        self.began_us = self._pool.clock.now_us()
        if not shot.sent_us:
            shot.sent_us = self.began_us
        if transport.is_closing():
            # It went while this was on its way here; connection_lost may have been called already.
            asyncio.get_running_loop().call_soon(self._closed, None)
            return
        transport.write(shot.raw)

    def fail(self, kind: FailureKind, detail: str) -> None:
        """End the connection, and what waits on it with a failure."""
        shot, self.shot = self.shot, None
        self._drop()
        if shot is None:
            return
        if self._status:
            detail = f"{detail}, after status {self._status} and {self._body_size} bytes of the body"
        now_us = self._pool.clock.now_us()
        shot.done(Outcome(None, Failure(kind, detail), shot.sent_us, now_us, False, shot.retried))

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._pool.connections.add(self)

    def data_received(self, data: bytes) -> None:
        shot = self.shot
        if shot is None:
            # Bytes that nobody asked for: whatever they are, they must not become the next request's answer.
            self._drop()
            return
        if not self.heard and shot.framed:
            size = self._pool.head_size(data)
            if size and len(data) - size <= self._pool.body_cap:
                self._answered(RawAnswer(data[:size], data[size:]), keeps=True)
                return
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail(FailureKind.PROTOCOL, "the server changed the protocol")
            return
        except httptools.HttpParserError as error:
            if not self._complete:
                self.fail(FailureKind.PROTOCOL, f"not HTTP/1.1: {error}")
                return
            self._unclean = True
        if self._complete:
            self._parsed()
        elif not self._status:
            self._head_size += len(data)
            if self._head_size > HEAD_CAP:
                self.fail(FailureKind.PROTOCOL, "the answer's head is too large")

    def eof_received(self) -> None:
        self._closed(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed(exc)

    def _closed(self, exc: Exception | None) -> None:
        """The server has closed. That completes an answer without a length, and fails everything else."""
        shot = self.shot
        if shot is None:
            self._drop()
        elif self._status and exc is None and self._until_close():
            self._unclean = True
            self._parsed()
        elif self._status or self.heard:
            self.fail(FailureKind.TRUNCATED, f"closed inside the answer ({_why(exc)})")
        elif self._served and self._pool.again(shot):
            self.shot = None
            self._drop()
        else:
            self.fail(FailureKind.RESET, f"closed without an answer ({_why(exc)})")

    def _drop(self) -> None:
        pool = self._pool
        pool.connections.discard(self)
        if self in pool.idle:
            pool.idle.remove(self)
        if self._transport is not None:
            self._transport.abort()

    def _parsed(self) -> None:
        """The parser has a whole answer."""
        body = self._body
        truncated = self._body_size > self._pool.body_cap
        response = Response(
            self._status,
            Headers.of_pairs(tuple([(n.decode("latin-1"), v.decode("latin-1")) for n, v in self._headers])),
            (body[0] if len(body) == 1 else b"".join(body)) if body else b"",
            self._reason.decode("latin-1"),
            self._parser.get_http_version(),
        )
        keeps = self._keeps and not self._unclean
        if keeps:
            assert self.shot is not None
            if self.shot.request.method == "HEAD":
                self._parser = httptools.HttpResponseParser(self)
            self._reset()
        self._answered(response, keeps=keeps, truncated=truncated)

    def _answered(self, answer: Response | RawAnswer, *, keeps: bool, truncated: bool = False) -> None:
        """The answer is whole; `keeps` says that the connection may serve another request as far as it goes."""
        pool = self._pool
        shot, self.shot = self.shot, None
        assert shot is not None
        transport = self._transport
        assert transport is not None
        self.done_us = done_us = pool.clock.now_us()
        if keeps and shot.keep and transport.get_write_buffer_size() == 0:
            self._served += 1
            pool.idle.append(self)
        else:
            self._drop()
        shot.done(Outcome(answer, None, shot.sent_us, done_us, truncated, shot.retried))

    def _until_close(self) -> bool:
        """Whether nothing but the end of the connection delimits the body (RFC 9112, 6.3)."""
        names = {name.lower(): value for name, value in self._headers}
        if b"transfer-encoding" in names:
            return names[b"transfer-encoding"].lower().rpartition(b",")[2].strip() != b"chunked"
        return b"content-length" not in names

    # What httptools calls.

    def on_message_begin(self) -> None:
        # A byte of a second answer, or what could become one, must never meet the next request.
        if self._complete:
            self._unclean = True

    def on_status(self, reason: bytes) -> None:
        if not self._status:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        # After the head these are a chunked body's trailers, which an exchange has no place for.
        if not self._status:
            self._raw.append((name, value))

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        if len(self._raw) > _MOST_HEADERS:
            raise httptools.HttpParserError("too many headers")
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            self._raw = []
            self._reason = b""
            return
        self._status = status
        self._headers = self._raw
        shot = self.shot
        if shot is not None and shot.request.method == "HEAD":
            self._keeps = self._parser.get_http_version() == "1.1" and not _says_close(self._headers)
            self._complete = True

    def on_body(self, chunk: bytes) -> None:
        if self._complete:
            self._unclean = True
            return
        self._body_size += len(chunk)
        if self._body_size <= self._pool.body_cap:
            self._body.append(chunk)
        else:
            self._body = []

    def on_message_complete(self) -> None:
        if self._status and not self._complete:
            self._keeps = self._parser.should_keep_alive()
            self._complete = True


def _says_close(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"connection" and b"close" in value.lower() for name, value in headers)


def _why(exc: Exception | None) -> str:
    if exc is None:
        return "end of the connection"
    return (exc.strerror if isinstance(exc, OSError) else None) or type(exc).__name__
