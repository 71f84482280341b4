"""JSON texts: quick where that is right, and right everywhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.forms.document import (
    MAX_DEPTH,
    canonical_key,
    decoded_text,
    parse_json,
    spelled_alike,
    within_depth,
)
from seamline.diffing.report.model import Json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b"[18446744073709551616]", [2**64]),
        (b"[-1234567890123456789]", [-1234567890123456789]),
        (b'{"a":1,"a":2,"a":3}', {"a": 1, "a#2": 2, "a#3": 3}),
        (b'["1234567890123456789"]', ["1234567890123456789"]),
        (b"[0.12345678901234567890]", [0.12345678901234568]),
        (b'["\\ud800"]', ["\ud800"]),
    ],
)
def test_values(text: bytes, value: Json) -> None:
    found, key, why = parse_json(text, "utf-8")
    assert (found, why) == (value, "")
    assert not key or key == canonical_key(value)


def test_depth_is_bounded_to_the_level() -> None:
    """The quick way counts on how deep orjson serialises: a version that goes deeper must not pass unseen."""
    for extra, is_quick in ((0, True), (1, False)):
        text = b"[" * (MAX_DEPTH + extra) + b"]" * (MAX_DEPTH + extra)
        assert bool(parse_json(text, "utf-8")[1]) is is_quick
        assert within_depth(parse_json(text, "utf-8")[0]) is is_quick


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(1, 1, True), (1, 1.0, False), ([1, True], [1, 1], False), ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True)],
)
def test_spellings(one: Json, other: Json, expected: bool) -> None:
    assert spelled_alike(one, other) is expected


def test_what_is_no_json_says_why_and_quotes_nothing() -> None:
    _, key, why = parse_json(b'{"secret": tea}', "utf-8")
    assert (key, "tea" in why) == (b"", False)
    assert why


def test_unknown_charsets_survive() -> None:
    assert decoded_text(b"\xe9", "latin-1") == decoded_text(b"\xe9", "wild") == decoded_text(b"\xe9", "utf-8") == "é"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_both_ways_give_one_value_and_one_key(value: Json) -> None:
    found, key, why = parse_json(json.dumps(value).encode(), "utf-8")
    assert (found, why) == (value, "")
    assert (key or canonical_key(found)) == canonical_key(value)
