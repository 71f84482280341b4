"""The location of paired times: the estimate by hand, what starts differ by, Holm's steps."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.latency.location import (
    FEW_TAU,
    MIN_TAU,
    Estimate,
    Spread,
    estimate,
    holm,
    least_shift_us,
    shift_of,
    spread_between_starts,
    trimmed,
    unanimous,
)
from seamline.diffing.latency.samples import Sample


def pairs(*ratios: float, base: int = 10_000) -> list[Sample]:
    """Pairs with the given ratios."""
    return [Sample(f"c-{n}", base, round(base * ratio)) for n, ratio in enumerate(ratios)]


def drawn(rng: random.Random, centre: float, count: int = 200, spread: float = 0.1) -> list[Sample]:
    """Pairs around exp(centre)."""
    return pairs(*(math.exp(rng.gauss(centre, spread)) for _ in range(count)))


def test_the_trimmed_mean_by_hand() -> None:
    """Ten values, two cut at each end: mean of 3..8, Winsorised sum of squares 2·(3·2.5² + 1.5² + 0.5²)."""
    mean, error, degrees = trimmed([1, 2, 3, 4, 5, 6, 7, 8, 9, 1000])
    assert mean == 5.5
    assert error == pytest.approx(math.sqrt(2 * (3 * 2.5**2 + 1.5**2 + 0.5**2) / (6 * 5)))
    assert degrees == 5


def test_few_starts_that_agree_are_not_believed_to_lie_close() -> None:
    rng = random.Random(0)
    two = {f"e{n}": [drawn(rng, 0.0) for _ in range(2)] for n in range(5)}
    assert spread_between_starts({}, {}) == Spread(FEW_TAU, Spread().degrees)
    assert spread_between_starts(two, {}) == Spread(FEW_TAU, Spread().degrees + 1)


def test_many_calm_starts_bring_the_spread_down_to_its_floor_and_wild_ones_raise_it() -> None:
    rng = random.Random(1)
    calm = {f"e{n}": [drawn(rng, 0.0) for _ in range(60)] for n in range(5)}
    wild = {f"e{n}": [drawn(rng, rng.gauss(0, 0.1)) for _ in range(20)] for n in range(5)}
    assert spread_between_starts(calm, {}).tau == MIN_TAU
    assert spread_between_starts(wild, {}).tau == pytest.approx(0.1, rel=0.3)


def test_a_regression_that_every_round_shows_is_no_spread() -> None:
    rng = random.Random(2)
    slower = {"e": [drawn(rng, 0.5) for _ in range(20)]}
    assert spread_between_starts(slower, {}).tau < 0.02


def test_a_baseline_that_lies_apart_from_itself_is_spread() -> None:
    rng = random.Random(3)
    apart = {f"e{n}": [drawn(rng, 0.1) for _ in range(3)] for n in range(4)}
    assert spread_between_starts({}, apart).tau > 0.06


def test_more_starts_narrow_the_interval_where_more_samples_do_not() -> None:
    rng = random.Random(4)
    few, many = [drawn(rng, 0.0, 1000) for _ in range(2)], [drawn(rng, 0.0, 100) for _ in range(20)]
    assert estimate(many, Spread()).error < 0.5 * estimate(few, Spread()).error


def test_the_figures_of_an_estimate() -> None:
    found = Estimate(math.log(1.2), 0.02, 1e7)
    low, high = found.interval
    assert (low + high) / 2 == pytest.approx(math.log(1.2))
    assert (high - low) / 2 == pytest.approx(2.5758 * 0.02, rel=1e-3)
    assert found.p_value < 1e-9
    assert found.detectable(0.005) == pytest.approx(math.log(1.02) + (2.5758 + 1.6449) * 0.02, rel=1e-3)
    assert Estimate(0.01, 0.001, 1e7).p_value > 0.5
    assert Estimate(1.0, math.inf, 1.0).p_value == 1.0


def test_one_sample_has_no_error() -> None:
    assert math.isinf(estimate([pairs(1.5)], Spread()).error)
    assert math.isinf(estimate([[]], Spread()).error)


@pytest.mark.parametrize(("itself", "least"), [(0, 1000), (10, 500), (300, 600), (5_000, 1000)])
def test_the_least_shift_follows_the_noise_of_single_requests(itself: int, least: int) -> None:
    noise = {"e": [[Sample("c", 5_000, 5_000 + itself)]]} if itself else {}
    assert least_shift_us(noise) == least


def test_all_of_few_rounds_must_agree_and_four_of_five_of_many() -> None:
    up, down = pairs(*[1.1] * 5), pairs(*[0.9] * 5)
    assert unanimous([up] * 4, 1.0)
    assert not unanimous([up] * 3 + [down], 1.0)
    assert unanimous([up] * 4 + [down], 1.0)
    assert not unanimous([up] * 7 + [down] * 2, 1.0)
    assert unanimous([up, pairs(0.5)], 1.0)
    assert not unanimous([pairs(2.0)], 1.0)


def test_a_shift_is_a_time() -> None:
    assert shift_of(pairs(1.5, 1.5, 1.5)) == 5_000


def test_holm_steps_down() -> None:
    assert holm({"a": 0.001, "b": 0.0024, "c": 0.0051}, 0.005) == {"a", "b"}
    assert holm({"a": 0.002, "b": 0.0001, "c": 0.5}, 0.005) == {"a", "b"}
    assert holm({"a": 0.003, "b": 0.0026}, 0.005) == set()
    assert holm({}) == set()


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=12))
def test_holm_lies_between_bonferroni_and_no_correction(p_values: dict[str, float]) -> None:
    found = holm(p_values, 0.05)
    assert {name for name, p in p_values.items() if p <= 0.05 / len(p_values)} <= found
    assert found <= {name for name, p in p_values.items() if p <= 0.05}
