"""Two stages: who is suspected, how much more is asked for, and when it is enough."""

import math
import random

import pytest

from seamline.diffing.latency.samples import Rounds, Sample
from seamline.diffing.latency.stages import LEAST_ROUNDS, Wanted, more_wanted, rounds_for, suspects, undecided
from seamline.diffing.rounds import Round
from support.traffic import Turn, play


def drawn(rng: random.Random, effect: float, count: int = 40) -> list[Sample]:
    """Pairs of 20 ms."""
    return [
        Sample(f"c-{n}", int(20_000 * math.exp(rng.gauss(0, 0.1))), int(20_000 * math.exp(rng.gauss(effect, 0.1))))
        for n in range(count)
    ]


def report(seed: int, effect: float) -> tuple[Rounds, Rounds]:
    rng = random.Random(seed)
    rounds = {f"e{n}": [drawn(rng, effect if n == 0 else 0.0)] for n in range(10)}
    return rounds, {name: [drawn(rng, 0.0)] for name in rounds}


def test_a_slowdown_is_suspected_from_one_round_that_proves_nothing() -> None:
    found = [suspects(*report(seed, math.log(1.15))) for seed in range(30)]
    assert sum("e0" in one for one in found) >= 28


def test_few_are_suspected_without_reason() -> None:
    found = [suspects(*report(seed, 0.0)) for seed in range(60)]
    assert sum(map(len, found)) <= 0.05 * 600


def test_faster_is_nobody_suspect() -> None:
    assert "e0" not in suspects(*report(1, -0.3))


@pytest.mark.parametrize(
    ("pairs", "most", "expected"), [(20, 20, 15), (60, 20, 5), (1_000, 20, 3), (20, 6, 6), (2, 99, 20)]
)
def test_three_hundred_pairs_at_least_within_the_budget(pairs: int, most: int, expected: int) -> None:
    assert rounds_for({"e": [drawn(random.Random(1), 0.0, pairs)]}, most) == expected


def side(extra_us: int, name: str, seed: int):  # type: ignore[no-untyped-def]  # a run
    """Requests to two endpoints; the candidate is slower at one."""

    def turn(number: int, run: str) -> Turn:
        slow = extra_us if number % 2 == 0 else 0
        wobble = random.Random(f"{seed}{number}{run}").randrange(1_500)
        return Turn(target="/slow" if number % 2 == 0 else "/calm", body={}, takes_us=20_000 + wobble + slow)

    return play(turn, name, 60)


def rounds(extra_us: int, count: int, first: int = 0) -> list[Round]:
    """Rounds of a change that costs so much."""
    return [Round(side(0, f"a{n}", n), side(extra_us, f"b{n}", n)) for n in range(first, first + count)]


def test_what_is_wanted_names_the_requests() -> None:
    wanted = more_wanted(rounds(3_000, 1), [side(0, "n0", 9)])
    assert wanted is not None
    assert wanted.endpoints == ("GET /slow",)
    assert wanted.origins == {f"c-{n}" for n in range(0, 60, 2)}
    assert wanted.rounds == 10


def test_nothing_is_wanted_of_a_calm_round_or_without_a_budget() -> None:
    assert more_wanted(rounds(0, 1), [side(0, "n0", 9)]) is None
    assert more_wanted(rounds(3_000, 1), [], LEAST_ROUNDS - 1) is None
    assert more_wanted([], []) is None


def test_enough_is_what_is_sure_or_what_cannot_matter_any_more() -> None:
    wanted = Wanted(("GET /slow",), frozenset(), 10)
    assert undecided(wanted, [])
    assert undecided(wanted, rounds(1_300, 2))
    assert not undecided(wanted, rounds(0, 3))
    assert undecided(wanted, rounds(1_300, 3))
    assert not undecided(wanted, rounds(20_000, 9))
    assert not undecided(wanted, rounds(1_300, 10))
