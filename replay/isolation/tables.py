"""The final state of a table as an exchange of the run. PURE.

Method "STATE", target the table, operation "state"; the answer's body is that of a SQL answer (docs/format.md), its
header `primary-key` names the columns that tell rows apart. Of a table that holds more than `MOST_ROWS`, the first
ones by primary key are kept, and `rows-hash` stands for the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from ...capture.headers import Headers
from ...capture.model import Exchange, Request, Response, Role

STATE = "STATE"
MOST_ROWS = 2_000
MOST_BYTES = 1 << 20
"""Bytes of the values that are kept of one table."""

Value = None | bool | int | float | str | list[object] | dict[str, object]


@dataclass(frozen=True, slots=True)
class TableState:
    """What a table holds. `rows` are the kept ones, `count` is how many there are, `rest` a hash of those that are
    not kept ("" where all are); a row's values stand in the order of `columns`."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    primary_key: tuple[str, ...]
    rows: Sequence[Sequence[Value]]
    count: int
    rest: str = ""


def state_exchange(state: TableState, protocol: str, service: str, exchange_id: str, seq: int, now_us: int) -> Exchange:
    """The exchange that says `state`; `service` is the downstream."""
    headers = [("content-type", "application/json"), ("primary-key", ",".join(state.primary_key))]
    headers.append(("rows", str(state.count)))
    if state.rest:
        headers += [("rows-kept", str(len(state.rows))), ("rows-hash", state.rest)]
    rows = [dict(zip(state.columns, row, strict=True)) for row in state.rows]
    body = orjson.dumps({"columns": state.columns, "types": state.types, "rows": rows})
    return Exchange(
        id=exchange_id,
        seq=seq,
        role=Role.OUTBOUND,
        protocol=protocol,
        service=service,
        session="state",
        started_us=now_us,
        latency_us=0,
        request=Request(STATE, state.name, Headers(), b"", "", STATE.lower()),
        response=Response(0, Headers(_latin(headers)), body, "", ""),
    )


def typed(type_name: str, text: str | None) -> Value:
    """A value by its text form: numbers, booleans, null and JSON as such, everything else as it is written."""
    if text is None:
        return None
    if type_name == "bool":
        return text in ("t", "true", "1")
    try:
        if type_name in _WHOLE:
            return int(text)
        if type_name in _BROKEN:
            return _finite(text)
        if type_name in ("json", "jsonb"):
            found: Value = orjson.loads(text)
            return found
    except ValueError:
        return text
    return text


_WHOLE = frozenset(("int2", "int4", "int8", "oid", "tinyint", "smallint", "mediumint", "int", "bigint", "year"))
_BROKEN = frozenset(("float4", "float8", "float", "double"))


def _finite(text: str) -> Value:
    number = float(text)
    # JSON has no NaN and no infinity.
    return number if abs(number) < float("inf") else text


def _latin(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers as latin-1 text that loses nothing: their bytes are UTF-8."""
    return [(name, value.encode("utf-8", "replace").decode("latin-1")) for name, value in headers]
