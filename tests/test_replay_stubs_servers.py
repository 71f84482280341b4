"""What the stubs of all protocols share, seen at each of them."""

import asyncio
import socket

import pytest

from seamline.capture.engines.listener import TapSpec
from seamline.capture.model import Role
from seamline.replay.stubs.door import open_stub
from seamline.replay.stubs.protocols import SERVERS
from support.stubs import answers_of, stub_spec

EVERY = pytest.mark.parametrize("protocol", sorted(SERVERS))


class Elsewhere:
    """A network in which 127.0.0.1 is 127.0.0.2: enough to see where somebody listens."""

    def bound(self, address: tuple[str, int]) -> socket.socket:
        sock = socket.socket()
        sock.bind(("127.0.0.2", address[1]))
        return sock

    async def dialled(self, address: tuple[str, int]) -> socket.socket:
        raise AssertionError(f"a stub calls nobody: {address}")


@EVERY
def test_it_listens_in_the_services_own_network(protocol: str) -> None:
    async def main() -> None:
        spec = TapSpec("svc", protocol, ("127.0.0.1", 0), ("127.0.0.1", 1), Role.OUTBOUND, Elsewhere())
        stub = open_stub(spec, answers_of([], "svc", protocol)[0])
        host, port = await stub.start()
        assert host == "127.0.0.2"
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await stub.stop()

    asyncio.run(main())


@EVERY
def test_an_idle_client_is_hung_up_on_and_nobody_else_is_let_in(protocol: str) -> None:
    async def main() -> None:
        stub = open_stub(stub_spec("svc", protocol), answers_of([], "svc", protocol)[0])
        address = await stub.start()
        reader, writer = await asyncio.open_connection(*address)
        await stub.stop(grace_s=0.1)
        async with asyncio.timeout(10):
            while await reader.read(1 << 16):
                continue
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)

    asyncio.run(main())
