"""The relay without any protocol: what one side does, the other sees."""

import asyncio
import socket
import struct
from typing import Any

import pytest

from seamline.capture.engines.relay import ClientEnd, Relay
from seamline.capture.model import FailureKind
from support.taps import play

pytestmark = pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])


class Notes:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def client_data(self, data: bytes) -> None:
        self.told.append(("client", data))

    def server_data(self, data: bytes) -> None:
        self.told.append(("server", data))

    def client_eof(self) -> None:
        self.told.append("client eof")

    def server_eof(self) -> None:
        self.told.append("server eof")

    def lost(self, kind: FailureKind, detail: str) -> None:
        self.told.append((kind, detail))

    def unreachable(self, detail: str) -> None:
        self.told.append(("unreachable", detail))


class Stage:
    """A relay's listener in front of a plain upstream, both ends in the test's hands."""

    def __init__(self, within_s: float = 5.0) -> None:
        self.notes = Notes()
        self.ended = asyncio.Event()
        self._accepted: asyncio.Queue[Any] = asyncio.Queue()
        self._within_s = within_s

    async def __aenter__(self) -> "Stage":
        async def keep(*streams: Any) -> None:
            self._accepted.put_nowait(streams)

        loop = asyncio.get_running_loop()
        self.upstream = await asyncio.start_server(keep, "127.0.0.1", 0)
        place = self.upstream.sockets[0].getsockname()
        self.listener = await loop.create_server(
            lambda: ClientEnd(Relay(place, self.notes, lambda _: self.ended.set(), self._within_s)), "127.0.0.1", 0
        )
        return self

    async def connected(self) -> tuple[Any, Any]:
        client = await asyncio.open_connection(*self.listener.sockets[0].getsockname())
        return client, await self._accepted.get()

    async def __aexit__(self, *_: object) -> None:
        self.listener.close()
        self.upstream.close()


def reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def test_bytes_pass_both_ways_and_each_end_closes_on_its_own(loop_name: str) -> None:
    async def scene() -> None:
        async with Stage() as stage:
            (client_in, client), (server_in, server) = await stage.connected()
            client.write(b"\x00any")
            assert await server_in.readexactly(4) == b"\x00any"
            client.write_eof()
            assert await server_in.read() == b""
            server.write(b"thing")
            server.close()
            assert await client_in.read() == b"thing"
            await stage.ended.wait()
            client.close()
            assert stage.notes.told[:4] == [("client", b"\x00any"), "client eof", ("server", b"thing"), "server eof"]

    play(scene(), loop_name)


def test_the_server_may_close_first(loop_name: str) -> None:
    async def scene() -> None:
        async with Stage() as stage:
            (client_in, client), (server_in, server) = await stage.connected()
            server.write_eof()
            assert await client_in.read() == b""
            client.write(b"still")
            client.write_eof()
            assert await server_in.read() == b"still"
            server.close()
            client.close()
            await stage.ended.wait()

    play(scene(), loop_name)


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_goes_through(loop_name: str, who: str) -> None:
    async def scene() -> None:
        async with Stage() as stage:
            (client_in, client), (server_in, server) = await stage.connected()
            client.write(b"x")
            await server_in.readexactly(1)
            reset(client if who == "client" else server)
            with pytest.raises(ConnectionResetError):
                await (server_in if who == "client" else client_in).read()
            await stage.ended.wait()
            kinds = [each[0] for each in stage.notes.told if isinstance(each, tuple)]
            assert (FailureKind.CANCELLED if who == "client" else FailureKind.RESET) in kinds
            client.close()
            server.close()

    play(scene(), loop_name)


def test_no_upstream_is_told_once_the_client_has_spoken(loop_name: str) -> None:
    async def scene() -> None:
        async with Stage() as stage:
            stage.upstream.close()
            await asyncio.sleep(0)
            reader, writer = await asyncio.open_connection(*stage.listener.sockets[0].getsockname())
            writer.write(b"hello")
            while len(stage.notes.told) < 2:
                await asyncio.sleep(0.005)
            assert stage.notes.told == [("client", b"hello"), ("unreachable", "ECONNREFUSED")]
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()

    play(scene(), loop_name)


def test_a_client_that_says_nothing_and_leaves_is_let_go(loop_name: str) -> None:
    async def scene() -> None:
        async with Stage() as stage:
            stage.upstream.close()
            _, writer = await asyncio.open_connection(*stage.listener.sockets[0].getsockname())
            writer.close()
            await stage.ended.wait()

    play(scene(), loop_name)
