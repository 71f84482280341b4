"""Trends: slower the longer it runs, or the more there is to answer; drift and noise are neither."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.latency.samples import Sample
from seamline.diffing.latency.trend import correlation, run_trend, significance, size_trend, theil_sen


def play(
    rng: random.Random, rise: float = 0.0, step: float = 0.0, count: int = 120, by_size: float = 0.0
) -> list[Sample]:
    """A round of about 10 ms: a common drift, a rise of the candidate's over the round, a step at three quarters."""
    found = []
    for n in range(count):
        size = rng.choice([100, 200, 400, 800, 1600, 3200])
        base = math.log(10_000) + rng.gauss(0, 0.3) + 0.5 * n / count
        own = rise * n / count + (step if n > 0.75 * count else 0.0) + by_size * math.log2(size / 100)
        found.append(
            Sample(
                f"c-{n}", int(math.exp(base + rng.gauss(0, 0.1))), int(math.exp(base + own + rng.gauss(0, 0.1))),
                place=n, size=size,
            )
        )  # fmt: skip
    return found


def test_a_leak_rises() -> None:
    rng = random.Random(1)
    found = run_trend([play(rng, 0.5) for _ in range(2)])
    assert found is not None
    assert found.p_value < 1e-8
    assert found.rise == pytest.approx(0.37, abs=0.1)
    assert found.start < 0.12
    assert found.rise_us > 2_000


def test_a_pool_that_runs_dry_is_a_step() -> None:
    rng = random.Random(2)
    found = run_trend([play(rng, step=1.0) for _ in range(2)])
    assert found is not None
    assert found.p_value < 1e-8
    assert found.rise == pytest.approx(1.0, abs=0.1)


def test_drift_of_the_machine_is_none() -> None:
    found = [run_trend([play(random.Random(seed + n)) for n in range(2)]) for seed in range(0, 400, 2)]
    assert sum(one is not None and one.p_value < 0.005 for one in found) <= 4


def test_rounds_that_disagree_are_none() -> None:
    rng = random.Random(3)
    assert run_trend([play(rng, 0.8), play(rng, -0.2)]) is None
    assert run_trend([play(rng, 0.8)]) is None
    assert run_trend([play(rng, 0.8)], least_rounds=1) is not None
    assert run_trend([play(rng, 0.8, count=12)] * 2) is None


def test_larger_answers_that_got_slower() -> None:
    rng = random.Random(4)
    found = size_trend([play(rng, by_size=0.2) for _ in range(2)])
    assert found is not None
    assert found.slope == pytest.approx(0.2, abs=0.03)
    assert found.p_value < 1e-8
    assert size_trend([[Sample("c", 1, 1, size=5)] * 200] * 2) is None


def test_correlation_by_hand() -> None:
    assert correlation([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1.0)
    assert correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert correlation([1, 2, 3], [5, 5, 5]) == 0.0
    assert correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) == pytest.approx(0.8)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=30))
def test_correlation_is_symmetric_and_bounded(points: list[tuple[int, int]]) -> None:
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    assert correlation(xs, ys) == pytest.approx(correlation(ys, xs))
    assert -1.000001 <= correlation(xs, ys) <= 1.000001


def test_significance_against_a_table() -> None:
    """Spearman's critical value for 30 points at 0.005, one-sided: 0.467 (Zar, table B.20: 0.466)."""
    assert significance(0.466, 30) == pytest.approx(0.005, abs=0.0005)
    assert significance(0.0, 30) == pytest.approx(0.5)
    assert significance(1.0, 30) < 1e-12
    assert significance(1.0, 2) == 1.0


def test_theil_sen_is_not_moved_by_outliers() -> None:
    points = [(float(n), 3.0 * n + (1_000 if n % 10 == 0 else 0)) for n in range(2_000)]
    assert theil_sen(points) == pytest.approx(3.0, rel=0.01)
    assert theil_sen([(1.0, 5.0), (1.0, 9.0)]) == 0.0
