"""Messages to a real Redis, read by a real client."""

import asyncio
from collections.abc import Iterator

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import FailureKind, Request
from seamline.replay.transport.bus.base import Access, Undelivered
from seamline.replay.transport.bus.redis import RedisProducer
from support.redis_server import redis_server

redis = pytest.importorskip("redis.asyncio")


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, int]]:
    with redis_server() as address:
        yield address


def message(channel: str, body: bytes = b"x") -> Request:
    return Request("CONSUME", channel, Headers(), body, "", "consume", "{}")


def test_a_message_arrives_once_somebody_listens(broker: tuple[str, int]) -> None:
    async def main() -> None:
        producer = RedisProducer(Access(broker))
        with pytest.raises(Undelivered, match="nobody") as unheard:
            await producer.produce(message("news"))
        assert unheard.value.unheard
        client = redis.Redis(host=broker[0], port=broker[1])
        async with client.pubsub() as heard:
            await heard.subscribe("news")
            await heard.get_message(timeout=5)
            await producer.produce(message("news", b"\x00\xff\r\n"))
            told = await heard.get_message(ignore_subscribe_messages=True, timeout=5)
        await client.aclose()
        await producer.close()
        assert (told["channel"], told["data"]) == (b"news", b"\x00\xff\r\n")

    asyncio.run(main())


def test_a_refusal_is_a_failure(broker: tuple[str, int]) -> None:
    async def main() -> None:
        with pytest.raises(Undelivered, match="refuses") as refused:
            await RedisProducer(Access(broker, "nobody", "wrong")).produce(message("news"))
        assert refused.value.kind is FailureKind.CONNECT
        assert "wrong" not in refused.value.detail

    asyncio.run(main())


def test_a_broken_connection_is_a_failure_and_the_next_message_gets_a_new_one(broker: tuple[str, int]) -> None:
    async def main() -> None:
        listener = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        address = listener.sockets[0].getsockname()[:2]
        producer = RedisProducer(Access(address))
        for _ in range(2):
            with pytest.raises(Undelivered) as broken:
                await producer.produce(message("news"))
            assert broken.value.kind is FailureKind.RESET
        listener.close()
        await listener.wait_closed()
        with pytest.raises(Undelivered) as refused:
            await producer.produce(message("news"))
        assert refused.value.kind is FailureKind.CONNECT

    asyncio.run(main())
