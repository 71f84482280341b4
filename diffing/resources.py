"""Resources: does the candidate hold more and more memory the more it answers? PURE.

Rules: growth is compared with the baselines' under the same requests; what a process takes while it warms up is no
growth; every round has to show it.

Method: resident memory read at up to 64 moments between requests; of these the last two thirds; slope after Theil and
Sen, in KiB a request. A leak is 1 KiB a request more than the baselines' steepest and three times it, 8 MiB more by
the end of the run, and a rise in either half of what is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import orjson

from .causes.cluster import finding_id, reproduce_command
from .causes.severity import severity_of
from .difference import Difference
from .latency.trend import correlation, theil_sen
from .protocols import PROCESS, is_state
from .report.model import Finding, Json, Surface
from .rounds import JudgeOptions, Round, Run

MAX_READINGS = 1_000
MIN_READINGS = 9
MIN_REQUESTS = 50
MIN_SLOPE_KIB = 1.0
MIN_GROWTH_KIB = 8 << 10
TIMES = 3.0
STEADY = 0.8
"""Rank correlation of requests and memory, at least."""
EACH_HALF = 0.2
"""Either half has at least this part of the growth: a step is no leak."""
SURE, SURER = 0.9, 0.99

Reading = tuple[int, int]
"""Requests answered so far, resident KiB."""


@dataclass(frozen=True, slots=True)
class Growth:
    """KiB a request, KiB by the end of the run at that rate, and whether it is steady."""

    slope: float
    whole: float
    steady: bool
    first_kib: int
    last_kib: int


def readings_of(run: Run) -> list[Reading]:
    """The readings of a run; [] where it has none that can be read."""
    for exchange in run.exchanges:
        if exchange.protocol == PROCESS and is_state(exchange) and exchange.response is not None:
            try:
                return _readings(orjson.loads(exchange.response.body))
            except orjson.JSONDecodeError:
                return []
    return []


def _readings(body: Json) -> list[Reading]:
    held = body.get("resident_kib") if isinstance(body, dict) else None
    found: list[Reading] = []
    for one in held[:MAX_READINGS] if isinstance(held, list) else ():
        match one:
            case [int(requests), int(kib)] if 0 <= requests < 1 << 53 and 0 <= kib < 1 << 53:
                found.append((requests, kib))
    return sorted(found)


def growth_of(readings: Sequence[Reading]) -> Growth | None:
    """How memory grew once the process was warm; None where there is too little to say."""
    settled = readings[len(readings) // 3 :]
    if len(readings) < MIN_READINGS or readings[-1][0] < MIN_REQUESTS:
        return None
    xs, ys = [float(requests) for requests, _ in settled], [float(kib) for _, kib in settled]
    third = max(1, len(ys) // 3)
    start, end = median(ys[:third]), median(ys[-third:])
    middle = median(ys[third:-third])
    steady = correlation(xs, ys) >= STEADY and min(middle - start, end - middle) >= EACH_HALF * (end - start)
    slope = theil_sen(list(zip(xs, ys, strict=True)))
    return Growth(slope, slope * readings[-1][0], steady, settled[0][1], settled[-1][1])


def is_leak(candidate: Growth, baselines: Sequence[Growth]) -> bool:
    """Whether the candidate grows in a way that none of `baselines` does."""
    slope = max(0.0, *(one.slope for one in baselines))
    whole = max(0.0, *(one.whole for one in baselines))
    return (
        candidate.steady
        and candidate.slope >= max(TIMES * slope, slope + MIN_SLOPE_KIB)
        and candidate.whole >= max(TIMES * whole, whole + MIN_GROWTH_KIB)
    )


def resource_findings(rounds: Sequence[Round], noise: Sequence[Run], options: JudgeOptions) -> list[Finding]:
    """`resource.trend`, where every round has the candidate grow, and no baseline does."""
    baselines = [
        found
        for run in (*(one.baseline for one in rounds), *noise)
        if (found := growth_of(readings_of(run))) is not None
    ]
    candidates = [growth_of(readings_of(one.candidate)) for one in rounds]
    grown = [one for one in candidates if one is not None]
    if not baselines or not grown or len(grown) < len(candidates):
        return []
    return [_finding(grown, baselines, rounds[0], options)] if all(is_leak(one, baselines) for one in grown) else []


def _finding(grown: Sequence[Growth], baselines: Sequence[Growth], first: Round, options: JudgeOptions) -> Finding:
    steepest = max(one.slope for one in baselines)
    slope = median(one.slope for one in grown)
    before, after = (round(max(0.0, one), 2) for one in (steepest, slope))
    moved = f"{before:g}→{after:g} KiB a request"
    difference = Difference(Surface.RESOURCE, "trend", "memory", before, after, moved)
    held = grown[0]
    asked = [one for one in first.candidate.exchanges if one.origin]
    ids = tuple(one.origin for one in asked[:1] if one.origin)
    return Finding(
        id=finding_id("*", difference),
        surface=difference.surface,
        kind=difference.kind,
        severity=severity_of(difference),
        confidence=SURE if len(grown) < 2 else SURER,
        endpoint="*",
        path=difference.path,
        service=None,
        operation=None,
        transition=moved,
        requests=len(asked),
        of=len(asked),
        exchanges=ids,
        before=before,
        after=after,
        reproduce=reproduce_command(options.reproduce, ids[0]) if ids else "",
        explanation=(
            f"resident memory of the candidate {held.first_kib >> 10} → {held.last_kib >> 10} MiB, still rising; "
            f"the baselines under the same requests by {max(one.whole for one in baselines) / 1024:.1f} MiB at most",
        ),
    )
