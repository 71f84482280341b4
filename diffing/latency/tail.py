"""Tail: a few requests take much longer, while the rest is as it was. PURE.

Method: pairs whose ratio lies more than c above the endpoint's location against those more than c below it, c being 1.5
and 2; without a change the two are equally frequent, whatever the spread, so the exact binomial test holds (sign test;
Bonferroni over the two c). Where the *same* requests stand out in each round it is a path of its own, and
`bimodal` says so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..noise.significance import binomial_tail
from .samples import Sample, joined

FACTORS = (1.5, 2.0)
MIN_ROUNDS = 2
"""One start may have had a bad neighbour."""
ELSEWHERE = 0.05
"""p-value that is left without the round that shows most."""


@dataclass(frozen=True, slots=True)
class Tail:
    """`slow` of `of` pairs lie above `factor`, `quick` below 1 / `factor`; `keys` are the slow ones, slowest first."""

    p_value: float
    factor: float
    slow: int
    quick: int
    of: int
    keys: tuple[str, ...]


def tail(
    rounds: Sequence[Sequence[Sample]], centre: float, least_us: float, least_rounds: int = MIN_ROUNDS
) -> Tail | None:
    """The heavier tail on the candidate's side; None where there is no such excess, or only in single rounds."""
    tails = [
        found for factor in FACTORS if (found := _beyond(rounds, centre, factor, (least_us, least_rounds))) is not None
    ]
    return min(tails, key=lambda one: one.p_value, default=None)


def _beyond(rounds: Sequence[Sequence[Sample]], centre: float, factor: float, least: tuple[float, int]) -> Tail | None:
    least_us, least_rounds = least
    reach = math.log(factor)
    outside = [[one for one in samples if _is_outside(one, centre, reach, least_us)] for samples in rounds]
    slow = [one for one in joined(outside) if one.ratio > centre]
    quick = sum(map(len, outside)) - len(slow)
    if len(slow) <= quick or not _in_most_rounds(outside, centre, least_rounds):
        return None
    p_value = binomial_tail(len(slow), len(slow) + quick, 0.5)
    ranked = sorted(slow, key=lambda one: (-one.ratio, one.key))
    keys = tuple(dict.fromkeys(one.key for one in ranked))
    return Tail(min(1.0, p_value * len(FACTORS)), factor, len(slow), quick, len(joined(rounds)), keys)


def _is_outside(one: Sample, centre: float, reach: float, least_us: float) -> bool:
    """Beyond the factor, and by a time that matters beside what every request shifted by."""
    common = one.before_us * math.expm1(centre)
    return abs(one.ratio - centre) > reach and abs(one.shift_us - common) >= least_us


def _in_most_rounds(outside: Sequence[Sequence[Sample]], centre: float, least: int) -> bool:
    """Whether the excess shows in at least `least` rounds, in four of five of those with any outside, and without the
    round that shows it most: one start with a bad neighbour is no tail."""
    slow = [sum(one.ratio > centre for one in samples) for samples in outside if samples]
    excess = [2 * each - len(samples) for each, samples in zip(slow, filter(None, outside), strict=True)]
    ahead = sum(vote > 0 for vote in excess)
    if ahead < least or len(excess) - ahead > len(excess) // 5:
        return False
    worst = excess.index(max(excess))
    others, of = sum(slow) - slow[worst], sum(map(len, outside)) - (2 * slow[worst] - excess[worst])
    return least < MIN_ROUNDS or binomial_tail(others, of, 0.5) < ELSEWHERE
