"""The verdict on latency: a row for each endpoint, and the changes that are sure. PURE.

Rules: no verdict from runs that were not interleaved (a sequential replay alarms on drift, whatever the test); none
below 20 pairs; none at all where the baseline alarms against itself. A false alarm is worse than a miss, and what
cannot be told is inconclusive, never the same.

Method and figures: docs/detection.md. Two families of tests over the report: locations at 0.005, at 0.001 what is left
of the shape (tail, class, trend). Where endpoints were replayed again for their times alone, their location is judged
by that data only: the rounds that raised the suspicion cannot confirm it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ..report.model import EndpointLatency
from .changes import LOCATION, Change, change_of, location_change, relative, rise_change, shifted_parts
from .location import (
    LEVEL,
    MIN_EFFECT,
    MIN_PAIRS,
    MIN_ROUND_PAIRS,
    MIN_SHOWN,
    NULL_EFFECT,
    UNSEEN_TAU,
    Estimate,
    Spread,
    estimate,
    holm,
    least_shift_us,
    shift_of,
    spread_between_starts,
    unanimous,
)
from .samples import Rounds, Sample, joined, side_by_side, warm
from .shapes import shapes
from .tail import Tail
from .trend import Trend

GATE_LEVEL = 0.01
"""A baseline that comes near to alarming against itself is no yardstick."""
REGRESSED, IMPROVED, EQUIVALENT, INCONCLUSIVE = "regressed", "improved", "equivalent", "inconclusive"
MIN_COMMON = 10
MIN_FRESH = 2
"""Rounds, of an endpoint that was replayed again."""
FEW_PAIRS = "too few pairs"
APART = "not replayed side by side"
NOISY = "environment too noisy"


@dataclass(frozen=True, slots=True)
class LatencyVerdict:
    """Rows for a report, changes, and what keeps latency from being judged."""

    rows: tuple[EndpointLatency, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Judged:
    """One endpoint on its way to a verdict. `rounds` are all its rounds, `judged` those that its location rests on."""

    endpoint: str
    rounds: list[list[Sample]]
    judged: list[list[Sample]]
    noise: list[list[Sample]]
    estimate: Estimate
    fresh: bool = False
    verdict: str = INCONCLUSIVE
    why: str = ""

    @property
    def samples(self) -> list[Sample]:
        """The pairs that the location rests on."""
        return joined(self.judged)


def judge_latency(rounds: Rounds, noise: Rounds, timing: Rounds | None = None) -> LatencyVerdict:
    """Judge `rounds`; `noise` is baseline against baseline, `timing` what was replayed again for its times alone."""
    timing = timing or {}
    noise = {endpoint: kept for endpoint, samples in noise.items() if (kept := _beside(samples))}
    together = {name: rounds.get(name, []) + timing.get(name, []) for name in sorted(rounds.keys() | timing.keys())}
    # Each stage by what its own starts differ by: a few calm starts of the second are no excuse for two of the first.
    first, again = _spread(rounds, noise), _spread(timing, noise)
    least_us = least_shift_us(noise)
    endpoints = [
        _again(name, together[name], timing[name], noise, again)
        if _is_fresh(timing.get(name, []))
        else _judged(name, together[name], noise, first)
        for name in together
    ]
    why = too_noisy(noise, least_us)
    _locate(endpoints, least_us, why, {True: again, False: first})
    changes = [] if why else _changes(endpoints, least_us)
    levels = {True: _level(endpoints, fresh=True), False: _level(endpoints, fresh=False)}
    rows = tuple(_row(one, levels[one.fresh]) for one in endpoints)
    return LatencyVerdict(rows, tuple(changes), (f"latency: {why}",) if why else ())


def _beside(rounds: Sequence[list[Sample]]) -> list[list[Sample]]:
    return [samples for samples in rounds if side_by_side(samples)]


def _spread(rounds: Rounds, noise: Rounds) -> Spread:
    return spread_between_starts(
        {name: warm(samples) for name, samples in rounds.items()},
        {name: warm(samples) for name, samples in noise.items()},
    )


def _is_fresh(timing: Sequence[list[Sample]]) -> bool:
    """Whether an endpoint was replayed again often enough to be judged by that alone."""
    again = warm(timing)
    return len(joined(again)) >= MIN_PAIRS and sum(len(one) >= MIN_ROUND_PAIRS for one in again) >= MIN_FRESH


def _again(
    name: str, together: list[list[Sample]], timing: list[list[Sample]], noise: Rounds, spread: Spread
) -> Judged:
    judged = warm(timing)
    return Judged(name, together, judged, noise.get(name, []), estimate(judged, spread), fresh=True)


def _judged(name: str, together: list[list[Sample]], noise: Rounds, spread: Spread) -> Judged:
    judged = warm(together)
    return Judged(name, together, judged, noise.get(name, []), estimate(judged, spread))


def too_noisy(noise: Rounds, least_us: float) -> str:
    """Why the baseline is no yardstick, or "": it alarms against itself, or all its endpoints lie apart by more than
    2 % beyond what the luck of so few starts explains."""
    enough = {name: samples for name, samples in noise.items() if len(joined(samples)) >= MIN_PAIRS}
    # What starts are known to differ by was measured on these very samples: it would excuse them.
    alike = {name: estimate(warm(samples), Spread()) for name, samples in enough.items()}
    alarmed = [
        name
        for name in sorted(holm({name: one.p_value for name, one in alike.items()}, GATE_LEVEL))
        if _large(alike[name], joined(noise[name]), least_us)
    ]
    if alarmed:
        return f"{NOISY}: the baseline differs from itself at {alarmed[0]}"
    if len(alike) >= 3:
        middle = median(one.mean for one in alike.values())
        starts = max(len(noise[name]) for name in alike)
        if abs(middle) > NULL_EFFECT + 3 * UNSEEN_TAU / math.sqrt(starts):
            return f"{NOISY}: the baseline differs from itself by {math.expm1(middle):+.0%}".replace("%", " %")
    return ""


def _locate(endpoints: Sequence[Judged], least_us: float, noisy: str, spreads: Mapping[bool, Spread]) -> None:
    """Verdicts on locations: Holm over the endpoints that were replayed once more, and over the others."""
    for one in endpoints:
        why = _unfit(one)
        one.why = noisy or why if why in {"", NOISY} else why
    for fresh in (True, False):
        fit = {one.endpoint: one for one in endpoints if not one.why and one.fresh is fresh}
        common = _common_luck(list(fit.values()), spreads[fresh])
        for name in holm({name: one.estimate.beyond(_null(one.estimate, common)) for name, one in fit.items()}):
            one = fit[name]
            mean = one.estimate.mean
            if _large(one.estimate, one.samples, least_us) and unanimous(one.judged, mean):
                one.verdict = REGRESSED if mean > 0 else IMPROVED
    for one in endpoints:
        low, high = one.estimate.interval
        if not one.why and one.verdict == INCONCLUSIVE and low > -MIN_EFFECT and high < MIN_EFFECT:
            one.verdict = EQUIVALENT


def _common_luck(fit: Sequence[Judged], spread: Spread) -> float:
    """What many endpoints share is the luck of their processes as far as that goes: two standard deviations of it."""
    if len(fit) < MIN_COMMON:
        return 0.0
    middle = median(one.estimate.mean for one in fit)
    starts = max(len(one.judged) for one in fit)
    return math.copysign(min(abs(middle), 2 * spread.tau / math.sqrt(starts)), middle)


def _null(found: Estimate, common: float) -> float:
    """The effect that is not to be excused: 2 %, and what all share in this direction."""
    return NULL_EFFECT + max(0.0, math.copysign(1.0, found.mean) * common)


def _unfit(one: Judged) -> str:
    if len(one.samples) < MIN_PAIRS:
        return FEW_PAIRS
    if not side_by_side(one.samples):
        return APART
    itself = estimate(warm(one.noise), Spread()) if len(joined(one.noise)) >= MIN_ROUND_PAIRS else None
    if itself is not None and abs(itself.mean) >= MIN_EFFECT and itself.p_value < GATE_LEVEL:
        return NOISY
    return ""


def _large(found: Estimate, samples: Sequence[Sample], least_us: float) -> bool:
    shift = shift_of(samples)
    return abs(found.mean) >= MIN_EFFECT and abs(shift) >= least_us and (shift > 0) == (found.mean > 0)


def _changes(endpoints: Sequence[Judged], least_us: float) -> list[Change]:
    """What is sure, one change an endpoint: the more precise account takes the place of the location."""
    fit = {one.endpoint: one for one in endpoints if not one.why}
    sure = shapes({name: (one.rounds, one.noise) for name, one in fit.items()}, least_us)
    rising = {name: shape for name, shape in sure.items() if isinstance(shape, Trend)}
    changes = [rise_change(rising, {name: fit[name].rounds for name in rising})] if rising else []
    for name, one in fit.items():
        shape = sure.get(name)
        changed = one.verdict in {REGRESSED, IMPROVED}
        if shape is not None and not isinstance(shape, Trend) and not (isinstance(shape, Tail) and changed):
            changes.append(change_of(name, shape, one.rounds))
        elif name not in rising and changed:
            changes.append(location_change(name, one.judged, one.estimate))
    for change in changes:
        fit[change.endpoint].verdict = IMPROVED if change.improved else REGRESSED
        fit[change.endpoint].why = change.kind if change.kind != LOCATION else ""
    quiet = {name: one.judged for name, one in fit.items() if one.verdict in {EQUIVALENT, INCONCLUSIVE}}
    return changes + shifted_parts(quiet, least_us)


def _level(endpoints: Sequence[Judged], *, fresh: bool) -> float:
    """What the first of Holm's tests is made at."""
    return LEVEL / max(1, sum(not one.why and one.fresh is fresh for one in endpoints))


def _row(one: Judged, level: float) -> EndpointLatency:
    estimated = low = high = least = math.nan
    if len(one.samples) >= MIN_SHOWN:
        figures = (one.estimate.mean, *one.estimate.interval, one.estimate.detectable(level))
        estimated, low, high, least = map(relative, figures)
    return EndpointLatency(one.endpoint, len(one.samples), estimated, low, high, least, one.verdict, one.why)
