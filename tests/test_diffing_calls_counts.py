"""How often a call is made: the ladder from a retry over one more to a loop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.calls.counts import SCALING, Groups, compare_counts, flat_values, glimpse
from seamline.diffing.calls.groups import grouped
from seamline.diffing.causes.severity import severity_of
from seamline.diffing.endpoints.templates import Templates
from support.calls import cached, publish, put, sql
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")
READ, WRITE = "SELECT a FROM x WHERE b = $1", "INSERT INTO x (a) VALUES ($1)"
BATCH = "SELECT a FROM x WHERE b IN ($1, $2)"


def groups(before: list[Call], after: list[Call]) -> Groups:
    sides = [[call.exchange(ASKED, place) for place, call in enumerate(calls)] for calls in (before, after)]
    return grouped(sides[0], sides[1], Templates.learn([*sides[0], *sides[1]]))


def told(
    before: list[Call], after: list[Call], known: tuple[str, ...] = ("db", "cache", "bus")
) -> list[tuple[str, str]]:
    held = groups(before, after)
    return sorted((one.kind, one.transition) for key in held for one in compare_counts(held, key, known))


def reads(count: int, *, failed: int = 0) -> list[Call]:
    return [sql(READ, 1 if failed else place, error="40001" if place < failed else "") for place in range(count)]


# name: baseline, candidate, (kind, transition)
CASES: list[tuple[str, list[Call], list[Call], list[tuple[str, str]]]] = [
    ("as often", reads(2), reads(2), []),
    ("gone", reads(1), [], [("missing", "present→missing")]),
    ("new", [], reads(1), [("extra", "missing→present")]),
    ("a write, new", [], [sql(WRITE, 1)], [("extra_write", "missing→present")]),
    ("a write more", [sql(WRITE, 1)], [sql(WRITE, 1), sql(WRITE, 2)], [("extra_write", "1→2 calls")]),
    ("a write less", [sql(WRITE, 1), sql(WRITE, 2)], [sql(WRITE, 1)], [("missing", "2→1 calls")]),
    ("a read more", reads(1), reads(2), [("extra", "1→2 calls")]),
    ("a read less", reads(2), reads(1), [("count_scaling", "fewer calls")]),
    ("a loop", reads(1), reads(SCALING + 1), [("count_scaling", "×4")]),
    ("a loop where nothing was", [], reads(SCALING), [("count_scaling", "a call an item")]),
    ("two are no loop", [], reads(2), [("extra", "missing→present")]),
    ("the same again and again is no loop", [], [cached("k", 1)] * SCALING, [("extra", "missing→present")]),
    ("a batch falls apart", [sql(BATCH, 1, 2)], reads(2), [("count_scaling", "one SELECT a FROM x WHERE b IN (…) → a call an item"), ("missing", "present→missing")]),
    ("a batch comes", reads(2), [sql(BATCH, 1, 2)], [("count_scaling", "a call an item → one SELECT a FROM x WHERE b IN (…)"), ("extra", "missing→present")]),
    ("rows of one insert", [sql("INSERT INTO x (a) VALUES ($1), ($2)", 1, 2)], [sql(WRITE, 2), sql(WRITE, 1)], [("count_scaling", "one statement → a statement a row")]),
    ("rows into one insert", [sql(WRITE, 1), sql(WRITE, 2)], [sql("INSERT INTO x (a) VALUES ($1), ($2)", 1, 2)], [("count_scaling", "fewer calls")]),
    ("a retry", reads(1), reads(2, failed=1), []),
    ("a retry gone", reads(2, failed=1), reads(1, failed=1), [("retry_removed", "2→1 calls")]),
    ("an event twice", [publish("t", {})], [publish("t", {})] * 2, [("extra", "1→2 calls")]),
    ("a cache's write gone", [put("k", "v")], [], [("missing", "present→missing")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_how_often_a_call_is_made(before: list[Call], after: list[Call], expected: list[tuple[str, str]]) -> None:
    assert told(before, after) == expected


def test_a_lock_that_is_taken_no_more_is_worse_than_a_read() -> None:
    for text, severity in ((READ, "warning"), (f"{READ} FOR UPDATE", "breaking")):
        held = groups([sql(text, 1)], [])
        assert [severity_of(one).word for key in held for one in compare_counts(held, key, ("db",))] == [severity]


def test_the_same_rows_under_the_candidate_s_own_ids() -> None:
    before = [sql(WRITE, 7), sql(WRITE, 8)]
    held = groups(before, [sql("INSERT INTO x (a) VALUES ($1), ($2)", 1007, 1008)])
    names = {"1007": "7", "1008": "8"}
    assert [one.kind for key in held for one in compare_counts(held, key, ("db",), names)] == ["count_scaling"]
    assert [one.kind for key in held for one in compare_counts(held, key, ("db",))] == ["missing"]


def test_only_a_host_is_new_to_a_service() -> None:
    assert told([], [sql(READ, 1)], known=()) == [("extra", "missing→present")]
    assert told([], [Call("ads", "GET", "/track")], known=()) == [("extra", "new service")]


def test_flat_values_are_the_same_however_they_are_spread() -> None:
    one = [sql("SELECT a FROM x WHERE b IN ($1, $2)", 1, "t").exchange(ASKED, 0)]
    other = [sql("SELECT a FROM x WHERE b = ANY($1)", ["t", 1]).exchange(ASKED, 0)]
    assert flat_values(one) == flat_values(other) == [b'"t"', b"1"]


def test_a_glimpse_shows_what_was_asked() -> None:
    assert glimpse(sql(READ, 5).exchange(ASKED, 0)) == f'{READ} {{"b":5}}'
    assert glimpse(Call("x", "GET", "/a?b=1").exchange(ASKED, 0)) == "GET /a?b=1"


@given(st.integers(0, 8), st.integers(0, 8))
def test_a_difference_is_told_exactly_where_counts_differ(old: int, new: int) -> None:
    found = told(reads(old), reads(new))
    assert bool(found) is (old != new)
