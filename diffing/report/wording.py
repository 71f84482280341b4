"""The words and numbers that every format shares: headline, ranking, how sure, before and after.

Two rules. What is quoted from traffic leaves here only through `capture.text.printable`, so no format can forget it.
Nothing here knows a format: escaping for HTML, Markdown or XML is the renderer's.
"""

import json
import math
import re
from collections.abc import Iterable

from ...capture.text import printable
from .model import EndpointLatency, Finding, Json, Report, Severity, Verdict

ABSENT = "(absent)"

# Invisible to a reader, though harmless to a terminal, so `printable` leaves them: soft hyphen, Hangul and Mongolian
# fillers, the braille blank, variation selectors; and U+FFFE/U+FFFF, which no XML document may hold.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffe\uffff\U000e0100-\U000e01ef]"
)


def quoted(text: str, limit: int = 400) -> str:
    """Recorded text on one line, at most about `limit` characters: controls, line breaks, tabs and invisible
    characters as escapes."""
    shown = printable(text, limit).replace("\n", "\\n").replace("\t", "\\t")
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match.group()):04x}", shown)


def value(what: Json, limit: int = 400, *, indent: int | None = None) -> str:
    """A value as JSON, so that 1299 and "1299" differ to the eye; many lines only where `indent` is given."""
    text = json.dumps(what, ensure_ascii=False, indent=indent, allow_nan=True)
    if indent is None:
        return quoted(text, limit)
    cut = text if len(text) <= limit else text[:limit]
    lines = "\n".join(quoted(line, len(line)) for line in cut.split("\n"))
    return lines if cut is text else f"{lines}… (+{len(text) - len(cut)})"


def before_after(finding: Finding, limit: int = 400, *, indent: int | None = None) -> tuple[str, str]:
    """The example's two sides. A side that the transition calls missing is said to be absent, not null."""
    left, _, right = finding.transition.partition("→")
    # The word may have its subject before it: "cookie sid missing→present".
    before = ABSENT if finding.before is None and left.split()[-1:] == ["missing"] else None
    after = ABSENT if finding.after is None and right.split()[:1] == ["missing"] else None
    return (
        before or value(finding.before, limit, indent=indent),
        after or value(finding.after, limit, indent=indent),
    )


def has_example(finding: Finding) -> bool:
    """Whether the two sides say something: a latency finding, for one, has no value on either side."""
    if finding.before is not None or finding.after is not None:
        return True
    # null against absent is a difference although both are None here.
    return ABSENT in before_after(finding)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first: by severity, then how sure we are, then how many requests show it."""
    return sorted(
        findings,
        key=lambda one: (-one.severity, -one.confidence, -one.requests, one.endpoint, one.path or "", one.id),
    )


def tally(report: Report) -> dict[Severity, int]:
    """Findings by severity, worst first, zeros included."""
    counts = dict.fromkeys(sorted(Severity, reverse=True), 0)
    for finding in report.findings:
        counts[finding.severity] += 1
    return counts


def count(number: int, noun: str) -> str:
    """`1 exchange`, `2 exchanges`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def tally_words(report: Report) -> str:
    """`2 breaking, 1 warning, 0 info`."""
    return ", ".join(f"{number} {severity.word}" for severity, number in tally(report).items())


def scope_words(report: Report) -> str:
    """`120 exchanges, 3 endpoints not verified`."""
    scope = count(report.capture.exchanges, "exchange")
    unverified = len(report.coverage.unverified)
    return f"{scope}, {count(unverified, 'endpoint')} not verified" if unverified else scope


def headline(report: Report) -> str:
    """The one line that a reader in a hurry needs; it opens with the verdict."""
    return f"{report.verdict.value.upper()}  {tally_words(report)} — {scope_words(report)}"


def surface_kind(finding: Finding) -> str:
    """`response.type_changed`."""
    return quoted(f"{finding.surface.value}.{finding.kind}", 120)


def where(finding: Finding) -> str:
    """Endpoint and path: `GET /orders/{id}  $.total`."""
    place = quoted(finding.endpoint)
    return f"{place}  {quoted(finding.path)}" if finding.path else place


def downstream(finding: Finding) -> str:
    """The downstream and what was asked of it, or an empty text for a finding of the service itself."""
    return ": ".join(quoted(part) for part in (finding.service, finding.operation) if part)


def sure(confidence: float) -> str:
    """`99 % sure`, rounded down: 100 only where it is certain."""
    return f"{math.floor(confidence * 100 + 1e-9)} % sure"


def spread(finding: Finding) -> str:
    """`118 of 120 requests`."""
    return f"{finding.requests:,} of {count(finding.of, 'request')}"


def change(ratio: float) -> str:
    """A relative change: 0.1 is `+10.0 %`."""
    if not math.isfinite(ratio):
        return "unknown"
    # Not `+0.0 %` and not `-0.0 %`: nothing to one decimal is nothing.
    percent = round(ratio * 100, 1)
    return f"{percent:+,.1f} %" if percent else "0.0 %"


def interval(row: EndpointLatency) -> str:
    """`+4.1 % to +9.8 %`, or why there is none."""
    if not math.isfinite(row.low):
        return quoted(row.why, 60) or "unknown"
    return f"{change(row.low)} to {change(row.high)}"


def latency_rank(rows: Iterable[EndpointLatency]) -> list[EndpointLatency]:
    """Regressed first, then what could not be told, then the rest; the largest estimate first within each."""
    order = {"regressed": 0, "inconclusive": 1, "improved": 2, "equivalent": 3}
    return sorted(rows, key=lambda row: (order.get(row.verdict, 1), -_finite(row.estimate), row.endpoint))


def _finite(figure: float) -> float:
    return figure if math.isfinite(figure) else 0.0


def losses(report: Report) -> list[tuple[str, int, str]]:
    """What the capture does not hold: (name, exchanges, what it means)."""
    held = report.capture
    return [
        ("dropped", held.dropped, "never reached the capture"),
        ("withheld", held.withheld, "miss a part that could not be cleaned"),
        ("truncated", held.truncated, "miss a body that was cut"),
        ("expired", held.expired, "could no longer be replayed"),
    ]


def conclusion(report: Report) -> str:
    """The verdict as a sentence."""
    if report.verdict is Verdict.DIVERGED:
        return f"The candidate behaves differently: {count(len(report.findings), 'finding')}."
    if report.verdict is Verdict.INCONCLUSIVE:
        return "This could not be checked. It is not a pass."
    if report.findings:
        return "No finding reaches the gate."
    if not report.capture.exchanges:
        return "Nothing was compared."
    return "No difference was found in what was compared."
