"""What a verification adds to the judge's report: what was never compared, and what that does to the verdict. Pure.

Two rules hold here. What was not replayed is named. "Same" is said of a whole capture only: what the budget cut off,
a recorder that never finished, or a stub that nothing was recorded for, makes it "inconclusive"; a finding stays one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, replace

from ..capture.model import Exchange, Role
from ..diffing.endpoints.templates import Templates
from ..diffing.report.model import Compared, Coverage, Report, Verdict
from ..diffing.rounds import Run
from ..replay.plan import Plan
from ..replay.stubs.tally import nothing_recorded


def conclude(
    report: Report, source: Run, plan: Plan, fired: int, notes: Sequence[str], blank: Sequence[str] = ()
) -> Report:
    """The judge's `report`, completed by what the replayed capture `source` itself lacks, what of `plan` was never
    sent (the steps after the first `fired`), and `notes` on what else was not compared. `blank` names the downstreams
    that the baseline called and that `source` could answer nothing for."""
    losses = source.losses
    inbound = [exchange for exchange in source.exchanges if exchange.role is Role.INBOUND]
    unverified = [
        *report.coverage.unverified,
        *notes,
        *(f"{count} requests not sent: {why}" for why, count in sorted(plan.skipped.items())),
        *_not_replayed(inbound, plan, fired),
    ]
    if not source.complete:
        unverified.append("the capture was not finished by its recorder: its end is missing")
    verdict, reason = _verdict(report, source, plan, fired, blank)
    return replace(
        report,
        verdict=verdict,
        reason=reason,
        capture=Compared(len(inbound), losses.dropped, losses.withheld, losses.truncated, losses.expired),
        coverage=replace(report.coverage, unverified=tuple(unverified)),
    )


def join(reports: Sequence[Report]) -> Report:
    """One report on several captures: the worst verdict, and everything that each of them says."""
    order = (Verdict.DIVERGED, Verdict.INCONCLUSIVE, Verdict.SAME)
    counts = zip(*(astuple(report.capture) for report in reports), strict=True)
    return Report(
        verdict=min((report.verdict for report in reports), key=order.index),
        reason="; ".join(report.reason for report in reports if report.reason) or None,
        capture=Compared(*(sum(values) for values in counts)),
        findings=tuple({finding.id: finding for report in reversed(reports) for finding in report.findings}.values()),
        suppressed=tuple(each for report in reports for each in report.suppressed),
        latency=tuple(each for report in reports for each in report.latency),
        coverage=Coverage(
            _once(each for report in reports for each in report.coverage.endpoints),
            _once(each for report in reports for each in report.coverage.unverified),
        ),
        self_test=_added(report.self_test for report in reports if report.self_test is not None),
    )


def _added(tests: Iterable[Mapping[str, int]]) -> dict[str, int] | None:
    counts: Counter[str] = Counter()
    for test in tests:
        counts.update(test)
    return dict(counts) or None


def _verdict(report: Report, source: Run, plan: Plan, fired: int, blank: Sequence[str]) -> tuple[Verdict, str | None]:
    if report.verdict is not Verdict.DIVERGED and fired < len(plan.steps):
        return Verdict.INCONCLUSIVE, f"the budget ended after {fired} of {len(plan.steps)} requests"
    if report.verdict is Verdict.SAME and not source.complete:
        return Verdict.INCONCLUSIVE, "the capture was not finished by its recorder (`seamline capture repair` mends it)"
    if report.verdict is Verdict.SAME and blank:
        # Both sides met the same error, and agree on it.
        return Verdict.INCONCLUSIVE, "; ".join(map(nothing_recorded, blank))
    return report.verdict, report.reason


def _not_replayed(inbound: Iterable[Exchange], plan: Plan, fired: int) -> list[str]:
    """The steps that were left, counted by endpoint."""
    left = {step.origin for step in plan.steps[fired:]}
    if not left:
        return []
    exchanges = list(inbound)
    templates = Templates.learn(exchanges)
    counts = Counter(templates.endpoint(exchange) for exchange in exchanges if exchange.id in left)
    return [
        f"{endpoint}: {count} requests not replayed: the budget ended" for endpoint, count in sorted(counts.items())
    ]


def _once(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
