"""AMQP on the wire: scripted conversations, hostile bytes, and a real RabbitMQ with pika behind a tap."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pika
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import body, frame, header
from pamqp.commands import Basic, Channel, Confirm, Connection, Exchange, Queue, Tx

from seamline.capture.model import FailureKind, Role
from seamline.capture.wire.amqp import AmqpDecoder
from seamline.capture.wire.amqp.frames import PROTOCOL
from seamline.capture.wire.protocols import decoder_for
from support.rabbitmq import rabbitmq_server
from support.redis_nats import Events, Piece, feed, told
from support.taps import Address, call_tapped


def client(*methods: Any, channel: int = 1) -> Piece:
    return "client", b"".join(frame.marshal(each, channel) for each in methods)


def server(*methods: Any, channel: int = 1) -> Piece:
    return "server", b"".join(frame.marshal(each, channel) for each in methods)


def message(method: Any, data: bytes = b"hi", **properties: Any) -> list[Any]:
    head = header.ContentHeader(body_size=len(data), properties=Basic.Properties(**properties))
    return [method, head, *([body.ContentBody(data)] if data else [])]


START = [
    ("client", PROTOCOL),
    server(Connection.Start(server_properties={}), channel=0),
    client(Connection.StartOk(client_properties={}, response="\0app\0s3cret"), channel=0),
    server(Connection.Tune(), channel=0),
    client(Connection.TuneOk(), Connection.Open(virtual_host="/"), channel=0),
    server(Connection.OpenOk(), channel=0),
    client(Channel.Open()),
    server(Channel.OpenOk()),
]


def played(*pieces: Piece, step: int = 0) -> Events:
    events = Events()
    feed(AmqpDecoder("c-1", events), *START, *pieces, step=step)
    return events


def ends(events: Events) -> list[tuple[str, str, int, str]]:
    return [(call.method, call.target, call.status, call.reason) for call in events.calls[1:]]


def test_the_table_of_protocols_knows_it() -> None:
    assert decoder_for("amqp") is AmqpDecoder


def test_a_connection_is_told_without_credentials() -> None:
    call = played().one()
    assert (call.method, call.target, call.headers.get("setup")) == ("CONNECT", "/", "yes")
    assert "s3cret" not in repr(told([call]))


def test_declarations_are_calls_of_their_own() -> None:
    events = played(
        client(Queue.Declare(queue="orders", durable=True), Queue.Bind(queue="orders", exchange="ex", routing_key="k")),
        server(Queue.DeclareOk(queue="orders", message_count=0, consumer_count=0), Queue.BindOk()),
        client(Exchange.Declare(exchange="ex", nowait=True)),
    )
    assert ends(events) == [
        ("DECLARE", "orders", 0, "queue.declare"), ("BIND", "orders", 0, "queue.bind"),
        ("DECLARE", "ex", 0, "unacknowledged"),
    ]  # fmt: skip
    assert orjson.loads(events.calls[1].arguments)["durable"] is True
    assert orjson.loads(events.calls[1].response_body)["queue"] == "orders"


def test_a_message_without_confirmation_is_answered_at_once() -> None:
    events = played(client(*message(Basic.Publish(exchange="ex", routing_key="k"), content_type="text/plain")))
    assert ends(events) == [("PUBLISH", "ex/k", 0, "unacknowledged")]
    assert events.calls[1].body == b"hi"
    assert events.calls[1].headers.get("content-type") == "text/plain"
    assert events.calls[1].role is None


def test_confirmations_name_one_or_all() -> None:
    publish = [each for number in range(4) for each in message(Basic.Publish(routing_key=f"q{number}"))]
    events = played(
        client(Confirm.Select()), server(Confirm.SelectOk()), client(*publish),
        server(Basic.Ack(delivery_tag=2, multiple=True), Basic.Nack(delivery_tag=4), Basic.Ack(delivery_tag=3)),
    )  # fmt: skip
    assert ends(events) == [
        ("PUBLISH", "q0", 0, "ack"), ("PUBLISH", "q1", 0, "ack"), ("PUBLISH", "q3", 1, "nack"), ("PUBLISH", "q2", 0, "ack"),
    ]  # fmt: skip


def test_a_message_that_nobody_wants_comes_back() -> None:
    back = message(Basic.Return(reply_code=312, reply_text="NO_ROUTE", exchange="", routing_key="q"))
    events = played(
        client(Confirm.Select()), server(Confirm.SelectOk()),
        client(*message(Basic.Publish(routing_key="q", mandatory=True))), server(*back, Basic.Ack(delivery_tag=1)),
    )  # fmt: skip
    assert ends(events) == [("PUBLISH", "q", 1, "returned")]
    assert orjson.loads(events.calls[1].response_body) == {"code": 312, "message": "NO_ROUTE"}
    assert ends(played(server(*back))) == [("RETURN", "q", 0, "unacknowledged")]


def deliver(tag: int, consumer: str = "t") -> Any:
    return Basic.Deliver(consumer_tag=consumer, delivery_tag=tag, exchange="ex", routing_key="k")


def consuming(*, no_ack: bool = False) -> list[Piece]:
    return [client(Basic.Consume(queue="orders", no_ack=no_ack)), server(Basic.ConsumeOk(consumer_tag="t"))]


def test_what_is_consumed_is_inbound_and_ends_with_its_acknowledgement() -> None:
    events = played(
        *consuming(),
        server(*message(deliver(1)), *message(deliver(2)), *message(deliver(3)), *message(deliver(4))),
        client(Basic.Ack(delivery_tag=2, multiple=True), Basic.Reject(delivery_tag=3), Basic.Nack(delivery_tag=4)),
    )
    assert ends(events) == [
        ("CONSUME", "orders", 0, "basic.consume"),
        ("CONSUME", "orders", 0, "ack"), ("CONSUME", "orders", 0, "ack"),
        ("CONSUME", "orders", 1, "nack"), ("CONSUME", "orders", 1, "nack"),
    ]  # fmt: skip
    assert [call.role for call in events.calls[1:]] == [None, *[Role.INBOUND] * 4]
    assert orjson.loads(events.calls[2].arguments)["routing_key"] == "k"


def test_what_needs_no_acknowledgement_is_over_at_once() -> None:
    events = played(*consuming(no_ack=True), server(*message(deliver(1), b"")))
    assert ends(events)[1:] == [("CONSUME", "orders", 0, "unacknowledged")]


def test_a_get_gives_a_message_or_nothing() -> None:
    events = played(
        client(Basic.Get(queue="a"), Basic.Get(queue="b")),
        server(Basic.GetEmpty(), *message(Basic.GetOk(delivery_tag=1, exchange="", routing_key="b", message_count=0))),
        client(Basic.Ack(delivery_tag=1)),
    )
    assert ends(events) == [("CONSUME", "b", 0, "ack")]


def test_what_is_published_while_consuming_shares_the_lane() -> None:
    events = played(*consuming(), server(*message(deliver(1))), client(*message(Basic.Publish(routing_key="q"))))
    (consumed,) = events.open
    assert consumed.lane == events.calls[2].lane == "c-1/1"


def test_a_transaction_is_a_lane() -> None:
    publish = message(Basic.Publish(routing_key="q"))
    events = played(
        client(Tx.Select()),
        server(Tx.SelectOk()),
        client(*publish, Tx.Commit()),
        server(Tx.CommitOk()),
        client(*publish),
    )
    assert [call.lane for call in events.calls[1:]] == [None, "c-1/1.1", "c-1/1.1", "c-1/1.2"]


def test_a_channels_error_answers_what_was_asked() -> None:
    events = played(
        client(Queue.Declare(queue="nowhere", passive=True)),
        server(Channel.Close(reply_code=404, reply_text="NOT_FOUND", class_id=50, method_id=10)),
        client(Channel.CloseOk()),
    )
    assert ends(events) == [("DECLARE", "nowhere", 1, "404")]


def test_a_refused_connection_is_an_error() -> None:
    events = Events()
    feed(
        AmqpDecoder("c-1", events), *START[:3],
        server(Connection.Close(reply_code=403, reply_text="ACCESS_REFUSED", class_id=0, method_id=0), channel=0),
    )  # fmt: skip
    assert (events.one().status, events.one().reason) == (1, "403")


@pytest.mark.parametrize("first", [b"\x16\x03\x01", b"AMQP\x00\x01\x00\x00"])
def test_another_protocol_is_one_gap(first: bytes) -> None:
    events = Events()
    feed(AmqpDecoder("c-1", events), ("client", first), ("client", b"more"), ("server", b"more"))
    assert len(events.gaps) == 1


def test_a_lost_connection_fails_what_is_open() -> None:
    events = Events()
    decoder = AmqpDecoder("c-1", events)
    feed(decoder, *START, *consuming(), server(*message(deliver(1))))
    assert decoder.in_flight
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert not decoder.in_flight
    assert events.calls[-1].failure is not None


CONVERSATION = [
    *consuming(), server(*message(deliver(1), b"x" * 300, headers={"a": 1})),
    client(Confirm.Select()), server(Confirm.SelectOk()),
    client(*message(Basic.Publish(routing_key="q"))), server(Basic.Ack(delivery_tag=1)), client(Basic.Ack(delivery_tag=1)),
]  # fmt: skip


@given(st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_chunks_make_no_difference(step: int) -> None:
    whole = played(*CONVERSATION)
    assert len(whole.calls) == 4
    assert told(played(*CONVERSATION, step=step).calls) == told(whole.calls)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_hostile_bytes_never_raise(data: st.DataObject) -> None:
    pieces = list(CONVERSATION[: data.draw(st.integers(0, len(CONVERSATION)))])
    for _ in range(data.draw(st.integers(1, 4))):
        who = data.draw(st.sampled_from(["client", "server"]))
        raw = data.draw(st.binary(max_size=50))
        kind = data.draw(st.integers(1, 3))
        framed = bytes((kind,)) + b"\0\1" + len(raw).to_bytes(4) + raw + b"\xce"
        pieces.append((who, framed if data.draw(st.booleans()) else raw))
    events = Events()
    decoder = AmqpDecoder("c-1", events)
    feed(decoder, *START, *pieces)
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert len(events.gaps) <= 1
    assert events.open == []


# A real broker.


@pytest.fixture(scope="module")
def broker() -> Iterator[Address]:
    with rabbitmq_server() as address:
        yield address


@pytest.mark.slow
def test_pika(broker: Address) -> None:
    def talk(address: Address) -> None:
        connection = pika.BlockingConnection(pika.ConnectionParameters(*address))
        channel = connection.channel()
        channel.queue_declare("orders")
        channel.confirm_delivery()
        properties = pika.BasicProperties(
            content_type="application/json", headers={"traceparent": "00-a"}, message_id="m1"
        )
        channel.basic_publish("", "orders", b'{"email":"a@b.c"}', properties)
        channel.basic_publish("", "orders", b"second")
        with pytest.raises(pika.exceptions.UnroutableError):
            channel.basic_publish("", "nowhere", b"lost", mandatory=True)
        for method, _, _ in channel.consume("orders", inactivity_timeout=5):
            if method.delivery_tag == 1:
                channel.basic_ack(1)
            else:
                channel.basic_nack(2, requeue=False)
                break
        channel.cancel()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker):
            channel.queue_declare("missing", passive=True)
        connection.close()

    async def main() -> None:
        async with call_tapped("amqp", broker) as stage:
            await asyncio.to_thread(talk, stage.address)
        assert stage.sink.losses == {}
        found = {
            (each.request.method, each.request.target, each.role, each.status, each.response.reason)
            for each in stage.sink.exchanges
            if each.response
        }
        assert found >= {
            ("DECLARE", "orders", Role.OUTBOUND, 0, "queue.declare"),
            ("PUBLISH", "orders", Role.OUTBOUND, 0, "ack"),
            ("PUBLISH", "nowhere", Role.OUTBOUND, 1, "returned"),
            ("CONSUME", "orders", Role.INBOUND, 0, "ack"),
            ("CONSUME", "orders", Role.INBOUND, 1, "nack"),
            ("DECLARE", "missing", Role.OUTBOUND, 1, "404"),
        }  # fmt: skip
        published = next(each for each in stage.sink.exchanges if each.request.method == "PUBLISH")
        assert published.request.body == b'{"email":"a@b.c"}'
        assert published.request.headers.get("traceparent") == "00-a"

    asyncio.run(main())
