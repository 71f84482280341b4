"""Messages to the mock broker inside librdkafka, read by a real client."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import FailureKind, Request
from seamline.replay.transport.bus.base import Access, Undelivered
from seamline.replay.transport.bus.kafka import KafkaProducer
from support.kafka import kafka_broker

pytest.importorskip("aiokafka")


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, int]]:
    with kafka_broker() as address:
        yield address


def message(topic: str, body: bytes = b"x", *headers: tuple[str, str], **arguments: object) -> Request:
    return Request("CONSUME", topic, Headers(headers), body, "", "consume", json.dumps(arguments))


def read(broker: tuple[str, int], topic: str, count: int) -> list[Any]:
    import confluent_kafka

    where = f"{broker[0]}:{broker[1]}"
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": where, "group.id": f"g-{topic}", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    found: list[Any] = []
    while len(found) < count:
        told = consumer.poll(20)
        assert told is not None
        if told.error() is None:
            found.append(told)
    consumer.close()
    return found


@pytest.mark.slow
def test_key_partition_and_headers_are_kept(broker: tuple[str, int]) -> None:
    async def main() -> list[str]:
        producer = KafkaProducer(Access(broker))
        await producer.produce(message("orders", b"1", ("traceparent", "00-1"), key="ada", partition=2))
        await producer.produce(message("orders", b"2", key={"b64": "/w=="}, partition=2))
        await producer.produce(message("orders", key="ada", partition=2, tombstone=True))
        await producer.produce(message("orders", b"4", key=None, partition=99))
        topics = await producer.places()
        await producer.close()
        return topics

    assert asyncio.run(main()) == ["orders"]
    found = read(broker, "orders", 4)
    kept = [each for each in found if each.partition() == 2 and each.value() != b"4"]
    assert [(each.key(), each.value()) for each in kept] == [(b"ada", b"1"), (b"\xff", b"2"), (b"ada", None)]
    assert kept[0].headers() == [("traceparent", b"00-1")]


def test_nobody_there_is_a_failure() -> None:
    async def main() -> None:
        producer = KafkaProducer(Access(("127.0.0.1", 1)))
        with pytest.raises(Undelivered) as refused:
            await producer.produce(message("orders"))
        assert refused.value.kind is FailureKind.CONNECT
        await producer.close()

    asyncio.run(main())
