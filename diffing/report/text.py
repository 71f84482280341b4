"""The report for a terminal: the verdict in the first line, then compact blocks, readable without colour.

Rules: recorded text enters only as plain `Text`, never as rich markup, and only through `wording`, so no escape
sequence comes from data; lines that are copied (the reproduce command) are not broken by us.
"""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from . import wording
from .model import EndpointLatency, Finding, Report, Severity, Suppressed, Verdict

MOST_FINDINGS = 200
MOST_ROWS = 40

_STYLE = {Severity.BREAKING: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
_SIGN = {Severity.BREAKING: "✗", Severity.WARNING: "!", Severity.INFO: "·"}
_VERDICT_STYLE = {Verdict.SAME: "bold green", Verdict.DIVERGED: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}
_LATENCY_STYLE = {"regressed": "red", "improved": "green", "inconclusive": "yellow"}
_INDENT = "  "


def render(report: Report, *, width: int = 80, color: bool = False) -> str:
    """The report as text of at most `width` columns (commands may be longer), with ANSI colour where `color`."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, 40),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    _head(console, report)
    _findings(console, wording.ranked(report.findings))
    _latency(console, wording.latency_rank(report.latency))
    _suppressed(console, report.suppressed)
    _coverage(console, report)
    lines = out.getvalue().split("\n")
    return "\n".join(line.rstrip(" ") for line in lines)


def _line(console: Console, *parts: str | tuple[str, str], indent: int = 0) -> None:
    """One paragraph, wrapped with a hanging indent."""
    console.print(Padding(Text.assemble(*parts, overflow="fold"), (0, 0, 0, indent)))


def _head(console: Console, report: Report) -> None:
    word, rest = wording.headline(report).split("  ", 1)
    # The verdict stays on the first line, however narrow the terminal.
    console.print(Text.assemble((word, _VERDICT_STYLE[report.verdict]), "  ", rest), soft_wrap=True)
    if report.reason:
        _line(console, wording.quoted(report.reason))
    elif report.verdict is Verdict.SAME:
        _line(console, wording.conclusion(report))


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _more(console: Console, hidden: int, noun: str) -> None:
    if hidden > 0:
        _line(console, (f"… and {wording.count(hidden, noun)} more: --format json has all", "italic"), indent=2)


def _findings(console: Console, findings: Sequence[Finding]) -> None:
    for finding in findings[:MOST_FINDINGS]:
        console.print()
        _finding(console, finding)
    _more(console, len(findings) - MOST_FINDINGS, "finding")


def _finding(console: Console, finding: Finding) -> None:
    style = _STYLE[finding.severity]
    _line(
        console,
        (f"{_SIGN[finding.severity]} {finding.severity.word.upper()}  ", style),
        (wording.surface_kind(finding), "bold"),
        (f"  {wording.sure(finding.confidence)}, {wording.spread(finding)}", "dim"),
    )
    _line(console, wording.where(finding), indent=2)
    if downstream := wording.downstream(finding):
        _line(console, ("call to ", "dim"), downstream, indent=2)
    _example(console, finding)
    for line in finding.explanation:
        _line(console, (wording.quoted(line), "dim"), indent=2)
    if finding.reproduce:
        # Not wrapped: a terminal folds it by itself, and it stays one line to copy.
        command = Text.assemble(_INDENT, ("$ ", "dim"), wording.quoted(finding.reproduce, 2000))
        console.print(command, soft_wrap=True)


def _example(console: Console, finding: Finding) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    if wording.has_example(finding):
        before, after = wording.before_after(finding, 240)
        table.add_row(Text("before", style="dim"), Text(before))
        table.add_row(Text("after", style="dim"), Text(after))
    if finding.transition:
        table.add_row(Text("change", style="dim"), Text(wording.quoted(finding.transition, 120)))
    if table.row_count:
        console.print(Padding(table, (0, 0, 0, 2)))


def _table(console: Console, rows: Sequence[Sequence[Text | str]], header: Sequence[str], *, numbers: set[int]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    for index, name in enumerate(header):
        table.add_column(
            name,
            justify="right" if index in numbers else "left",
            overflow="fold",
            no_wrap=index in numbers,
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    console.print(Padding(table, (0, 0, 0, 2)))


def _latency(console: Console, rows: Sequence[EndpointLatency]) -> None:
    if not rows:
        return
    _title(console, "Latency (paired, 99 % interval)")
    cells = [
        (
            Text(row.verdict if row.verdict in _LATENCY_STYLE else wording.quoted(row.verdict, 20), _style(row)),
            wording.quoted(row.endpoint, 120),
            wording.change(row.estimate),
            wording.interval(row),
            f"{row.pairs:,}",
        )
        for row in rows[:MOST_ROWS]
    ]
    _table(console, cells, ("verdict", "endpoint", "change", "interval", "pairs"), numbers={2, 3, 4})
    _more(console, len(rows) - MOST_ROWS, "endpoint")


def _style(row: EndpointLatency) -> str:
    return _LATENCY_STYLE.get(row.verdict, "")


def _suppressed(console: Console, suppressed: Sequence[Suppressed]) -> None:
    if not suppressed:
        return
    hidden = wording.count(sum(one.hides for one in suppressed), "difference")
    _title(console, f"Taken for noise ({hidden} at {wording.count(len(suppressed), 'place')})")
    cells = [
        (wording.quoted(one.path, 120), wording.quoted(one.kind, 60), wording.quoted(one.why, 200), f"{one.hides:,}")
        for one in suppressed[:MOST_ROWS]
    ]
    _table(console, cells, ("path", "kind", "why", "hides"), numbers={3})
    _more(console, len(suppressed) - MOST_ROWS, "place")


def _coverage(console: Console, report: Report) -> None:
    unverified = report.coverage.unverified
    if unverified:
        _title(console, "Not verified")
        for line in unverified[:MOST_ROWS]:
            _line(console, wording.quoted(line), indent=2)
        _more(console, len(unverified) - MOST_ROWS, "endpoint")
    lost = [f"{number:,} {name}" for name, number, _ in wording.losses(report) if number]
    _title(console, "Coverage")
    compared = wording.count(len(report.coverage.endpoints), "endpoint")
    _line(console, f"{compared} compared, {wording.count(report.capture.exchanges, 'exchange')}", indent=2)
    _line(console, f"lost: {', '.join(lost)}" if lost else "nothing lost", indent=2)
    if report.self_test is not None:
        tested = ", ".join(f"{number:,} {wording.quoted(name, 40)}" for name, number in report.self_test.items())
        _line(console, f"self-test: {tested}", indent=2)
