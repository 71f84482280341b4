"""Latency, compared pair by pair: the same request at the same moment on both sides.

Rules: no verdict from runs that were not interleaved (a sequential replay alarms on drift, whatever the test); no
verdict below 20 pairs; what the baseline shows against itself widens every interval, and closes the gate where it
would alarm by itself. A false alarm is worse than a miss.

Method: log ratio of service times, 20 % trimmed mean with Yuen's standard error, between-run variance tau^2 estimated
from baseline against baseline (at least 1 %), H0 "the effect is at most 2 %", a floor of 5 % and 1 ms, Holm over the
endpoints at 0.005. Figures: docs/verdict.md.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from .comparison import Comparison
from .report.model import EndpointLatency
from .student import t_quantile, t_tail

MIN_PAIRS = 20
MIN_ROUND_PAIRS = 5
TRIM = 0.2
NULL_EFFECT = math.log(1.02)
MIN_EFFECT = math.log(1.05)
MIN_SHIFT_US = 1_000
MIN_TAU = 0.01
UNSEEN_TAU = 0.03
"""Assumed where no baseline ran beside itself: two starts of one build lie 2 to 3 % apart."""
LEVEL = 0.005
FLOOR_US = 50
"""Times below are lost in the clock and the loop."""
TOGETHER_US = 5_000_000
"""Pairs further apart than this were not replayed side by side."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One pair: request, service times in microseconds, and how far apart the two were sent."""

    key: str
    before_us: int
    after_us: int
    apart_us: int

    @property
    def ratio(self) -> float:
        """log(after / before)."""
        return math.log(max(self.after_us, FLOOR_US) / max(self.before_us, FLOOR_US))


Rounds = dict[str, list[list[Sample]]]
"""By endpoint, one list of samples a round."""


@dataclass(frozen=True, slots=True)
class Slowdown:
    """An endpoint whose location changed: the row, medians in milliseconds, the requests that show it most."""

    row: EndpointLatency
    before_ms: float
    after_ms: float
    keys: tuple[str, ...]
    confidence: float


@dataclass(slots=True)
class _Estimate:
    endpoint: str
    samples: list[Sample]
    rounds: list[list[Sample]]
    mean: float = 0.0
    error: float = math.inf
    degrees: float = 1.0
    p_value: float = 1.0
    gated: bool = False
    verdict: str = "inconclusive"
    tags: list[str] = field(default_factory=list)


def samples_of(comparisons: Iterable[Comparison]) -> Rounds:
    """The answered pairs with equal statuses, by endpoint and round."""
    rounds: Rounds = defaultdict(list)
    for comparison in comparisons:
        found: dict[str, list[Sample]] = defaultdict(list)
        for key, (endpoint, pair) in comparison.pairs.items():
            old, new = pair.before, pair.after
            if old.response and new.response and old.response.status == new.response.status:
                apart = abs(old.started_us - new.started_us)
                found[endpoint].append(Sample(key, max(old.service_us, 0), max(new.service_us, 0), apart))
        for endpoint, samples in found.items():
            rounds[endpoint].append(samples)
    return dict(rounds)


def compare_latency(rounds: Rounds, noise: Rounds) -> tuple[tuple[EndpointLatency, ...], tuple[Slowdown, ...]]:
    """A row for each endpoint, and the endpoints that regressed or improved."""
    noise = {endpoint: [one for one in samples if _side_by_side(one)] for endpoint, samples in noise.items()}
    tau = spread_between_runs(noise)
    estimates = [_estimate(endpoint, samples, tau) for endpoint, samples in sorted(rounds.items())]
    itself = {endpoint: _estimate(endpoint, samples, tau) for endpoint, samples in noise.items() if samples}
    _decide(estimates, itself)
    rows = tuple(_row(one) for one in estimates)
    changed = [
        _slowdown(one, row)
        for one, row in zip(estimates, rows, strict=True)
        if one.verdict in {"regressed", "improved"}
    ]
    return rows, tuple(changed)


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


def spread_between_runs(noise: Rounds) -> float:
    """tau: how far two runs of the same code lie apart (standard deviation of the log ratio), beyond what their
    samples' own spread explains; at least 1 %, and 3 % where nothing is known."""
    excess: list[float] = []
    for rounds in noise.values():
        for samples in rounds:
            if len(samples) >= MIN_ROUND_PAIRS:
                mean, error, _ = trimmed([one.ratio for one in samples])
                excess.append(mean * mean - error * error)
    return max(MIN_TAU, math.sqrt(max(0.0, math.fsum(excess) / len(excess)))) if excess else UNSEEN_TAU


