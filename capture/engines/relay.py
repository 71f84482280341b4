"""A relay: one client connection, one upstream connection, and the bytes between them.

Two rules hold here. Bytes are passed on before anybody looks at them. What one side does (pause, half-close, close,
reset) the other side sees. The relay knows no protocol; a `Watcher` is told what passed.
"""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable
from typing import Protocol, cast

from ..model import FailureKind
from ..wire.filters import Filter
from .sockets import Dial, reaching

CONNECT_WITHIN_S = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Watcher(Protocol):
    """Who is told what passed. Called after the bytes were handed to the other side; must not wait."""

    def client_data(self, data: bytes) -> None:
        """Bytes of the client's."""

    def server_data(self, data: bytes) -> None:
        """Bytes of the upstream's."""

    def client_eof(self) -> None:
        """The client sends no more."""

    def server_eof(self) -> None:
        """The upstream sends no more."""

    def lost(self, kind: FailureKind, detail: str) -> None:
        """The connection is gone. Said once or more; the first counts."""

    def unreachable(self, detail: str) -> None:
        """The upstream does not take the connection; the client's bytes are still told."""


class Relay:
    """Two transports tied to each other. `ended(relay)` is called when the client's is gone.

    With `hangs_up` a client whose upstream does not take the connection is hung up on at once, as the upstream would
    have done it; else it is left to the watcher to answer. `filter_` sees every byte before it is passed on. `dial`
    connects to an upstream in another network.
    """

    __slots__ = (
        "_client_done",
        "_connecting",
        "_dial",
        "_early",
        "_ended",
        "_hangs_up",
        "_server_done",
        "_upstream",
        "_within_s",
        "client",
        "filter",
        "refused",
        "server",
        "watcher",
    )

    def __init__(
        self,
        upstream: tuple[str, int],
        watcher: Watcher,
        ended: Callable[["Relay"], None],
        within_s: float,
        *,
        hangs_up: bool = False,
        filter_: Filter | None = None,
        dial: Dial | None = None,
    ) -> None:
        self._upstream = upstream
        self._dial = dial
        self._ended = ended
        self._within_s = within_s
        self._early: list[bytes] = []
        self._client_done = False
        self._server_done = False
        self._connecting: asyncio.Task[None] | None = None
        self._hangs_up = hangs_up
        self.filter = filter_
        self.watcher = watcher
        self.client: asyncio.Transport | None = None
        self.server: asyncio.Transport | None = None
        self.refused = False

    def shut(self, kind: FailureKind, detail: str) -> None:
        """End both sides; what was written to them is still sent."""
        self.watcher.lost(kind, detail)
        for transport in (self.client, self.server):
            if transport is not None:
                transport.close()

    def answer(self, data: bytes) -> None:
        """Say something to the client in the upstream's place, as the last that it hears."""
        if self.client is not None and not self.client.is_closing():
            self.client.write(data)
            with contextlib.suppress(OSError):
                self.client.write_eof()

    def client_made(self, transport: asyncio.Transport) -> None:
        """The client has connected: so do we."""
        self.client = transport
        self._connect()

    def client_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.watcher.lost(FailureKind.CANCELLED, "the client left")
        if self._connecting is not None:
            self._connecting.cancel()
        if self.server is not None:
            _end(self.server, reset=exc is not None)
        self._ended(self)

    def early(self, data: bytes) -> None:
        """Bytes that came before the upstream did. One chunk is taken, then the client has to wait."""
        if self.refused or self.client is None:
            return
        self._early.append(data)
        self.client.pause_reading()
        if self._connecting is None:
            # It was down when the client connected without a word; it may be back.
            self._connect()

    def client_eof(self) -> None:
        """The client sends no more."""
        self._client_done = True
        self.watcher.client_eof()
        if self.server is not None:
            self._half_close(self.server)
        elif self.refused or (self._connecting is None and self.client is not None):
            self.shut(FailureKind.CANCELLED, "the client left")

    def server_eof(self) -> None:
        """The upstream sends no more."""
        self._server_done = True
        self.watcher.server_eof()
        if self.client is not None:
            self._half_close(self.client)

    def server_lost(self, exc: Exception | None) -> None:
        """The upstream is gone: in the same way the client loses its connection."""
        if exc is not None:
            self.watcher.lost(FailureKind.RESET, _why(exc))
        elif not self._server_done:
            self.watcher.server_eof()
        if self.client is not None:
            _end(self.client, reset=exc is not None)

    def _half_close(self, other: asyncio.Transport) -> None:
        if self._client_done and self._server_done:
            for transport in (self.client, self.server):
                if transport is not None:
                    transport.close()
        elif not other.is_closing():
            # The other side may have gone in this very moment; its connection_lost tells.
            with contextlib.suppress(OSError):
                other.write_eof()

    def _connect(self) -> None:
        self._connecting = asyncio.get_running_loop().create_task(self._connected())

    async def _connected(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._within_s):
                end = _ServerEnd if self.filter is None else _FilteredServerEnd
                await loop.create_connection(lambda: end(self), **await reaching(self._upstream, self._dial))
        except TimeoutError:
            self._not_connected("connecting timed out")
        except OSError as error:
            self._not_connected(_why(error))

    def server_made(self, transport: asyncio.Transport) -> None:
        """The upstream has taken the connection."""
        client = self.client
        if client is None or client.is_closing():
            transport.abort()
            return
        self.server = transport
        for data in self._early:
            transport.write(data)
        self._early.clear()
        client.resume_reading()
        if self._client_done:
            self._half_close(transport)

    def _not_connected(self, detail: str) -> None:
        self._connecting = None
        if self.client is None or self.client.is_closing():
            return
        if self._hangs_up:
            self.refused = True
            self.watcher.unreachable(detail)
            _end(self.client, reset=True)
        elif self._early:
            self.refused = True
            self._early.clear()
            self.client.resume_reading()
            self.watcher.unreachable(detail)
        elif self._client_done:
            self.client.close()


