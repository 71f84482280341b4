"""What the two sides left behind in their databases and caches. Answers may be equal where this is not.

A run holds the final state of each table as an exchange of method STATE (docs/format.md). Rows are to a table what
requests are to an endpoint: noise is counted by them, and later rounds confirm them.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import orjson

from ...capture.headers import Headers
from ...capture.model import Exchange
from ..canonical import within_depth
from ..compare.body import withheld
from ..difference import Difference, child
from ..identity.sights import Named, Spot, Trust
from ..protocols import PROCESS, is_state
from ..report.model import Json, Surface
from ..rounds import Run
from .rows import NamedCell, Renamed, Row, Table, compare_rows

MAX_DEPTH = 50
_LIFETIMES = frozenset({"ttl", "pttl"})

Place = tuple[str, str]
"""A downstream and a table, or a template of keys, of it."""
Author = Callable[[str, str, Row, Row], str]
"""The request that wrote a row of a service's table, or "": by the row's key and the whole of it."""


@dataclass(frozen=True, slots=True)
class Left:
    """One difference: `key` names the row, `table` is the endpoint, `request` who wrote it."""

    key: str
    table: str
    difference: Difference
    request: str = ""


@dataclass(slots=True)
class StateComparison:
    """`rows` counts what was compared by table; `keys` names each row; `named` are keys that are others on each
    side."""

    differences: list[Left] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    unverified: list[str] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)


def compare_state(before: Run, after: Run, names: dict[str, str], author: Author) -> StateComparison:
    """The states of two runs; `names` says which values stand for each other."""
    result = StateComparison()
    left, right = _states(before.exchanges), _states(after.exchanges)
    if bool(left) != bool(right):
        result.unverified.append("final state: read on one side only")
        return result
    renamed = Renamed(names)
    for place in sorted(left.keys() | right.keys()):
        _compare_one(result, place, left.get(place), right.get(place), renamed, author)
    return result


def _states(exchanges: Iterable[Exchange]) -> dict[Place, Exchange]:
    return {(one.service, one.request.target): one for one in exchanges if is_state(one) and one.protocol != PROCESS}


def _compare_one(
    result: StateComparison,
    place: Place,
    before: Exchange | None,
    after: Exchange | None,
    renamed: Renamed,
    author: Author,
) -> None:
    service, name = place
    if before is None or after is None:
        _note(result, place, "*", _table_alone(name, before is None), "")
        return
    tables = _table(before), _table(after)
    if tables[0] is None or tables[1] is None:
        result.unverified.append(f"state of {name}: not readable")
        return
    if not (tables[0].whole and tables[1].whole) and not _rest_is_same(result, place, before, after):
        result.unverified.append(f"state of {name}: too many rows, only some are compared")
    result.rows[name] += max(len(tables[0].rows), len(tables[1].rows), 1)
    result.keys.update(_key(place, tables[0].name_of(row)) for row in tables[0].rows)
    result.keys.update((_key(place, "*"), *(_key(place, tables[1].name_of(row)) for row in tables[1].rows)))
    cells: list[NamedCell] = []
    differences = compare_rows(tables[0], tables[1], renamed, cells)
    result.named.extend(_sights(place, cells))
    for row, one in differences:
        called = tables[0].name_of(row) if row is not None else "*"
        held = row or {}
        own = {column: held[column] for column in tables[0].key if column in held}
        _note(result, place, called, one, author(service, name, own, held))


def _sights(place: Place, cells: Iterable[NamedCell]) -> Iterable[Named]:
    """Keys of rows, as what is known of the sides' ids."""
    service, name = place
    for column, before, after in cells:
        if isinstance(before, str | int) and isinstance(after, str | int):
            path = f"{child('$', name)}.{column}"
            spot = Spot(name, (Surface.STATE.value, path, service, f"state of {name}"))
            yield Named(_key(place, str(before)[:80]), spot, str(before), str(after), Trust.STORED)


def _rest_is_same(result: StateComparison, place: Place, before: Exchange, after: Exchange) -> bool:
    """Whether the rows that were left out are known to be the same, by their number and hash. Another number is a
    finding by itself."""
    noted = [_counts(before), _counts(after)]
    old, new = noted[0][0], noted[1][0]
    if old.isdecimal() and new.isdecimal() and old != new:
        kind = "row_extra" if len(new) > len(old) or (len(new) == len(old) and new > old) else "row_missing"
        path = child("$", place[1])
        _note(result, place, "*", Difference(Surface.STATE, kind, path, old, new, f"{old}→{new} rows"), "")
    return noted[0] == noted[1]


def _counts(exchange: Exchange) -> tuple[str, str, str]:
    headers = exchange.response.headers if exchange.response is not None else Headers()
    return headers.get("rows") or "", headers.get("rows-kept") or "", headers.get("rows-hash") or ""


def _note(result: StateComparison, place: Place, row: str, one: Difference, request: str) -> None:
    service, name = place
    at = replace(one, service=service, operation=f"state of {name}")
    result.differences.append(Left(_key(place, row), name, at, request))


def _key(place: Place, row: str) -> str:
    return f"state-{place[0]}-{place[1]}#{row}"


def _table_alone(name: str, is_new: bool) -> Difference:
    moved = "missing→present" if is_new else "present→missing"
    kind = "row_extra" if is_new else "row_missing"
    # A table that only the candidate has is read by nobody yet.
    return Difference(Surface.STATE, kind, f"$.{name}", None, None, moved, "neutral" if is_new else "")


def _table(exchange: Exchange) -> Table | None:
    response = exchange.response
    if response is None or exchange.truncated or withheld(exchange, "response.body"):
        return None
    try:
        body: Json = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    rows = body.get("rows") if isinstance(body, dict) else body
    if not isinstance(rows, list) or not within_depth(rows, MAX_DEPTH):
        return None
    key = tuple(part.strip() for part in (response.headers.get("primary-key") or "").split(",") if part.strip())
    held = [_row(row, exchange.protocol) for row in rows]
    if not key and exchange.protocol == "redis" and all("key" in row for row in held):
        key = ("key",)
    return Table(exchange.request.target, key, held, "rows-kept" not in response.headers, exchange.started_us)


def _row(row: Json, protocol: str) -> Row:
    if not isinstance(row, dict):
        return {"key": row} if protocol == "redis" else {"value": row}
    if protocol != "redis":
        return row
    return {name: _lifetime(value) if name in _LIFETIMES else value for name, value in row.items()}


def _lifetime(value: Json) -> Json:
    """A lifetime's class: what is left of it depends on when one looks."""
    return "expires" if isinstance(value, int | float) and value > 0 else "for good"
