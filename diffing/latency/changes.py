"""Changes: what a report says of a latency that changed for sure: by how much, where the time went, who shows it.
PURE.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .bimodal import Class
from .location import (
    MIN_EFFECT,
    MIN_PAIRS,
    NULL_EFFECT,
    Estimate,
    Spread,
    estimate,
    holm,
    shift_of,
    trimmed,
    unanimous,
)
from .parts import ITSELF
from .samples import Sample, joined
from .tail import Tail
from .trend import Trend, size_trend

LOCATION, BIMODAL, TAIL, TREND = "location", "bimodal", "tail", "trend"
MAX_KEYS = 20
MAX_PARTS = 5
MAIN_SHARE = 0.6
"""A downstream with this part of a shift is who got slower."""
CEILING, SINGLE_CEILING = 0.999, 0.95
"""Most confidence, and most after one start."""
SIZE_LEVEL = 1e-4


@dataclass(frozen=True, slots=True)
class Change:
    """A change that is sure: `kind` is location, tail, bimodal or trend; `transition` what it comes to; times are
    medians in milliseconds over `requests` of `of` pairs; `keys` are the requests that show it most. `service` is the
    downstream that it comes from, None the service itself; a `shifted` cost leaves the whole as it was."""

    kind: str
    endpoint: str
    transition: str
    before_ms: float
    after_ms: float
    requests: int
    of: int
    keys: tuple[str, ...]
    confidence: float
    improved: bool = False
    shifted: bool = False
    service: str | None = None
    lines: tuple[str, ...] = ()


def location_change(endpoint: str, rounds: Sequence[Sequence[Sample]], found: Estimate) -> Change:
    """All requests of an endpoint got slower, or faster."""
    samples = joined(rounds)
    sign = 1 if found.mean > 0 else -1
    ranked = sorted(samples, key=lambda one: (-sign * one.ratio, one.key))
    service, lines = attribute(samples)
    return Change(
        LOCATION, endpoint, percent(found.mean), *_medians(samples), len(samples), len(samples), _first(ranked),
        _confidence(found.p_value, rounds), found.mean < 0, service=service, lines=(*lines, *_by_size(rounds)),
    )  # fmt: skip


def change_of(endpoint: str, shape: Class | Tail, rounds: Sequence[Sequence[Sample]]) -> Change:
    """A class of requests, or a few of all, got slower."""
    named = set(shape.keys)
    members = [one for one in joined(rounds) if one.key in named]
    service, lines = attribute(members)
    confidence = _confidence(shape.p_value, rounds)
    if isinstance(shape, Class):
        return Change(
            BIMODAL, endpoint, f"{shape.shift_us / 1000:+.1f} ms", *_medians(members), len(members), shape.of,
            shape.keys[:MAX_KEYS], confidence, service=service,
            lines=(f"{shape.name} got slower, the others {percent(shape.rest)}", *lines),
        )  # fmt: skip
    factor = f"{shape.factor:g}"
    told = f"{shape.slow} of {shape.of} took more than {factor} times as long, {shape.quick} less than 1/{factor}"
    slow = [one for one in members if one.ratio > 0]
    return Change(
        TAIL, endpoint, f"{shape.slow}:{shape.quick} beyond ×{shape.factor:g}", *_medians(slow), shape.slow, shape.of,
        shape.keys[:MAX_KEYS], confidence, service=service, lines=(told, *lines),
    )  # fmt: skip


def rise_change(rising: Mapping[str, Trend], rounds: Mapping[str, Sequence[Sequence[Sample]]]) -> Change:
    """What gets slower the longer it runs. A leak is the process's: endpoints that share one are one cause, and the one
    that rises most stands for them."""
    endpoint = min(rising, key=lambda name: (-rising[name].rise, name))
    found = rising[endpoint]
    samples = joined(rounds[endpoint])
    late = sorted(samples, key=lambda one: one.place)[-max(1, len(samples) // 4) :]
    others = sorted(rising.keys() - {endpoint})
    lines = [f"slower the longer it runs: {percent(found.start)} in the first quarter of the run"]
    if others:
        lines.append(f"so do {', '.join(others[:5])}" + (f" and {len(others) - 5} more" if len(others) > 5 else ""))
    service, parts = attribute(late)
    return Change(
        TREND, endpoint, f"{percent(found.rise)} over the run", *_medians(late), len(late), len(samples),
        found.keys[:MAX_KEYS], _confidence(found.p_value, rounds[endpoint]), service=service, lines=(*lines, *parts),
    )  # fmt: skip


def attribute(samples: Sequence[Sample]) -> tuple[str | None, tuple[str, ...]]:
    """The downstream that most of a shift comes from (None: the service itself, or nobody in particular), and a line
    on where the time went."""
    parts = _parts(samples)
    if not parts:
        return None, ()
    shifts = {who: trimmed([float(after - before) for before, after in times])[0] for who, times in parts.items()}
    whole = sum(shifts.values())
    ranked = sorted(shifts, key=lambda who: (-abs(shifts[who]), who))
    main = ranked[0]
    sure = whole * shifts[main] > 0 and abs(shifts[main]) >= MAIN_SHARE * abs(whole)
    shown = ", ".join(_told(who, parts[who]) for who in ranked[:MAX_PARTS])
    return (main if sure and main != ITSELF else None), (f"where the time goes: {shown}",)


def shifted_parts(quiet: Mapping[str, Sequence[Sequence[Sample]]], least_us: float) -> list[Change]:
    """Parts that got slower at endpoints that as a whole did not for sure: where another got faster by as much, a cost
    has shifted. Worth knowing, no more."""
    estimates: dict[str, tuple[str, str, list[list[Sample]], Estimate]] = {}
    for endpoint, rounds in quiet.items():
        for who in sorted({who for one in joined(rounds) for who, _, _ in one.parts}):
            alone = [[found for one in samples if (found := _part(one, who)) is not None] for samples in rounds]
            if len(joined(alone)) >= MIN_PAIRS:
                estimates[f"{endpoint} {who}"] = (endpoint, who, alone, estimate(alone, Spread()))
    sure = holm({name: found.p_value for name, (_, _, _, found) in estimates.items()})
    return [
        _shifted(*estimates[name])
        for name in sorted(sure)
        if _matters(estimates[name][2], estimates[name][3], least_us)
    ]


def _matters(rounds: Sequence[Sequence[Sample]], found: Estimate, least_us: float) -> bool:
    return found.mean >= MIN_EFFECT and shift_of(joined(rounds)) >= least_us and unanimous(rounds, 1.0)


def _shifted(endpoint: str, who: str, rounds: Sequence[Sequence[Sample]], found: Estimate) -> Change:
    samples = joined(rounds)
    name = who or "the service itself"
    return Change(
        LOCATION, endpoint, f"{name} {percent(found.mean)}", *_medians(samples), len(samples), len(samples),
        _first(sorted(samples, key=lambda one: (-one.ratio, one.key))), _confidence(found.p_value, rounds),
        shifted=True, service=who or None,
        lines=(f"{name} takes longer, the whole request not for sure: the cost has shifted",),
    )  # fmt: skip


def _part(one: Sample, who: str) -> Sample | None:
    for name, before, after in one.parts:
        if name == who and before and after:
            return Sample(one.key, before, after, one.apart_us, one.place)
    return None


def _parts(samples: Sequence[Sample]) -> dict[str, list[tuple[int, int]]]:
    """Each part's times at all samples that were divided; one that an answer did without took nothing there."""
    divided = [{who: (before, after) for who, before, after in one.parts} for one in samples if one.parts]
    names = {who for parts in divided for who in parts}
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for parts in divided:
        for who in names:
            found[who].append(parts.get(who, (0, 0)))
    return found


