"""The report as JUnit XML: one test case an endpoint, so that any CI shows what broke and what was not checked.

Rules: a test case holds at most one failure (most readers take the first), which lists every finding at or above the
gate; what could not be verified is skipped, an inconclusive comparison is an error, never a pass; the text holds only
characters that XML 1.0 allows (`wording` has made the others visible).
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from . import wording
from .model import Finding, Report, Severity, Verdict

_COMPARISON = "comparison"


def render(report: Report, *, gate: Severity = Severity.WARNING) -> str:
    """The report as a JUnit XML document; findings of severity `gate` or worse fail their endpoint."""
    suite = ET.Element("testsuite", name="seamline")
    _properties(suite, report)
    _comparison(suite, report)
    by_endpoint = _by_endpoint(report)
    for endpoint, findings in by_endpoint.items():
        _endpoint(suite, endpoint, findings, gate)
    for line in report.coverage.unverified:
        case = _case(suite, wording.quoted(line))
        ET.SubElement(case, "skipped", message="not verified")
    return _document(suite)


def _document(suite: ET.Element) -> str:
    totals = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    for name, number in totals.items():
        suite.set(name, str(number))
    root = ET.Element("testsuites", {"name": "seamline", **{name: str(number) for name, number in totals.items()}})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname="seamline", name=name)


def _properties(suite: ET.Element, report: Report) -> None:
    properties = ET.SubElement(suite, "properties")
    figures = {"verdict": report.verdict.value, "exchanges": str(report.capture.exchanges)}
    figures |= {name: str(number) for name, number, _ in wording.losses(report)}
    figures["suppressed"] = str(sum(entry.hides for entry in report.suppressed))
    for name, text in figures.items():
        ET.SubElement(properties, "property", name=name, value=text)


def _comparison(suite: ET.Element, report: Report) -> None:
    """The case of the comparison itself: an error where it came to nothing."""
    case = _case(suite, _COMPARISON)
    if report.verdict is Verdict.INCONCLUSIVE:
        reason = wording.quoted(report.reason or wording.conclusion(report))
        ET.SubElement(case, "error", message=reason, type="inconclusive").text = reason
    ET.SubElement(case, "system-out").text = wording.headline(report)


def _by_endpoint(report: Report) -> dict[str, list[Finding]]:
    """Every endpoint that was compared or has a finding, in order, with its findings, worst first."""
    grouped: dict[str, list[Finding]] = {endpoint: [] for endpoint in report.coverage.endpoints}
    for finding in wording.ranked(report.findings):
        grouped.setdefault(finding.endpoint, []).append(finding)
    return grouped


def _endpoint(suite: ET.Element, endpoint: str, findings: Sequence[Finding], gate: Severity) -> None:
    case = _case(suite, wording.quoted(endpoint))
    failing = [finding for finding in findings if finding.severity >= gate]
    below = [finding for finding in findings if finding.severity < gate]
    if failing:
        worst = failing[0]
        failure = ET.SubElement(case, "failure", message=_message(failing), type=wording.surface_kind(worst))
        failure.text = "\n\n".join(_account(finding) for finding in failing)
    if below:
        ET.SubElement(case, "system-out").text = "\n\n".join(_account(finding) for finding in below)


def _message(findings: Sequence[Finding]) -> str:
    worst = findings[0]
    place = f" at {wording.quoted(worst.path, 200)}" if worst.path else ""
    rest = f" (and {wording.count(len(findings) - 1, 'more finding')})" if len(findings) > 1 else ""
    return f"{worst.severity.word}: {wording.surface_kind(worst)}{place}{rest}"


def _account(finding: Finding) -> str:
    before, after = wording.before_after(finding)
    example = [f"before: {before}", f"after:  {after}"] if wording.has_example(finding) else []
    lines = [
        f"{finding.severity.word}: {wording.surface_kind(finding)}  {wording.quoted(finding.transition, 120)}",
        wording.where(finding),
        wording.downstream(finding),
        *example,
        f"{wording.spread(finding)}, {wording.sure(finding.confidence)}",
        *(wording.quoted(line) for line in finding.explanation),
        wording.quoted(finding.reproduce, 2000),
    ]
    return "\n".join(line.rstrip() for line in lines if line)