def _estimate(endpoint: str, rounds: list[list[Sample]], tau: float) -> _Estimate:
    samples = [one for samples in rounds for one in samples]
    result = _Estimate(endpoint, samples, rounds)
    if len(samples) < 2:
        return result
    mean, error, degrees = trimmed([one.ratio for one in samples])
    result.mean, result.degrees = mean, degrees
    result.error = math.hypot(error, tau / math.sqrt(len(rounds)))
    if math.isfinite(result.error):
        result.p_value = t_tail((abs(mean) - NULL_EFFECT) / result.error, degrees)
    return result


def _decide(estimates: list[_Estimate], itself: dict[str, _Estimate]) -> None:
    """Holm's step-down over the endpoints that may be judged; the rest stays inconclusive or equivalent."""
    judged = [one for one in estimates if len(one.samples) >= MIN_PAIRS and _side_by_side(one.samples)]
    for one in judged:
        low, high = _interval(one)
        other = itself.get(one.endpoint)
        one.gated = other is not None and len(other.samples) >= MIN_ROUND_PAIRS and _would_alarm(other)
        if not one.gated and low > -MIN_EFFECT and high < MIN_EFFECT:
            one.verdict = "equivalent"
    judged.sort(key=lambda one: one.p_value)
    for rank, one in enumerate(judged):
        if one.p_value > LEVEL / (len(judged) - rank):
            break
        if not one.gated and _large(one) and _unanimous(one):
            one.verdict = "regressed" if one.mean > 0 else "improved"


def _side_by_side(samples: list[Sample]) -> bool:
    return median(sample.apart_us for sample in samples) <= TOGETHER_US


def _would_alarm(one: _Estimate) -> bool:
    """Looser than the test itself: a baseline that comes near to alarming against itself is no yardstick."""
    return abs(one.mean) >= MIN_EFFECT and one.p_value < 0.05


def _large(one: _Estimate) -> bool:
    shift, _, _ = trimmed([float(sample.after_us - sample.before_us) for sample in one.samples])
    return abs(one.mean) >= MIN_EFFECT and abs(shift) >= MIN_SHIFT_US and (shift > 0) == (one.mean > 0)


def _unanimous(one: _Estimate) -> bool:
    """Every round points the same way; one that is too small to point anywhere does not veto."""
    means = [trimmed([s.ratio for s in samples])[0] for samples in one.rounds if len(samples) >= MIN_ROUND_PAIRS]
    return bool(means) and all(mean * one.mean > 0 for mean in means)


def _interval(one: _Estimate) -> tuple[float, float]:
    if not math.isfinite(one.error):
        return -math.inf, math.inf
    reach = t_quantile(0.995, one.degrees) * one.error
    return one.mean - reach, one.mean + reach


def _row(one: _Estimate) -> EndpointLatency:
    low, high = _interval(one)
    detectable = math.inf
    if math.isfinite(one.error):
        reach = t_quantile(1 - LEVEL, one.degrees) + t_quantile(0.95, one.degrees)
        detectable = max(MIN_EFFECT, NULL_EFFECT + reach * one.error)
    return EndpointLatency(
        one.endpoint, len(one.samples), _change(one.mean), _change(low), _change(high), _change(detectable), one.verdict
    )


def _change(log_ratio: float) -> float:
    """A log ratio as a relative change, kept finite for a report: nothing is known beyond a factor of 1,000."""
    return round(math.expm1(max(-7.0, min(7.0, log_ratio))), 6)


def _slowdown(one: _Estimate, row: EndpointLatency) -> Slowdown:
    sign = 1 if one.mean > 0 else -1
    first = one.rounds[0]
    telling = sorted(first, key=lambda sample: (-sign * sample.ratio, sample.key))
    ceiling = 0.95 if len(one.rounds) < 2 else 0.999
    return Slowdown(
        row,
        round(median(sample.before_us for sample in one.samples) / 1000, 3),
        round(median(sample.after_us for sample in one.samples) / 1000, 3),
        tuple(sample.key for sample in telling[:20]),
        round(min(ceiling, 1 - one.p_value), 3),
    )
