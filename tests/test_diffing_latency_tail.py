"""Tails: a few much slower requests, and the luck that looks like them."""

import math
import random

import pytest

from seamline.diffing.latency.samples import Sample
from seamline.diffing.latency.tail import tail

LEAST = 1_000.0


def plays(seed: int, count: int, share: float, factor: float, rounds: int = 4) -> list[list[Sample]]:
    """Rounds of `count` pairs of about 20 ms, of which a `share` takes `factor` times as long."""
    rng = random.Random(seed)

    def one(name: str) -> Sample:
        base = math.log(20_000) + rng.gauss(0, 0.4)
        slow = math.log(factor) if rng.random() < share else 0.0
        before, after = base + rng.gauss(0, 0.15), base + rng.gauss(0, 0.15) + slow
        return Sample(name, int(math.exp(before)), int(math.exp(after)))

    return [[one(f"c-{n}") for n in range(count)] for _ in range(rounds)]


@pytest.mark.parametrize(("share", "factor"), [(0.05, 3.0), (0.02, 5.0)])
def test_a_heavier_tail_is_found_in_two_thousand_pairs(share: float, factor: float) -> None:
    for seed in range(5):
        found = tail(plays(seed, 500, share, factor), 0.0, LEAST)
        assert found is not None
        assert found.p_value < 1e-4
        assert found.slow > 2 * found.quick
        assert found.of == 2000


def test_no_change_is_rarely_near() -> None:
    tails = [tail(plays(seed, 200, 0.0, 1.0), 0.0, LEAST) for seed in range(100)]
    assert sum(one is not None and one.p_value < 0.005 for one in tails) <= 1


def test_one_bad_round_is_no_tail() -> None:
    calm = plays(1, 200, 0.0, 1.0, rounds=3)
    found = tail([*calm, *plays(2, 200, 0.3, 3.0, rounds=1)], 0.0, LEAST)
    assert found is None or found.p_value > 0.01
    assert tail(plays(2, 200, 0.3, 3.0, rounds=1), 0.0, LEAST) is None
    assert tail(plays(2, 200, 0.3, 3.0, rounds=1), 0.0, LEAST, least_rounds=1) is not None


def test_a_common_shift_is_no_tail() -> None:
    shifted = plays(3, 300, 1.0, 1.8)
    found = tail(shifted, math.log(1.8), LEAST)
    assert found is None or found.p_value > 0.01


def test_what_is_too_short_to_matter_is_not_outside() -> None:
    quick = [[Sample(f"c-{n}", 200, 900) for n in range(50)] for _ in range(3)]
    assert tail(quick, 0.0, LEAST) is None
