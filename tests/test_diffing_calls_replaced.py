"""Calls that went and others that came in their place."""

from typing import Any

import pytest

from seamline.diffing.calls.groups import grouped
from seamline.diffing.calls.replaced import replacements
from seamline.diffing.causes.severity import severity_of
from seamline.diffing.endpoints.templates import Templates
from support.calls import cached, publish, put, sql
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")
ROWS = [{"id": 1, "name": "tea"}]


def told(before: list[Call], after: list[Call]) -> tuple[list[tuple[str, str, str]], int]:
    """Each replacement as (kind, transition, severity), and how many keys are accounted for."""
    sides = [[call.exchange(ASKED, place) for place, call in enumerate(calls)] for calls in (before, after)]
    found, done = replacements(grouped(sides[0], sides[1], Templates.learn([*sides[0], *sides[1]])))
    return [(one.kind, one.transition, severity_of(one).word) for one in found], len(done)


def amqp(key: str, event: Any) -> Call:
    return publish(f"shop/{key}", event, kind="amqp", exchange="shop", routing_key=key)


BY_ID = "SELECT id, name FROM x WHERE id = $1"
# name: baseline, candidate, replacements
CASES: list[tuple[str, Call, Call, list[tuple[str, str, str]]]] = [
    ("an alias", sql(BY_ID, 1, rows=ROWS), sql("SELECT id, name FROM x WHERE (id = $1)", 1, rows=ROWS), [("rewrite", "the same in other words", "info")]),
    ("columns in another order", sql(BY_ID, 1, rows=ROWS), sql("SELECT name, id FROM x WHERE id = $1", 1, rows=[{"name": "tea", "id": 1}]), [("rewrite", "the same in other words", "info")]),
    ("more columns", sql(BY_ID, 1, rows=ROWS), sql("SELECT id, name, qty FROM x WHERE id = $1", 1, rows=[{"id": 1, "name": "tea", "qty": 5}]), [("fingerprint_changed", "reads more columns", "info")]),
    ("other rows", sql(BY_ID, 1, rows=ROWS), sql("SELECT id, name FROM x WHERE id > $1", 1, rows=[{"id": 2, "name": "jam"}]), [("fingerprint_changed", "another statement", "warning")]),
    ("other values", sql(BY_ID, 1, rows=ROWS), sql("SELECT id, name FROM x WHERE (id = $1)", 2, rows=ROWS), [("fingerprint_changed", "another statement", "warning")]),
    ("a condition lost, rows by luck the same", sql("SELECT id FROM x WHERE id = $1 AND ok", 1, rows=ROWS), sql("SELECT id FROM x WHERE id = $1", 1, rows=ROWS), [("fingerprint_changed", "condition on ok→missing", "breaking")]),
    ("a lock lost", sql(f"{BY_ID} FOR UPDATE", 1, rows=ROWS), sql(BY_ID, 1, rows=ROWS), [("fingerprint_changed", "row lock→missing", "breaking")]),
    ("an order lost", sql(f"{BY_ID} ORDER BY id", 1, rows=ROWS), sql(BY_ID, 1, rows=ROWS), [("fingerprint_changed", "ORDER BY→missing", "warning")]),
    ("a write of fewer columns", sql("INSERT INTO x (id, name) VALUES ($1, $2)", 1, "tea"), sql("INSERT INTO x (id) VALUES ($1)", 1), [("fingerprint_changed", "name→missing", "breaking")]),
    ("another table", sql("SELECT a FROM x"), sql("SELECT a FROM y"), []),
    ("another job", sql("SELECT a, b, c FROM x"), sql("SELECT d FROM x"), []),
    ("an answer cut", sql(BY_ID, 1, rows=ROWS, changes={"truncated": True}), sql("SELECT id, name FROM x WHERE (id = $1)", 1, rows=ROWS), [("fingerprint_changed", "another statement", "warning")]),
    ("another key", cached("u:17:cart", 1), cached("u:17:basket", 1), [("key_changed", "u:{id}:cart→u:{id}:basket", "warning")]),
    ("another key and value", put("u:17:cart", 1), put("u:17:basket", 2), []),
    ("another routing key", amqp("a", {"n": 1}), amqp("b", {"n": 1}), [("key_changed", "shop/a→shop/b", "breaking")]),
    ("another event", amqp("a", {"n": 1}), amqp("b", {"n": 2}), []),
    ("another topic", publish("a", {"n": 1}), publish("b", {"n": 1}), []),
    ("HTTP calls are not guessed at", Call("s", "GET", "/a"), Call("s", "GET", "/b"), []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_took_whose_place(before: Call, after: Call, expected: list[tuple[str, str, str]]) -> None:
    assert told([before], [after]) == (expected, 2 * len(expected))


def test_the_candidate_s_own_ids_are_no_other_rows() -> None:
    """Each side drew the order's number anew, and was told it before."""
    old, new = "SELECT n FROM x WHERE id = ANY($1)", "SELECT n FROM x WHERE id IN ($1, $2)"
    before, after = sql(old, [7, 8], rows=[{"n": 7}]), sql(new, 1007, 1008, rows=[{"n": 1007}])
    sides = [[each.exchange(ASKED, 0)] for each in (before, after)]
    groups = grouped(sides[0], sides[1], Templates.learn([*sides[0], *sides[1]]))
    assert [one.kind for one in replacements(groups, {"1007": "7", "1008": "8"})[0]] == ["rewrite"]
    assert [one.kind for one in replacements(groups, {"1007": "8", "1008": "7"})[0]] == ["fingerprint_changed"]
    assert [one.kind for one in replacements(groups)[0]] == ["fingerprint_changed"]


def test_the_likest_pair_up_and_counts_must_agree() -> None:
    before = [sql("SELECT a, b FROM x"), sql("SELECT a, b, c, d FROM x")]
    after = [sql("SELECT a, b, c, e FROM x"), sql("SELECT a FROM x")]
    found, done = told(before, after)
    assert (len(found), done) == (2, 4)
    assert told([sql(BY_ID, 1)], [sql("SELECT id, name FROM x WHERE (id = $1)", place) for place in (1, 2)]) == ([], 0)
