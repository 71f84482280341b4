"""Calls that went, and others that came in their place: another text of the same SQL query, another key of the same
Redis command, another routing key of the same event."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import orjson

from ...capture.model import Exchange
from ..canonical import Form, canonical, canonical_key
from ..compare.arrays import content
from ..difference import Difference
from ..report.model import Json, Surface
from .arguments import arguments_of
from .counts import NO_NAMES, Groups, flat_values
from .inputs import renamed
from .key import Key
from .statement import changed, likeness, loss

MIN_LIKENESS = 0.4
MAX_CANDIDATES = 50
"""Most calls gone and come of one service that are held against each other."""

Pairing = tuple[Key, Key]
Both = tuple[list[Exchange], list[Exchange]]


def replacements(groups: Groups, names: Mapping[str, str] = NO_NAMES) -> tuple[list[Difference], set[Key]]:
    """What was replaced, and the keys that are accounted for by that; `names` are the baseline's words for the
    candidate's."""
    found: list[Difference] = []
    done: set[Key] = set()
    for old, new in _pairings(groups):
        one = _replaced(old, new, (groups[old][0], groups[new][1]), names)
        if one and old not in done and new not in done:
            found.append(one)
            done.update((old, new))
    return found, done


def _pairings(groups: Groups) -> Iterator[Pairing]:
    """Keys only on the left with keys only on the right, of one service and as many calls; most alike first."""
    gone = [key for key, (old, new) in groups.items() if old and not new][:MAX_CANDIDATES]
    come = [key for key, (old, new) in groups.items() if new and not old][:MAX_CANDIDATES]
    if not gone or not come:
        return
    marks = {key: _mark(key, (groups[key][0] or groups[key][1])[0]) for key in (*gone, *come)}
    alike: list[tuple[float, str, str, Pairing]] = []
    for old in gone:
        for new in come:
            if (old.service, old.surface) == (new.service, new.surface) and len(groups[old][0]) == len(groups[new][1]):
                score = _likeness(old, new, marks[old], marks[new])
                if score >= MIN_LIKENESS:
                    alike.append((-score, old.operation, new.operation, (old, new)))
    for _, _, _, both in sorted(alike, key=lambda entry: entry[:3]):
        yield both


def is_alike(old: Key, new: Key, before: Exchange, after: Exchange) -> bool:
    """Whether a call may have taken the place of another one."""
    if (old.service, old.surface) != (new.service, new.surface):
        return False
    return _likeness(old, new, _mark(old, before), _mark(new, after)) >= MIN_LIKENESS


def _mark(key: Key, call: Exchange) -> bytes:
    """What a call must share with the one that takes its place; nothing where no other could."""
    match key.surface:
        case Surface.SQL:
            return canonical_key([call.request.method, call.request.target])
        case Surface.REDIS:
            return canonical_key([call.request.method, arguments_of(call)])
        case Surface.BUS if _exchange(call):
            return canonical_key(_exchange(call)) + _body(call)
    return b""


def _likeness(old: Key, new: Key, first: bytes, second: bytes) -> float:
    if not first or first != second:
        return 0.0
    return likeness(old.operation, new.operation) if old.surface is Surface.SQL else 1.0


def _exchange(call: Exchange) -> str:
    """The AMQP exchange of a publication: what routes it by its key."""
    given = arguments_of(call)
    name = given.get("exchange") if isinstance(given, dict) else None
    return name if isinstance(name, str) else ""


def _body(call: Exchange) -> bytes:
    body = canonical(call.request.body, call.request.headers)
    return content(body.value) if body.form is Form.JSON else body.key


def _replaced(old: Key, new: Key, calls: Both, names: Mapping[str, str]) -> Difference | None:
    if old.surface is Surface.SQL:
        return _statement(old, new, calls, names)
    moved = f"{old.operation.partition(' ')[2]}→{new.operation.partition(' ')[2]}"
    return Difference(
        old.surface, "key_changed", "key", old.operation, new.operation, moved[:200], "template", old.service,
        old.operation,
    )  # fmt: skip


def _statement(old: Key, new: Key, calls: Both, names: Mapping[str, str]) -> Difference:
    before, after = calls
    one = replace(changed(old.service, old.operation, new.operation), inner=new.operation)
    told = sorted(map(_result, before)), sorted(_result(call, names) for call in after)
    lost = loss(old.operation, new.operation)
    if (lost is None or not lost.trait) and flat_values(before) == flat_values(after, names):
        if told[0] == told[1] and b"" not in told[0]:
            return replace(one, kind="rewrite", transition="the same in other words", trait="")
        if _covers(before, after, names):
            return replace(one, transition="reads more columns", trait="neutral")
    return one


def _result(call: Exchange, names: Mapping[str, str] = NO_NAMES) -> bytes:
    """What a statement came to, in a form that columns' order does not change; nothing where that is not known."""
    response = call.response
    if response is None or not _is_readable(call):
        return b""
    rows = _rows(call)
    if rows is None:
        return canonical_key([response.status, response.reason, response.body.decode("utf-8", "replace")])
    held = content([renamed(row, names) for row in rows]).decode("utf-8", "replace")
    return canonical_key([response.status, response.headers.get("rows"), held])


def _is_readable(call: Exchange) -> bool:
    return not call.truncated and not any(one.part == "response.body" for one in call.withheld)


def _rows(call: Exchange) -> list[Json] | None:
    if call.response is None or not _is_readable(call):
        return None
    try:
        body = orjson.loads(call.response.body)
    except orjson.JSONDecodeError:
        return None
    rows = body.get("rows") if isinstance(body, dict) else None
    return rows if isinstance(rows, list) else None


def _covers(before: list[Exchange], after: list[Exchange], names: Mapping[str, str]) -> bool:
    """Whether each row of the baseline is there in the candidate's answer, with more columns."""
    return all(_contained(_rows(first), _rows(second), names) for first, second in zip(before, after, strict=True))


def _contained(old: list[Json] | None, new: list[Json] | None, names: Mapping[str, str]) -> bool:
    if old is None or new is None or len(old) != len(new) or not old:
        return False
    return all(_holds(renamed(wide, names), row) for row, wide in zip(old, new, strict=True))


def _holds(wide: Json, row: Json) -> bool:
    return isinstance(row, dict) and isinstance(wide, dict) and all(wide.get(name, row) == row[name] for name in row)