class ClientEnd(asyncio.Protocol):
    """The listener's protocol: the client's side of a new relay."""

    __slots__ = ("_relay", "_watcher")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._watcher = relay.watcher

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._relay.client_made(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        server = self._relay.server
        if server is not None:
            server.write(data)
        else:
            self._relay.early(data)
        self._watcher.client_data(data)

    def eof_received(self) -> bool:
        self._relay.client_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.client_lost(exc)

    def pause_writing(self) -> None:
        _pause(self._relay.server)

    def resume_writing(self) -> None:
        _resume(self._relay.server)


class FilteredClientEnd(ClientEnd):
    """The client's side, as long as a filter has to see its bytes."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        relay = self._relay
        if relay.filter is not None and not relay.filter.is_done:
            data, answer = relay.filter.client(data)
            if answer and relay.client is not None:
                relay.client.write(answer)
            if not data:
                return
        super().data_received(data)


class _ServerEnd(asyncio.Protocol):
    """The upstream's side of a relay."""

    __slots__ = ("_relay", "_watcher")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._watcher = relay.watcher

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._relay.server_made(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        client = self._relay.client
        if client is not None:
            client.write(data)
        self._watcher.server_data(data)

    def eof_received(self) -> bool:
        self._relay.server_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.server_lost(exc)

    def pause_writing(self) -> None:
        _pause(self._relay.client)

    def resume_writing(self) -> None:
        _resume(self._relay.client)


class _FilteredServerEnd(_ServerEnd):
    """The upstream's side, as long as a filter has to see its bytes."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        relay = self._relay
        if relay.filter is not None and not relay.filter.is_done:
            data = relay.filter.server(data)
            if not data:
                return
        super().data_received(data)


def _pause(transport: asyncio.Transport | None) -> None:
    if transport is not None and not transport.is_closing():
        transport.pause_reading()


def _resume(transport: asyncio.Transport | None) -> None:
    if transport is not None and not transport.is_closing():
        transport.resume_reading()


def _end(transport: asyncio.Transport, *, reset: bool) -> None:
    """Close in the way that the other side went: with a reset, or in order."""
    if not reset:
        transport.close()
        return
    sock = transport.get_extra_info("socket")
    # The socket may be gone already, and then there is nothing to reset.
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def _why(error: Exception) -> str:
    """An error by its name: its text may hold more than belongs into a capture."""
    code = getattr(error, "errno", None)
    return errno.errorcode.get(code, type(error).__name__) if isinstance(code, int) else type(error).__name__
