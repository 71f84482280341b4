"""What could not be sent because an earlier request gave no value: under its cause in the report, or as a doubt. Pure.

Two rules hold here. What follows from a finding is no finding of its own. A request that only the candidate could not
be sent never passes as "same", whatever the rest says.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..capture.model import Exchange, Role
from ..diffing.endpoints.templates import Templates
from ..diffing.report.model import Finding, Report, Verdict
from ..replay.values.session import Unsent
from .rounds import CANDIDATE


def cascade(report: Report, exchanges: Sequence[Exchange], unsent: Mapping[str, Unsent], planned: int) -> Report:
    """`report` with what `unsent` says of the requests of the capture `exchanges` (by recorded id), of `planned`."""
    if not unsent:
        return report
    inbound = {each.id: each for each in exchanges if each.role is Role.INBOUND}
    templates = Templates.learn(inbound.values())
    names = {origin: templates.endpoint(exchange) for origin, exchange in inbound.items()}
    missing = {origin: why for origin, why in unsent.items() if why.side == CANDIDATE}
    findings = list(report.findings)
    loose: dict[str, Unsent] = {}
    for producer in dict.fromkeys(why.producer for why in missing.values()):
        followers = {origin: why for origin, why in missing.items() if why.producer == producer}
        cause = _cause(findings, producer, names)
        if cause is None:
            loose |= followers
        else:
            findings[cause] = _told(findings[cause], followers, names)
    report = replace(report, findings=tuple(findings))
    return _judged(report, loose, len(unsent), planned, names)


def _cause(findings: Sequence[Finding], producer: str, names: Mapping[str, str]) -> int | None:
    """The finding that `producer` shows, else the first one of its endpoint."""
    at = next((place for place, each in enumerate(findings) if producer in each.exchanges), None)
    if at is not None:
        return at
    return next((place for place, each in enumerate(findings) if each.endpoint == names.get(producer)), None)


def _told(finding: Finding, followers: Mapping[str, Unsent], names: Mapping[str, str]) -> Finding:
    """`finding` with what followed from it; several requests with the same consequence are one line."""
    counts = Counter(names.get(origin, "?") for origin in followers)
    did = next(iter(followers.values())).did
    lines = list(finding.explanation)
    for endpoint, count in sorted(counts.items()):
        start = f"followed by requests to {endpoint} that could not be sent, because it {did}: "
        earlier = next((line for line in lines if line.startswith(start)), None)
        if earlier is not None:
            lines.remove(earlier)
            count += int(earlier.removeprefix(start))  # noqa: PLW2901  (both are one line now)
        lines.append(f"{start}{count}")
    return replace(finding, explanation=tuple(lines))


def _judged(report: Report, loose: Mapping[str, Unsent], unsent: int, planned: int, names: Mapping[str, str]) -> Report:
    if report.verdict is not Verdict.SAME:
        return report
    if loose:
        origin, why = next(iter(loose.items()))
        reason = f"{len(loose)} requests could not be sent to the candidate: {why.of(names.get(origin, '?'))}"
        return replace(report, verdict=Verdict.INCONCLUSIVE, reason=reason)
    if 2 * unsent > planned:
        reason = f"only {planned - unsent} of {planned} requests could be sent: earlier ones gave no value for the rest"
        return replace(report, verdict=Verdict.INCONCLUSIVE, reason=reason)
    return report
