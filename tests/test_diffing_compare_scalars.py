"""Leaves: the finest word for a change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare.scalars import Change, Clocks, compare_scalars, compare_texts
from seamline.diffing.report.model import Json

NOW = 1_793_527_200_000_000
CLOCKS = Clocks(NOW, NOW + 1_000)
UUIDS = ("6f9619ff-8b86-4011-b42d-00c04fc964ff", "7f9619ff-8b86-4011-b42d-00c04fc964ff")


@pytest.mark.parametrize(
    ("before", "after", "kind", "transition", "trait"),
    [
        (1, "1", "type_changed", "int→string", ""),
        (True, 1, "type_changed", "bool→int", ""),
        (True, False, "value_changed", "true→false", ""),
        (10, 10.0, "numeric_repr", "int→float", ""),
        (10, 10.5, "value_changed", "number", ""),
        (10, 1000, "value_changed", "×100", ""),
        (1000, 1, "value_changed", "÷1000", ""),
        (5, -5, "value_changed", "negated", ""),
        (12.34, 12.35, "value_changed", "number", ""),
        (12.345678, 12.35, "numeric_precision", "fewer digits", ""),
        (12.31, 12.3, "value_changed", "number", ""),
        (12.3, 12.31, "value_changed", "number", ""),
        (52.520008123, 52.52000808715, "numeric_precision", "precision", ""),
        (1e308, 1e309, "value_changed", "number", ""),
        (10**400, 10**401, "value_changed", "number", ""),
        (None, [], "null_vs_empty", "null→empty array", ""),
        ([], None, "null_vs_empty", "empty array→null", ""),
        ("", None, "null_vs_empty", "empty→null", ""),
        (None, "x", "type_changed", "null→string", ""),
        ([1], {"a": 1}, "type_changed", "array→object", ""),
        ("PAID", "paid", "value_changed", "case", "case"),
        (" x ", "x", "value_changed", "white space", "whitespace"),
        ("caf\u00e9", "cafe\u0301", "value_changed", "Unicode form", "unicode"),
        ("Käse", "KÃ¤se", "value_changed", "encoded twice", "encoding"),
        ("red", "blue", "value_changed", "text", ""),
        (*UUIDS, "value_changed", "uuid", "tokens"),
        (UUIDS[0], "17", "shape_changed", "uuid→int", ""),
        (UUIDS[0], 17, "shape_changed", "uuid→int", ""),
        ("a" * 32, "b" * 40, "shape_changed", "hex32→hex40", ""),
        ("ORD-1", "ORD-2", "value_changed", "text", "tokens"),
        ("17", "18", "value_changed", "text", ""),
        ("2026-11-01T10:00:00Z", "2026-11-01T12:00:00+02:00", "format_changed", "UTC→+02:00", "zone"),
        ("2026-11-01T10:00:00.123Z", "2026-11-01T10:00:00Z", "format_changed", "3 fraction digits→0", "precision"),
        ("2026-11-01T10:00:00Z", "2026-11-01 10:00:00Z", "format_changed", "TZ→ Z", "notation"),
        (NOW // 1_000_000, NOW // 1000, "format_changed", "epoch s→epoch ms", "unit"),
        (NOW // 1_000_000, NOW // 1_000_000 + 5, "value_changed", "time", "tokens"),
    ],
)
def test_changes(before: Json, after: Json, kind: str, transition: str, trait: str) -> None:
    change = compare_scalars(before, after, CLOCKS)
    assert change is not None
    assert (change.kind, change.transition, change.trait) == (kind, transition, trait)


@pytest.mark.parametrize(
    ("before", "after"), [(1, 1), (0.1 + 0.2, 0.3), (float("nan"), float("nan")), ("a", "a"), (-0.0, 0.0)]
)
def test_no_change(before: Json, after: Json) -> None:
    assert compare_scalars(before, after, CLOCKS) is None


def test_times_carry_how_far_they_moved_against_their_requests() -> None:
    change = compare_texts("2026-11-01T11:00:00Z", "2026-11-01T10:15:00Z", CLOCKS)
    assert change.shift_us == -45 * 60 * 1_000_000 - 1_000


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(SCALARS, SCALARS)
def test_any_two_scalars_compare_and_both_ways_alike(one: Json, other: Json) -> None:
    there, back = compare_scalars(one, other, CLOCKS), compare_scalars(other, one, CLOCKS)
    assert (there is None) == (back is None)
    assert there is None or isinstance(there, Change)


@given(SCALARS)
def test_a_scalar_equals_itself(one: Json) -> None:
    assert compare_scalars(one, one, CLOCKS) is None