def _told(who: str, times: Sequence[tuple[int, int]]) -> str:
    before, after = (median(one[side] for one in times) / 1000 for side in (0, 1))
    return f"{who or 'the service itself'} {before:.1f} → {after:.1f} ms"


def _by_size(rounds: Sequence[Sequence[Sample]]) -> tuple[str, ...]:
    found = size_trend(rounds)
    if found is None or found.p_value > SIZE_LEVEL or found.slope < NULL_EFFECT:
        return ()
    return (f"more so the larger the answer: {percent(found.slope)} each time it doubles",)


def _medians(samples: Sequence[Sample]) -> tuple[float, float]:
    before, after = (median(times) for times in zip(*((one.before_us, one.after_us) for one in samples), strict=True))
    return round(before / 1000, 3), round(after / 1000, 3)


def _first(ranked: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.key for one in ranked))[:MAX_KEYS]


def _confidence(p_value: float, rounds: Sequence[Sequence[Sample]]) -> float:
    played = sum(1 for samples in rounds if samples)
    return round(min(SINGLE_CEILING if played < 2 else CEILING, 1 - p_value), 3)


def percent(log_ratio: float) -> str:
    """`+48 %`."""
    return f"{relative(log_ratio) * 100:+.0f} %"


def relative(log_ratio: float) -> float:
    """A log ratio as a relative change, kept finite for a report: nothing is known beyond a factor of 1,000."""
    return round(math.expm1(max(-7.0, min(7.0, log_ratio))), 6)
