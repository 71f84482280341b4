"""MongoDB on the wire: scripted conversations, hostile bytes, and a real server with pymongo behind a tap."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pymongo
import pymongo.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.model import FailureKind
from seamline.capture.wire.mongodb import MongoDecoder
from seamline.capture.wire.protocols import decoder_for
from support.mongo import mongo_server
from support.mongo_talk import i32, msg, sequence
from support.redis_nats import Events, Piece, feed, told
from support.taps import Address, call_tapped


def ask(number: int, document: dict[str, Any], *sections: bytes, flags: int = 0) -> Piece:
    return "client", msg(number, {**document, "$db": "shop"}, *sections, flags=flags)


def say(answers: int, document: dict[str, Any], *, number: int = 900, flags: int = 0) -> Piece:
    return "server", msg(number, document, answers=answers, flags=flags)


def played(*pieces: Piece, step: int = 0) -> Events:
    events = Events()
    feed(MongoDecoder("c-1", events), *pieces, step=step)
    return events


def test_the_table_of_protocols_knows_it() -> None:
    assert decoder_for("mongodb") is MongoDecoder


def test_a_cursors_batch_is_rows() -> None:
    call = played(
        ask(1, {"find": "users", "filter": {"email": "a@b.c"}, "lsid": {"id": 1}}),
        say(1, {"cursor": {"id": 0, "firstBatch": [{"_id": 1, "email": "a@b.c"}]}, "ok": 1.0}),
    ).one()
    assert (call.method, call.target, call.operation) == ("FIND", "users", "find users")
    assert call.arguments == '{"filter":{"email":"a@b.c"}}'
    assert call.headers.get("database") == "shop"
    assert orjson.loads(call.response_body) == {"rows": [{"_id": 1, "email": "a@b.c"}]}
    assert call.response_headers.get("rows") == "1"


def test_a_long_batch_is_cut() -> None:
    batch = [{"n": number} for number in range(300)]
    call = played(
        ask(1, {"getMore": 5, "collection": "t"}), say(1, {"cursor": {"id": 0, "nextBatch": batch}, "ok": 1})
    ).one()
    assert (call.operation, call.arguments) == ("getMore t", "{}")
    assert (call.response_headers.get("rows"), call.response_headers.get("rows-kept")) == ("300", "200")
    assert call.truncated


def test_documents_of_a_sequence_are_arguments() -> None:
    call = played(
        ask(1, {"insert": "users"}, sequence("documents", {"email": "a@b.c"})), say(1, {"n": 1, "ok": 1})
    ).one()
    assert orjson.loads(call.arguments) == {"documents": [{"email": "a@b.c"}]}
    assert orjson.loads(call.response_body) == {"n": 1}


def test_errors_without_values() -> None:
    wrong = {"index": 0, "code": 11000, "errmsg": 'E11000 dup key: { email: "a@b.c" }', "keyValue": {"email": "a@b.c"}}
    events = played(
        ask(1, {"insert": "users"}), say(1, {"n": 0, "writeErrors": [wrong], "ok": 1}),
        ask(2, {"nonsense": 1}), say(2, {"ok": 0, "code": 59, "codeName": "CommandNotFound", "errmsg": "no such command"}),
    )  # fmt: skip
    first, second = events.calls
    assert (first.status, first.reason) == (1, "writeErrors")
    assert first.response_body.count(b"a@b.c") == 1
    assert (second.status, second.reason) == (1, "CommandNotFound")


def test_credentials_are_not_told() -> None:
    events = played(
        ask(1, {"saslStart": 1, "payload": b"s3cret"}), say(1, {"ok": 1}), ask(2, {"hello": 1}), say(2, {"ok": 1}),
        ask(3, {"createUser": "bob", "pwd": "s3cret", "roles": []}), say(3, {"ok": 1}),
    )  # fmt: skip
    assert "s3cret" not in repr(told(events.calls))
    assert [call.operation for call in events.calls] == ["createUser"]


def test_no_reply_and_replies_that_go_on() -> None:
    events = played(
        ask(1, {"insert": "t"}, flags=2),
        ask(2, {"hello": 1}), say(2, {"ok": 1}, number=901, flags=2), say(901, {"ok": 1}, number=902),
    )  # fmt: skip
    assert (events.one().reason, events.gaps) == ("unacknowledged", [])


def test_transactions_name_a_lane() -> None:
    def inside(number: int, transaction: int) -> list[Piece]:
        more = {"lsid": {"id": 1}, "txnNumber": transaction, "autocommit": False}
        return [ask(number, {"insert": "t", **more}), say(number, {"n": 1, "ok": 1})]

    events = played(*inside(1, 1), *inside(2, 1), *inside(3, 2), ask(4, {"count": "t"}), say(4, {"n": 3, "ok": 1}))
    assert [call.lane for call in events.calls] == ["c-1.1", "c-1.1", "c-1.2", None]


@pytest.mark.parametrize(
    "piece",
    [
        ("client", b"\x16\x03\x01" + b"\xff" * 30),
        ("server", msg(1, {"ok": 1}, answers=7)),
        ("client", i32(99) + bytes(12)),
    ],
)
def test_what_cannot_be_followed_is_one_gap(piece: Piece) -> None:
    events = played(piece, ("client", b"\xff" * 50), ("server", b"\xff" * 50))
    assert len(events.gaps) == 1


def test_a_lost_connection_fails_what_is_open() -> None:
    events = Events()
    decoder = MongoDecoder("c-1", events)
    feed(decoder, ask(1, {"find": "t"}))
    assert decoder.in_flight
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert not decoder.in_flight
    assert events.one().failure is not None


CONVERSATION = [
    ask(1, {"insert": "users"}, sequence("documents", {"a": 1})), say(1, {"n": 1, "ok": 1}),
    ask(2, {"find": "users"}), say(2, {"cursor": {"firstBatch": [{"a": 1}]}, "ok": 1}),
]  # fmt: skip


@given(st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_chunks_make_no_difference(step: int) -> None:
    whole = played(*CONVERSATION)
    assert len(whole.calls) == 2
    assert told(played(*CONVERSATION, step=step).calls) == told(whole.calls)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_hostile_bytes_never_raise(data: st.DataObject) -> None:
    pieces = list(CONVERSATION[: data.draw(st.integers(0, len(CONVERSATION)))])
    for number in range(data.draw(st.integers(1, 4))):
        raw = data.draw(st.binary(max_size=60))
        opcode, answers = data.draw(st.sampled_from([1, 2004, 2012, 2013])), data.draw(st.integers(0, 14))
        framed = i32(16 + len(raw)) + i32(10 + number) + i32(answers) + i32(opcode) + raw
        pieces.append((data.draw(st.sampled_from(["client", "server"])), framed if data.draw(st.booleans()) else raw))
    events = Events()
    decoder = MongoDecoder("c-1", events)
    feed(decoder, *pieces)
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert events.open == []


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with mongo_server(tmp_path_factory.mktemp("mongo")) as address:
        yield address


@pytest.mark.parametrize("options", [{}, {"compressors": "zlib"}])
def test_pymongo(mongo: Address, options: dict[str, Any]) -> None:
    def talk(address: Address) -> None:
        with pymongo.MongoClient(*address, directConnection=True, serverSelectionTimeoutMS=10_000, **options) as client:
            users = client["shop"]["users"]
            users.drop()
            users.create_index("email", unique=True)
            users.insert_one({"_id": 1, "email": "a@b.c"})
            with pytest.raises(pymongo.errors.DuplicateKeyError):
                users.insert_one({"_id": 2, "email": "a@b.c"})
            assert [each["_id"] for each in users.find({"email": "a@b.c"})] == [1]
            assert users.update_one({"_id": 1}, {"$set": {"n": 2}}).modified_count == 1

    async def main() -> None:
        async with call_tapped("mongodb", mongo) as stage:
            await asyncio.to_thread(talk, stage.address)
        assert stage.sink.losses == {}
        found = [each for each in stage.sink.exchanges if each.request.target == "users"]
        assert [(each.request.operation, each.status) for each in found] == [
            ("drop users", 0), ("createIndexes users", 0), ("insert users", 0), ("insert users", 1), ("find users", 0),
            ("update users", 0),
        ]  # fmt: skip
        assert found[4].response is not None
        assert orjson.loads(found[4].response.body) == {"rows": [{"_id": 1, "email": "a@b.c"}]}

    asyncio.run(main())
