"""Findings of what changed in latency. Where a change of the calls is why, the slowness is told at that finding."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .causes.cluster import finding_id, reproduce_command
from .causes.severity import severity_of
from .difference import Difference
from .latency.changes import BIMODAL, LOCATION, TAIL, TREND, Change
from .report.model import Finding, Surface
from .rounds import JudgeOptions

_CALLS = frozenset({Surface.HTTP, Surface.GRPC, Surface.SQL, Surface.REDIS, Surface.BUS, Surface.ORDER})
_WHAT = {
    LOCATION: "service time, median in ms",
    TAIL: "service time of the slow ones, median in ms",
    BIMODAL: "service time of these requests, median in ms",
    TREND: "service time in the last quarter of the run, median in ms",
}


def with_slowdowns(found: Sequence[Finding], changes: Iterable[Change], options: JudgeOptions) -> list[Finding]:
    """`found` and the findings of `changes`. An endpoint that makes other calls, or makes them otherwise, takes
    another time for it: that is one cause, and its finding tells both."""
    findings = list(found)
    for change in changes:
        causes = [index for index, one in enumerate(findings) if _causes(one, change)]
        if causes:
            times = f"{change.before_ms:g} → {change.after_ms:g} ms"
            line = f"the endpoint's time changes with it: {change.transition} ({times})"
            first = findings[causes[0]]
            findings[causes[0]] = replace(first, explanation=(*first.explanation, line))
        else:
            findings.append(_finding(change, options))
    return findings


def _causes(one: Finding, change: Change) -> bool:
    """Whether the calls of the endpoint changed, and time went there or nobody knows where it went."""
    if one.surface not in _CALLS or one.endpoint != change.endpoint or change.shifted:
        return False
    return change.service is None or one.service is None or one.service == change.service


def _finding(change: Change, options: JudgeOptions) -> Finding:
    trait = "shifted" if change.shifted else "improved" if change.improved else ""
    difference = Difference(
        Surface.LATENCY, change.kind, None, change.before_ms, change.after_ms, change.transition, trait, change.service
    )
    ids = tuple(dict.fromkeys(key.split("#", 1)[0] for key in change.keys))
    return Finding(
        id=finding_id(change.endpoint, difference),
        surface=difference.surface,
        kind=difference.kind,
        severity=severity_of(difference),
        confidence=change.confidence,
        endpoint=change.endpoint,
        path=None,
        service=change.service,
        operation=None,
        transition=change.transition,
        requests=change.requests,
        of=change.of,
        exchanges=ids,
        before=change.before_ms,
        after=change.after_ms,
        reproduce=reproduce_command(options.reproduce, ids[0]) if ids else "",
        explanation=(
            _WHAT[change.kind],
            *change.lines,
        ),
    )
