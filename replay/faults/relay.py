"""A relay between a tap and its upstream that plays faults: the tap records what the service sees.

Two rules hold here. Without a fault every byte passes as it came. A fault hits whole calls: requests on HTTP, on other
protocols what the client says after the server has spoken.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

import httptools

from ...capture.engines.sockets import Dial, Network, listening, reaching
from .spec import NOTHING, Blow, Fault, Faults

_CHUNK = 64 << 10
_CONNECT_WITHIN_S = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class FaultRelay:
    """One listener in front of one upstream. `is_http` says that requests are told apart. It listens in `network` where
    that is given, and `dial` connects to an upstream in another one."""

    def __init__(
        self,
        listen: tuple[str, int],
        upstream: tuple[str, int],
        faults: Faults,
        *,
        is_http: bool,
        network: Network | None = None,
        dial: Dial | None = None,
    ) -> None:
        self.upstream = upstream
        self.dial = dial
        self.faults = faults
        self.is_http = is_http
        self._listen = listen
        self._network = network
        self._server: asyncio.Server | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""
        self._server = await asyncio.start_server(self._accepted, **listening(self._listen, self._network))
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    async def stop(self, grace_s: float = 0.0) -> None:
        """Take no more connections and end those there are: the tap in front has given them their time."""
        if self._server is not None:
            self._server.close()
        if self._under_way and grace_s:
            await asyncio.wait(self._under_way, timeout=grace_s)
        for task in list(self._under_way):
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            await _Conversation(self, reader, writer).run()
        except OSError:
            # Broken by either end: that is all there is to a connection's end.
            _break(writer)
        finally:
            self._under_way.discard(task)
            writer.close()


class _Conversation:
    """One client connection and the upstream's."""

    def __init__(self, relay: FaultRelay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._relay = relay
        self._reader = reader
        self._writer = writer
        self._calls = _Requests() if relay.is_http else _Turns()
        self._cuts = False
        self._upstream: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Pass bytes until both sides have ended, or a fault has ended them."""
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                reader, writer = await asyncio.open_connection(**await reaching(self._relay.upstream, self._relay.dial))
        except (OSError, TimeoutError):
            _break(self._writer)
            return
        self._upstream = writer
        try:
            await _until_first_false(self._there(writer), self._back(reader))
        finally:
            writer.close()

    async def _there(self, upstream: asyncio.StreamWriter) -> bool:
        """The client's bytes. False where the connection is over."""
        while data := await self._reader.read(_CHUNK):
            blow = self._relay.faults.next() if self._calls.begins(data) else NOTHING
            if blow is not NOTHING and not await self._struck(blow):
                return False
            if upstream.transport.is_closing():
                return False
            upstream.write(data)
            await upstream.drain()
        if not upstream.transport.is_closing():
            with contextlib.suppress(OSError):
                upstream.write_eof()
        return True

    async def _back(self, reader: asyncio.StreamReader) -> bool:
        """The upstream's bytes."""
        while data := await reader.read(_CHUNK):
            if self._writer.transport.is_closing():
                # A fault has ended it, or the client has: uvloop takes a write then for a mistake of ours.
                return False
            self._calls.answered()
            if self._cuts:
                self._writer.write(data[: len(data) // 2])
                await self._writer.drain()
                return False
            self._writer.write(data)
            await self._writer.drain()
        if not self._writer.transport.is_closing():
            with contextlib.suppress(OSError):
                self._writer.write_eof()
        return False

    async def _struck(self, blow: Blow) -> bool:
        """Play what hits the call that begins; whether it goes on to the upstream."""
        if blow.delay_us:
            await asyncio.sleep(blow.delay_us / 1_000_000)
        fault = blow.fault
        if fault is None:
            return True
        if fault.kind == "truncate":
            self._cuts = True
            return True
        if fault.kind == "reset":
            _break(self._writer)
        elif fault.kind == "timeout":
            # Nothing is said until the client gives up.
            while await self._reader.read(_CHUNK):
                pass
        else:
            await self._refused(fault)
        return False

    async def _refused(self, fault: Fault) -> None:
        """An answer in the upstream's place, once the request is whole."""
        if self._calls.expects:
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while self._calls.is_open and (data := await self._reader.read(_CHUNK)):
            self._calls.begins(data)
        body = b'{"error":"fault","status":%d}' % fault.status
        self._writer.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nseamline-stub: fault\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (fault.status, _REASONS.get(fault.status, "").encode(), len(body), body)
        )
        await self._writer.drain()


class _Turns:
    """Calls of a protocol that is not read: each time the client speaks after the server has."""

    expects = False
    is_open = False

    def __init__(self) -> None:
        self._client_next = True

    def begins(self, _: bytes) -> bool:
        """Whether a call begins with these bytes of the client's."""
        begins, self._client_next = self._client_next, False
        return begins

    def answered(self) -> None:
        """The server has spoken."""
        self._client_next = True


class _Requests:
    """HTTP/1.1 requests. What is no HTTP is passed without faults."""

    def __init__(self) -> None:
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._begun = 0
        self.is_open = False
        self.expects = False

    def begins(self, data: bytes) -> bool:
        """Whether a request begins with these bytes; one that begins in the midst of them is left alone."""
        at_a_boundary = not self.is_open
        before = self._begun
        if self._parser is not None:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade:
                # The request is whole; what follows would be another protocol's.
                self._parser = None
            except httptools.HttpParserError:
                self._parser = None
                return False
        return at_a_boundary and self._begun > before

    def answered(self) -> None:
        """Nothing to do: requests are told by themselves."""

    def on_message_begin(self) -> None:
        self._begun += 1
        self.is_open = True
        self.expects = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self.expects = True

    def on_message_complete(self) -> None:
        self.is_open = False


def _break(writer: asyncio.StreamWriter) -> None:
    """Hang up with a reset."""
    sock = writer.get_extra_info("socket")
    # The socket may be gone already, and then there is nothing to reset.
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


async def _until_first_false(*pumps: Coroutine[Any, Any, bool]) -> None:
    """Run all; the first that says False (or fails) ends the others."""
    tasks = {asyncio.ensure_future(pump) for pump in pumps}
    try:
        while tasks:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # Each result is taken, so that no error stays unseen.
            goes_on = [task.result() for task in done]
            if False in goes_on:
                return
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
