"""Rounds with the recording's overlaps, after those that replay one request at a time: what only a race shows.

They are played only where the recording raced (writes of different sessions at once), where nothing was found without
it, and where the budget has room. One that finds nothing is the last; what it finds has to show in each of three.
"""

from dataclasses import replace

from ..diffing.report.model import Finding, Report, Severity, Verdict

ROUNDS = 3


def with_races(report: Report, findings: list[Finding], fail_on: Severity) -> Report:
    """`report` with what only overlapping requests showed."""
    if not findings:
        return report
    gating = any(finding.severity >= fail_on for finding in findings)
    verdict = Verdict.DIVERGED if gating and report.verdict is not Verdict.INCONCLUSIVE else report.verdict
    return replace(report, verdict=verdict, findings=(*findings, *report.findings))


def is_quiet(report: Report) -> bool:
    """Whether nothing above info was found: what differs already would differ again, and is told."""
    return report.verdict is Verdict.SAME and all(finding.severity is Severity.INFO for finding in report.findings)
