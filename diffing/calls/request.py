"""Two downstream requests of one operation: path values, query and body, whatever the protocol calls them. What the
service asks of its neighbours is its behaviour, as much as what it answers."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from ...capture.model import Exchange, Request
from ..addresses import Addresses, same_but_for_address
from ..canonical import TREES, Body, Form, canonical
from ..compare.binary import compare_digests
from ..compare.body import compare_trees, withheld
from ..compare.scalars import Clocks, compare_scalars
from ..compare.text import compare_text
from ..difference import Difference, bounded
from ..endpoints.templates import Templates, scope_of
from ..report.model import Json, Surface

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that send no body worth the name (RFC 9110, 9.3)."""
MAX_PARAMETERS = 1_000


def _body(request: Request) -> Body:
    return canonical(request.body, request.headers)


def compare_requests(
    before: Exchange,
    after: Exchange,
    templates: Templates,
    unordered: frozenset[str],
    left: Addresses,
    right: Addresses,
) -> list[Difference]:
    """`http.request_changed`, one for each path value, query parameter or body field."""
    if (
        before.request.target == after.request.target
        and before.request.body == after.request.body
        and not before.withheld
    ):
        return []
    clocks = Clocks(before.started_us, after.started_us)
    found = _path(before, after, templates, clocks)
    found += _query(before.request.target, after.request.target, clocks)
    found += compare_sent(before, after, clocks, unordered)
    return [
        replace(one, surface=Surface.HTTP, kind="request_changed", inner=one.kind)
        for one in found
        if not same_but_for_address(one.before, one.after, left, right)
    ]


def _path(before: Exchange, after: Exchange, templates: Templates, clocks: Clocks) -> list[Difference]:
    old = templates.split(scope_of(before), before.request.target)[1]
    new = templates.split(scope_of(after), after.request.target)[1]
    found: list[Difference] = []
    for (name, first), (_, second) in zip(old, new, strict=False):
        if first != second:
            found.append(_scalar(f"path.{name}", first, second, clocks))
    return found


def _scalar(path: str, before: str, after: str, clocks: Clocks) -> Difference:
    change = compare_scalars(before, after, clocks)
    assert change is not None
    return Difference(
        Surface.HTTP,
        change.kind,
        path,
        bounded(before),
        bounded(after),
        change.transition,
        change.trait,
        shift_us=change.shift_us,
    )


def _query(before: str, after: str, clocks: Clocks) -> list[Difference]:
    old, new = _parameters(before), _parameters(after)
    found: list[Difference] = []
    for name in sorted(old.keys() | new.keys()):
        path, first, second = f"query.{name}", old.get(name), new.get(name)
        if first == second:
            continue
        if second is None:
            found.append(_plain("field_removed", path, first, None, "present→missing"))
        elif first is None:
            found.append(_plain("field_added", path, None, second, "missing→present"))
        elif len(first) == len(second) == 1:
            found.append(_scalar(path, first[0], second[0], clocks))
        elif sorted(first) == sorted(second):
            found.append(replace(_plain("order_changed", path, first, second, "reordered"), trait="neutral"))
        else:
            found.append(_plain("multiset_changed", path, first, second, f"{len(first)}→{len(second)} values"))
    return found


def _plain(kind: str, path: str, before: list[str] | None, after: list[str] | None, transition: str) -> Difference:
    return Difference(Surface.HTTP, kind, path, _shown(before), _shown(after), transition)


def _shown(values: list[str] | None) -> Json:
    if values is None:
        return None
    return bounded(values[0] if len(values) == 1 else [*values[:20]])


def _parameters(target: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return {"": [target]}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def unread_body(before: Exchange, after: Exchange) -> str:
    """Why the request bodies of two calls could not be compared at all, or ""."""
    for part in ("request.body", "request.arguments"):
        if bool(withheld(before, part)) != bool(withheld(after, part)):
            return f"a downstream call's {part.replace('.', ' ')} was withheld on one side"
    if cut_digest(before) and cut_digest(after):
        return ""
    return "a downstream call's request body was cut" if any(map(_is_cut, (before, after))) else ""


def _is_cut(call: Exchange) -> bool:
    if call.protocol not in {"http", "grpc"}:
        return cut_digest(call) is not None
    return call.truncated and not call.request.body and call.request.method not in SAFE


def cut_digest(call: Exchange) -> tuple[str, int] | None:
    """Hash and size of what a recorder cut off a request on a protocol other than HTTP, where it noted them."""
    headers = call.request.headers
    digest, size = headers.get("hash"), headers.get("size") or ""
    if not call.truncated or digest is None or call.protocol in {"http", "grpc"}:
        return None
    return digest, int(size) if size.isdecimal() and len(size) < 20 else 0


def compare_sent(before: Exchange, after: Exchange, clocks: Clocks, unordered: frozenset[str]) -> list[Difference]:
    """The bodies that two calls sent, message payloads included; what could not be compared is `unread_body`'s."""
    first, second = withheld(before, "request.body"), withheld(after, "request.body")
    if first and second:
        changed = compare_digests((first.digest, first.size), (second.digest, second.size), "withheld body's digest")
        return [changed] if changed else []
    if first or second or before.truncated or after.truncated:
        return []
    left, right = _body(before.request), _body(after.request)
    if left.key == right.key and left.form is right.form:
        return []
    if left.form is not right.form:
        return [
            Difference(
                Surface.HTTP,
                "type_changed",
                "$",
                left.form.value,
                right.form.value,
                f"{left.form.value}→{right.form.value}",
            )
        ]
    if left.form in TREES:
        return compare_trees(left, right, clocks, unordered)[0]
    if left.form in (Form.TEXT, Form.HTML):
        text = compare_text(str(left.value), str(right.value), clocks)
        return [text] if text else []
    digests = compare_digests((str(left.value), left.size), (str(right.value), right.size))
    return [digests] if digests else []
