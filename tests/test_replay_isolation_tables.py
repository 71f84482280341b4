"""A table's final state as an exchange."""

import orjson
import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Role
from seamline.capture.store.records import pack_exchange, unpack_exchange
from seamline.replay.isolation.tables import TableState, Value, state_exchange, typed


def test_a_table_is_an_outbound_exchange_in_the_form_of_a_sql_answer() -> None:
    state = TableState("orders", ("id", "note"), ("int4", "text"), ("id",), [(1, "a"), (2, None)], 2)
    exchange = state_exchange(state, "postgres", "db", "r-7", 7, 1000)
    assert (exchange.role, exchange.protocol, exchange.service) == (Role.OUTBOUND, "postgres", "db")
    request = exchange.request
    assert (request.method, request.target, request.operation, request.arguments) == ("STATE", "orders", "state", "")
    response = exchange.response
    assert response is not None
    assert response.headers == Headers([("content-type", "application/json"), ("primary-key", "id"), ("rows", "2")])
    assert orjson.loads(response.body) == {
        "columns": ["id", "note"],
        "types": ["int4", "text"],
        "rows": [{"id": 1, "note": "a"}, {"id": 2, "note": None}],
    }
    assert unpack_exchange(pack_exchange(exchange)) == exchange


def test_what_is_not_kept_is_told_by_count_and_hash() -> None:
    state = TableState("größe", ("größe",), ("int4",), ("größe",), [(1,)], 3, "00ff")
    response = state_exchange(state, "mysql", "db", "r-1", 1, 0).response
    assert response is not None
    assert (response.headers.get("rows"), response.headers.get("rows-kept")) == ("3", "1")
    assert response.headers.get("rows-hash") == "00ff"
    assert (response.headers.get("primary-key") or "").encode("latin-1").decode() == "größe"


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("int4", "7", 7),
        ("int8", "-9223372036854775808", -(2**63)),
        ("float8", "0.5", 0.5),
        ("float8", "NaN", "NaN"),
        ("float8", "-Infinity", "-Infinity"),
        ("numeric", "1.50", "1.50"),
        ("bool", "t", True),
        ("bool", "f", False),
        ("jsonb", '{"a": [1, null]}', {"a": [1, None]}),
        ("json", "not json", "not json"),
        ("timestamptz", "2026-01-02 03:04:05+00", "2026-01-02 03:04:05+00"),
        ("int4", "x", "x"),
        ("text", None, None),
    ],
)
def test_a_value_is_read_from_its_text(type_name: str, text: str | None, value: Value) -> None:
    assert typed(type_name, text) == value
    assert type(typed(type_name, text)) is type(value)
