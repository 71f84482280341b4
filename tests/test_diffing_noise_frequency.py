"""What happens by itself, and now oftener or the other way."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from seamline.diffing.comparison import Comparison, Side, compare_runs
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.noise.frequency import significant, try_frequencies
from support.traffic import Turn, answers, play

Body = Callable[[random.Random], Any]


def compared(before: Body, after: Body, names: tuple[str, str], count: int) -> Comparison:
    def side(body: Body, name: str) -> Side:
        def turn(number: int, run: str) -> Turn:
            made = body(random.Random(f"{run}/{number}"))
            return Turn(target=f"/orders/{number + 100}", body=made, status=500 if made == "broken" else 200)

        return Side.of(play(turn, name, count))

    return compare_runs(side(before, names[0]), side(after, names[1]), Templates())


def found(before: Body, after: Body, count: int = 60, rounds: int = 2) -> list[tuple[str, str]]:
    itself = [compared(before, before, ("a0", f"a{n}"), count) for n in range(1, rounds + 1)]
    played = [compared(before, after, (f"a{n}", f"b{n}"), count) for n in range(rounds)]
    told = significant(try_frequencies(played, itself))
    return [(one.shown[0].difference.kind, one.where) for one in told]


def coin(share: float) -> Body:
    return lambda rng: {"coin": "heads" if rng.random() < share else "tails"}


def hint(share: float) -> Body:
    return lambda rng: {"id": 1} | ({"hint": "buy two"} if rng.random() < share else {})


def failing(share: float) -> Body:
    return lambda rng: "broken" if rng.random() < share else {"id": 1}


def length(most: int) -> Body:
    return lambda rng: {"seen": rng.sample(range(900), rng.randrange(3, most))}


CHANGED: list[tuple[str, Body, Body, list[tuple[str, str]]]] = [
    ("a coin that is loaded", coin(0.5), coin(1.0), [("value_changed", "$.coin")]),
    ("a rare value that is frequent", coin(0.01), coin(0.4), [("value_changed", "$.coin")]),
    ("a hint that is gone", hint(0.5), hint(0.0), [("field_removed", "$.hint")]),
    ("a hint that is always there", hint(0.5), hint(1.0), [("field_added", "$.hint")]),
    ("failures now and then", failing(0.0), failing(0.25), [("changed", "status")]),
    ("longer lists", length(7), length(40), [("multiset_changed", "$.seen")]),
]


@pytest.mark.parametrize(("before", "after", "expected"), [r[1:] for r in CHANGED], ids=[r[0] for r in CHANGED])
def test_a_frequency_that_changed_is_told_and_the_same_one_is_not(
    before: Body, after: Body, expected: list[tuple[str, str]]
) -> None:
    assert found(before, after) == expected
    assert found(before, before) == []


def test_processes_that_choose_once_are_no_frequency() -> None:
    """Each process has its own name: all requests differ one way, between baselines too."""
    side = lambda name: Side.of(play(answers(lambda n, run: {"pod": run}), name, 40))  # noqa: E731  # one line says it
    itself = [compare_runs(side("a0"), side("a1"), Templates()), compare_runs(side("a0"), side("a2"), Templates())]
    played = [compare_runs(side("a0"), side("b0"), Templates()), compare_runs(side("a1"), side("b1"), Templates())]
    assert significant(try_frequencies(played, itself)) == []


def test_nothing_is_said_of_what_was_never_held_against_itself() -> None:
    assert try_frequencies([compared(coin(0.5), coin(1.0), ("a", "b"), 60)], []) == []
