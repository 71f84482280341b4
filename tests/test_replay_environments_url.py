"""A running service: waited for, never touched."""

import asyncio
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.ports import free_ports
from seamline.replay.environments.spec import Ready, ServiceSpec
from seamline.replay.environments.url import UrlEnvironment


def running(url: str, ready: Ready) -> UrlEnvironment:
    return UrlEnvironment(ServiceSpec("x", Path("/"), url=url, ready=ready), what="baseline")


def test_a_service_that_answers_is_up_and_stays_up() -> None:
    async def main() -> None:
        async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            side = running(f"{url}/", Ready())
            assert await side.up() == url
            await side.down()
            assert (side.ended(), side.tail()) == (None, "")
            assert await side.up() == url

    asyncio.run(main())


def test_one_that_does_not_answer_is_named_with_its_address() -> None:
    [port] = free_ports(1)
    with pytest.raises(CouldNotCheck, match=f"baseline was not ready .*is it running at http://127.0.0.1:{port}"):
        asyncio.run(running(f"http://127.0.0.1:{port}", Ready(timeout_s=0.05)).up())
