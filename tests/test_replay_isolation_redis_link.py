import asyncio
from collections.abc import Awaitable, Callable

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.capture.wire.redis.values import Fault
from seamline.replay.isolation.access import Access
from seamline.replay.isolation.redis_link import RedisLink, Refused
from support.redis_server import redis_server


def test_commands_in_several_databases_on_one_connection() -> None:
    async def main(address: tuple[str, int]) -> None:
        link = await RedisLink.open(Access(*address, "", ""), "it:")
        await asyncio.gather(*[link.run(number, ["SET", "k", str(number)]) for number in (0, 1, 2, 1)])
        assert [await link.run(number, ["GET", "k"]) for number in (2, 1, 0)] == [b"2", b"1", b"0"]
        many = await link.run_all(3, [["INCR", "n"]] * 1000)
        assert many == list(range(1, 1001))
        with pytest.raises(Refused, match="WRONGTYPE"):
            await link.run(3, ["LPUSH", "n", "x"])
        with pytest.raises(Refused, match="out of range"):
            await link.run(99, ["GET", "k"])
        assert isinstance((await link.run_all(3, [["NOSUCH"]]))[0], Fault)
        await link.close()

    with redis_server() as address:
        asyncio.run(main(address))


async def serving(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    link = await RedisLink.open(Access(*server.sockets[0].getsockname()[:2], "", ""), "it:")
    try:
        with pytest.raises(CouldNotCheck, match="it: the connection to Redis broke"):
            await link.run(0, ["PING"])
    finally:
        await link.close()
        server.close()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n"])
def test_a_server_that_breaks_off_or_is_no_redis(said: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(said)
        writer.close()

    asyncio.run(serving(serve))
