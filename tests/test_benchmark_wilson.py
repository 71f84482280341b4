"""Wilson's interval: known values, and what has to hold of every one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.wilson import Rate, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (390, 390, 0.9902, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), table I
    ],
)
def test_known_values(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_within_and_the_mirror_is_the_mirror(count: tuple[int, int]) -> None:
    hits, of = count
    low, high = wilson(hits, of)
    assert 0.0 <= low <= hits / of <= high <= 1.0
    other_low, other_high = wilson(of - hits, of)
    assert (low, high) == (pytest.approx(1 - other_high), pytest.approx(1 - other_low))


def test_more_trials_say_more() -> None:
    widths = [high - low for low, high in (wilson(n // 2, n) for n in (10, 100, 1_000))]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("count", [(-1, 3), (4, 3)])
def test_what_is_no_rate(count: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no rate"):
        Rate.counted(*count)


def test_a_rate_of_nothing_has_no_share() -> None:
    rate = Rate.counted(0, 0)
    assert rate.share != rate.share
    assert (rate.low, rate.high) == (0.0, 1.0)
