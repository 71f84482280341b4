"""The HTTP/1.1 stub: a server that answers every request from the capture.

Rules of this file: answers go out in the order of the requests; heads, bodies and what waits are bounded; and a
recorded answer is untrusted text, which cannot say more than the one answer that it is.
"""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from http import HTTPStatus
from typing import cast

import httptools

from ...capture.headers import Headers
from ...capture.model import Failure, FailureKind, Response
from ...capture.wire.call import BODY_CAP, Call
from .answers import Answered
from .match import Step
from .servers import ToldServer
from .tally import HEADER

HEAD_CAP = 256 << 10
"""Bytes of a request's head."""

_MOST_WAITING = 64
"""Requests of one connection that are read ahead of their answers."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_FRAMING = frozenset({"transfer-encoding", "content-length", "connection", "keep-alive", "proxy-connection", "trailer"})
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_AS_RECORDED = frozenset(step.value for step in Step if step is not Step.MISSED)
"""An answer that was found is sent as it was recorded: a service that passes headers on must not show another."""

_SILENT = frozenset({FailureKind.TIMEOUT, FailureKind.CANCELLED})
"""Failures of somebody who waited in vain: the stub says nothing for as long as its client waits."""


class HttpStub(ToldServer["_Connection"]):
    """The server."""

    def _connection(self, name: str) -> "_Connection":
        return _Connection(self, name)


class _Connection(asyncio.Protocol):
    """One client. Its requests wait in `_waiting` until those before them are answered."""

    __slots__ = (
        "_answers",
        "_body",
        "_body_size",
        "_busy",
        "_call",
        "_closing",
        "_ends",
        "_head_size",
        "_in_head",
        "_later",
        "_name",
        "_pairs",
        "_parser",
        "_paused",
        "_silent",
        "_stub",
        "_target",
        "_transport",
        "_waiting",
    )

    _transport: asyncio.Transport

    def __init__(self, stub: HttpStub, name: str) -> None:
        self._stub = stub
        self._answers = stub.answers
        self._name = name
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Call, bool]] = deque()
        self._busy = False
        self._paused = False
        self._closing = False
        self._silent = False
        self._ends = False
        self._in_head = True
        self._head_size = 0
        self._later: asyncio.TimerHandle | asyncio.Task[None] | None = None
        self._reset()

    def _reset(self) -> None:
        self._call: Call | None = None
        self._pairs: list[tuple[str, str]] = []
        self._target = b""
        self._body: list[bytes] = []
        self._body_size = 0

    # The connection's life.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface without the base class.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._waiting.clear()
        if self._later is not None:
            self._later.cancel()
        self._stub.gone(self)

    def eof_received(self) -> bool:
        """A client may half-close and still wait for its answers."""
        if not self._busy and not self._waiting:
            return False
        self._ends = True
        return True

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._serve()

    def close_when_idle(self) -> None:
        """Close now, or once what is under way has been answered."""
        self._ends = True
        if self._silent or not (self._busy or self._waiting or self._call):
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    def _close(self) -> None:
        self._closing = True
        self._transport.close()

    def _break(self) -> None:
        """Hang up with a reset, as a host does that has gone."""
        sock = self._transport.get_extra_info("socket")
        # The socket may be gone already, and then there is nothing to reset.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._closing = True
        self._transport.abort()

    # Requests.

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._in_head:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request is whole; what follows it would be another protocol's.
            self._last()
            return
        except httptools.HttpParserError:
            self._refuse(_BAD_REQUEST)
            return
        if self._in_head and self._head_size > HEAD_CAP:
            self._refuse(_TOO_LARGE)
        elif len(self._waiting) > _MOST_WAITING:
            self._transport.pause_reading()

    def _refuse(self, answer: bytes) -> None:
        """Answer what cannot be read; where something before it still has to be answered, that is the last."""
        self._answers.gap("a stub's client sent no HTTP/1.1")
        if not self._busy and not self._waiting:
            self._transport.write(answer)
        self._last()

    def _last(self) -> None:
        """Read no more, and close once what is under way has been answered."""
        self._ends = True
        if self._busy or self._waiting:
            self._transport.pause_reading()
        else:
            self._close()

    def on_message_begin(self) -> None:
        self._reset()
        self._call = Call(self._answers.now_us(), "")

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._pairs.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self._in_head = False
        call = self._call
        assert call is not None
        call.method = self._parser.get_method().decode("latin-1")
        call.target = self._target.decode("latin-1")
        call.version = self._parser.get_http_version()
        call.headers = Headers.of_pairs(tuple(self._pairs))
        if self._is_expecting() and not self._busy and not self._waiting:
            self._transport.write(_CONTINUE)

    def _is_expecting(self) -> bool:
        return any(name.lower() == "expect" and value.lower() == "100-continue" for name, value in self._pairs)

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size <= BODY_CAP:
            self._body.append(body)

    def on_message_complete(self) -> None:
        call = self._call
        assert call is not None
        if self._body_size > BODY_CAP:
            # As a tap would have recorded it.
            call.truncated = True
        elif self._body:
            call.body = b"".join(self._body) if len(self._body) > 1 else self._body[0]
        self._call = None
        self._in_head = True
        self._head_size = 0
        self._waiting.append((call, self._parser.should_keep_alive()))
        self._serve()

    # Answers.

    def _serve(self) -> None:
        """Answer what waits, until something has to be waited for."""
        answers = self._answers
        while self._waiting and not (self._busy or self._paused or self._closing):
            call, keeps = self._waiting.popleft()
            if len(self._waiting) == _MOST_WAITING // 2 and not self._ends:
                self._transport.resume_reading()
            self._busy = True
            if answers.needs_waiting:
                self._later = asyncio.get_running_loop().create_task(self._asked(call, keeps))
            else:
                self._due(call, keeps, answers.answer_at_once(call, self._name))

    async def _asked(self, call: Call, keeps: bool) -> None:
        self._due(call, keeps, await self._answers.answer(call, self._name))

    def _due(self, call: Call, keeps: bool, answered: Answered) -> None:
        if not answered.delay_us:
            self._say(call, keeps, answered)
            return
        delay_s = answered.delay_us / 1_000_000
        self._later = asyncio.get_running_loop().call_later(delay_s, self._say, call, keeps, answered)

    def _say(self, call: Call, keeps: bool, answered: Answered) -> None:
        if self._closing:
            return
        response = answered.response
        if response is None:
            self._fail(answered.failure)
            return
        keeps = keeps and (response.headers.get("connection") or "").lower() != "close"
        data, head_size = encode(response, call.method, call.version, keeps=keeps)
        if answered.cut:
            self._transport.write(data[: head_size + (len(data) - head_size) // 2])
            self._close()
            return
        self._transport.write(data)
        self._busy = False
        if not keeps or (self._ends and not self._waiting):
            self._close()
        elif self._later is not None:
            self._later = None
            self._serve()

    def _fail(self, failure: Failure | None) -> None:
        """Play a recorded failure. A stub has accepted the connection, so one that was refused is broken instead."""
        if failure is not None and failure.kind in _SILENT:
            self._silent = True
            if self._ends:
                self._close()
            return
        self._break()


def encode(response: Response, method: str, version: str, *, keeps: bool) -> tuple[bytes, int]:
    """The bytes of an answer to a request of `method` and `version`, and how many of them are its head."""
    status = response.status if 200 <= response.status <= 999 or response.status == 101 else 502
    reason = response.reason or _REASONS.get(status, "")
    lines = [f"HTTP/1.1 {status} {reason if _is_plain(reason) else ''}"]
    chunked = False
    recorded_length = None
    for name, value in response.headers.items:
        lower = name.lower()
        if lower in _FRAMING:
            chunked = chunked or (lower == "transfer-encoding" and version == "1.1")
            recorded_length = value if lower == "content-length" else recorded_length
        elif lower == HEADER and value in _AS_RECORDED:
            continue
        elif _is_plain(name) and _is_plain(value) and name:
            lines.append(f"{name}: {value}")
    body = response.body
    if method == "HEAD" or status in (204, 304) or status == 101:
        body = b""
        if recorded_length is not None and recorded_length.isascii() and recorded_length.isdigit() and status != 204:
            lines.append(f"Content-Length: {recorded_length}")
    elif chunked:
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    else:
        lines.append(f"Content-Length: {len(body)}")
    if not keeps:
        lines.append("Connection: close")
    elif version == "1.0":
        lines.append("Connection: keep-alive")
    head = "\r\n".join([*lines, "\r\n"]).encode("latin-1", "replace")
    return head + body, len(head)


def _is_plain(text: str) -> bool:
    """Whether `text` can stand in a line of a head without ending it."""
    return "\r" not in text and "\n" not in text and "\0" not in text
