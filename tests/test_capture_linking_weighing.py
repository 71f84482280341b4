"""From evidence to confidence."""

import math

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.linking.causes import Cause, Causes
from seamline.capture.linking.habits import Habits
from seamline.capture.linking.weighing import (
    over_score,
    ranked,
    shared,
    shares,
    turn_scores,
    value_scores,
    with_habits,
    with_neighbour,
)
from seamline.capture.model import LinkKind


def a_cause(name: str, at_us: int = 0) -> Cause:
    return Cause(name, at_us, (), None, "GET /")


A, B, C = a_cause("a", 1), a_cause("b", 2), a_cause("c", 3)


def test_whoever_had_an_answer_a_moment_ago_is_likelier_and_whoever_waits_for_one_less() -> None:
    fresh, stale, waiting = a_cause("fresh", 9_900), a_cause("stale", 100), a_cause("waiting", 9_900)
    waiting.busy = 1
    scores = turn_scores((fresh, stale, waiting), 10_000)
    assert scores[fresh] > scores[waiting] > scores[stale]


def test_a_habit_speaks_for_its_endpoint_but_makes_nothing_impossible() -> None:
    habits = Habits()
    for _ in range(5_000):
        habits.exposed("GET /", 0.5)
        habits.exposed("GET /other", 0.5)
        habits.called("GET /other", "op", 1.0)
    other = Cause("other", 0, (), None, "GET /other")
    scores = with_habits({A: 0.0, other: -1.0}, "op", habits)
    assert scores[other] - scores[A] == 3.0, "at most so much, less what the time says"
    assert with_habits({}, "op", habits) == {}


def test_an_answered_cause_made_no_call_that_came_after() -> None:
    ended = a_cause("ended")
    assert over_score(ended, 50) == 0.0
    ended.ended_us = 40
    assert over_score(ended, 50) < -2
    assert over_score(ended, 30) == 0.0


def test_a_rare_value_says_more_than_a_common_one_and_a_code_more_than_a_digit() -> None:
    causes = Causes(100, 100)
    everyone = [a_cause(f"c{number}") for number in range(40)]
    for cause in everyone:
        causes.add(cause)
        causes.learn(cause, ("orders",))
    causes.learn(everyone[0], ("7", "a8f0-77c2"))

    def said(value: str) -> float:
        return value_scores((value,), causes.holders, Habits(), "op", causes.known).get(everyone[0], 0.0)

    assert said("a8f0-77c2") > said("7") > said("orders")
    assert said("unknown") == 0.0
    both = value_scores(("7", "a8f0-77c2"), causes.holders, Habits(), "op", causes.known)
    assert set(both) == {everyone[0]}
    assert said("a8f0-77c2") < both[everyone[0]] < said("a8f0-77c2") + said("7")


def test_shares_add_up_with_nobodys() -> None:
    assert shares({}, {}, 0.0) == {}
    equal = shares({A: -1.0, B: -1.0}, {A: -1.0, B: -1.0}, 0.0)
    assert equal == {A: 0.5, B: 0.5}
    without = shares({A: -1.0, B: -1.0}, {A: -1.0, B: -1.0}, 0.8)
    assert math.isclose(sum(without.values()), 0.2)
    found = shares({A: 8.0, B: -1.0}, {A: -1.0, B: -1.0}, 0.8)
    assert found[A] > 0.99, "a value outweighs the suspicion that nobody asked"


def test_a_neighbour_speaks_as_loud_as_the_connection_stays() -> None:
    scores = {A: 0.0, B: 0.0, C: 0.0}
    loud = shares(with_neighbour(scores, {A: 1.0}, 0.95), scores, 0.0)
    low = shares(with_neighbour(scores, {A: 1.0}, 0.1), scores, 0.0)
    assert loud[A] > 0.9
    assert 1 / 3 < low[A] < 0.5
    assert math.isclose(loud[B], loud[C])


def test_links_are_ranked_and_time_alone_is_never_sure() -> None:
    links = ranked({A: 0.97, B: 0.02, C: 0.001}, LinkKind.TIME)
    assert [(link.parent, link.confidence) for link in links] == [("a", 0.85), ("b", 0.02)]
    assert ranked({A: 0.995}, LinkKind.VALUE)[0].confidence == 0.99
    assert [link.parent for link in ranked({A: 0.5, B: 0.5}, LinkKind.TIME)] == ["b", "a"], "the newest of equals"
    assert ranked({}, LinkKind.TIME) == ()


def test_equal_candidates_share() -> None:
    assert [link.confidence for link in shared([A, B], LinkKind.TIME, 0.95)] == [0.5, 0.5]
    assert [link.confidence for link in shared([A], LinkKind.TIME, 0.95)] == [0.95]
    assert shared([], LinkKind.TIME, 0.95) == ()


@given(st.lists(st.floats(-60, 30), min_size=1, max_size=20), st.floats(0, 0.98), st.floats(0.02, 0.98))
def test_shares_are_probabilities(raw: list[float], nobody: float, stays: float) -> None:
    causes = [a_cause(f"c{number}", number) for number in range(len(raw))]
    prior = dict.fromkeys(causes, -1.0)
    scores = with_neighbour(dict(zip(causes, raw, strict=True)), {causes[0]: 0.7}, stays)
    found = shares(scores, prior, nobody)
    assert 0 <= sum(found.values()) <= 1 + 1e-9
    links = ranked(found, LinkKind.LANE)
    assert len(links) <= 4
    assert [link.confidence for link in links] == sorted((link.confidence for link in links), reverse=True)
