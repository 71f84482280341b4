"""What became of a request's transactions."""

from collections import Counter

import pytest

from seamline.diffing.calls.key import key_of
from seamline.diffing.calls.transactions import compare_transactions, ends, transactions
from seamline.diffing.endpoints.templates import Templates
from support.calls import begin, commit, rollback, sql
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")
WRITE, OTHER = "UPDATE stock SET qty = $1", "INSERT INTO orders (id) VALUES ($1)"


def within(name: str, *texts: str, end: Call | None) -> list[Call]:
    return [begin(name), *(sql(text, 1, transaction=name) for text in texts), *([end] if end else [])]


def told(before: list[Call], after: list[Call]) -> tuple[list[tuple[str, str]], int]:
    """Each difference as (operation, transition), and how many ends answer to each other."""
    sides = [[call.exchange(ASKED, place) for place, call in enumerate(calls)] for calls in (before, after)]
    templates = Templates.learn([*sides[0], *sides[1]])
    held = [transactions(side, templates) for side in sides]
    writes = Counter(key.operation for call in sides[1] if (key := key_of(call, templates)).is_write)
    found = compare_transactions(held[0], held[1], writes)
    return [(one.operation or "", one.transition) for one in found], len(ends(held[0], held[1]))


KEPT = within("c.1", WRITE, end=commit("c.1"))
BOTH = within("c.1", WRITE, OTHER, end=commit("c.1"))
SPLIT = "one transaction→several"

# name: baseline, candidate, what is told, ends that answer to each other
CASES: list[tuple[str, list[Call], list[Call], list[tuple[str, str]], int]] = [
    ("kept", KEPT, KEPT, [], 1),
    ("on another connection", KEPT, within("d.9", WRITE, end=commit("d.9")), [], 1),
    ("taken back", KEPT, within("c.1", WRITE, end=rollback("c.1")), [(WRITE, "COMMIT→ROLLBACK")], 0),
    ("turned down", KEPT, within("c.1", WRITE, end=commit("c.1", tag="ROLLBACK")), [(WRITE, "COMMIT→ROLLBACK")], 0),
    ("kept at last", within("c.1", WRITE, end=rollback("c.1")), KEPT, [(WRITE, "ROLLBACK→COMMIT")], 0),
    ("never ended", KEPT, within("c.1", WRITE, end=None), [], 0),
    ("reads only", within("c.1", "SELECT a FROM x", end=commit("c.1")), within("c.1", "SELECT a FROM x", end=rollback("c.1")), [], 0),
    ("fallen apart", BOTH, [*KEPT, *within("c.2", OTHER, end=commit("c.2"))], [(WRITE, SPLIT)], 0),
    ("gone", BOTH, [sql(WRITE, 1), sql(OTHER, 1)], [(WRITE, SPLIT)], 0),
    ("one write needs none", KEPT, [sql(WRITE, 1)], [], 0),
    ("a write less is another finding", BOTH, KEPT, [], 0),
    ("one that grew", BOTH, within("c.1", WRITE, OTHER, WRITE, end=commit("c.1")), [], 0),
    ("new", [sql(WRITE, 1), sql(OTHER, 1)], BOTH, [], 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "expected", "ended"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_what_became_of_a_transaction(
    before: list[Call], after: list[Call], expected: list[tuple[str, str]], ended: int
) -> None:
    assert told(before, after) == (expected, ended)
