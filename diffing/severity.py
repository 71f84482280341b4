"""Severity, derived: what can a tolerant reader written against the baseline observe?

What was there and is gone, or means something else, breaks it. What is written differently, or costs more, is a
warning. What was added, or improved, is information. What opens a door (weaker authentication, cookie flags, CORS,
shared caches, credentials or traffic to a new place) breaks, whoever reads. docs/verdict.md shows the whole table.
"""

import re
from dataclasses import replace

from .difference import Difference
from .operation import is_write
from .report.model import Severity, Surface

INFO, WARNING, BREAKING = Severity.INFO, Severity.WARNING, Severity.BREAKING
_DOORS = frozenset({"PERMISSION_DENIED→OK", "UNAUTHENTICATED→OK"})

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
        case "value_changed" if one.trait in {"unicode", "whitespace", "frequency"}:
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
        return BREAKING if old.isdigit() or old in {"OK", "ok"} or one.transition in _DOORS else WARNING
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


def _call(one: Difference) -> Severity:
    """Of calls on any protocol: writes matter to others, reads cost time and may be another's."""
    write = is_write(one.surface, one.operation or "")
    match one.kind:
        case "missing" | "extra":
            # A lock that is taken no more is another's change in between.
            return BREAKING if one.trait == "lock" or (write and one.surface is not Surface.REDIS) else WARNING
        case "count_scaling":
            return {"improved": INFO, "spread": WARNING}.get(one.trait, BREAKING)
    own = _OWN.get(one.surface)
    return own(one, write) if own else _request(one, write)


def _request(one: Difference, write: bool) -> Severity:
    if one.kind == "retry_removed":
        return WARNING
    path = one.path or ""
    if one.trait in {"cosmetic", "neutral"}:
        return INFO
    if one.trait in {"whitespace", "unicode"} or path.startswith(("query.", "header.")) or one.inner == "field_added":
        return WARNING
    return BREAKING if write or path.startswith("path.") else WARNING


def _sql(one: Difference, write: bool) -> Severity:
    match one.kind:
        case "rewrite":
            return INFO
        case "extra_write":
            return BREAKING
        case "transaction_changed":
            return WARNING if one.trait == "split" else BREAKING
        case "fingerprint_changed":
            if one.trait == "neutral":
                return INFO
            return BREAKING if write or one.trait == "lock" else WARNING
    # Arguments: a value written differently is another row, a value asked for differently another answer.
    return BREAKING if write and one.inner not in {"numeric_repr", "order_changed"} else WARNING


def _redis(one: Difference, _write: bool) -> Severity:
    """A cache is a means: its loss costs time. Another's key is another's data."""
    return BREAKING if one.kind == "key_changed" and one.path != "key" else WARNING


def _bus(one: Difference, _write: bool) -> Severity:
    if one.kind in {"header_changed", "arg_changed", "retry_removed", "reordered"}:
        return INFO if one.trait in {"cosmetic", "neutral"} else WARNING
    if one.kind == "payload_changed":
        return INFO if one.inner == "field_added" else _response(replace(one, kind=one.inner))
    return BREAKING


_OWN = {Surface.SQL: _sql, Surface.REDIS: _redis, Surface.BUS: _bus}


def _propagation(one: Difference) -> Severity:
    name = (one.path or "").removeprefix("header.")
    if one.kind == "added":
        return WARNING if name in {"authorization", "cookie"} else INFO
    return BREAKING if name in {"authorization", "cookie"} or "tenant" in name else WARNING


def _order(one: Difference) -> Severity:
    if one.kind != "order_changed":
        return INFO
    return BREAKING if one.trait == "commit" else WARNING


def _state(one: Difference) -> Severity:
    """What a service left behind is what every later reader finds. A column or table more is read by nobody yet."""
    more = one.inner == "field_added" or one.transition == "missing→null"
    return INFO if one.trait == "neutral" or more else BREAKING


def _transport(one: Difference) -> Severity:
    return INFO if one.trait == "improved" else WARNING


def _latency(one: Difference) -> Severity:
    return INFO if one.trait in {"improved", "shifted"} else WARNING


_RULES = {
    Surface.RESPONSE: _response,
    Surface.HEADER: _header,
    Surface.STATUS: _status,
    Surface.STATE: _state,
    Surface.TRANSPORT: _transport,
    **dict.fromkeys((Surface.HTTP, Surface.GRPC, Surface.SQL, Surface.REDIS, Surface.BUS), _call),
    Surface.PROPAGATION: _propagation,
    Surface.ORDER: _order,
    Surface.LATENCY: _latency,
}
