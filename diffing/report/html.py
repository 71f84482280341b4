"""The report as one HTML file: no script, no request, a content security policy that allows neither.

Rules: this file makes every text ready (`wording`), the template only lays out; jinja2 escapes each of them once, and
the one thing marked safe is our own style sheet, which the policy names by its hash. No value reaches a `class`, `id`,
`href` or style but those that this file chooses from.
"""

import base64
import hashlib
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from . import wording
from .model import CallLine, CallMark, EndpointLatency, Finding, Json, Report, Severity, Verdict

MOST_FINDINGS = 500
MOST_ROWS = 500
MOST_TREES = 50
MOST_LINES = 200
_DEEPEST = 8
"""Depth from which on a tree's lines are no further indented."""
_MOST_IDS = 50
_VALUE_LIMIT = 4000

_VERDICT_WORD = {Verdict.SAME: "Same", Verdict.DIVERGED: "Diverged", Verdict.INCONCLUSIVE: "Inconclusive"}
_NO_FINDINGS = {
    Verdict.SAME: "None.",
    Verdict.DIVERGED: "None is listed, although the verdict says that the candidate diverged.",
    Verdict.INCONCLUSIVE: "None. The comparison did not conclude, so this says nothing about the candidate.",
}
_TONES = ("regressed", "improved", "equivalent", "inconclusive")
_SCALES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Half widths of the latency chart's axis, relative changes."""

View = dict[str, Any]
"""What the template reads: plain texts, numbers and lists of them."""


def render(report: Report) -> str:
    """The report as a self-contained HTML document."""
    template, css, digest = _assets()
    return template.render(css=Markup(css), css_digest=digest, **_page(report)) + "\n"  # noqa: S704 - our own file


@cache
def _assets() -> tuple[Template, str, str]:
    """The compiled template, the style sheet, and its hash in the form that the policy wants."""
    folder = files(__package__)
    css = "\n" + (folder / "report.css").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    template = environment.from_string((folder / "report.html.j2").read_text(encoding="utf-8"))
    return template, css, base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()


def _page(report: Report) -> View:
    ranked = wording.ranked(report.findings)
    word = _VERDICT_WORD[report.verdict]
    return {
        "title": f"{word}: {wording.tally_words(report)} · Seamline",
        "verdict": report.verdict.value,
        "verdict_word": word,
        "conclusion": wording.conclusion(report),
        "reason": wording.quoted(report.reason, 1000) if report.reason else "",
        "tiles": _tiles(report),
        "sections": _sections(report),
        "filters": _filters(report),
        "findings": [_finding(finding) for finding in ranked[:MOST_FINDINGS]],
        "hidden_findings": _hidden(len(ranked) - MOST_FINDINGS, "finding"),
        "no_findings": _NO_FINDINGS[report.verdict],
        **_trees(report),
        **_latency(report),
        **_noise(report),
        **_coverage(report),
    }


def _hidden(number: int, noun: str) -> str:
    return f"… and {wording.count(number, noun)} more: the JSON report has all." if number > 0 else ""


def _bounded(texts: Sequence[str]) -> list[str]:
    shown = [wording.quoted(text) for text in texts[:MOST_ROWS]]
    hidden = _hidden(len(texts) - MOST_ROWS, "endpoint")
    return [*shown, hidden] if hidden else shown


def _tiles(report: Report) -> list[View]:
    tiles = [_tile(severity.word.capitalize(), number, severity.word) for severity, number in _counts(report)]
    unverified = len(report.coverage.unverified)
    return [
        *tiles,
        _tile("Exchanges", report.capture.exchanges, "plain"),
        _tile("Endpoints compared", len(report.coverage.endpoints), "plain"),
        _tile("Not verified", unverified, "inconclusive"),
    ]


def _tile(label: str, number: int, tone: str) -> View:
    return {"label": label, "number": f"{number:,}", "tone": tone}


def _counts(report: Report) -> list[tuple[Severity, int]]:
    return list(wording.tally(report).items())


