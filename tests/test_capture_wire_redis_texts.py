from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.redis.texts import data, exact, label, mapping, name, pairs, text
from seamline.capture.wire.redis.values import Cut


@given(st.binary(max_size=50))
def test_bytes_survive_json(raw: bytes) -> None:
    assert data(orjson.loads(orjson.dumps(text(raw)))) == raw


@pytest.mark.parametrize("value", [{"b64": "no base64!"}, {"b64": 5}, {"a": 1}, [1], 5, True, None, "\ud800"])
def test_any_json_is_some_bytes(value: Any) -> None:
    assert isinstance(data(value), bytes)


def test_what_was_cut_is_null() -> None:
    assert text(Cut(5, "00")) is None
    assert label(Cut(5, "00")) == ""


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (b"user:42:email", "user:42:email"),
        (b"user:a@b.c:password", "user:*:password"),
        (b"a@b.c", "*"),
        (b"tel:+491701234567", "tel:*"),
        (b"ip:10.0.0.1/x", "ip:*/x"),
        (b"session:3f2a9c0b7d1e4f5a6b7c8d9e0f1a2b3c", "session:*"),
        (b"session:6ba7b810-9dad-11d1-80b4-00c04fd430c8:cart", "session:*:cart"),
        (b"order:2026", "order:2026"),
        (b"\xff", "*"),
        (b'{"user":"Ada"}', "*"),
        (b"\n\x03Ada", "*"),
        (b"k" * 2000, "*"),
    ],
)
def test_a_name_carries_nothing_that_would_have_to_be_cleaned(key: bytes, named: str) -> None:
    assert name(key) == named


@pytest.mark.parametrize(
    ("args", "made"),
    [
        ([b"a", b"1", b"b", b"2"], [{"a": "1", "b": "2"}]),
        ([b"a", b"1", b"a", b"2"], ["a", "1", "a", "2"]),
        ([b"a", b"1", b"b"], ["a", "1", "b"]),
        ([b"b64", b"1"], ["b64", "1"]),
        ([b"a@b.c", b"1", b"x", b"2"], ["a@b.c", {"*": "1"}, {"x": "2"}]),
        ([b"a@b.c", b"1", b"d@e.f", b"2"], ["a@b.c", "1", "d@e.f", "2"]),
        ([b"a", b"\xff"], [{"a": {"b64": "/w=="}}]),
        ([], []),
    ],
)
def test_names_and_values(args: list[bytes], made: Any) -> None:
    assert pairs(args) == made


def test_a_mapping_needs_names_that_tell_apart() -> None:
    assert mapping([b"a", b"b"], [1, 2]) == {"a": 1, "b": 2}
    assert mapping([b"a", b"a"], [1, 2]) is None
    assert mapping([b"x:a@b.c", b"x:d@e.f"], [1, 2]) is None
    assert mapping([b"error"], [1]) is None


def test_exact_names() -> None:
    assert exact(["a", "b"])
    assert not exact(["a", "a"])
    assert not exact(["a@b.c"])
    assert not exact([1])
