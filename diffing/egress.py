"""Where a service wanted to call past its downstreams and was refused. The run counts each attempt among its losses.

What the baseline tries too is not the change's doing. What only the candidate tries is a call to a new service: it is a
finding (docs/verdict.md), although nobody saw what would have been asked.
"""

from collections.abc import Sequence

from ..capture.model import TRIED
from .causes.cluster import finding_id
from .causes.severity import severity_of
from .difference import Difference
from .report.model import Finding, Surface
from .rounds import Round, Run

ENDPOINT = "the service"
"""An attempt belongs to no request that could be named."""
CONFIRMED, ONCE = 0.99, 0.9


def egress_findings(rounds: Sequence[Round], noise: Sequence[Run]) -> list[Finding]:
    """`http.extra` for each place that the candidate tried to reach in every round, and the baseline in none."""
    tried = [_places(round_.candidate) for round_ in rounds]
    always = {place: min(one.get(place, 0) for one in tried) for place in (tried[0] if tried else {})}
    usual = {place for run in (*(round_.baseline for round_ in rounds), *noise) for place in _places(run)}
    confidence = CONFIRMED if len(rounds) > 1 else ONCE
    return [
        _finding(place, count, confidence) for place, count in sorted(always.items()) if count and place not in usual
    ]


def _places(run: Run) -> dict[str, int]:
    return {
        reason.removeprefix(TRIED): count for reason, count in run.losses.reasons.items() if reason.startswith(TRIED)
    }


def _finding(place: str, count: int, confidence: float) -> Finding:
    moved = "new service"
    one = Difference(Surface.HTTP, "extra", None, None, place, moved, "security", place, f"CONNECT {place}")
    return Finding(
        id=finding_id(ENDPOINT, one),
        surface=one.surface,
        kind=one.kind,
        severity=severity_of(one),
        confidence=confidence,
        endpoint=ENDPOINT,
        path=None,
        service=place,
        operation=one.operation,
        transition=moved,
        requests=count,
        of=count,
        exchanges=(),
        before=None,
        after=place,
        reproduce="",
        explanation=("the attempt was refused; only the candidate made it",),
    )
