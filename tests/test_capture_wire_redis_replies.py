"""Recorded answers for clients that speak another RESP than was recorded."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.commands import command
from seamline.capture.wire.redis.replies import Unusable, fault_of, value_of
from seamline.capture.wire.redis.values import NULL_ARRAY, Fault, Map, Set, Simple, Value


def said(line: str, json: Any, resp: str, protocol: int) -> Value:
    args = [word.encode() for word in line.split()]
    return value_of(command(args), args, orjson.dumps(json), resp, protocol)


@pytest.mark.parametrize(
    ("line", "json", "resp", "protocol", "value"),
    [
        ("HGETALL h", {"a": "1"}, "array", 3, Map([b"a", b"1"])),
        ("HGETALL h", {"a": "1"}, "map", 2, Map([b"a", b"1"])),
        ("XREAD STREAMS s 0", [["s", [["1-1", {"a": "1"}]]]], "array", 3, Map([b"s", [[b"1-1", [b"a", b"1"]]]])),
        ("XREAD STREAMS s 0", {"s": [["1-1", {"a": "1"}]]}, "map", 2, [[b"s", [[b"1-1", [b"a", b"1"]]]]]),
        ("SMEMBERS s", ["1"], "array", 3, Set([b"1"])),
        ("ZSCORE z m", "1.5", "bulk", 3, 1.5),
        ("ZSCORE z m", 1.5, "double", 2, 1.5),
        ("ZRANGE z 0 -1 WITHSCORES", ["m", "1.5"], "array", 3, [[b"m", 1.5]]),
        ("ZRANGE z 0 -1 WITHSCORES", [["m", 1.5]], "array", 2, [b"m", b"1.5"]),
        ("ZRANGE z 0 -1", ["m", "1.5"], "array", 3, [b"m", b"1.5"]),
        ("MGET a b", {"a": "1", "b": None}, "array", 2, [b"1", None]),
        ("GET k", {"other": "v"}, "bulk", 2, b"v"),
        ("GET k", {"other": None}, "null", 3, None),
        ("BLPOP q 1", None, "null-array", 2, NULL_ARRAY),
        ("EVAL x 0", ["a", {"error": "ERR x"}], "array", 2, [b"a", Fault(b"ERR x")]),
        ("GET k", {"k": "v"}, "", 2, b"v"),
        ("GET k", {"k": None}, "", 2, None),
        ("MGET a", {"a": "v"}, "", 2, [b"v"]),
        ("X", {"a": 1}, "", 3, Map([b"a", 1])),
        ("X", 5, "", 2, 5),
    ],
)  # fmt: skip
def test_an_answer_in_another_resp(line: str, json: Any, resp: str, protocol: int, value: Value) -> None:
    got = said(line, json, resp, protocol)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("json", "resp"),
    [("x", "int"), ("x", "double"), (None, "int"), ("x", "bool"), ("x", "array"), (["a"], "map"), (1, "nothing")],
)
def test_an_answer_of_another_type_is_unusable(json: Any, resp: str) -> None:
    with pytest.raises(Unusable):
        said("X", json, resp, 2)
    with pytest.raises(Unusable):
        value_of(command([b"X"]), [b"X"], b"", resp, 2)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b64", "error"]), inner),
    max_leaves=6,
)


@given(
    st.sampled_from(["GET k", "HGETALL h", "XREAD STREAMS s 0", "ZRANGE z 0 1 WITHSCORES", "MGET a", "X"]),
    json_values,
    st.sampled_from(["", "simple", "bulk", "int", "double", "bool", "array", "map", "set", "push", "null", "x"]),
    st.sampled_from([2, 3]),
)
def test_any_body_is_said_or_unusable(line: str, json: Any, resp: str, protocol: int) -> None:
    from seamline.capture.wire.redis.encode import encode

    args = [word.encode() for word in line.split()]
    try:
        body = orjson.dumps(json)
    except TypeError:
        return  # a number that JSON does not have
    try:
        value = value_of(command(args), args, body, resp, protocol)
    except Unusable:
        return
    assert encode(value, protocol)


@pytest.mark.parametrize(
    ("body", "reason", "fault"),
    [
        (b'{"error":"WRONGTYPE no"}', "WRONGTYPE", b"WRONGTYPE no"),
        (b"", "MOVED", b"MOVED recorded error"),
        (b"5", "", b"ERR recorded error"),
        (b'{"error":"fault"}', "", b"ERR fault"),
    ],
)
def test_an_error(body: bytes, reason: str, fault: bytes) -> None:
    assert fault_of(body, reason) == fault
    assert isinstance(fault_of(body, reason), Fault)


def test_a_simple_string() -> None:
    assert type(said("SET k v", "OK", "simple", 2)) is Simple
