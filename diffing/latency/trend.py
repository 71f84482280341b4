"""Trend: the candidate gets slower the longer it runs, or the more it has to answer. PURE.

Method: Spearman's rank correlation of the log ratio with the place in the run (with the size of the answer); its
permutation distribution is Student's t for 20 pairs and more (Kendall and Stuart), so nothing has to be drawn. Drift of
the machine hits both sides of a pair and leaves the ratio alone. What it comes to is read from the first and the last
quarter: a pool that runs dry is a step, which a line would smooth away. The slope by size is Theil's and Sen's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from ..student import t_tail
from .samples import Sample, joined

MIN_PAIRS = 30
MIN_ROUNDS = 2
MIN_RISE = math.log(1.1)
MIN_SIZES = 5
MIN_RANGE = 4.0
"""Largest answer by smallest, at least."""
MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Trend:
    """`rise` is the log ratio of the last quarter above that of the first, `rise_us` the same in microseconds,
    `start` the log ratio of the first quarter; `slope` the log ratio's rise by doubling, of sizes only."""

    p_value: float
    rise: float
    rise_us: float
    start: float
    keys: tuple[str, ...]
    slope: float = 0.0


def run_trend(rounds: Sequence[Sequence[Sample]], least_rounds: int = MIN_ROUNDS) -> Trend | None:
    """The rise over the run; None where there is too little to see one, or the rounds disagree."""
    placed = [[(float(one.place), one) for one in samples] for samples in rounds]
    return _trend(placed, least_rounds)


def size_trend(rounds: Sequence[Sequence[Sample]]) -> Trend | None:
    """The rise with the size of the answer."""
    sizes = {one.size for one in joined(rounds) if one.size > 0}
    if len(sizes) < MIN_SIZES or max(sizes) < MIN_RANGE * min(sizes):
        return None
    placed = [[(math.log2(one.size), one) for one in samples if one.size > 0] for samples in rounds]
    found = _trend(placed, MIN_ROUNDS)
    if found is None:
        return None
    return replace(found, slope=theil_sen([(at, one.ratio) for points in placed for at, one in points]))


def _trend(placed: Sequence[Sequence[tuple[float, Sample]]], least_rounds: int) -> Trend | None:
    rounds = [points for points in placed if len(points) >= MIN_PAIRS // 3]
    points = [point for each in rounds for point in each]
    if len(points) < MIN_PAIRS or len(rounds) < least_rounds:
        return None
    against = sum(correlation([at for at, _ in each], [one.ratio for _, one in each]) <= 0 for each in rounds)
    if against > len(rounds) // 5:
        return None
    rank = correlation([at for at, _ in points], [one.ratio for _, one in points])
    ordered = [one for _, one in sorted(points, key=lambda point: (point[0], point[1].key))]
    quarter = max(1, len(ordered) // 4)
    early, late = ordered[:quarter], ordered[-quarter:]
    start = median(one.ratio for one in early)
    ranked = sorted(late, key=lambda one: (-one.ratio, one.key))
    return Trend(
        significance(rank, len(points)),
        median(one.ratio for one in late) - start,
        median(one.shift_us for one in late) - median(one.shift_us for one in early),
        start,
        tuple(dict.fromkeys(one.key for one in ranked)),
    )


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Spearman's rank correlation; 0 where either does not vary."""
    left, right = _ranks(xs), _ranks(ys)
    centre = (len(xs) - 1) / 2
    covered = math.fsum((a - centre) * (b - centre) for a, b in zip(left, right, strict=True))
    spread = math.fsum((a - centre) ** 2 for a in left) * math.fsum((b - centre) ** 2 for b in right)
    return covered / math.sqrt(spread) if spread > 0 else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 0, equal values sharing the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for index in order[start : end + 1]:
            ranks[index] = (start + end) / 2
        start = end + 1
    return ranks


def significance(rank: float, count: int) -> float:
    """One-sided p-value of a rank correlation of `count` points."""
    if count < 3:
        return 1.0
    rank = max(-1 + 1e-12, min(1 - 1e-12, rank))
    return t_tail(rank * math.sqrt((count - 2) / (1 - rank * rank)), count - 2)


def theil_sen(points: Sequence[tuple[float, float]]) -> float:
    """The median of all slopes, at most `MOST_POINTS` points being taken (means of neighbours beyond that)."""
    ordered = sorted(points)
    width = max(1, math.ceil(len(ordered) / MOST_POINTS))
    means = [
        (fmean(x for x, _ in ordered[at : at + width]), median(y for _, y in ordered[at : at + width]))
        for at in range(0, len(ordered), width)
    ]
    slopes = [(y2 - y1) / (x2 - x1) for index, (x1, y1) in enumerate(means) for x2, y2 in means[index + 1 :] if x2 > x1]
    return median(slopes) if slopes else 0.0
