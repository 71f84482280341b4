"""The report as Markdown, for a pull request's comment or a job's summary.

Rules: no raw HTML, and recorded text stands only in code spans and fences whose backticks outnumber its own, so none
of it can become a link, a mention, a heading or markup; the whole stays under `MAX_CHARS`, and says what it left out.
"""

import re
from collections.abc import Sequence

from . import wording
from .model import EndpointLatency, Finding, Report, Severity, Suppressed, Verdict

MAX_CHARS = 60_000
"""GitHub cuts a check's summary at 65,535 characters and refuses a longer comment."""
MOST_ROWS = 50

_SIGN = {Severity.BREAKING: "✗ Breaking", Severity.WARNING: "! Warning", Severity.INFO: "· Info"}
_VERDICT = {
    Verdict.SAME: "✓ Same",
    Verdict.DIVERGED: "✗ Diverged",
    Verdict.INCONCLUSIVE: "? Inconclusive",
}


def render(report: Report) -> str:
    """The report as GitHub-flavoured Markdown of at most `MAX_CHARS` characters."""
    head = _head(report)
    tail = [*_latency(report), *_suppressed(report), *_coverage(report)]
    room = MAX_CHARS - _size(head) - _size(tail) - 200
    return "\n".join([*head, *_findings(report, room), *tail]).rstrip("\n") + "\n"


def code(text: str) -> str:
    """A code span that `text` (one line) cannot leave."""
    if not text.strip():
        return '`""`' if not text else f"`{text!r}`"
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(lines: Sequence[str], language: str) -> list[str]:
    """A fenced block that no line of `lines` can close."""
    fence = "`" * max(3, max((_longest_run(line) for line in lines), default=0) + 1)
    return [f"{fence}{language}", *lines, fence, ""]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _head(report: Report) -> list[str]:
    lines = [f"## {_VERDICT[report.verdict]}: {wording.tally_words(report)}", ""]
    lines += [f"{wording.scope_words(report)}. {wording.conclusion(report)}", ""]
    if report.reason:
        lines += [f"Why: {code(wording.quoted(report.reason))}", ""]
    return lines


def _findings(report: Report, room: int) -> list[str]:
    if not report.findings:
        return []
    lines = ["### Findings", ""]
    ranked = wording.ranked(report.findings)
    for index, finding in enumerate(ranked):
        block = _finding(finding)
        if _size(lines) + _size(block) > room:
            lines += [f"… and {wording.count(len(ranked) - index, 'finding')} more: the JSON report has all.", ""]
            break
        lines += block
    return lines


def _finding(finding: Finding) -> list[str]:
    place = code(wording.quoted(finding.endpoint, 200))
    if finding.path:
        place += f" at {code(wording.quoted(finding.path, 200))}"
    lines = [f"#### {_SIGN[finding.severity]}: {code(wording.surface_kind(finding))}", "", place]
    if downstream := wording.downstream(finding):
        lines.append(f"· call to {code(downstream)}")
    facts = f"{wording.spread(finding)}, {wording.sure(finding.confidence)}"
    if finding.transition:
        facts += f", {code(wording.quoted(finding.transition, 120))}"
    lines += [f"· {facts}", ""]
    if wording.has_example(finding):
        before, after = wording.before_after(finding, 300)
        lines += fenced([f"- {before}", f"+ {after}"], "diff")
    lines += [f"- {code(wording.quoted(line, 300))}" for line in finding.explanation[:20]]
    if finding.explanation:
        lines.append("")
    if finding.reproduce:
        lines += fenced([wording.quoted(finding.reproduce, 2000)], "sh")
    return lines


def _cell(text: str) -> str:
    # A pipe ends a table's cell even inside a code span, and escapes of it differ between renderers.
    return code(text.replace("|", "\\x7c"))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _more(hidden: int, noun: str) -> list[str]:
    return ["", f"… and {wording.count(hidden, noun)} more: the JSON report has all."] if hidden > 0 else []


def _latency(report: Report) -> list[str]:
    rows = wording.latency_rank(report.latency)
    if not rows:
        return []
    lines = [
        "### Latency",
        "",
        _row("verdict", "endpoint", "change", "99 % interval", "pairs"),
        "|---|---|--:|--:|--:|",
    ]
    lines += [_latency_row(row) for row in rows[:MOST_ROWS]]
    return [*lines, *_more(len(rows) - MOST_ROWS, "endpoint"), ""]


def _latency_row(row: EndpointLatency) -> str:
    endpoint, verdict = _cell(wording.quoted(row.endpoint, 120)), _cell(wording.quoted(row.verdict, 20))
    return _row(verdict, endpoint, wording.change(row.estimate), wording.interval(row), f"{row.pairs:,}")


def _suppressed(report: Report) -> list[str]:
    entries = report.suppressed
    if not entries:
        return []
    hidden = wording.count(sum(entry.hides for entry in entries), "difference")
    lines = ["### Taken for noise", "", f"{hidden} at {wording.count(len(entries), 'place')}.", ""]
    lines += [_row("path", "kind", "why", "hides"), "|---|---|---|--:|"]
    lines += [_suppressed_row(entry) for entry in entries[:MOST_ROWS]]
    return [*lines, *_more(len(entries) - MOST_ROWS, "place"), ""]


def _suppressed_row(entry: Suppressed) -> str:
    cells = (wording.quoted(entry.path, 120), wording.quoted(entry.kind, 60), wording.quoted(entry.why, 160))
    return _row(*(_cell(text) for text in cells), f"{entry.hides:,}")


def _coverage(report: Report) -> list[str]:
    lines = ["### Coverage", "", f"- {wording.count(len(report.coverage.endpoints), 'endpoint')} compared"]
    unverified = report.coverage.unverified
    lines += [f"- not verified: {code(wording.quoted(line, 200))}" for line in unverified[:MOST_ROWS]]
    lines += _more(len(unverified) - MOST_ROWS, "endpoint")
    lines += [f"- {number:,} {name} ({meaning})" for name, number, meaning in wording.losses(report) if number]
    if report.self_test is not None:
        tested = ", ".join(f"{number:,} {code(wording.quoted(name, 40))}" for name, number in report.self_test.items())
        lines.append(f"- self-test: {tested}")
    return [*lines, ""]
