"""Ids that two sides were told: in their requests, and by those who store what they wrote.

A client asks each side for its own order; a database answers each INSERT with its own number. Neither is a difference
of the service, both say which id stands for which.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...capture.model import Exchange
from ..canonical import Form, canonical
from ..endpoints.templates import Templates, scope_of
from ..operation import is_write
from ..outbound import CallIndex
from ..pair import Pair
from ..protocols import SURFACES, is_event, is_state, surface_of
from ..report.model import Json
from .sights import Named, Spot, Trust

if TYPE_CHECKING:
    from ..comparison import Side

MAX_LEAVES = 2_000
MAX_CALLS = 200
"""Most writes of one request whose answers are read."""
MAX_TEXT = 200
"""A longer text is no id."""


def told_apart(endpoint: str, pair: Pair, before: "Side", after: "Side", templates: Templates) -> list[Named]:
    """The ids of a pair's requests, and of the answers to their writes, where they differ."""
    found = list(_asked(endpoint, pair, templates))
    for operation, first, second in _writes(pair, before.calls, after.calls, templates):
        found.extend(_answered(endpoint, pair.key, operation, first, second))
    return found


def _asked(endpoint: str, pair: Pair, templates: Templates) -> Iterator[Named]:
    first, second = pair.before.request, pair.after.request
    if first.target != second.target and pair.before.protocol == "http":
        old = templates.split(scope_of(pair.before), first.target)[1]
        new = templates.split(scope_of(pair.after), second.target)[1]
        for (name, one), (_, other) in zip(old, new, strict=False):
            if one != other:
                spot = Spot(endpoint, ("request", f"path.{name}", "", ""))
                yield Named(pair.key, spot, one, other, Trust.ASKED)
    if first.body != second.body:
        bodies = canonical(first.body, first.headers), canonical(second.body, second.headers)
        if bodies[0].form is bodies[1].form and bodies[0].form in (Form.JSON, Form.FORM):
            for path, one, other in leaves_apart(bodies[0].value, bodies[1].value):
                yield Named(pair.key, Spot(endpoint, ("request", path, "", "")), one, other, Trust.ASKED)


def _writes(
    pair: Pair, before: CallIndex, after: CallIndex, templates: Templates
) -> Iterator[tuple[str, Exchange, Exchange]]:
    """Writes of both sides in their order, where there are as many of an operation on both sides."""
    sides: tuple[dict[tuple[str, str], list[Exchange]], dict[tuple[str, str], list[Exchange]]] = (
        defaultdict(list),
        defaultdict(list),
    )
    for side, calls, parent in zip(sides, (before, after), (pair.before, pair.after), strict=True):
        for call in calls.sure_of(parent.id)[:MAX_CALLS]:
            if call.response is None or not call.response.body or call.protocol not in SURFACES:
                continue
            if is_state(call) or is_event(call) or call.protocol == "redis":
                continue
            operation = templates.endpoint(call)
            if is_write(surface_of(call), operation):
                side[call.service, operation].append(call)
    for key, calls_before in sides[0].items():
        others = sides[1].get(key, [])
        if len(others) == len(calls_before):
            for first, second in zip(calls_before, others, strict=True):
                yield key[1], first, second


def _answered(endpoint: str, key: str, operation: str, first: Exchange, second: Exchange) -> Iterator[Named]:
    if first.response is None or second.response is None or first.response.body == second.response.body:
        return
    bodies = [canonical(one.body, one.headers) for one in (first.response, second.response)]
    if bodies[0].form is bodies[1].form is Form.JSON:
        surface = surface_of(first).value
        for path, one, other in leaves_apart(_rows(bodies[0].value), _rows(bodies[1].value)):
            # The answer's own place, so that it is never taken for the call's argument of that name.
            spot = Spot(endpoint, (surface, path, f"{first.service} answers", operation))
            yield Named(key, spot, one, other, Trust.STORED)


def _rows(value: Json) -> Json:
    return value["rows"] if isinstance(value, dict) and "rows" in value and "columns" in value else value


def leaves_apart(before: Json, after: Json) -> Iterator[tuple[str, str, str]]:
    """Scalars that stand at the same place of two values and differ, as texts, with their paths."""
    stack: list[tuple[str, Json, Json]] = [("$", before, after)]
    seen = 0
    while stack and seen < MAX_LEAVES:
        path, old, new = stack.pop()
        seen += 1
        if isinstance(old, dict) and isinstance(new, dict):
            stack.extend((f"{path}.{name}", old[name], new[name]) for name in old if name in new)
        elif isinstance(old, list) and isinstance(new, list):
            stack.extend((f"{path}[*]", one, other) for one, other in zip(old, new, strict=False))
        elif _is_word(old) and _is_word(new) and old != new:
            yield path, str(old), str(new)


def _is_word(value: Json) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return len(value) <= MAX_TEXT if isinstance(value, str) else abs(value) < 1 << 64
