"""MongoDB messages: chunks, sections, codings, and BSON values as JSON."""

import uuid
import zlib
from datetime import UTC, datetime
from typing import Any

import bson
import cramjam
import pytest
import zstandard
from bson.decimal128 import Decimal128
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.mongodb.messages import (
    LONGEST_MESSAGE,
    MOST_KEPT,
    OP_MSG,
    Framer,
    Malformed,
    Unread,
    parse_message,
    plain,
    uncompressed,
)
from support.mongo_talk import i32, message, msg, sequence


@given(st.integers(1, 40))
def test_chunks_make_no_difference(step: int) -> None:
    data = msg(1, {"ping": 1}) + msg(2, {"find": "users"})
    framer = Framer()
    found = [each for at in range(0, len(data), step) for each in framer.feed(data[at : at + step])]
    assert [(each.number, each.opcode) for each in found] == [(1, OP_MSG), (2, OP_MSG)]


def test_a_large_message_is_told_by_its_head() -> None:
    size = MOST_KEPT + 100
    data = i32(size) + i32(1) + i32(0) + i32(OP_MSG) + bytes(size - 16) + msg(2, {"ping": 1})
    framer = Framer()
    large, after = [each for at in range(0, len(data), 1 << 20) for each in framer.feed(data[at : at + (1 << 20)])]
    assert large.body is None
    assert after.number == 2


@pytest.mark.parametrize("head", [i32(15), i32(LONGEST_MESSAGE + 1)])
def test_an_impossible_head_is_malformed(head: bytes) -> None:
    with pytest.raises(Malformed):
        list(Framer().feed(head + i32(1) + i32(0) + i32(OP_MSG)))


def test_sections_are_one_document() -> None:
    body = message({"insert": "users", "$db": "shop"}, sequence("documents", {"a": 1}, {"a": 2}))
    assert parse_message(body)[1] == {"insert": "users", "$db": "shop", "documents": [{"a": 1}, {"a": 2}]}
    assert parse_message(i32(1) + body[4:] + b"\0\0\0\0")[1]["insert"] == "users"


@pytest.mark.parametrize(
    ("kind", "pack"),
    [(0, bytes), (1, cramjam.snappy.compress_raw), (2, zlib.compress), (3, zstandard.compress)],
)
def test_codings(kind: int, pack: Any) -> None:
    body = message({"ping": 1})
    packed = i32(OP_MSG) + i32(len(body)) + bytes((kind,)) + bytes(pack(body))
    assert uncompressed(packed) == (OP_MSG, body)


@pytest.mark.parametrize("body", [b"", i32(OP_MSG) + i32(-1) + b"\x02x", i32(OP_MSG) + i32(9) + b"\x09x"])
def test_another_envelope_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        uncompressed(body)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_what_does_not_unpack_is_not_read(kind: int) -> None:
    with pytest.raises(Unread):
        uncompressed(i32(OP_MSG) + i32(9) + bytes((kind,)) + b"\xff\xff\xff\xff\xff nothing")


@given(st.binary(max_size=80))
def test_hostile_sections_are_malformed(body: bytes) -> None:
    try:
        parse_message(body)
    except Malformed:
        return


UID = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (bson.ObjectId("0" * 24), "0" * 24),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Decimal128("1.50"), "1.50"),
        (bson.Binary(b"\xff"), {"b64": "/w=="}),
        (bson.Binary(UID.bytes, 4), str(UID)),
        (bson.Int64(5), 5),
        (float("nan"), float("nan")),
        ([True, None, {"a": 1.5}], [True, None, {"a": 1.5}]),
    ],
)
def test_values_are_json(value: Any, json: Any) -> None:
    assert plain(value) == json or value != value
