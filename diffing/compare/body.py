"""Two response bodies: canonical forms first, and only where those differ a closer look.

A body that is not there (withheld, truncated) is said to be unverified, never passed over.
"""

from dataclasses import dataclass, field

from ...capture.headers import Headers
from ...capture.model import Exchange, Response, Withheld
from ..canonical import TREES, Body, Form, canonical
from ..difference import Difference
from ..forms.xml import levelled
from ..report.model import Json, Surface
from .binary import compare_digests
from .html import compare_html
from .json import Walk
from .scalars import Clocks
from .text import compare_lines

TRUNCATED = "body truncated"
ONE_WITHHELD = "body withheld on one side"
UNREAD = frozenset({TRUNCATED, ONE_WITHHELD, "no answer on both sides"})
"""Nothing at all was compared below the status and the headers."""
SIZE_RATIO = 1.5
"""A body whose bytes grow by this much for the same contents is worth a warning."""
SAME_LENGTH = 1.2
"""Canonical forms that differ in length by more are other contents, not another spelling."""
MIN_GROWTH = 256
_UNREADABLE = ("content coding", "does not parse", "multipart", "not of its charset")
"""How the sanitizer names a body that is not what its head says (docs/sanitizing.md): it keeps it back whole."""


@dataclass(slots=True)
class BodyComparison:
    """`unverified` says what could not be compared; `walked` whether the canonical forms differed."""

    differences: list[Difference] = field(default_factory=list)
    unverified: str = ""
    walked: bool = False


def compare_bodies(before: Exchange, after: Exchange, unordered: frozenset[str] = frozenset()) -> BodyComparison:
    """The bodies of two answers."""
    assert before.response is not None
    if before.withheld or after.withheld:
        kept_back = (withheld(before, "response.body"), withheld(after, "response.body"))
        if any(kept_back):
            return _withheld(before.response, *kept_back)
    assert after.response is not None
    if before.truncated or after.truncated:
        return BodyComparison(unverified=TRUNCATED)
    if _same_bytes(before.response, after.response):
        return BodyComparison()
    left, right = body_of(before.response), body_of(after.response)
    if left.form is not right.form and not right.broken:
        right = _read_as(right, before.response, after.response, left)
    result = BodyComparison(unverified=left.note or right.note)
    clocks = Clocks(before.started_us, after.started_us)
    if left.key != right.key or left.form is not right.form or left.broken != right.broken:
        result.walked = True
        result.differences, cut = compare_canonical(left, right, clocks, unordered)
        if cut:
            result.unverified = "body too large to compare in full"
    result.differences.extend(found for found in (_marked(left, right), _size(left, right)) if found)
    return result


def _same_bytes(before: Response, after: Response) -> bool:
    """Whether there is nothing to read: most pairs end here."""
    return before.body == after.body and all(
        before.headers.get_all(name) == after.headers.get_all(name) for name in ("content-type", "content-encoding")
    )


def _read_as(right: Body, before: Response, after: Response, left: Body) -> Body:
    """The candidate's body read as what the baseline's headers call it, where that is what it is: a content type that
    changed is a finding of its own, and no change of the body."""
    names = [(name, value) for name, value in after.headers if name.lower() != "content-type"]
    said = before.headers.get("content-type")
    again = canonical(after.body, Headers([*names, *([("content-type", said)] if said else [])]))
    return again if again.form is left.form and not again.broken else right


def body_of(response: Response) -> Body:
    """The canonical body of an answer."""
    return canonical(response.body, response.headers)


def compare_canonical(
    left: Body, right: Body, clocks: Clocks, unordered: frozenset[str]
) -> tuple[list[Difference], bool]:
    """Differences of two unequal canonical bodies, and whether the comparison was cut short."""
    if right.broken and not left.broken:
        return [_whole(left, right, "malformed", f"{left.form.value}→malformed")], False
    if left.form is not right.form:
        return [_whole(left, right, "type_changed", f"{left.form.value}→{right.form.value}")], False
    if left.form in TREES:
        return compare_trees(left, right, clocks, unordered)
    if left.form in (Form.TEXT, Form.HTML) and isinstance(left.value, str) and isinstance(right.value, str):
        compare = compare_html if left.form is Form.HTML else compare_lines
        return compare(left.value, right.value, clocks), False
    if left.kind != right.kind:
        return [_whole(left, right, "type_changed", f"{left.kind or 'binary'}→{right.kind or 'binary'}")], False
    changed = compare_digests((str(left.value), left.size), (str(right.value), right.size))
    return ([changed] if changed else []), False


