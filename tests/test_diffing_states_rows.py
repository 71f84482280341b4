"""Two tables' rows laid side by side."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.states.rows import MAX_COMPARED, Renamed, Row, Table, compare_rows


def table(*rows: dict[str, Any], key: tuple[str, ...] = ("id",), whole: bool = True) -> Table:
    return Table("orders", key, list(rows), whole)


def told(before: Table, after: Table, **names: str) -> list[tuple[str, str | None, str]]:
    return [(one.kind, one.path, one.transition) for _, one in compare_rows(before, after, Renamed(names))]


def drawn(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


A = {"id": 1, "qty": 5, "name": "tea"}
B = {"id": 2, "qty": 7, "name": "jam"}
LOG = {"at": "2026-11-01T10:00:00Z", "what": "made"}

# name: baseline, candidate, what is told
CASES: list[tuple[str, Table, Table, list[tuple[str, str, str]]]] = [
    ("the same", table(A, B), table(B, A), []),
    ("a column", table(A, B), table({**A, "qty": 6}, B), [("row_changed", "$.orders.qty", "number")]),
    ("null", table(A), table({**A, "qty": None}), [("row_changed", "$.orders.qty", "int→null")]),
    ("a column's type", table(A), table({**A, "qty": "5"}), [("row_changed", "$.orders.qty", "int→string")]),
    ("1 is not true", table({"id": 1, "ok": 1}), table({"id": 1, "ok": True}), [("row_changed", "$.orders.ok", "int→bool")]),
    ("a new column", table(A), table({**A, "note": "x"}), [("row_changed", "$.orders.note", "missing→present")]),
    ("a document's field", table({"id": 1, "doc": {"a": 1}}), table({"id": 1, "doc": {"a": 2}}), [("row_changed", "$.orders.doc.a", "number")]),
    ("gone", table(A, B), table(A), [("row_missing", "$.orders", "present→missing")]),
    ("new", table(A), table(A, {**B, "id": 3}), [("row_extra", "$.orders", "missing→present")]),
    ("twice", table(A), table(A, {**A, "id": 3}), [("multiset_changed", "$.orders", "1→2 equal rows")]),
    ("under another number", table(A), table({**A, "id": 9}), []),
    ("under a fresh id", table({**A, "id": drawn(1)}), table({**A, "id": drawn(2)}), []),
    ("under a fresh id, changed", table({**A, "id": drawn(1)}), table({**A, "id": drawn(2), "qty": 6}), [("row_changed", "$.orders.qty", "number")]),
    ("quite another row", table(A), table({"id": 9, "qty": 1, "name": "x"}), [("row_missing", "$.orders", "present→missing"), ("row_extra", "$.orders", "missing→present")]),
    ("a key of two columns", table({"a": 1, "b": 1, "c": 5}, key=("a", "b")), table({"a": 1, "b": 1, "c": 6}, key=("a", "b")), [("row_changed", "$.orders.c", "number")]),
    ("no key", table(A, A, B, key=()), table(A, B, key=()), [("multiset_changed", "$.orders", "3→2 rows")]),
    ("no key, other rows", table(A, key=()), table(B, key=()), [("multiset_changed", "$.orders", "other rows")]),
    ("no key, fresh times", table(LOG, LOG, key=()), table({**LOG, "at": "2026-11-01T10:00:09Z"}, LOG, key=()), []),
    ("another key", table(A), table(A, key=("name",)), []),
    ("rows left out", table(A, B, whole=False), table({**A, "qty": 6}), [("row_changed", "$.orders.qty", "number")]),
    ("empty", table(), table(), []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_differs(before: Table, after: Table, expected: list[tuple[str, str, str]]) -> None:
    assert told(before, after) == expected


def test_known_names_decide_which_row_answers_to_which() -> None:
    """Two requests got their numbers the other way round; nothing else differs."""
    before = table({"id": 17, "customer": 1, "note": "a"}, {"id": 18, "customer": 2, "note": "b"})
    after = table({"id": 18, "customer": 1, "note": "a"}, {"id": 17, "customer": 2, "note": "b"})
    assert told(before, after, **{"17": "18", "18": "17"}) == []
    assert {kind for kind, _, _ in told(before, after)} == {"row_changed"}


def test_a_reference_to_a_renamed_row_is_the_same() -> None:
    before, after = table({"id": 1, "order_id": 17}), table({"id": 1, "order_id": 19})
    assert told(before, after, **{"17": "19"}) == []
    assert told(before, after, **{"17": "20"}) == [("row_changed", "$.orders.order_id", "number")]


def test_a_row_is_called_by_its_key_and_a_fresh_key_by_its_shape() -> None:
    named = Table("t", ("id", "n"), [])
    assert named.name_of({"id": drawn(1), "n": 5}) == "{uuid},5"
    assert Table("t", (), []).name_of(A) == "*"


def test_renamed_numbers_stay_numbers() -> None:
    names = Renamed({"17": "19", "a": "b", "18": "x"})
    assert [names.of(value) for value in (17, "17", "a", 18, True, None, 5)] == [19, "19", "b", "x", True, None, 5]
    assert names.same(17, 19)
    assert not names.same(19, 19)


def test_very_many_rows_without_partners_are_bounded_work() -> None:
    many = [{"id": place, "a": f"left {place}", "b": place} for place in range(3 * MAX_COMPARED)]
    others = [{"id": 10_000 + place, "a": f"right {place}", "b": -place} for place in range(3 * MAX_COMPARED)]
    kinds = [kind for kind, _, _ in told(table(*many), table(*others))]
    assert (kinds.count("row_missing"), kinds.count("row_extra")) == (len(many), len(others))


VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
ROWS: st.SearchStrategy[list[Row]] = st.lists(
    st.dictionaries(st.sampled_from(["id", "a", "b"]), VALUES, max_size=3), max_size=6
)


@given(ROWS, st.sampled_from([(), ("id",), ("id", "a")]))
def test_a_table_is_the_same_as_itself_in_any_order(rows: list[Row], key: tuple[str, ...]) -> None:
    unique = list({repr([row.get(name) for name in key]): row for row in rows}.values()) if key else rows
    assert told(Table("t", key, unique), Table("t", key, unique[::-1])) == []


@given(ROWS, ROWS, st.sampled_from([(), ("id",)]))
def test_any_two_tables_are_compared(before: list[Row], after: list[Row], key: tuple[str, ...]) -> None:
    told(Table("t", key, before), Table("t", key, after))


def test_a_wrong_name_does_not_part_what_is_the_same() -> None:
    rows = [{"id": drawn(place), "order_id": place} for place in range(20)]
    others = [{"id": drawn(100 + place), "order_id": place} for place in range(20)]
    assert told(table(*rows), table(*others), **{"7": "5"}) == []
    assert told(table(*rows, key=()), table(*others, key=()), **{"7": "5"}) == []


def test_names_pair_rows_without_a_key() -> None:
    before, after = table({"order_id": 17, "n": 1}, A, key=()), table(A, {"order_id": 19, "n": 1}, key=())
    assert told(before, after, **{"17": "19"}) == []
    assert told(before, after) == [("multiset_changed", "$.orders", "other rows")]


def test_keys_that_are_others_on_each_side_are_named_where_no_other_row_could_be_meant() -> None:
    twins = {"qty": 1, "name": "jam"}
    before = table(A, {**B, "id": 20}, {"id": 30, **twins}, {"id": 31, **twins})
    after = table({**A, "id": 11}, {**B, "id": 20}, {"id": 40, **twins}, {"id": 41, **twins})
    named: list[tuple[str, object, object]] = []
    compare_rows(before, after, Renamed(), named)  # type: ignore[arg-type]  # a wider list takes them too
    assert named == [("id", 1, 11)]
