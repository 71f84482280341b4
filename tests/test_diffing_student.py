"""Student's t against printed tables."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.student import t_quantile, t_tail

# Any table of the t distribution: upper 5 %, 0.5 % and 0.05 % points.
TABLE = [
    (1, 0.95, 6.3138), (2, 0.95, 2.9200), (5, 0.95, 2.0150), (10, 0.95, 1.8125), (30, 0.95, 1.6973), (120, 0.95, 1.6577),
    (1, 0.995, 63.657), (5, 0.995, 4.0321), (10, 0.995, 3.1693), (30, 0.995, 2.7500), (10, 0.9995, 4.5869),
]  # fmt: skip


@pytest.mark.parametrize(("degrees", "probability", "expected"), TABLE)
def test_quantiles(degrees: int, probability: float, expected: float) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-4)
    assert t_quantile(1 - probability, degrees) == pytest.approx(-expected, rel=1e-4)


def test_one_degree_is_cauchy_and_many_are_normal() -> None:
    assert t_tail(1.0, 1) == pytest.approx(0.25)
    assert t_tail(2.0, 1) == pytest.approx(0.5 - math.atan(2) / math.pi)
    assert t_tail(1.959964, 1e7) == pytest.approx(0.025, abs=1e-6)


@given(st.floats(-50, 50), st.floats(1, 500))
def test_tails_mirror(t: float, degrees: float) -> None:
    assert t_tail(t, degrees) + t_tail(-t, degrees) == pytest.approx(1.0)


@pytest.mark.parametrize("probability", [0.0, 1.0, -1.0])
def test_impossible_probabilities(probability: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        t_quantile(probability, 5)
