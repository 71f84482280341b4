"""The walk: what differs, where, and never more work than the bounds allow."""

import random
import re
from typing import Any

import pytest
from deepdiff import DeepDiff
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare import json as walk_module
from seamline.diffing.compare.json import Walk, renames


def walked(before: Any, after: Any, **more: Any) -> list[tuple[str, str | None]]:
    return [(one.kind, one.path) for one in Walk(**more).run(before, after)]


def test_fields_come_go_and_change_their_names() -> None:
    assert walked({"a": 1}, {}) == [("field_removed", "$.a")]
    assert walked({}, {"a": 1}) == [("field_added", "$.a")]
    assert walked({"a": None}, {}) == [("null_vs_missing", "$.a")]
    assert walked({"user": {"firstName": "Ada"}}, {"user": {"first_name": "Ada"}}) == [
        ("field_renamed", "$.user.firstName")
    ]
    assert walked({"amount": 1299}, {"price": 1299}) == [("field_renamed", "$.amount")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1299}, {"b": 1299}, [("a", "b")]),
        ({"a": True}, {"b": True}, []),
        ({"a": 3}, {"b": 3}, []),
        ({"createdAt": "x1"}, {"created_at": "x2"}, [("createdAt", "created_at")]),
        ({"a": 1299}, {"b": 1299, "c": 1299}, []),
    ],
)
def test_a_renaming_needs_a_telling_value_or_the_same_name(
    before: Any, after: Any, expected: list[tuple[str, str]]
) -> None:
    assert renames(before, after, [*before], [*after]) == expected


def test_a_map_whose_keys_all_changed_is_no_renaming() -> None:
    before = {f"a{n}": 1000 + n for n in range(60)}
    assert renames(before, {f"b{n}": 1000 + n for n in range(60)}, [*before], [f"b{n}" for n in range(60)]) == []


def test_a_map_whose_keys_all_changed_is_one_difference_each_way() -> None:
    before, after = ({f"{side}x{number}": number for number in range(60)} for side in "ab")
    assert walked({"map": before}, {"map": after}) == [("field_added", "$.map.*"), ("field_removed", "$.map.*")]


def test_array_elements_share_one_path() -> None:
    before = {"items": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 2}]}
    after = {"items": [{"sku": "b", "qty": 9}, {"sku": "a", "qty": 1}]}
    assert walked(before, after) == [("order_changed", "$.items"), ("value_changed", "$.items[*].qty")]


def test_one_and_true_and_one_point_zero_are_three_things() -> None:
    assert walked([1, {"a": 1}], [1, {"a": True}]) == [("type_changed", "$[*].a")]
    assert walked({"a": {"b": 1}}, {"a": {"b": 1.0}}) == [("numeric_repr", "$.a.b")]


def test_a_large_array_is_walked_once() -> None:
    before = [{"id": number, "value": number} for number in range(10_000)]
    after = [dict(one) for one in before]
    random.Random(3).shuffle(after)
    after[17]["value"] = -1
    walk = Walk()
    found = walk.run(before, after)
    assert {one.kind for one in found} == {"order_changed", "value_changed"}
    assert walk.visits < 60_000


def test_bounds_cut_the_walk_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_module, "MAX_VISITS", 50)
    walk = Walk()
    walk.run({f"k{n}": n for n in range(100)}, {f"k{n}": -n - 1 for n in range(100)})
    assert walk.cut


def test_differences_of_one_pair_are_bounded() -> None:
    walk = Walk()
    found = walk.run({f"k{n}": n for n in range(2000)}, {f"k{n}": -n - 1 for n in range(2000)})
    assert walk.cut
    assert len(found) <= walk_module.MAX_DIFFERENCES + 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_equals_itself(value: Any) -> None:
    assert walked(value, value) == []


@given(VALUES, VALUES)
def test_any_two_values_are_walked(before: Any, after: Any) -> None:
    for one in Walk().run(before, after):
        assert one.path is not None
        assert one.path.startswith("$")


def peers_view(before: Any, after: Any) -> set[tuple[str, str]]:
    """What deepdiff finds, as (changed | removed | added, path)."""
    words = {"dictionary_item_removed": "removed", "dictionary_item_added": "added"}
    tree = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0)
    return {
        (words.get(kind, "changed"), re.sub(r"\['(\w+)'\]", r".\1", re.sub(r"\[\d+\]", "[*]", level.path()[4:])))
        for kind, levels in tree.items()
        for level in levels
    }


def our_view(before: Any, after: Any) -> set[tuple[str, str]]:
    """What the walk finds, in the same words."""
    found: set[tuple[str, str]] = set()
    for one in Walk().run(before, after):
        path = (one.path or "")[1:]
        if one.kind == "field_renamed":
            old, new = one.transition.split("→")
            parent = path.rpartition(".")[0]
            found |= {("removed", f"{parent}.{old}"), ("added", f"{parent}.{new}")}
            continue
        gone, _, come = one.transition.partition("→")
        found.add(("removed" if come == "missing" else "added" if gone == "missing" else "changed", path))
    return found


SCALARS = st.none() | st.booleans() | st.integers(-50, 5000) | st.text("abc", max_size=4)
MEMBERS = st.sampled_from(["sku", "qty", "note", "price"])
LINES = st.lists(st.dictionaries(MEMBERS, SCALARS, max_size=4), max_size=4).map(
    lambda lines: [{**line, "id": f"line-{place}", "kept": True, "same": "x"} for place, line in enumerate(lines)]
)
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.dictionaries(MEMBERS, inner, max_size=4), max_leaves=12)


@given(DOCUMENTS, DOCUMENTS, LINES, st.randoms(use_true_random=False))
def test_the_walk_finds_what_deepdiff_finds(before: Any, after: Any, lines: list[Any], draw: random.Random) -> None:
    """Where both mean the same: no lists but of elements that keep their places."""
    edited = [{**line, "qty": draw.randrange(3)} if draw.random() < 0.5 else dict(line) for line in lines]
    old, new = {"body": before, "lines": lines}, {"body": after, "lines": edited}
    assert our_view(old, new) == peers_view(old, new)
