"""Answers as JSON and back: what a stub says is what was recorded, in either RESP."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.answers import body_of, cut_headers, json_of
from seamline.capture.wire.redis.commands import command
from seamline.capture.wire.redis.encode import encode
from seamline.capture.wire.redis.replies import value_of
from seamline.capture.wire.redis.values import NULL_ARRAY, BigNumber, Cut, Fault, Map, Set, Simple, Value
from test_capture_wire_redis_reply_reader import values


def split(line: str) -> list[bytes]:
    return [word.encode() for word in line.split()]


@pytest.mark.parametrize(
    ("line", "value", "json", "resp"),
    [
        ("GET k", b"v", {"k": "v"}, "bulk"),
        ("GET k", None, {"k": None}, "null"),
        ("GET k", b"\xff", {"k": {"b64": "/w=="}}, "bulk"),
        ("GET b64", b"v", "v", "bulk"),
        ("GET user:a@b.c:password", b"v", {"user:*:password": "v"}, "bulk"),
        ("HGET h f", b"v", {"f": "v"}, "bulk"),
        ("MGET a b", [b"1", None], {"a": "1", "b": None}, "array"),
        ("MGET a a", [b"1", b"1"], ["1", "1"], "array"),
        ("HMGET h x y", [b"1", b"2"], {"x": "1", "y": "2"}, "array"),
        ("HGETALL h", [b"x", b"1"], {"x": "1"}, "array"),
        ("HGETALL h", Map([b"x", b"1"]), {"x": "1"}, "map"),
        ("HGETALL h", Map([b"a@b.c", b"1"]), ["a@b.c", "1"], "map"),
        ("HGETALL h", Map([b"b64", b"1"]), ["b64", "1"], "map"),
        ("HGETALL h", [], {}, "array"),
        ("SET k v", Simple(b"OK"), "OK", "simple"),
        ("INCR k", 5, 5, "int"),
        ("SMEMBERS s", Set([b"a"]), ["a"], "set"),
        ("ZSCORE z m", 1.5, 1.5, "double"),
        ("ZSCORE z m", float("inf"), "inf", "double"),
        ("X", BigNumber(b"99999999999999999999"), "99999999999999999999", "bignum"),
        ("BLPOP q 1", NULL_ARRAY, None, "null-array"),
        ("LPUSH k v", Fault(b"WRONGTYPE no"), {"error": "WRONGTYPE no"}, "error"),
        ("AUHT secret", Fault(b"ERR unknown command 'AUHT', with args beginning with: 'secret' "),
         {"error": "ERR unknown command 'AUHT'"}, "error"),
        ("EVAL x 0", [b"a", Fault(b"ERR x"), [1]], ["a", {"error": "ERR x"}, [1]], "array"),
        ("XRANGE s - +", [[b"1-1", [b"a", b"1"]]], [["1-1", {"a": "1"}]], "array"),
        ("XREAD STREAMS s 0", [[b"s", [[b"1-1", [b"a", b"1", b"a", b"2"]]]]], [["s", [["1-1", ["a", "1", "a", "2"]]]]],
         "array"),
        ("XREAD STREAMS s 0", Map([b"s", [[b"1-1", [b"a", b"1"]]]]), {"s": [["1-1", {"a": "1"}]]}, "map"),
        ("XAUTOCLAIM s g c 0 0", [b"0-0", [[b"1-1", [b"a", b"1"]]], []], ["0-0", [["1-1", {"a": "1"}]], []], "array"),
        ("XCLAIM s g c 0 1-1 JUSTID", [b"1-1"], ["1-1"], "array"),
        ("CONFIG GET *", [b"requirepass", b"hunter2", b"port", b"1"], {"requirepass": None, "port": "1"}, "array"),
    ],
)  # fmt: skip
def test_an_answer_has_names_and_its_type(line: str, value: Value, json: Any, resp: str) -> None:
    args = split(line)
    body, headers = body_of(command(args), args, value)
    assert orjson.loads(body) == json
    assert headers.items == (("content-type", "application/json"), ("resp", resp))


def test_what_was_too_large_leaves_its_size_and_hash() -> None:
    cut = Cut(9, "abc", "array")
    assert body_of(command([b"GET", b"k"]), [b"GET", b"k"], cut) == (b"", cut_headers(cut))
    assert cut_headers(cut).items == (("resp", "array"), ("size", "9"), ("hash", "abc"))


@pytest.mark.parametrize("line", ["ACL GETUSER bob", "ACL LIST", "ACL GENPASS"])
def test_answers_that_are_credentials_are_withheld(line: str) -> None:
    args = split(line)
    body, headers = body_of(command(args), args, [b"user bob on #abcd"])
    assert body == b""
    assert headers.get("withheld") == "credentials"
    assert body_of(command(args), args, Fault(b"NOPERM no"))[0] == b'{"error":"NOPERM no"}'


lines = st.sampled_from([
    "GET k", "HGET h f", "MGET a b", "MGET a a", "HMGET h x y", "HGETALL h", "XRANGE s - +", "XREAD STREAMS s 0",
    "XAUTOCLAIM s g c 0 0", "CONFIG GET x", "SMEMBERS s", "LRANGE l 0 -1", "EVAL x 0", "FOO",
])  # fmt: skip


@given(lines, values)
def test_any_value_is_json(line: str, value: Value) -> None:
    args = split(line)
    body, _ = body_of(command(args), args, value)
    orjson.loads(body)


plain = st.recursive(
    st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.binary(max_size=12) | st.from_regex(rb"[a-z@:]{1,9}"),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(lines, plain | st.lists(st.binary(max_size=4), max_size=8))
def test_a_recorded_answer_is_said_again_byte_for_byte(line: str, value: Value) -> None:
    args = split(line)
    known = command(args)
    body, headers = body_of(known, args, value)
    said = value_of(known, args, body, headers.get("resp") or "", 2)
    assert encode(said, 2) == encode(value, 2)


def test_json_of_what_json_does_not_have() -> None:
    assert json_of(float("nan")) == "nan"
    assert json_of(1 << 70) == str(1 << 70)
    assert json_of(Map([b"error", b"x"])) == ["error", "x"]
    assert json_of(Map([b"a", b"x", b"a", b"y"])) == ["a", "x", "a", "y"]