def compare_trees(left: Body, right: Body, clocks: Clocks, unordered: frozenset[str]) -> tuple[list[Difference], bool]:
    """Differences of two bodies of one form that has named parts."""
    walk = Walk(clocks, unordered, lexical=left.form is not Form.JSON and left.form is not Form.EVENTS)
    before, after = left.value, right.value
    if left.form is Form.XML:
        before, after = levelled(before, after)
    elif left.form is Form.TABLE and isinstance(before, dict) and isinstance(after, dict):
        moved = columns_moved(before["columns"], after["columns"])
        found = walk.run(before["rows"], after["rows"])
        return ([moved, *found] if moved else found), walk.cut
    return walk.run(before, after), walk.cut


def columns_moved(before: Json, after: Json) -> Difference | None:
    """Columns that both tables have, in another order: who reads by place reads others."""
    assert isinstance(before, list)
    assert isinstance(after, list)
    common = ([name for name in before if name in after], [name for name in after if name in before])
    if common[0] == common[1]:
        return None
    return Difference(Surface.RESPONSE, "order_changed", "$", [*common[0][:20]], [*common[1][:20]], "columns moved")


def _marked(left: Body, right: Body) -> Difference | None:
    """A byte order mark, or UTF-16 behind one: strict readers of JSON fail at it (RFC 8259, 8.1)."""
    if left.mark == right.mark or Form.EMPTY in (left.form, right.form):
        return None
    moved = f"{_mark_name(left)}→{_mark_name(right)}"
    return Difference(Surface.RESPONSE, "encoding_changed", "$", left.mark, right.mark, moved)


def _mark_name(body: Body) -> str:
    return {"": "no byte order mark", "utf-8-sig": "UTF-8 with a byte order mark"}.get(body.mark, "UTF-16")


def _whole(left: Body, right: Body, kind: str, transition: str) -> Difference:
    return Difference(Surface.RESPONSE, kind, "$", _glimpse(left), _glimpse(right), transition)


def _glimpse(body: Body) -> str:
    if body.form is Form.EMPTY:
        return "empty"
    if body.form is Form.BINARY:
        return f"{body.kind or 'binary'}, {body.size} bytes, {str(body.value)[:16]}"
    return str(body.value)[:200] + (f" ({body.broken})" if body.broken else "")


def withheld(exchange: Exchange, part: str) -> Withheld | None:
    """What is known of a part that was kept back."""
    return next((one for one in exchange.withheld if one.part == part), None)


def _withheld(answer: Response, before: Withheld | None, after: Withheld | None) -> BodyComparison:
    """`answer` is the baseline's."""
    if before is None and after is not None and after.why.startswith(_UNREADABLE):
        left = body_of(answer)
        if left.form is not Form.EMPTY and not left.broken:
            shown = f"{after.size} bytes, withheld: {after.why}"
            moved = f"{left.form.value}→malformed"
            return BodyComparison([Difference(Surface.RESPONSE, "malformed", "$", _glimpse(left), shown, moved)])
    if before is None or after is None:
        return BodyComparison(unverified=ONE_WITHHELD)
    changed = compare_digests((before.digest, before.size), (after.digest, after.size), "withheld body's digest")
    return BodyComparison([changed] if changed else [], "body withheld: only size and digest compared")


def _size(left: Body, right: Body) -> Difference | None:
    """The same contents in many more bytes: what each side spends beyond its canonical form is compared, so that
    longer contents do not count."""
    if left.form is not Form.JSON or right.form is not Form.JSON or right.size - left.size < MIN_GROWTH:
        return None
    if len(right.key) > SAME_LENGTH * len(left.key):
        return None
    spent = (left.size / max(1, len(left.key)), right.size / max(1, len(right.key)))
    if spent[1] < SIZE_RATIO * spent[0]:
        return None
    return Difference(Surface.TRANSPORT, "size", None, left.size, right.size, "larger for the same contents")
