"""Location: by how much all requests of an endpoint got slower, and how sure that is. PURE.

Rules: what two starts of one build differ by widens every interval (tau), and few starts say little about tau; the
null hypothesis is "at most 2 %", never "nothing": with enough samples nothing is ever exactly nothing.

Method: log ratio of paired service times, 20 % trimmed mean with Yuen's standard error (Yuen 1974); tau² pooled over
the endpoints, from how their rounds differ and from baseline against baseline, shrunk to 3 % as if that had been seen
in `PRIOR_STARTS` starts, never below 1 % (4 % of few starts); degrees of freedom after Welch and Satterthwaite; Holm
over the endpoints.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance

from ..student import t_quantile, t_tail
from .samples import Rounds, Sample, joined

MIN_PAIRS = 20
MIN_ROUND_PAIRS = 5
MIN_SHOWN = 8
"""Fewer pairs give an interval that says nothing: none is given."""
TRIM = 0.2
NULL_EFFECT = math.log(1.02)
MIN_EFFECT = math.log(1.05)
MIN_TAU = 0.01
UNSEEN_TAU = 0.03
"""Two starts of one build lie 2 to 3 % apart; assumed where nothing is known."""
PRIOR_STARTS = 3
FEW_STARTS, FEW_TAU = 4, 0.04
"""Fewer starts than these may agree by chance: they are not believed to lie closer than 4 %."""
LEVEL = 0.005
INTERVAL = 0.995
"""Upper quantile of the interval that is shown: 99 %."""
POWER = 0.95
MAX_SHIFT_US, MIN_SHIFT_US = 1_000, 500
"""Least shift that matters, within these bounds: twice what one request takes longer or shorter by itself."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far two starts of the same code lie apart (standard deviation of the log ratio), and from how many degrees
    of freedom that is known."""

    tau: float = UNSEEN_TAU
    degrees: float = float(PRIOR_STARTS)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The location of one endpoint: mean log ratio, its standard error and degrees of freedom."""

    mean: float
    error: float
    degrees: float

    @property
    def p_value(self) -> float:
        """Of "the effect is at most 2 % either way"."""
        return self.beyond(NULL_EFFECT)

    def beyond(self, effect: float) -> float:
        """p-value of "the effect is at most `effect` either way"."""
        return t_tail((abs(self.mean) - effect) / self.error, self.degrees) if math.isfinite(self.error) else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 99 % interval."""
        reach = t_quantile(INTERVAL, self.degrees) * self.error if math.isfinite(self.error) else math.inf
        return self.mean - reach, self.mean + reach

    def detectable(self, level: float) -> float:
        """The smallest effect that a test at `level` finds in 95 of 100 cases."""
        if not math.isfinite(self.error):
            return math.inf
        reach = t_quantile(1 - level, self.degrees) + t_quantile(POWER, self.degrees)
        return max(MIN_EFFECT, NULL_EFFECT + reach * self.error)


def trimmed(values: Sequence[float]) -> tuple[float, float, float]:
    """20 % trimmed mean, Yuen's standard error of it, and its degrees of freedom."""
    ordered = sorted(values)
    n, cut = len(ordered), int(TRIM * len(ordered))
    kept = ordered[cut : n - cut] if n > 2 * cut else ordered
    mean = math.fsum(kept) / len(kept)
    low, high = kept[0], kept[-1]
    winsorised = [min(max(value, low), high) for value in ordered]
    centre = math.fsum(winsorised) / n
    squares = math.fsum((value - centre) ** 2 for value in winsorised)
    if len(kept) < 2:
        return mean, math.inf, 1.0
    return mean, math.sqrt(squares / (len(kept) * (len(kept) - 1))), len(kept) - 1


def estimate(rounds: Sequence[Sequence[Sample]], spread: Spread) -> Estimate:
    """The location of an endpoint over its rounds."""
    samples = joined(rounds)
    if len(samples) < 2:
        return Estimate(0.0, math.inf, 1.0)
    mean, within, degrees = trimmed([one.ratio for one in samples])
    if not math.isfinite(within):
        return Estimate(mean, math.inf, 1.0)
    between = spread.tau**2 / max(1, sum(1 for one in rounds if one))
    total = within**2 + between
    freedom = total**2 / (within**4 / degrees + between**2 / spread.degrees)
    return Estimate(mean, math.sqrt(total), freedom)


def spread_between_starts(rounds: Rounds, noise: Rounds) -> Spread:
    """tau, from how the rounds of `rounds` differ beyond their samples' own spread, and from how far baseline and
    baseline (`noise`) lie apart."""
    excess, starts = _over_rounds(rounds)
    apart, more = _against_itself(noise)
    degrees = PRIOR_STARTS + starts + more
    square = (PRIOR_STARTS * UNSEEN_TAU**2 + starts * excess + more * apart) / degrees
    least = MIN_TAU if starts + more >= FEW_STARTS else FEW_TAU
    return Spread(max(least, math.sqrt(square)), float(degrees))


def _over_rounds(rounds: Rounds) -> tuple[float, int]:
    """Mean excess variance between rounds, and how many starts beyond the first it rests on. The endpoints of a process
    share its luck: many endpoints are no more starts."""
    excess: list[float] = []
    starts = 0
    for samples in rounds.values():
        means = [trimmed([one.ratio for one in each]) for each in samples if len(each) >= MIN_ROUND_PAIRS]
        if len(means) >= 2:
            excess.append(variance(mean for mean, _, _ in means) - fmean(error**2 for _, error, _ in means))
            starts = max(starts, len(means) - 1)
    return (max(0.0, fmean(excess)), starts) if excess else (0.0, 0)


def _against_itself(noise: Rounds) -> tuple[float, int]:
    excess: list[float] = []
    starts = 0
    for samples in noise.values():
        means = [trimmed([one.ratio for one in each]) for each in samples if len(each) >= MIN_ROUND_PAIRS]
        excess.extend(mean * mean - error * error for mean, error, _ in means)
        starts = max(starts, len(means))
    return (max(0.0, fmean(excess)), starts) if excess else (0.0, 0)


def least_shift_us(noise: Rounds) -> float:
    """The shift below which nothing is reported: twice the median by which one request differs between two starts of
    the baseline, within 0.5 and 1 ms."""
    by_itself = [abs(one.shift_us) for samples in noise.values() for one in joined(samples)]
    return min(MAX_SHIFT_US, max(MIN_SHIFT_US, 2 * median(by_itself))) if by_itself else MAX_SHIFT_US


def shift_of(samples: Iterable[Sample]) -> float:
    """How much longer the candidate takes, trimmed mean in microseconds."""
    return trimmed([float(one.shift_us) for one in samples])[0]


def unanimous(rounds: Iterable[Sequence[Sample]], sign: float) -> bool:
    """Whether the rounds point the same way: all of up to four, four of five beyond. A round that is too small to
    point anywhere has no vote."""
    means = [trimmed([one.ratio for one in samples])[0] for samples in rounds if len(samples) >= MIN_ROUND_PAIRS]
    against = sum(mean * sign <= 0 for mean in means)
    return bool(means) and against <= len(means) // 5


def holm(p_values: Mapping[str, float], level: float = LEVEL) -> set[str]:
    """The names whose hypotheses fall at a family-wise `level` (Holm 1979)."""
    rejected: set[str] = set()
    for rank, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda item: (item[1], item[0]))):
        if p_value > level / (len(p_values) - rank):
            break
        rejected.add(name)
    return rejected
