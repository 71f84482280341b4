"""Cascades: a failure that an earlier divergence made inevitable is folded, any other is not."""

from dataclasses import replace
from typing import Any

from seamline.diffing.causes.cascade import fold_cascade
from seamline.diffing.causes.cluster import Cluster
from seamline.diffing.comparison import Comparison
from seamline.diffing.pair import Pair
from seamline.diffing.report.model import Surface
from support.clusters import a_cluster, a_difference
from support.traffic import Turn, exchange

MADE = a_difference("field_removed", "$.id", transition="present→missing")
REFUSED = a_difference("changed", None, surface=Surface.STATUS, transition="200→404")


def session(*turns: tuple[tuple[str, Any], tuple[str, Any]]) -> Comparison:
    """A session of pairs, each as ((target, answer) at the baseline, the same at the candidate)."""
    comparison = Comparison()
    for number, sides in enumerate(turns):
        old, new = (
            replace(exchange(Turn(target=target, body=body), number, name), session="s")
            for (target, body), name in zip(sides, "ab", strict=True)
        )
        comparison.pairs[f"c-{number}"] = ("GET /x", Pair(f"c-{number}", old, new))
    return comparison


def folded(comparison: Comparison, *clusters: Cluster) -> list[str]:
    return [one.example.kind for one in fold_cascade(clusters, comparison)]


def test_who_asks_for_what_it_was_never_told_could_not_have_gone_right() -> None:
    comparison = session(
        (("/orders", {"id": "o-17"}), ("/orders", {})),
        (("/orders/o-17", {"n": 1}), ("/orders/o-99", {"error": "no such order"})),
    )
    made, refused = a_cluster(MADE, "c-0"), a_cluster(REFUSED, "c-1")
    assert folded(comparison, made, refused) == ["field_removed"]
    assert made.notes
    assert "1 later requests" in made.notes[0]


def test_who_was_told_and_is_refused_all_the_same_is_a_regression() -> None:
    comparison = session(
        (("/orders", {"id": "o-17", "x": 1}), ("/orders", {"id": "o-99"})),
        (("/orders/o-17", {"n": 1}), ("/orders/o-99", {"error": "no such order"})),
    )
    assert folded(comparison, a_cluster(MADE, "c-0"), a_cluster(REFUSED, "c-1")) == ["field_removed", "changed"]


def test_a_value_that_nobody_was_told_is_no_reason() -> None:
    comparison = session(
        (("/orders", {"id": "o-17"}), ("/orders", {})), (("/users/u-5", {"n": 1}), ("/users/u-5", {"error": "x"}))
    )
    assert len(folded(comparison, a_cluster(MADE, "c-0"), a_cluster(REFUSED, "c-1"))) == 2


def test_one_request_that_is_not_explained_keeps_the_finding() -> None:
    comparison = session(
        (("/orders", {"id": "o-17"}), ("/orders", {})),
        (("/orders/o-17", {}), ("/orders/o-99", {})),
        (("/orders/o-1", {}), ("/orders/o-1", {})),
    )
    assert len(folded(comparison, a_cluster(MADE, "c-0"), a_cluster(REFUSED, "c-1", "c-2"))) == 2


def test_what_comes_later_or_in_another_session_explains_nothing() -> None:
    comparison = session((("/orders/o-17", {}), ("/orders/o-99", {})), (("/orders", {"id": "o-17"}), ("/orders", {})))
    assert len(folded(comparison, a_cluster(MADE, "c-1"), a_cluster(REFUSED, "c-0"))) == 2
    apart = session((("/orders", {"id": "o-17"}), ("/orders", {})), (("/orders/o-17", {}), ("/orders/o-99", {})))
    endpoint, pair = apart.pairs["c-1"]
    apart.pairs["c-1"] = (endpoint, Pair(pair.key, replace(pair.before, session="t"), pair.after))
    assert len(folded(apart, a_cluster(MADE, "c-0"), a_cluster(REFUSED, "c-1"))) == 2


def test_a_crash_is_never_folded() -> None:
    comparison = session(
        (("/orders", {"id": "o-17"}), ("/orders", {})), (("/orders/o-17", {"n": 1}), ("/orders/o-99", {}))
    )
    crash = a_difference("changed", None, surface=Surface.STATUS, transition="200→500")
    assert len(folded(comparison, a_cluster(MADE, "c-0"), a_cluster(crash, "c-1"))) == 2
