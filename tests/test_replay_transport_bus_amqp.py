"""Messages to a real RabbitMQ, read by a real client."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pamqp import frame

from seamline.capture.headers import Headers
from seamline.capture.model import FailureKind, Request
from seamline.replay.transport.bus.amqp import AmqpProducer, encode, packed
from seamline.replay.transport.bus.base import Access, Undelivered
from support.rabbitmq import rabbitmq_server

pika = pytest.importorskip("pika")


def message(queue: str, body: bytes = b"x", *headers: tuple[str, str], **arguments: object) -> Request:
    return Request("CONSUME", queue, Headers(headers), body, "", "consume", json.dumps(arguments))


@pytest.fixture(scope="module")
def broker() -> Iterator[tuple[str, int]]:
    with rabbitmq_server() as address:
        yield address


@pytest.fixture
def channel(broker: tuple[str, int]) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.ConnectionParameters(*broker))
    yield connection.channel()
    connection.close()


@pytest.mark.slow
def test_a_message_goes_where_it_went_with_what_it_had(broker: tuple[str, int], channel: Any) -> None:
    channel.exchange_declare("shop", "topic")
    channel.queue_declare("orders")
    channel.queue_bind("orders", "shop", "orders.*")
    body = b"\x00" * 300_000
    headers = (
        ("traceparent", "00-1"), ("x-death", "[]"), ("content-type", "application/json"), ("message-id", "7"),
        ("type", "order"), ("priority", "3"), ("timestamp", "1793527200"), ("user-id", "somebody"),
    )  # fmt: skip

    async def main() -> None:
        producer = AmqpProducer(Access(broker))
        await producer.produce(message("orders", body, *headers, exchange="shop", routing_key="orders.new"))
        await producer.produce(message("orders", b"", exchange="", routing_key="elsewhere"))
        await producer.close()

    asyncio.run(main())
    method, properties, told = channel.basic_get("orders", auto_ack=True)
    assert (method.exchange, method.routing_key, told) == ("shop", "orders.new", body)
    assert properties.headers == {"traceparent": "00-1"}
    assert (properties.content_type, properties.message_id, properties.type) == ("application/json", "7", "order")
    assert (properties.priority, properties.timestamp, properties.user_id) == (3, 1793527200, None)
    assert channel.basic_get("orders", auto_ack=True)[0].exchange == ""


@pytest.mark.slow
def test_what_no_queue_takes_may_be_tried_again(broker: tuple[str, int], channel: Any) -> None:
    async def main() -> None:
        producer = AmqpProducer(Access(broker, "guest", "guest", "/"))
        for exchange in ("", "later", "later"):
            with pytest.raises(Undelivered) as unheard:
                await producer.produce(message("later.q", exchange=exchange, routing_key="k"))
            assert unheard.value.unheard, unheard.value.detail
            channel.exchange_declare("later", "direct")
        channel.queue_declare("later.q")
        channel.queue_bind("later.q", "later", "k")
        await producer.produce(message("later.q", exchange="later", routing_key="k"))
        await producer.close()

    asyncio.run(main())
    assert channel.basic_get("later.q", auto_ack=True)[0] is not None


@pytest.mark.slow
def test_a_refusal_is_a_failure(broker: tuple[str, int]) -> None:
    async def main() -> None:
        with pytest.raises(Undelivered) as refused:
            await AmqpProducer(Access(broker, "guest", "wrong")).produce(message("q"))
        assert not refused.value.unheard
        assert "wrong" not in refused.value.detail

    asyncio.run(main())


def test_nobody_there_and_nonsense_are_failures() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3)
        writer.close()

    async def main() -> None:
        listener = await asyncio.start_server(nonsense, "127.0.0.1", 0)
        address = listener.sockets[0].getsockname()[:2]
        with pytest.raises(Undelivered):
            await AmqpProducer(Access(address)).produce(message("q"))
        listener.close()
        await listener.wait_closed()
        with pytest.raises(Undelivered) as refused:
            await AmqpProducer(Access(address)).produce(message("q"))
        assert refused.value.kind is FailureKind.CONNECT

    asyncio.run(main())


def test_a_message_to_nowhere_is_refused() -> None:
    with pytest.raises(Undelivered, match="neither"):
        encode(message(""))


@pytest.mark.parametrize(
    "said", [message("q" * 300), message("q", b"", ("a" * 300, "x")), message("q", b"", ("x", "\ud800"))]
)
def test_what_amqp_cannot_say_is_a_failure(said: Request) -> None:
    with pytest.raises(Undelivered, match="cannot say"):
        packed(said)


@given(
    st.lists(st.tuples(st.sampled_from(["priority", "timestamp", "type", "delivery-mode", "x"]), st.text(max_size=8))),
    st.binary(max_size=60),
)
@example([("delivery-mode", "0")], b"")
def test_frames_hold_the_body_whatever_the_headers_say(headers: list[tuple[str, str]], body: bytes) -> None:
    frames = encode(message("q", body, *headers), largest=16)
    assert b"".join(each.value for _, each in frames[2:]) == body
    frame.marshal(frames[0][1], 1)
