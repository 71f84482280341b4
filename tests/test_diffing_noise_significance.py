"""Exact tests, against worked examples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.noise.significance import (
    benjamini_hochberg,
    binomial_tail,
    confidence,
    fisher_greater,
    rate_bound,
)


def test_fishers_tea() -> None:
    """Fisher 1935: three of four cups right, and all four."""
    assert fisher_greater(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert fisher_greater(4, 4, 0, 4) == pytest.approx(1 / 70)


@given(st.integers(1, 40), st.integers(0, 40), st.data())
def test_fisher_sums_the_hypergeometric_tail(trials: int, others: int, data: st.DataObject) -> None:
    hits, noise = data.draw(st.integers(0, trials)), data.draw(st.integers(0, others))
    drawn = hits + noise
    exact = sum(
        math.comb(trials, k) * math.comb(others, drawn - k)
        for k in range(hits, min(trials, drawn) + 1)
        if 0 <= drawn - k <= others
    ) / math.comb(trials + others, drawn)
    assert fisher_greater(hits, trials, noise, others) == pytest.approx(exact)


@given(st.integers(0, 30), st.integers(1, 30), st.floats(0.01, 0.99))
def test_binomial_tails_add_up(hits: int, trials: int, rate: float) -> None:
    exact = sum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(hits, trials + 1))
    assert binomial_tail(hits, trials, rate) == pytest.approx(exact if hits else 1.0, abs=1e-9)


def test_edges() -> None:
    assert binomial_tail(1, 5, 0.0) == 0.0
    assert binomial_tail(1, 5, 1.0) == 1.0
    assert fisher_greater(0, 0, 1, 1) == 1.0


def test_benjamini_and_hochbergs_own_example() -> None:
    """Benjamini and Hochberg 1995, section 4: of 15 p-values the first four are rejected at 5 %."""
    values = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.324,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1.0,
    ]
    assert benjamini_hochberg(values, 0.05) == [True] * 4 + [False] * 11
    assert benjamini_hochberg([]) == []


def test_confidence_grows_with_evidence() -> None:
    grown = [
        confidence(1, 100, 1, 0),
        confidence(1, 100, 1, 100),
        confidence(100, 100, 1, 100),
        confidence(100, 100, 2, 100),
    ]
    assert grown == sorted(grown)
    assert all(0 < one <= 1 for one in grown)
    assert confidence(1, 100, 3, 300) > confidence(1, 100, 1, 300)


def test_the_bound_of_no_hits_is_the_rule_of_three() -> None:
    assert rate_bound(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))
    assert rate_bound(0, 300) == pytest.approx(3 / 300, rel=0.01)


@pytest.mark.parametrize(("hits", "trials", "bound"), [(1, 10, 0.3942), (5, 10, 0.7776), (2, 200, 0.0311)])
def test_clopper_and_pearsons_bound(hits: int, trials: int, bound: float) -> None:
    assert rate_bound(hits, trials) == pytest.approx(bound, abs=5e-4)


def test_more_noise_makes_a_finding_less_sure() -> None:
    sure = [confidence(20, 100, 2, 200, noise) for noise in (0, 20, 100, 200)]
    assert sure == sorted(sure, reverse=True)
    assert rate_bound(5, 5) == 1.0
