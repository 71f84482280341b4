"""Two response bodies: canonical forms first, and only where those differ a closer look.

A body that is not there (withheld, truncated) is said to be unverified, never passed over.
"""

from dataclasses import dataclass, field

from ...capture.model import Exchange, Response, Withheld
from ..canonical import Body, Form, canonical
from ..difference import Difference
from ..report.model import Surface
from .binary import compare_digests
from .html import compare_html
from .json import Walk
from .scalars import Clocks
from .text import compare_text

TRUNCATED = "body truncated"
ONE_WITHHELD = "body withheld on one side"
UNREAD = frozenset({TRUNCATED, ONE_WITHHELD, "no answer on both sides"})
"""Nothing at all was compared below the status and the headers."""
SIZE_RATIO = 1.5
"""A body whose bytes grow by this much for the same contents is worth a warning."""
SAME_LENGTH = 1.2
"""Canonical forms that differ in length by more are other contents, not another spelling."""
MIN_GROWTH = 256


@dataclass(slots=True)
class BodyComparison:
    """`unverified` says what could not be compared; `walked` whether the canonical forms differed."""

    differences: list[Difference] = field(default_factory=list)
    unverified: str = ""
    walked: bool = False


def compare_bodies(before: Exchange, after: Exchange, unordered: frozenset[str] = frozenset()) -> BodyComparison:
    """The bodies of two answers."""
    kept_back = (withheld(before, "response.body"), withheld(after, "response.body"))
    if any(kept_back):
        return _withheld(*kept_back)
    assert before.response is not None
    assert after.response is not None
    if before.truncated or after.truncated:
        return BodyComparison(unverified=TRUNCATED)
    left, right = body_of(before.response), body_of(after.response)
    result = BodyComparison(unverified=left.note or right.note)
    clocks = Clocks(before.started_us, after.started_us)
    if left.key != right.key or left.form is not right.form or left.broken != right.broken:
        result.walked = True
        result.differences, cut = compare_canonical(left, right, clocks, unordered)
        if cut:
            result.unverified = "body too large to compare in full"
    grown = _size(left, right)
    if grown:
        result.differences.append(grown)
    return result


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
    if left.form in (Form.JSON, Form.FORM):
        walk = Walk(clocks, unordered)
        return walk.run(left.value, right.value), walk.cut
    if left.form is Form.TEXT and isinstance(left.value, str) and isinstance(right.value, str):
        found = compare_text(left.value, right.value, clocks)
        return ([found] if found else []), False
    if left.form is Form.HTML and isinstance(left.value, str) and isinstance(right.value, str):
        found = compare_html(left.value, right.value, clocks)
        return ([found] if found else []), False
    changed = compare_digests((str(left.value), left.size), (str(right.value), right.size))
    return ([changed] if changed else []), False


def _whole(left: Body, right: Body, kind: str, transition: str) -> Difference:
    return Difference(Surface.RESPONSE, kind, "$", _glimpse(left), _glimpse(right), transition)


def _glimpse(body: Body) -> str:
    if body.form is Form.EMPTY:
        return "empty"
    return str(body.value)[:200] + (f" ({body.broken})" if body.broken else "")


def withheld(exchange: Exchange, part: str) -> Withheld | None:
    """What is known of a part that was kept back."""
    return next((one for one in exchange.withheld if one.part == part), None)


def _withheld(before: Withheld | None, after: Withheld | None) -> BodyComparison:
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
