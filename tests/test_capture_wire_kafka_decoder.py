"""Kafka on the wire: scripted conversations, hostile bytes, and librdkafka's mock broker with real clients."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka import Consumer, Producer
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.model import FailureKind, Role
from seamline.capture.wire.kafka.decoder import KafkaDecoder
from seamline.capture.wire.protocols import decoder_for
from support.kafka import kafka_broker
from support.kafka_talk import (
    Piece,
    batch,
    commit,
    committed,
    fetch,
    fetched,
    i32,
    message,
    metadata,
    produce,
    produced,
    request,
    response,
)
from support.redis_nats import Events, feed, told
from support.taps import Address, call_tapped

HERE = ("orders", 0)
TWO = batch((b"k", b'{"n":1}'), (None, b"\xff"), headers=[("traceparent", b"00-a")])


class Tap(Events):
    """Events of a tap whose connections share something."""

    def __init__(self, shared: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.shared = {} if shared is None else shared


def played(*pieces: Piece, step: int = 0) -> Tap:
    events = Tap()
    feed(KafkaDecoder("c-1", events), *pieces, step=step)
    return events


def ends(events: Events) -> list[tuple[str, str, int, str]]:
    return [(call.method, call.target, call.status, call.reason) for call in events.calls]


def test_the_table_of_protocols_knows_it() -> None:
    assert decoder_for("kafka") is KafkaDecoder


@pytest.mark.parametrize("version", [3, 5, 7, 8])
def test_each_record_is_published_and_confirmed(version: int) -> None:
    events = played(produce(1, {HERE: TWO}, version=version), produced(1, {HERE: (0, 40)}, version=version))
    assert ends(events) == [("PUBLISH", "orders", 0, "ack")] * 2
    first, second = events.calls
    assert orjson.loads(first.arguments) == {"key": "k", "partition": 0}
    assert (first.body, first.headers.get("traceparent"), first.role) == (b'{"n":1}', "00-a", None)
    assert orjson.loads(second.response_body) == {"partition": 0, "offset": 41}


@pytest.mark.parametrize("version", [0, 1, 2])
def test_messages_of_old_versions(version: int) -> None:
    old = message(1 if version == 2 else 0, 0, b"k", b"v")
    events = played(produce(1, {HERE: old}, version=version), produced(1, {HERE: (0, 40)}, version=version))
    assert ends(events) == [("PUBLISH", "orders", 0, "ack")]


def test_an_error_and_no_acknowledgement() -> None:
    events = played(produce(1, {HERE: TWO}), produced(1, {HERE: (6, -1)}), produce(2, {HERE: TWO}, acks=0))
    assert ends(events) == [("PUBLISH", "orders", 1, "error 6")] * 2 + [("PUBLISH", "orders", 0, "unacknowledged")] * 2


def test_a_deletion_is_no_empty_message() -> None:
    events = played(produce(1, {HERE: batch((b"k", None))}, acks=0))
    assert orjson.loads(events.one().arguments) == {"key": "k", "partition": 0, "tombstone": True}


@pytest.mark.parametrize("version", [0, 3, 4, 7, 11])
def test_without_a_group_what_was_delivered_is_over_with_the_next_fetch(version: int) -> None:
    asked = [
        fetch(1, {HERE: 41}, version=version),
        fetched(1, {HERE: batch(*[(b"k", b"v")] * 3, base=40)}, version=version),
    ]
    events = played(*asked)
    assert [orjson.loads(call.arguments)["offset"] for call in events.open] == [41, 42]
    assert {call.role for call in events.open} == {Role.INBOUND}
    events = played(*asked, fetch(2, {HERE: 43}, version=version))
    assert ends(events) == [("CONSUME", "orders", 0, "unacknowledged")] * 2


def test_a_commit_on_another_connection_ends_what_was_delivered() -> None:
    shared: dict[str, Any] = {}
    fetching, committing = Tap(shared), Tap(shared)
    coordinator, broker = KafkaDecoder("c-1", committing), KafkaDecoder("c-2", fetching)
    feed(coordinator, request(11, 5, 1, b"join"), response(1, b"joined"))
    feed(broker, fetch(1, {HERE: 0}), fetched(1, {HERE: batch(*[(b"k", b"v")] * 3)}), fetch(2, {HERE: 3}))
    assert len(fetching.open) == 3
    feed(coordinator, commit(2, {HERE: 2}), committed(2, {HERE: 0}))
    assert ends(fetching) == [("CONSUME", "orders", 0, "commit")] * 2
    assert ends(committing) == [("COMMIT", "g", 0, "commit")]
    assert orjson.loads(committing.calls[0].arguments) == {"group": "g", "offsets": {"orders": {"0": 2}}}
    feed(coordinator, commit(3, {HERE: 3}), committed(3, {HERE: 27}))
    assert ends(fetching)[2:] == [("CONSUME", "orders", 1, "error 27")]


def test_several_brokers_are_one_gap_and_no_silence() -> None:
    events = played(
        request(3, 8, 1, b""),
        metadata(1, (1, "a", 1), (2, "b", 2)),
        produce(2, {HERE: TWO}),
        produced(2, {HERE: (0, 0)}),
    )
    assert len(events.gaps) == 1
    assert len(events.calls) == 2


def test_a_batch_that_cannot_be_unpacked_is_a_gap() -> None:
    bomb = batch((b"k", b"v"), coding=2, pack=lambda _: b"\xff\xff\xff\xff\x0f")
    events = played(produce(1, {HERE: bomb}), produced(1, {HERE: (0, 0)}), produce(2, {HERE: TWO}, acks=0))
    assert events.gaps == ["a Kafka batch that could not be unpacked"]
    assert len(events.calls) == 2


@pytest.mark.parametrize(
    "pieces",
    [
        [("client", b"GET / HTTP/1.1\r\n\r\n")],
        [request(0, 9, 1, b"")],
        [request(17, 0, 1, b"")],
        [("server", i32(4) + i32(5))],
        [request(12, 3, 1, b""), request(12, 3, 1, b"")],
    ],
)
def test_what_cannot_be_followed_is_one_gap(pieces: list[Piece]) -> None:
    events = played(*pieces, ("client", b"\xff" * 50), ("server", b"\xff" * 50))
    assert len(events.gaps) == 1


def test_a_lost_connection_fails_what_is_open() -> None:
    events = Tap()
    decoder = KafkaDecoder("c-1", events)
    feed(decoder, produce(1, {HERE: TWO}), fetch(2, {HERE: 0}), fetched(2, {HERE: TWO}))
    assert decoder.in_flight
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert not decoder.in_flight
    assert [call.failure is None for call in events.calls] == [False, False, True, True]
    assert events.open == []


CONVERSATION = [
    produce(1, {HERE: TWO}), produced(1, {HERE: (0, 0)}), fetch(2, {HERE: 0}), fetched(2, {HERE: TWO}),
    commit(3, {HERE: 2}), committed(3, {HERE: 0}),
]  # fmt: skip


@given(st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_chunks_make_no_difference(step: int) -> None:
    whole = played(*CONVERSATION)
    assert len(whole.calls) == 5
    assert told(played(*CONVERSATION, step=step).calls) == told(whole.calls)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_hostile_bytes_never_raise(data: st.DataObject) -> None:
    pieces = list(CONVERSATION[: data.draw(st.integers(0, len(CONVERSATION)))])
    for number in range(data.draw(st.integers(1, 4))):
        raw = data.draw(st.binary(max_size=60))
        api, version = data.draw(st.sampled_from([0, 1, 3, 8])), data.draw(st.integers(0, 8))
        pieces.append(
            data.draw(
                st.sampled_from(
                    [
                        request(api, version, 10 + number, raw),
                        response(10 + number, raw),
                        ("client", raw),
                        ("server", raw),
                    ]
                )
            )
        )
    events = Tap()
    decoder = KafkaDecoder("c-1", events)
    feed(decoder, *pieces)
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert events.open == []


# A real listener with real clients.


@pytest.fixture(scope="module")
def broker() -> Iterator[Address]:
    with kafka_broker() as address:
        yield address


@pytest.mark.slow
def test_confluent_kafka(broker: Address) -> None:
    def talk(address: Address) -> None:
        server = f"{address[0]}:{address[1]}"
        for coding in ("none", "gzip", "snappy", "lz4", "zstd"):
            producer = Producer({"bootstrap.servers": server, "enable.idempotence": True, "compression.type": coding})
            for number in range(3):
                producer.produce(
                    "orders", b'{"email":"a@b.c"}' * 20, key=b"k%d" % number, headers={"traceparent": "00"}
                )
            assert producer.flush(20) == 0
        options = {"group.id": "g", "auto.offset.reset": "earliest", "enable.auto.commit": False}
        consumer = Consumer({"bootstrap.servers": server, **options})
        consumer.subscribe(["orders"])
        seen = [consumer.poll(20) for _ in range(15)]
        assert all(each is not None and each.error() is None for each in seen)
        consumer.commit(asynchronous=False)
        consumer.close()

    async def main() -> None:
        async with call_tapped("kafka", broker) as stage:
            await asyncio.to_thread(talk, stage.address)
        found = Counter(
            (each.request.method, each.request.target, each.role, each.status) for each in stage.sink.exchanges
        )
        assert found[("PUBLISH", "orders", Role.OUTBOUND, 0)] == 15
        assert found[("CONSUME", "orders", Role.INBOUND, 0)] == 15
        assert found[("COMMIT", "g", Role.OUTBOUND, 0)] >= 1
        assert stage.sink.losses == {}
        assert {each.request.body for each in stage.sink.exchanges if each.request.body} == {b'{"email":"a@b.c"}' * 20}

    asyncio.run(main())


def test_aiokafka(broker: Address) -> None:
    async def main() -> None:
        async with call_tapped("kafka", broker) as stage:
            server = f"{stage.address[0]}:{stage.address[1]}"
            async with AIOKafkaProducer(bootstrap_servers=server) as producer:
                sent = await producer.send_and_wait("events", b"hello", key=b"k", headers=[("h", b"1")])
            place = TopicPartition("events", sent.partition)
            async with AIOKafkaConsumer(bootstrap_servers=server) as consumer:
                consumer.assign([place])
                await consumer.seek_to_beginning(place)
                got = await asyncio.wait_for(consumer.getone(), 20)
                assert got.value == b"hello"
        assert stage.sink.losses == {}
        found = {each.request.method: each for each in stage.sink.exchanges}
        assert found["PUBLISH"].request.body == found["CONSUME"].request.body == b"hello"
        assert found["CONSUME"].request.headers.get("h") == "1"
        assert stage.sink.losses == {}

    asyncio.run(main())
