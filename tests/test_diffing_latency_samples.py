"""Samples of pairs: which pairs count, what is warm-up, what is side by side."""

from dataclasses import replace

import pytest

from seamline.diffing.latency.samples import (
    FIRST_OF_SESSION,
    FIRST_OF_TARGET,
    TOGETHER_US,
    Sample,
    beside,
    joined,
    samples_of,
    side_by_side,
    warm,
)
from seamline.diffing.pair import Pair
from support.traffic import Turn, exchange


def pair(number: int, before: Turn, after: Turn | None = None) -> Pair:
    """The pair of a request's two answers."""
    return Pair(f"c-{number}", exchange(before, number, "a"), exchange(after or before, number, "b"))


def of(pairs: list[Pair], endpoint: str = "GET /x") -> list[Sample]:
    """The samples of one round of one endpoint."""
    return samples_of([[(one.key, endpoint, one) for one in pairs]]).get(endpoint, [[]])[0]


def test_only_answers_with_the_same_status_count() -> None:
    pairs = [pair(0, Turn()), pair(1, Turn(), Turn(status=500)), pair(2, Turn(status=0)), pair(3, Turn(status=404))]
    assert [one.key for one in of(pairs)] == ["c-0", "c-3"]


def test_service_time_is_without_lateness() -> None:
    late = pair(0, Turn(takes_us=9_000))
    late = replace(late, after=replace(late.after, lateness_us=4_000))
    (one,) = of([late])
    assert (one.before_us, one.after_us, one.shift_us) == (9_000, 5_000, -4_000)


@pytest.mark.parametrize(("requests", "cold"), [(9, 0), (100, 10), (1_000, 30)])
def test_the_warm_up_is_a_tenth_and_thirty_at_most(requests: int, cold: int) -> None:
    found = of([pair(number, Turn()) for number in range(requests)])
    assert [one.cold for one in found] == [True] * cold + [False] * (requests - cold)
    assert len(joined(warm([found]))) == requests - cold


def test_the_first_of_its_kind_and_of_its_session() -> None:
    """Sessions go round by three."""
    targets = ["/a", "/a", "/b", "/a", "/b"]
    found = of([pair(number, Turn(target=target)) for number, target in enumerate(targets)])
    assert [FIRST_OF_TARGET in one.classes for one in found] == [True, False, True, False, False]
    assert [FIRST_OF_SESSION in one.classes for one in found] == [True, True, True, False, False]


def test_ratios_of_times_below_the_clock_are_one() -> None:
    assert Sample("c", 3, 40).ratio == 0.0


def test_side_by_side_is_a_matter_of_the_median() -> None:
    near, far = Sample("c", 1, 1, 10), Sample("c", 1, 1, TOGETHER_US + 1)
    assert side_by_side([near, near, far])
    assert not side_by_side([near, far, far])
    assert not side_by_side([])


def test_rounds_that_follow_each_other_are_not_beside_each_other() -> None:
    """Even where each takes a second only."""
    turns = {f"c-{number}": ("GET /x", pair(number, Turn())) for number in range(10)}
    assert beside(turns)
    later = {
        key: (name, replace(one, after=replace(one.after, started_us=one.after.started_us + 1_100_000)))
        for key, (name, one) in turns.items()
    }
    assert not beside(later)
    assert not beside({})