def _sections(report: Report) -> list[View]:
    found = [
        ("findings", "Findings", len(report.findings), True),
        ("trees", "Requests", len(report.trees), bool(report.trees)),
        ("latency", "Latency", len(report.latency), bool(report.latency)),
        ("noise", "Noise", len(report.suppressed), bool(report.suppressed)),
        ("coverage", "Coverage", 0, True),
        ("losses", "Capture", 0, True),
    ]
    return [
        {"id": name, "label": label, "number": f"{number:,}" if number else ""}
        for name, label, number, there in found
        if there
    ]


def _filters(report: Report) -> list[View]:
    """One box a severity, where there is something to choose between."""
    counted = [(severity, number) for severity, number in _counts(report) if number]
    if len(counted) < 2:
        return []
    return [
        {"name": severity.word, "label": severity.word.capitalize(), "number": f"{number:,}"}
        for severity, number in counted
    ]


def _finding(finding: Finding) -> View:
    method, _, rest = wording.quoted(finding.endpoint).partition(" ")
    has_method = bool(rest) and method.isascii() and method.isupper()
    left, right = _sides(finding)
    hidden = len(finding.exchanges) - _MOST_IDS
    return {
        "severity": finding.severity.word,
        "severity_word": finding.severity.word.capitalize(),
        "surface_kind": wording.surface_kind(finding),
        "spread": wording.spread(finding),
        "share": round(56 * min(1.0, finding.requests / finding.of), 1) if finding.of else 0,
        "sure": wording.sure(finding.confidence),
        "method": method if has_method else "",
        "endpoint": rest if has_method else wording.quoted(finding.endpoint),
        "path": wording.quoted(finding.path) if finding.path else "",
        "service": wording.quoted(finding.service) if finding.service else "",
        "operation": wording.quoted(finding.operation) if finding.operation else "",
        "transition": wording.quoted(finding.transition),
        "example": wording.has_example(finding),
        "before": left,
        "after": right,
        "explanation": [wording.quoted(line, 1000) for line in finding.explanation[:50]],
        # Word by word, so that a line breaks between arguments and not inside `--where`.
        "reproduce": wording.quoted(finding.reproduce, 4000).split(" ") if finding.reproduce else [],
        "id": wording.quoted(finding.id, 80),
        "shown_in": f", shown in {wording.count(len(finding.exchanges), 'exchange')}" if finding.exchanges else "",
        "exchanges": [wording.quoted(one, 80) for one in finding.exchanges[:_MOST_IDS]],
        "more_exchanges": _hidden(hidden, "exchange"),
    }


def _sides(finding: Finding) -> tuple[View, View]:
    """Both sides of the example, what differs between them marked."""
    before, after = wording.before_after(finding, _VALUE_LIMIT, indent=_indent(finding.before, finding.after))
    if wording.ABSENT in (before, after) or before == after:
        return _side(before, "", ""), _side(after, "", "")
    start = _shared(before, after)
    end = _shared(before[start:][::-1], after[start:][::-1])
    if start + end == 0:
        return _side(before, "", ""), _side(after, "", "")
    return _split(before, start, end), _split(after, start, end)


def _indent(*values: Json) -> int | None:
    return 2 if any(isinstance(value, dict | list) for value in values) else None


def _shared(one: str, other: str) -> int:
    """How many characters `one` and `other` share from the start."""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


def _split(text: str, start: int, end: int) -> View:
    return _side(text[:start], text[start : len(text) - end], text[len(text) - end :])


def _side(head: str, changed: str, tail: str) -> View:
    return {"absent": head == wording.ABSENT, "head": head, "changed": changed, "tail": tail}


def _trees(report: Report) -> View:
    """The requests with all that they caused; marks are words, so that no colour has to be seen."""
    trees = [
        {
            "endpoint": wording.quoted(tree.endpoint),
            "exchange": wording.quoted(tree.exchange, 80),
            "calls": wording.count(max(len(tree.baseline), len(tree.candidate)) - 1, "call"),
            "differs": any(line.mark is not CallMark.BOTH for line in (*tree.baseline, *tree.candidate)),
            "sides": [_tree_side("Baseline", tree.baseline), _tree_side("Candidate", tree.candidate)],
        }
        for tree in report.trees[:MOST_TREES]
    ]
    return {"trees": trees}


