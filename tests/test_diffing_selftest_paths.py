"""Places of a JSON value, and changes at them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.report.model import Json
from seamline.diffing.selftest.paths import EACH, MAX_PLACES, Gone, at, changed, places, shown

ORDER: Json = {"id": 1, "items": [{"sku": "a", "n": 1}, {"sku": "b"}], "customer": {"name": "x"}}


def gone(_: Json) -> Json:
    raise Gone


def test_the_elements_of_a_list_are_one_place() -> None:
    found = {shown(steps): value for steps, value in places(ORDER)}
    assert set(found) == {
        "$.id",
        "$.items",
        "$.items[*]",
        "$.items[*].sku",
        "$.items[*].n",
        "$.customer",
        "$.customer.name",
    }
    assert found["$.items[*].sku"] == "a"
    assert at(ORDER, ("items", EACH, "sku")) == ["a", "b"]
    assert at(ORDER, ("items", EACH, "none")) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("id",), {"id": 9, "items": ORDER["items"], "customer": {"name": "x"}}),  # type: ignore[call-overload,index]  # a JSON object
        (("items", EACH, "n"), {"id": 1, "items": [{"sku": "a", "n": 9}, {"sku": "b"}], "customer": {"name": "x"}}),
        (("none", "deeper"), ORDER),
        ((), 9),
    ],
)
def test_a_change_is_made_where_the_place_is(steps: tuple[str, ...], expected: Json) -> None:
    assert changed(ORDER, steps, lambda _: 9) == expected


def test_what_is_taken_away_is_gone() -> None:
    assert changed(ORDER, ("items", EACH, "sku"), gone) == {**ORDER, "items": [{"n": 1}, {}]}  # type: ignore[dict-item]  # a JSON object


def test_places_are_bounded() -> None:
    assert len(list(places({f"k{number}": number for number in range(5_000)}))) == MAX_PLACES


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_change_that_changes_nothing_leaves_everything(value: Json) -> None:
    for steps, _ in places(value):
        assert changed(value, steps, lambda one: one) == value
