"""Severity, derived: what can a tolerant reader written against the baseline observe?

What was there and is gone, or means something else, breaks it. What is written differently, or costs more, is a
warning. What was added, or improved, is information. What opens a door (weaker authentication, cookie flags, CORS,
shared caches, credentials or traffic to a new place) breaks, whoever reads. docs/verdict.md shows the whole table.
"""

import re
from dataclasses import replace

from ..difference import Difference
from ..operation import is_write
from ..report.model import Severity, Surface

INFO, WARNING, BREAKING = Severity.INFO, Severity.WARNING, Severity.BREAKING
_DOORS = frozenset({"PERMISSION_DENIED→OK", "UNAUTHENTICATED→OK"})

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SENSITIVE = frozenset(
    {
        "admin", "apikey", "cost", "credential", "credentials", "cvc", "cvv", "hash", "iban", "internal", "margin",
        "passwd", "password", "permission", "permissions", "private", "profit", "role", "roles", "salary", "salt",
        "secret", "secrets", "ssn", "token", "wholesale",
    }
)  # fmt: skip
"""Words of names that a reader without a role should not find."""
_HARMLESS = frozenset(
    {"content", "csrf", "cursor", "delivery", "etag", "file", "next", "page", "prev", "shipping", "commit"}
)
"""Words beside which they mean something else: a page's token, the cost of a delivery."""
_OPEN_CACHE = re.compile(r"\bpublic\b", re.IGNORECASE)
_CLOSED_CACHE = re.compile(r"\b(?:private|no-store)\b", re.IGNORECASE)

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
            return WARNING if is_sensitive((one.path or "").rsplit(".", 1)[-1]) else INFO
        case "null_vs_empty":
            return BREAKING if one.transition.endswith("→null") and one.transition != "empty→null" else WARNING
        case "format_changed":
            return BREAKING if one.trait in {"zone", "unit"} else WARNING
        case "value_changed" if one.trait == "version":
            return INFO
        case "value_changed" if one.trait in {"unicode", "whitespace", "frequency"}:
            return WARNING
    return RESPONSE.get(one.kind, WARNING)


def is_sensitive(name: str) -> bool:
    """Whether a member's name says that not everybody should see it: by its words, so that hashtags are no hash."""
    words = {word.lower() for word in _WORDS.findall(name)}
    joined = {"apikey"} if {"api", "key"} <= words else set()
    return bool((words | joined) & _SENSITIVE) and not words & _HARMLESS


def _header(one: Difference) -> Severity:
    name = (one.path or "").removeprefix("header.")
    if _opens(name, one):
        return BREAKING
    if one.trait in {"cosmetic", "volatile", "cookie", "stronger", "tokens"}:
        return INFO
    if one.kind == "extra":
        # A new header is read by nobody yet. Who may read the answer is another matter.
        return WARNING if name == "access-control-allow-origin" else INFO
    if one.kind == "missing":
        return BREAKING if name in {"location", "content-type", "access-control-allow-origin"} else WARNING
    if one.trait == "media" or name == "location":
        return BREAKING
    return WARNING


def _opens(name: str, one: Difference) -> bool:
    """Whether a header that came or went lets others read the answer, or keep it."""
    if one.kind == "extra":
        return (
            (name == "access-control-allow-origin" and one.after == "*")
            or (name == "access-control-allow-credentials" and str(one.after).lower() == "true")
            or (name == "cache-control" and bool(_OPEN_CACHE.search(str(one.after))))
        )
    return one.kind == "missing" and name == "cache-control" and bool(_CLOSED_CACHE.search(str(one.before)))


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
