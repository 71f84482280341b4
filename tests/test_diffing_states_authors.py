"""Who wrote a row, and which values stand for each other."""

from typing import Any

import pytest

from seamline.diffing.comparison import Observation
from seamline.diffing.difference import Difference
from seamline.diffing.outbound import CallIndex
from seamline.diffing.pair import pair_up
from seamline.diffing.report.model import Surface
from seamline.diffing.states.authors import Authors, renamings
from support.calls import sql
from support.traffic import Turn, a_run

UUIDS = "8d3fa2c4-0000-4000-8000-000000000001", "8d3fa2c4-0000-4000-8000-000000000002"


def seen(
    path: str, before: Any, after: Any, kind: str = "value_changed", surface: Surface = Surface.RESPONSE
) -> Observation:
    return Observation("c-1", "GET /x", Difference(surface, kind, path, before, after, "", inner=kind))


# name: differences, names
NAMES: list[tuple[str, list[Observation], dict[str, str]]] = [
    ("an id", [seen("$.id", 17, 19)], {"17": "19"}),
    ("a reference", [seen("$.items[*].order_id", 17, 19)], {"17": "19"}),
    ("in camel case", [seen("$.orderId", 17, 19)], {"17": "19"}),
    ("a drawn id anywhere", [seen("$.what", *UUIDS)], {UUIDS[0]: UUIDS[1]}),
    ("a number that names nothing", [seen("$.qty", 17, 19)], {}),
    ("a word that ends alike", [seen("$.paid", 17, 19)], {}),
    ("another kind of change", [seen("$.id", 17, "x", "type_changed")], {}),
    ("a number that a call asked for", [seen("$.order_id", 17, 19, surface=Surface.SQL)], {}),
    ("a drawn id that a call asked for", [seen("$.order_id", *UUIDS, surface=Surface.SQL)], {UUIDS[0]: UUIDS[1]}),
    ("two names are none", [seen("$.id", 17, 19), seen("$.id", 17, 20)], {}),
    ("no scalar", [seen("$.id", [17], [19])], {}),
]


@pytest.mark.parametrize(("observations", "names"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES])
def test_what_stands_for_what(observations: list[Observation], names: dict[str, str]) -> None:
    assert renamings(observations, []) == names


def test_what_was_told_and_handed_on_is_a_name_wherever_it_stood() -> None:
    assert renamings([], [(17, 19), ("a", "b")]) == {"17": "19", "a": "b"}


def test_the_author_is_who_named_the_row_s_key() -> None:
    def turn(number: int) -> Turn:
        return Turn(calls=[sql("SELECT qty FROM stock"), sql("UPDATE stock SET qty = $1 WHERE id = $2", 5, number)])

    runs = [a_run([turn(number) for number in range(6)], name) for name in "ab"]
    pairs = {pair.key: ("POST /x", pair) for pair in pair_up(*runs).pairs}
    authors = Authors(pairs, *(CallIndex(run.exchanges) for run in runs))
    assert authors.of("db", "stock", {"id": 3}, {"id": 3, "qty": 5}) == "c-3"
    assert authors.of("db", "stock", {"id": 5}, {"id": 5, "qty": 0}) == "c-5"
    assert authors.of("db", "stock", {"id": 99}, {"id": 99, "qty": 77}) == "c-0"
    assert authors.of("db", "public.stock", {"id": 3}, {"id": 3}) == "c-3"
    assert authors.of("db", "orders", {"id": 3}, {"id": 3}) == ""


def test_a_store_s_own_answer_is_what_its_rows_are_called() -> None:
    assert renamings([seen("$.id", 17, 20)], [], [(17, 19)]) == {"17": "19"}
    assert renamings([seen("$.id", 17, 20)], [], [(17, 19), (17, 21)]) == {"17": "20"}