def _tree_side(title: str, lines: Sequence[CallLine]) -> View:
    shown = [_tree_line(line) for line in lines[:MOST_LINES]]
    return {"title": title, "lines": shown, "hidden": _hidden(len(lines) - MOST_LINES, "call")}


def _tree_line(line: CallLine) -> View:
    return {
        "depth": min(line.depth, _DEEPEST),
        "service": wording.quoted(line.service, 60),
        "call": wording.quoted(line.call, 300),
        "answer": wording.quoted(line.answer, 60),
        "failed": line.failed,
        "ms": f"{line.ms:.1f} ms" if math.isfinite(line.ms) else "",
        "mark": line.mark.value,
    }


def _latency(report: Report) -> View:
    rows = wording.latency_rank(report.latency)[:MOST_ROWS]
    reach = _scale(rows)
    return {
        "latency": [_latency_row(row, reach) for row in rows],
        "scale": {"low": f"-{reach:.0%}".replace("%", " %"), "high": f"+{reach:.0%}".replace("%", " %")},
    }


def _scale(rows: Sequence[EndpointLatency]) -> float:
    """The half width of the chart's axis: the smallest of `_SCALES` that holds every interval, else the largest."""
    bounds = [abs(bound) for row in rows for bound in (row.low, row.high, row.estimate) if math.isfinite(bound)]
    widest = max(bounds, default=0.0)
    return next((scale for scale in _SCALES if scale >= widest), _SCALES[-1])


def _latency_row(row: EndpointLatency, reach: float) -> View:
    known = row.verdict in _TONES
    return {
        "endpoint": wording.quoted(row.endpoint),
        "tone": row.verdict if known else "inconclusive",
        "verdict": row.verdict.capitalize() if known else wording.quoted(row.verdict, 30),
        "change": wording.change(row.estimate),
        "interval": wording.interval(row),
        "mde": wording.change(row.mde).replace("+", "±"),
        "pairs": f"{row.pairs:,}",
        "bar": _bar(row, reach),
    }


def _bar(row: EndpointLatency, reach: float) -> View | None:
    """The interval and its estimate as percentages of the axis, or None where a figure does not exist."""
    if not all(math.isfinite(figure) for figure in (row.low, row.estimate, row.high)):
        return None
    low, point, high = (50 + 50 * max(-1.0, min(1.0, figure / reach)) for figure in (row.low, row.estimate, row.high))
    return {"low": round(low, 2), "point": round(point, 2), "width": round(max(high - low, 0.6), 2)}


def _noise(report: Report) -> View:
    entries = report.suppressed
    hidden = wording.count(sum(entry.hides for entry in entries), "difference")
    return {
        "noise": [
            {
                "path": wording.quoted(entry.path),
                "kind": wording.quoted(entry.kind, 120),
                "why": wording.quoted(entry.why),
                "hides": f"{entry.hides:,}",
            }
            for entry in entries[:MOST_ROWS]
        ],
        "noise_words": f"{hidden} at {wording.count(len(entries), 'place')}, each with its reason",
        "hidden_noise": _hidden(len(entries) - MOST_ROWS, "place"),
    }


def _coverage(report: Report) -> View:
    tested = report.self_test
    figures = [f"{number:,} {wording.quoted(name, 40)}" for name, number in tested.items()] if tested else []
    lost = [{"name": name, "number": f"{number:,}", "meaning": meaning} for name, number, meaning in _losses(report)]
    complete = all(loss["number"] == "0" for loss in lost)
    exchanges = wording.count(report.capture.exchanges, "exchange")
    return {
        "endpoints": _bounded(report.coverage.endpoints),
        "unverified": _bounded(report.coverage.unverified),
        "self_test": f"Self-test: {', '.join(figures)}" if figures else "",
        "losses": lost,
        "losses_words": f"{exchanges}, nothing lost" if complete else f"{exchanges}; what it does not hold:",
    }


def _losses(report: Report) -> list[tuple[str, int, str]]:
    return wording.losses(report)
