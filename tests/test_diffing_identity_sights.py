"""Which parts of two values are taken for two names of one id, and in which order they were seen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.comparison import Comparison, Observation
from seamline.diffing.difference import Difference
from seamline.diffing.identity.sights import (
    Named,
    Spot,
    Trust,
    is_drawn,
    is_sight,
    is_strong_token,
    parts_of,
    sights_of,
)
from seamline.diffing.report.model import Json, Surface

UUID, UUID2 = "8d3fa2c4-0000-4000-8000-000000000001", "8d3fa2c4-0000-4000-8000-000000000002"

# before, after, parts as (word before, before, after)
PARTS: list[tuple[Json, Json, list[tuple[str, str, str]]]] = [
    (17, 19, [("", "17", "19")]),
    (UUID, UUID2, [("", UUID, UUID2)]),
    (UUID, 7, [("", UUID, "7")]),
    ("/orders/17", "/orders/19", [("orders", "17", "19")]),
    ("/orders/17/lines/4", "/orders/19/lines/5", [("orders", "17", "19"), ("lines", "4", "5")]),
    (f"order {UUID} placed", f"order {UUID2} placed", [("order", UUID, UUID2)]),
    ("17 19", "18 20", [("…", "17", "18"), ("…", "19", "20")]),
    ("/orders/17", "/orders/19/lines", []),
    ("paid", "cancelled", []),
    ("to Ada", "to Bob", []),
    ("2026-11-01T10:00:00Z", "2026-11-01T10:00:09Z", []),
    ("2026-11-01", "2026-11-02", []),
    (True, False, []),
    (None, "x", []),
    ([17], [19], []),
    (1.5, 2.5, []),
    (1 << 70, 1 << 71, []),
    ("x" * 3_000, "y" * 3_000, []),
    ("a1b2c3d4e5", "a1b2c3d4e5", []),
]


@pytest.mark.parametrize(("before", "after", "expected"), PARTS)
def test_the_drawn_parts_of_two_values(before: Json, after: Json, expected: list[tuple[str, str, str]]) -> None:
    assert [tuple(part) for part in parts_of(before, after)] == expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_have_parts_that_stand_in_them(before: str, after: str) -> None:
    for part in parts_of(before, after):
        assert part.before in before
        assert part.after in after
        assert part.before != part.after


@pytest.mark.parametrize(
    ("token", "drawn", "strong"),
    [
        ("17", True, False),
        ("1234567890123456", True, True),
        (UUID, True, True),
        ("0f" * 16, True, True),
        ("ord_8f3a9c11", True, True),
        ("v2", False, False),
        ("orders", False, False),
        ("utf-8", False, False),
    ],
)
def test_what_may_be_an_id_by_its_looks(token: str, *, drawn: bool, strong: bool) -> None:
    assert (is_drawn(token), is_strong_token(token)) == (drawn, strong)


def differs(path: str = "$.id", surface: Surface = Surface.RESPONSE, **more: Any) -> Difference:
    return Difference(surface, more.pop("kind", "value_changed"), path, 17, 19, "number", **more)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (differs(), True),
        (differs(kind="request_changed", inner="value_changed", surface=Surface.HTTP), True),
        (differs(kind="field_removed"), False),
        (differs(shift_us=5), False),
        (differs(surface=Surface.PROPAGATION), False),
        (differs(is_doubtful=True), False),
    ],
)
def test_which_differences_may_show_ids(one: Difference, *, expected: bool) -> None:
    assert is_sight(one) is expected


def test_within_a_request_what_was_asked_comes_first_and_a_header_last() -> None:
    observations = [
        Observation("c-1", "POST /orders", one)
        for one in (
            differs("header.location", Surface.HEADER, kind="changed"),
            differs(),
            differs("$.order_id", Surface.SQL, kind="argument_changed", inner="value_changed"),
        )
    ]
    named = [
        Named("c-1", Spot("POST /orders", ("sql", "$.id", "db answers", "INSERT")), "17", "19", Trust.STORED),
        Named("c-1", Spot("POST /orders", ("request", "path.id", "", "")), "17", "19", Trust.ASKED),
    ]
    sights = sights_of(Comparison(observations, named=named))
    assert [one.spot.place[0] for one in sights] == ["request", "sql", "sql", "response", "header"]
    assert [one.trust for one in sights] == [
        Trust.ASKED,
        Trust.STORED,
        Trust.PASSED_ON,
        Trust.ANSWERED,
        Trust.ANSWERED,
    ]


def test_sights_are_collected_once() -> None:
    comparison = Comparison([Observation("c-1", "POST /orders", differs())])
    first = sights_of(comparison)
    comparison.observations.clear()
    assert sights_of(comparison) is first
    assert len(first) == 1
