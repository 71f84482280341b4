"""All the calls of two runs: what is elsewhere, and what took whose place."""

import pytest

from seamline.capture.model import Exchange, LinkKind
from seamline.diffing.calls.key import key_of
from seamline.diffing.calls.totals import Totals, is_inferred
from seamline.diffing.endpoints.templates import Templates
from support.calls import begin, cached, put, sql
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")
OLD, NEW = "SELECT a FROM x WHERE b = $1 AND c = $2", "SELECT a FROM x WHERE b = $1"
UUIDS = "8d3fa2c4-0000-4000-8000-000000000001", "8d3fa2c4-0000-4000-8000-000000000002"


def made(calls: list[Call]) -> list[Exchange]:
    return [call.exchange(ASKED, place) for place, call in enumerate(calls)]


def totals(before: list[Call], after: list[Call]) -> tuple[Totals, list[Exchange], list[Exchange], Templates]:
    sides = made(before), made(after)
    templates = Templates.learn([*sides[0], *sides[1]])
    return Totals(*sides, templates), *sides, templates


@pytest.mark.parametrize(
    ("how", "inferred"),
    [(LinkKind.PROPAGATED, False), (LinkKind.VALUE, True), (LinkKind.LANE, True), (LinkKind.TIME, True)],
)
def test_only_a_propagated_trace_is_a_call_s_own(how: LinkKind, inferred: bool) -> None:
    call = cached("k", 1)
    call.how = how
    assert is_inferred(call.exchange(ASKED, 0)) is inferred


def test_calls_are_counted_whoever_made_them_and_talk_is_not() -> None:
    held, before, _, templates = totals([cached("u:1:c", 1), cached("u:2:c", 1), begin("c.1")], [cached("u:3:c", 1)])
    assert held.of(key_of(before[0], templates)) == (2, 1)


# name: baseline, candidate, whether the first of the baseline's was swapped
SWAPS: list[tuple[str, list[Call], list[Call], bool]] = [
    ("one for one", [sql(OLD, 1, 2), sql(OLD, 2, 2)], [sql(NEW, 1), sql(NEW, 2)], True),
    ("an item each", [sql(OLD, 1, 2)], [sql(NEW, 1), sql(NEW, 2)], False),
    ("another table", [sql(OLD, 1, 2)], [sql("SELECT a FROM y WHERE b = $1", 1)], False),
    ("still there", [sql(OLD, 1, 2)], [sql(NEW, 1), sql(OLD, 1, 2)], False),
    ("another key of a cache", [put("u:1:cart", "x")], [put("u:1:basket", "x")], True),
    ("another service", [sql(OLD, 1, 2)], [sql(NEW, 1, service="other")], False),
]


@pytest.mark.parametrize(("before", "after", "swapped"), [row[1:] for row in SWAPS], ids=[row[0] for row in SWAPS])
def test_what_took_whose_place(before: list[Call], after: list[Call], swapped: bool) -> None:
    held, old, _, templates = totals(before, after)
    assert held.is_swapped(key_of(old[0], templates)) is swapped


def test_a_call_that_each_side_makes_somewhere_is_elsewhere() -> None:
    write = "INSERT INTO x (id, owner) VALUES ($1, $2)"
    held, old, new, templates = totals(
        [sql(write, UUIDS[0], 1), sql(write, UUIDS[0], 2)], [sql(write, UUIDS[1], 2), sql(write, UUIDS[1], 1)]
    )
    key = key_of(old[0], templates)
    assert held.elsewhere(key, old[0], new[0])
    changed, first, second, names = totals([sql(write, UUIDS[0], 1)], [sql(write, UUIDS[1], 7)])
    assert not changed.elsewhere(key_of(first[0], names), first[0], second[0])
