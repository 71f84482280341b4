"""Sockets of another network: a server on one that was made elsewhere, a connection on another."""

import asyncio
import socket

import pytest

from seamline.capture.engines.sockets import Address, connected, listening, reaching
from seamline.replay.environments.ports import free_ports


class Elsewhere:
    """A network that is told who asks it; it is the same machine."""

    def __init__(self) -> None:
        self.bound_to: list[Address] = []
        self.dialled_to: list[Address] = []

    def bound(self, address: Address) -> socket.socket:
        self.bound_to.append(address)
        sock = socket.socket()
        sock.bind(address)
        return sock

    async def dialled(self, address: Address) -> socket.socket:
        self.dialled_to.append(address)
        return await connected(socket.socket(), address)


async def said_by(server: asyncio.Server, elsewhere: Elsewhere | None) -> bytes:
    dial = elsewhere.dialled if elsewhere is not None else None
    reader, writer = await asyncio.open_connection(**await reaching(server.sockets[0].getsockname(), dial))
    told = await reader.read()
    writer.close()
    return told


@pytest.mark.parametrize("elsewhere", [None, Elsewhere()])
def test_a_server_and_its_client_meet_in_either_network(elsewhere: Elsewhere | None) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(greet, **listening(("127.0.0.1", 0), elsewhere)) as server:
            assert await said_by(server, elsewhere) == b"hello"
            if elsewhere is not None:
                assert elsewhere.bound_to == [("127.0.0.1", 0)]
                assert elsewhere.dialled_to == [server.sockets[0].getsockname()]

    asyncio.run(main())


def test_a_socket_that_does_not_connect_is_closed() -> None:
    async def main() -> None:
        sock = socket.socket()
        with pytest.raises(ConnectionRefusedError):
            await connected(sock, ("127.0.0.1", free_ports(1)[0]))
        assert sock.fileno() == -1

    asyncio.run(main())
