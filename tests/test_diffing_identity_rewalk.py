"""Lists of ids, compared in the candidate's names."""

from typing import Any

import pytest

from seamline.diffing.comparison import Comparison, Side, compare_runs
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.identity.bijection import Names
from seamline.diffing.identity.rewalk import Renaming, walk_again
from seamline.diffing.identity.sights import Spot
from support.traffic import Turn, a_run

DOMAINS = {
    Spot("GET /orders", ("response", "$.orders[*].id", "", "")): 1,
    Spot("GET /orders", ("response", "$.orders[*].href", "", ""), "orders"): 1,
}
NAMES = Names(
    {(1, str(1_000 + n)): str(2_000 + n) for n in range(9)}, {(1, str(2_000 + n)): str(1_000 + n) for n in range(9)}
)


def page(numbers: list[int], first: int) -> dict[str, Any]:
    return {"orders": [{"id": first + n, "href": f"/orders/{first + n}", "total": n * n} for n in numbers]}


def walked(before: Any, after: Any) -> list[tuple[str, str | None]]:
    def side(name: str, body: Any) -> Side:
        return Side.of(a_run([Turn(target="/orders", body=body)], name))

    comparison = compare_runs(side("a", before), side("b", after), Templates())
    walk_again(comparison, DOMAINS, NAMES, lambda _endpoint, _service, _operation: frozenset())
    return sorted({(one.difference.kind, one.difference.path) for one in comparison.observations})


SAME = page([0, 1, 2, 3], 1_000)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (page([0, 1, 2, 3], 2_000), []),
        (page([3, 2, 1, 0], 2_000), [("order_changed", "$.orders")]),
        (page([0, 1, 2], 2_000), [("multiset_changed", "$.orders")]),
        (
            {"orders": [{**one, "total": 99 if place == 1 else one["total"]} for place, one in enumerate(page([0, 1, 2, 3], 2_000)["orders"])]},
            [("value_changed", "$.orders[*].total")],
        ),
    ],
    ids=["the same orders", "turned round", "one lost", "another total"],
)  # fmt: skip
def test_what_differs_in_the_other_side_s_names(after: Any, expected: list[tuple[str, str | None]]) -> None:
    assert walked(SAME, after) == expected


def test_a_known_id_that_is_another_s_is_a_broken_relation() -> None:
    domains = {Spot("GET /orders", ("response", "$.lines[*].order_id", "", "")): 1}
    renaming = Renaming("GET /orders", domains, NAMES)
    assert renaming.has_lists
    assert renaming.is_known("$.lines[*].order_id", 2_001, 2_002)
    assert not renaming.is_known("$.lines[*].order_id", 2_001, 9_999)
    assert not renaming.is_known("$.qty", 2_001, 2_002)


def test_a_renamed_tree_keeps_types_and_what_is_no_id() -> None:
    renaming = Renaming("GET /orders", DOMAINS, NAMES)
    before = {
        "orders": [{"id": 1_001, "href": "/orders/1001", "qty": 1_001}, {"id": "1002", "href": None}],
        "id": 1_001,
    }
    assert renaming.tree(before) == {
        "orders": [{"id": 2_001, "href": "/orders/2001", "qty": 1_001}, {"id": "2002", "href": None}],
        "id": 1_001,
    }


def test_other_endpoints_and_answers_without_lists_are_left_as_they_were() -> None:
    assert not Renaming("GET /other", DOMAINS, NAMES).has_lists
    comparison = Comparison()
    walk_again(comparison, DOMAINS, NAMES, lambda _endpoint, _service, _operation: frozenset())
    assert comparison.observations == []
