"""Parameters of prepared statements, bulk values, and query attributes."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.mysql.handshake import Capability
from seamline.capture.wire.mysql.packets import Malformed, string
from seamline.capture.wire.mysql.parameters import (
    LARGEST_LONG_DATA,
    LongData,
    parse_bulk,
    parse_execute,
    parse_query,
)

ATTRIBUTES = Capability.QUERY_ATTRIBUTES
HEAD = b"\x17\x01\0\0\0"
ONE = b"\x01\0\0\0"


def test_a_text_without_attributes() -> None:
    assert parse_query(b"\x03SELECT 1", 0) == (b"SELECT 1", {})
    assert parse_query(b"\x03\x00\x01SELECT 1", ATTRIBUTES) == (b"SELECT 1", {})


def test_types_are_sent_once() -> None:
    first = HEAD + b"\0" + ONE + b"\0\x01\x08\0" + (5).to_bytes(8, "little")
    bound, types = parse_execute(first, 0, 1, None, LongData())
    assert (bound.values, types) == ([5], ((8, False),))
    again = HEAD + b"\0" + ONE + b"\0\0" + (6).to_bytes(8, "little")
    assert parse_execute(again, 0, 1, types, LongData())[0].values == [6]
    with pytest.raises(Malformed):
        parse_execute(again, 0, 1, None, LongData())


def test_long_data_takes_the_place_of_a_value_and_is_bounded() -> None:
    long = LongData()
    long.add(0, b"one ")
    long.add(0, b"two")
    body = HEAD + b"\0" + ONE + b"\0\x01\xfc\0\x01\0\x07"
    assert parse_execute(body, 0, 2, None, long)[0].values == ["one two", 7]
    long.add(0, bytes(LARGEST_LONG_DATA))
    assert long.is_cut
    assert parse_execute(body, 0, 2, None, long)[0].values == [None, 7]


def test_attributes_of_an_execution_follow_its_parameters() -> None:
    types = b"\x01\0" + string(b"") + b"\xfd\0" + string(b"trace")
    body = HEAD + b"\x08" + ONE + b"\x02" + b"\0\x01" + types + b"\x07" + string(b"00-ab")
    bound, _ = parse_execute(body, ATTRIBUTES, 1, None, LongData())
    assert (bound.values, bound.attributes) == ([7], {"trace": "00-ab"})


def test_bulk_values_are_lists() -> None:
    body = b"\xfa\x01\0\0\0\x80\0\x01\0\xfd\0" + b"\0\x05\0\x01a" + b"\x01\x03"
    assert parse_bulk(body, 2, None)[0] == [[5, None], ["a", None]]


@given(st.binary(max_size=60), st.integers(0, 3), st.sampled_from([0, int(ATTRIBUTES)]))
def test_hostile_bodies_are_malformed(body: bytes, count: int, capabilities: int) -> None:
    for read in (
        lambda: parse_query(b"\x03" + body, capabilities)[1],
        lambda: parse_execute(HEAD + body, capabilities, count, ((8, False),) * 3, LongData())[0].values,
        lambda: parse_bulk(HEAD + body, count, None)[0],
    ):
        try:
            orjson.dumps(read())
        except Malformed:
            continue
