"""Differences, paths and bounded examples."""

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.difference import MAX_EXAMPLE, Difference, bounded, child, type_name
from seamline.diffing.report.model import Surface


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("name", "$.name"),
        ("first-name", "$.first-name"),
        ("odd name", "$['odd name']"),
        ("it's", "$['it\\'s']"),
        ("", "$['']"),
        ("17", "$.*"),
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", "$.*"),
        ("2026-11-01", "$.*"),
        ("x" * 61, "$.*"),
    ],
)
def test_a_field_has_one_path_and_a_data_key_has_none_of_its_own(key: str, expected: str) -> None:
    assert child("$", key) == expected


def test_types_keep_int_float_and_bool_apart() -> None:
    names = [type_name(value) for value in (None, True, 1, 1.0, "", [], {})]
    assert names == ["null", "bool", "int", "float", "string", "array", "object"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_an_example_is_short_and_any_json_reader_takes_it(value: object) -> None:
    shown = bounded(value)  # type: ignore[arg-type]  # the strategy draws JSON
    if not isinstance(shown, str):
        assert len(orjson.dumps(shown)) <= MAX_EXAMPLE + 20
    else:
        assert len(shown) <= MAX_EXAMPLE + 20


def test_what_json_cannot_say_is_said_in_words() -> None:
    assert bounded(math.inf) == "inf"
    assert bounded(1 << 70) == hex(1 << 70)
    assert bounded([1 << 70]) == "array of 1"
    assert bounded("x" * 600) == "x" * 500 + "… (+100)"


def test_the_grade_tells_fresh_tokens_from_another_text() -> None:
    plain = Difference(Surface.RESPONSE, "value_changed", "$.a", 1, 2, "number")
    fresh = Difference(Surface.RESPONSE, "value_changed", "$.a", "x", "y", "uuid", "tokens")
    inside = Difference(Surface.HTTP, "request_changed", "$.a", 1, 2, "number", inner="value_changed")
    assert [one.grade for one in (plain, fresh, inside)] == ["value_changed", "value_changed/tokens", "value_changed"]
    assert plain.place == fresh.place != inside.place
