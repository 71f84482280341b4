"""The report as JSON: the contract's fields in the contract's order, then the keys that are ours.

Rules: a key is never renamed or reordered, new ones go to the end of their object; the text is safe to print and to
embed, because every character that could steer a terminal or close a script element is a \\u escape.
"""

import json
import math
import re

from .model import CallLine, CallTree, EndpointLatency, Finding, Json, Report

FORMAT = 1

# All that `capture.text.printable` and `wording.quoted` would escape, and < > & (a report may be put into a page).
# Outside strings JSON is plain ASCII, so these occur only inside strings, where an escape means the same.
_ESCAPED = re.compile(
    "[<>&\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\uffff\U000e0000-\U000e01ef]"
)


def render(report: Report) -> str:
    """The report as an indented JSON document that ends with a line break."""
    text = json.dumps(to_object(report), ensure_ascii=False, indent=2, allow_nan=False)
    return _ESCAPED.sub(_escape, text) + "\n"


def to_object(report: Report) -> dict[str, Json]:
    """The report as plain JSON values, keys in the contract's order."""
    held = report.capture
    return {
        "format": FORMAT,
        "verdict": report.verdict.value,
        "reason": report.reason,
        "capture": {
            "exchanges": held.exchanges,
            "dropped": held.dropped,
            "withheld": held.withheld,
            "truncated": held.truncated,
            "expired": held.expired,
        },
        "findings": [_finding(finding) for finding in report.findings],
        "suppressed": [
            {"path": one.path, "kind": one.kind, "why": one.why, "hides": one.hides} for one in report.suppressed
        ],
        "latency": [_latency(row) for row in report.latency],
        "coverage": {
            "endpoints": list(report.coverage.endpoints),
            "unverified": list(report.coverage.unverified),
        },
        "self_test": dict(report.self_test) if report.self_test is not None else None,
        "trees": [_tree(tree) for tree in report.trees],
    }


def _tree(tree: CallTree) -> Json:
    return {
        "exchange": tree.exchange,
        "endpoint": tree.endpoint,
        "baseline": [_line(line) for line in tree.baseline],
        "candidate": [_line(line) for line in tree.candidate],
    }


def _line(line: CallLine) -> Json:
    return {
        "depth": line.depth,
        "service": line.service,
        "protocol": line.protocol,
        "call": line.call,
        "answer": line.answer,
        "failed": line.failed,
        "ms": line.ms,
        "mark": line.mark.value,
    }


def _finding(finding: Finding) -> Json:
    return {
        "id": finding.id,
        "surface": finding.surface.value,
        "kind": finding.kind,
        "severity": finding.severity.word,
        "confidence": finding.confidence,
        "endpoint": finding.endpoint,
        "path": finding.path,
        "service": finding.service,
        "operation": finding.operation,
        "transition": finding.transition,
        "requests": finding.requests,
        "of": finding.of,
        "exchanges": list(finding.exchanges),
        "before": _finite(finding.before),
        "after": _finite(finding.after),
        "reproduce": finding.reproduce,
        "explanation": list(finding.explanation),
    }


def _latency(row: EndpointLatency) -> Json:
    return {
        "endpoint": row.endpoint,
        "pairs": row.pairs,
        "estimate": _number(row.estimate),
        "low": _number(row.low),
        "high": _number(row.high),
        "mde": _number(row.mde),
        "verdict": row.verdict,
        "why": row.why or None,
    }


def _number(number: float) -> float | None:
    """JSON has no NaN or infinity: a figure that does not exist is null."""
    return number if math.isfinite(number) else None


def _finite(value: Json) -> Json:
    """`value` with each number that JSON cannot hold as its name in a string."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x10000:
        return f"\\u{code:04x}"
    # JSON spells what lies beyond the basic plane as a surrogate pair (RFC 8259, section 7).
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
