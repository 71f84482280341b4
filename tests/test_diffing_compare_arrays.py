"""Arrays: which element answers to which, in work that grows with the length."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare.arrays import align
from seamline.diffing.compare.joining import join_key
from seamline.diffing.report.model import Json


def items(*skus: str) -> list[Json]:
    return [{"sku": sku, "qty": number} for number, sku in enumerate(skus)]


def test_objects_join_on_the_key_that_both_sides_share() -> None:
    found = align(items("a", "b", "c"), items("c", "a", "b"))
    assert found.order == "reordered"
    assert (found.removed, found.added) == ([], [])
    assert all(
        isinstance(one, dict) and isinstance(other, dict) and one["sku"] == other["sku"] for one, other in found.pairs
    )


def test_the_usual_name_wins_where_two_keys_would_do() -> None:
    before = [{"qty": 1, "id": 7}, {"qty": 2, "id": 8}]
    assert join_key(before, [{"qty": 2, "id": 7}, {"qty": 1, "id": 8}]) == ("id",)
    assert join_key(before, [{"qty": 1, "id": 70}, {"qty": 2, "id": 80}]) == ("qty",)
    assert join_key(before, [{"other": 1}]) is None


@pytest.mark.parametrize(
    ("before", "after", "kind", "removed", "added"),
    [
        (list(range(20)), list(range(25)), "length_changed", 0, 5),
        (list(range(20)), list(range(19)), "multiset_changed", 1, 0),
        (["a", "b"], ["a", "b", "a"], "multiset_changed", 0, 1),
        (["a", "b"], ["a", "c"], "multiset_changed", 1, 1),
        ([1, 2, 3], [], "length_changed", 3, 0),
        (items("a", "b"), items("b", "x", "y"), "multiset_changed", 1, 2),
    ],
)
def test_members(before: list[Json], after: list[Json], kind: str, removed: int, added: int) -> None:
    found = align(before, after)
    assert (found.kind, len(found.removed), len(found.added)) == (kind, removed, added)


def test_a_vector_is_compared_by_component_and_a_set_is_not() -> None:
    assert align([1.0, 2.0], [1.0, 2.5]).pairs == [(2.0, 2.5)]
    assert align([1.0, 2.0], [1.0, 2.5], unordered=True).removed == [2.0]
    assert align(["a", "b"], ["a", "c"]).removed == ["b"]


def test_order_is_told_apart() -> None:
    assert align([1, 2, 3], [3, 2, 1]).order == "reversed"
    assert align(["b", "a"], ["a", "b"]).order == "reversed"
    assert align(["a", "b", "c"], ["b", "a", "c"]).order == "reordered"
    assert align(["a", "b"], ["a", "b"]).order == ""


def test_elements_without_a_key_pair_by_their_content_with_fresh_ids_masked() -> None:
    log = [
        {"at": "2026-11-01T10:00:00Z", "what": "x"},
        {"at": "2026-11-01T10:00:00Z", "what": "y"},
        {"at": "2026-11-01T10:00:00Z", "what": "y"},
    ]
    later = [dict(one, at="2026-11-01T10:00:07Z") for one in reversed(log)]
    found = align([*log], [*later])
    assert (found.removed, found.added, found.order) == ([], [], "reordered")
    assert all(
        isinstance(one, dict) and isinstance(other, dict) and one["what"] == other["what"] for one, other in found.pairs
    )


def test_an_insertion_at_the_front_marks_one_element() -> None:
    before = items(*(f"s{n}" for n in range(50)))
    found = align(before, [{"sku": "new", "qty": 1}, *before])
    assert (found.same, found.removed, found.order, found.where) == (50, [], "", "at the front")
    assert found.added == [{"sku": "new", "qty": 1}]


class Counted(dict):  # type: ignore[type-arg]  # a plain dict that counts
    """An element that counts how often it is looked into."""

    looks = 0

    def get(self, *args: object) -> object:
        Counted.looks += 1
        return super().get(*args)  # type: ignore[call-overload]  # handed on as it came

    def __getitem__(self, key: str) -> object:
        Counted.looks += 1
        return super().__getitem__(key)


def test_work_grows_with_the_length() -> None:
    def looks(count: int) -> int:
        Counted.looks = 0
        before = [Counted(id=number, value=-number) for number in range(count)]
        after = [Counted(id=number, value=-number) for number in range(count)]
        random.Random(1).shuffle(after)
        assert align(before, after).order == "reordered"
        return Counted.looks

    assert looks(10_000) <= 11 * looks(1_000)


ELEMENTS = (
    st.none() | st.integers(0, 5) | st.text(max_size=2) | st.dictionaries(st.sampled_from("ab"), st.integers(0, 3))
)


@given(st.lists(ELEMENTS, max_size=8), st.lists(ELEMENTS, max_size=8))
def test_every_element_is_accounted_for(before: list[Json], after: list[Json]) -> None:
    found = align(before, after)
    assert found.same + len(found.pairs) + len(found.removed) == len(before)
    assert found.same + len(found.pairs) + len(found.added) == len(after)


def orders(first: int, count: int = 20, **changes: Json) -> list[Json]:
    """Orders under numbers that are drawn from `first` on; the last six were there before either side."""
    made: list[Json] = [
        {"number": first + place, "email": f"c{place}@shop.example", "total": 100 * place, "paid": True, **changes}
        for place in range(count - 6)
    ]
    kept: list[Json] = [
        {"number": place, "email": f"k{place}@shop.example", "total": 7 * place, "paid": True} for place in range(6)
    ]
    return [*made, *kept]


def test_elements_whose_numbers_each_side_draws_pair_by_everything_else() -> None:
    found = align(orders(1000), orders(2000))
    assert (found.removed, found.added, found.order, len(found.pairs)) == ([], [], "", 14)
    reversed_ = align(orders(1000), orders(2000)[::-1])
    assert (reversed_.removed, reversed_.added, reversed_.order) == ([], [], "reversed")


def test_a_longer_page_of_drawn_numbers_is_one_finding() -> None:
    found = align(
        orders(1000)[:20],
        [
            *orders(2000),
            *[{"number": 50 + n, "email": f"m{n}@x.example", "total": 9 * n + 1, "paid": True} for n in range(5)],
        ],
    )
    assert (found.kind, len(found.removed), len(found.added), found.where) == ("length_changed", 0, 5, "at the end")


def test_other_elements_are_other_members_however_many_there_are() -> None:
    """A filter that is ignored: as many on the page, but not the same."""
    before: list[Json] = [{"sku": f"a{n}", "title": f"T{n}", "price": n, "stock": n * 3} for n in range(10)]
    after: list[Json] = [{"sku": f"b{n}", "title": f"U{n}", "price": n + 50, "stock": n * 7 + 1} for n in range(10)]
    found = align(before, after)
    assert (len(found.removed), len(found.added)) == (10, 10)
    half = align(before, [*before[:5], *after[5:]])
    assert (half.kind, len(half.removed), len(half.added)) == ("multiset_changed", 5, 5)


@pytest.mark.parametrize(
    ("after", "kind", "where"),
    [
        ([0, *range(1, 21)], "multiset_changed", "at the front"),
        ([*range(1, 20)], "multiset_changed", "at the end"),
        ([*range(1, 26)], "length_changed", "at the end"),
        ([*range(1, 21), 3, 3], "multiset_changed", "duplicates"),
        ([1, 1, *range(2, 21)], "multiset_changed", "duplicates"),
        ([*range(1, 10), *range(11, 21)], "multiset_changed", ""),
    ],
)
def test_what_came_or_went_has_a_name_both_ways(after: list[Json], kind: str, where: str) -> None:
    found, back = align([*range(1, 21)], after), align(after, [*range(1, 21)])
    assert (found.kind, found.where, found.order) == (kind, where, "")
    assert (back.kind, back.where, back.order) == (kind, where, "")
