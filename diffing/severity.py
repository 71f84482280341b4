"""Severity, derived: what can a tolerant reader written against the baseline observe?

What was there and is gone, or means something else, breaks it. What is written differently, or costs more, is a
warning. What was added, or improved, is information. What opens a door (weaker authentication, cookie flags, CORS,
shared caches, credentials or traffic to a new place) breaks, whoever reads. docs/verdict.md shows the whole table.
"""

import re

from .difference import Difference
from .report.model import Severity, Surface

INFO, WARNING, BREAKING = Severity.INFO, Severity.WARNING, Severity.BREAKING

_SENSITIVE = re.compile(
    r"cost|margin|secret|passw|token|internal|admin|role|permission|ssn|salary|hash|salt|private|credential|api_?key",
    re.I,
)

RESPONSE = {
    "field_removed": BREAKING,
    "field_renamed": BREAKING,
    "type_changed": BREAKING,
    "value_changed": BREAKING,
    "shape_changed": BREAKING,
    "order_changed": BREAKING,
    "multiset_changed": BREAKING,
    "length_changed": BREAKING,
    "malformed": BREAKING,
    "relation_broken": BREAKING,
    "relation_changed": BREAKING,
    "numeric_repr": WARNING,
    "numeric_precision": WARNING,
    "null_vs_missing": WARNING,
    "markup_changed": INFO,
}


def severity_of(one: Difference) -> Severity:
    """How bad `one` is, given that it is real."""
    if one.trait == "security":
        return BREAKING
    rule = _RULES.get(one.surface)
    return rule(one) if rule else WARNING


def _response(one: Difference) -> Severity:
    match one.kind:
        case "field_added":
            return WARNING if _SENSITIVE.search((one.path or "").rsplit(".", 1)[-1]) else INFO
        case "null_vs_empty":
            return BREAKING if one.transition.endswith("→null") and one.transition != "empty→null" else WARNING
        case "format_changed":
            return BREAKING if one.trait in {"zone", "unit"} else WARNING
        case "value_changed" if one.trait == "version":
            return INFO
        case "value_changed" if one.trait in {"unicode", "whitespace"}:
            return WARNING
    return RESPONSE.get(one.kind, WARNING)


def _header(one: Difference) -> Severity:
    name = (one.path or "").removeprefix("header.")
    if one.trait in {"cosmetic", "volatile", "cookie", "stronger", "tokens"}:
        return INFO
    if one.kind == "extra":
        # A new header is read by nobody yet, unless it loosens something: those carry the trait "security".
        return BREAKING if name == "access-control-allow-origin" and one.after == "*" else INFO
    if one.kind == "missing":
        return BREAKING if name in {"location", "content-type", "access-control-allow-origin"} else WARNING
    if one.trait == "media" or name == "location":
        return BREAKING
    return WARNING


def _status(one: Difference) -> Severity:
    old, _, new = one.transition.partition("→")
    if not (old.isdigit() and new.isdigit()):
        return BREAKING if old.isdigit() else WARNING
    return status_severity(int(old), int(new))


def status_severity(old: int, new: int) -> Severity:
    """Of a changed status: a success lost, a refusal turned into success, or a client's error turned into ours."""
    ours, theirs = old // 100, new // 100
    if ours == theirs:
        return BREAKING if new in {204, 205} and old < 300 else WARNING
    if old in {304, 429} and theirs == 2:
        return WARNING
    if ours == 5:
        # A swallowed timeout answers 200 with less than was asked for; a mended crash is worth a look only.
        return BREAKING if old in {502, 503, 504} and theirs == 2 else WARNING
    if ours == 3 and theirs == 2:
        return WARNING
    return BREAKING


def is_write(operation: str) -> bool:
    """Whether an operation ("POST /payments") changes something."""
    return operation.split(" ", 1)[0] not in {"GET", "HEAD", "OPTIONS", "TRACE"}


def _http(one: Difference) -> Severity:
    write = is_write(one.operation or "")
    match one.kind:
        case "missing" | "extra":
            return BREAKING if write else WARNING
        case "count_scaling":
            return INFO if one.trait == "improved" else BREAKING
        case "request_changed":
            return _request(one, write)
    return WARNING


def _request(one: Difference, write: bool) -> Severity:
    path = one.path or ""
    if one.trait in {"cosmetic", "neutral"}:
        return INFO
    if one.trait in {"whitespace", "unicode"} or path.startswith(("query.", "header.")) or one.inner == "field_added":
        return WARNING
    return BREAKING if write or path.startswith("path.") else WARNING


def _propagation(one: Difference) -> Severity:
    name = (one.path or "").removeprefix("header.")
    if one.kind == "added":
        return WARNING if name in {"authorization", "cookie"} else INFO
    return BREAKING if name in {"authorization", "cookie"} or "tenant" in name else WARNING


def _order(one: Difference) -> Severity:
    return WARNING if one.kind == "changed" else INFO


def _latency(one: Difference) -> Severity:
    return INFO if one.trait == "improved" else WARNING


_RULES = {
    Surface.RESPONSE: _response,
    Surface.HEADER: _header,
    Surface.STATUS: _status,
    Surface.HTTP: _http,
    Surface.PROPAGATION: _propagation,
    Surface.ORDER: _order,
    Surface.LATENCY: _latency,
}
