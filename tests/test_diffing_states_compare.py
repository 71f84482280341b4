"""What the two sides left behind: states of tables and of keys."""

from dataclasses import replace
from typing import Any

import pytest

from seamline.capture.model import Exchange, Response
from seamline.diffing.states.compare import StateComparison, compare_state
from support.calls import state
from support.traffic import a_run

ROW = {"id": 1, "qty": 5}


def nobody(_service: str, _table: str, _key: dict[str, Any], _row: dict[str, Any]) -> str:
    return ""


def compared(before: list[Exchange], after: list[Exchange]) -> StateComparison:
    return compare_state(a_run([], "a", states=before), a_run([], "b", states=after), {}, nobody)


def told(before: list[Exchange], after: list[Exchange]) -> list[tuple[str, str, str | None]]:
    return [(one.key, one.difference.kind, one.difference.path) for one in compared(before, after).differences]


def keys(*rows: dict[str, Any], name: str = "user:{id}:cart") -> Exchange:
    return state(name, rows, key="", protocol="redis", service="cache")


CART = {"key": "user:1:cart", "type": "string", "value": "[1]", "ttl": 297}

# name: baseline, candidate, what is told
CASES: list[tuple[str, list[Exchange], list[Exchange], list[tuple[str, str, str]]]] = [
    ("nothing read", [], [], []),
    ("the same", [state("orders", [ROW])], [state("orders", [ROW])], []),
    ("a column", [state("orders", [ROW])], [state("orders", [{**ROW, "qty": 6}])], [("state-db-orders#1", "row_changed", "$.orders.qty")]),
    ("a table of another service", [state("orders", [ROW]), state("orders", [ROW], service="old")], [state("orders", [ROW]), state("orders", [{**ROW, "qty": 6}], service="old")], [("state-old-orders#1", "row_changed", "$.orders.qty")]),
    ("a table gone", [state("orders", [ROW]), state("x", [ROW])], [state("orders", [ROW])], [("state-db-x#*", "row_missing", "$.x")]),
    ("a table new", [state("orders", [ROW])], [state("orders", [ROW]), state("x", [ROW])], [("state-db-x#*", "row_extra", "$.x")]),
    ("a lifetime runs", [keys(CART)], [keys({**CART, "ttl": 120})], []),
    ("D07 a lifetime gone", [keys(CART)], [keys({**CART, "ttl": -1})], [("state-cache-user:{id}:cart#user:1:cart", "row_changed", "$['user:{id}:cart'].ttl")]),
    ("a key gone", [keys(CART, {**CART, "key": "user:2:cart", "value": "x"})], [keys(CART)], [("state-cache-user:{id}:cart#user:2:cart", "row_missing", "$['user:{id}:cart']")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_was_left_behind(
    before: list[Exchange], after: list[Exchange], expected: list[tuple[str, str, str]]
) -> None:
    assert told(before, after) == expected


def test_a_finding_s_place_is_the_table() -> None:
    (one,) = compared([state("orders", [ROW])], [state("orders", [{**ROW, "qty": 6}])]).differences
    assert (one.table, one.difference.service, one.difference.operation) == ("orders", "db", "state of orders")
    assert (one.difference.before, one.difference.after, one.difference.inner) == (5, 6, "value_changed")


def broken(body: bytes) -> Exchange:
    one = state("orders", [ROW])
    assert one.response is not None
    return replace(one, response=Response(0, one.response.headers, body))


@pytest.mark.parametrize("body", [b"", b"{", b"5", b'{"rows":5}', b'{"rows":[' + b"[" * 900 + b"]" * 900 + b"]}"])
def test_what_cannot_be_read_is_said(body: bytes) -> None:
    result = compared([state("orders", [ROW])], [broken(body)])
    assert (result.differences, result.unverified) == ([], ["state of orders: not readable"])


def test_a_truncated_table_is_said() -> None:
    cut = replace(state("orders", [ROW]), truncated=True)
    assert compared([cut], [state("orders", [ROW])]).unverified == ["state of orders: not readable"]


def partial(count: int, digest: str, *rows: dict[str, Any]) -> Exchange:
    """A table of `count` rows, of which these were kept."""
    one = state("orders", rows, headers=(("rows-kept", str(len(rows))), ("rows-hash", digest)))
    assert one.response is not None
    return replace(one, response=replace(one.response, headers=one.response.headers.with_value("rows", str(count))))


# name: baseline, candidate, what is told, whether it is said that rows were left out
PARTS: list[tuple[str, Exchange, Exchange, list[tuple[str, str]], bool]] = [
    ("the same", partial(2500, "aa", ROW), partial(2500, "aa", ROW), [], False),
    (
        "a kept row",
        partial(2500, "aa", ROW),
        partial(2500, "aa", {**ROW, "qty": 6}),
        [("row_changed", "number")],
        False,
    ),
    ("the rest", partial(2500, "aa", ROW), partial(2500, "bb", ROW), [], True),
    ("a row more", partial(2500, "aa", ROW), partial(2501, "bb", ROW), [("row_extra", "2500→2501 rows")], True),
    ("ten times as few", partial(2500, "aa", ROW), partial(250, "bb", ROW), [("row_missing", "2500→250 rows")], True),
    ("whole on one side", partial(2, "aa", ROW), state("orders", [ROW, {"id": 2, "qty": 1}]), [], True),
]


@pytest.mark.parametrize(("before", "after", "expected", "said"), [row[1:] for row in PARTS], ids=[r[0] for r in PARTS])
def test_rows_that_were_left_out_count_by_number_and_hash(
    before: Exchange, after: Exchange, expected: list[tuple[str, str]], said: bool
) -> None:
    result = compared([before], [after])
    assert [(one.difference.kind, one.difference.transition) for one in result.differences] == expected
    assert bool(result.unverified) is said


def test_a_state_of_one_side_proves_nothing() -> None:
    result = compared([state("orders", [ROW])], [])
    assert (result.differences, result.unverified) == ([], ["final state: read on one side only"])


def test_rows_are_counted_and_named_for_later_rounds() -> None:
    result = compared([state("orders", [ROW])], [state("orders", [ROW, {"id": 2, "qty": 9}])])
    assert (result.rows["orders"], result.keys) == (2, {"state-db-orders#1", "state-db-orders#2", "state-db-orders#*"})
