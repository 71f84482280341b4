"""B-cubed and findings a cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.clusters import Item, b_cubed, items_of, per_cause
from support.benchmarking import finding, regression

ITEMS = st.lists(st.builds(Item, st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(1, 5)), max_size=20)


@given(ITEMS)
def test_scores_are_shares_and_turn_with_the_roles(items: list[Item]) -> None:
    score = b_cubed(items)
    assert 0.0 < score.precision <= 1.0
    assert 0.0 < score.recall <= 1.0
    mirrored = b_cubed(Item(item.category, item.cluster, item.weight) for item in items)
    assert (mirrored.precision, mirrored.recall) == (pytest.approx(score.recall), pytest.approx(score.precision))


@given(ITEMS)
def test_a_cluster_for_each_category_is_perfect(items: list[Item]) -> None:
    score = b_cubed(Item(f"only {item.category}", item.category, item.weight) for item in items)
    assert (score.precision, score.recall, score.f1) == (pytest.approx(1), pytest.approx(1), pytest.approx(1))


def test_known_values() -> None:
    # Two causes of two requests each in one finding: precision 1/2. One cause over two findings: recall 1/2.
    merged = b_cubed([Item("a", "x", 2), Item("a", "y", 2)])
    assert (merged.precision, merged.recall) == (0.5, 1.0)
    split = b_cubed([Item("a", "x", 2), Item("b", "x", 2)])
    assert (split.precision, split.recall) == (1.0, 0.5)
    assert split.f1 == pytest.approx(2 / 3)


def test_a_report_as_items() -> None:
    causes = [regression("R04"), regression("R05", places=(("$.qty",),))]
    told = [finding(), finding(path="$.qty"), finding(path="$.else"), finding(path="$.quiet", severity="info")]
    items = items_of(told, causes)
    assert [item.category for item in items] == ["R04", "R05", "none of them: response.type_changed-$.else"]
    assert [item.weight for item in items] == [3, 3, 3]
    assert per_cause(told, causes) == 1.5
    assert per_cause([], causes) is None
