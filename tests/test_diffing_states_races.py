"""What only overlapping requests show: counts and sums, the same on every baseline and never on the candidate."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.diffing.report.model import Json, Severity
from seamline.diffing.rounds import Run
from seamline.diffing.states.races import CONFIRMED, ONCE, Overlapped, race_findings
from support.captures import MANIFEST, an_exchange


def a_run(
    statuses: Sequence[int] = (), rows: Sequence[dict[str, Json]] | None = None, *, kept: str | None = None
) -> Run:
    """A run with answers of these statuses, and a table."""
    exchanges: list[Exchange] = [
        an_exchange(number, request=Request("POST", "/claims", Headers()), response=Response(status, Headers()))
        for number, status in enumerate(statuses)
    ]
    if rows is not None:
        exchanges.append(a_table(rows, kept))
    return Run(MANIFEST, tuple(exchanges))


def a_table(rows: Sequence[dict[str, Json]], kept: str | None = None) -> Exchange:
    headers = [("primary-key", "id"), ("rows", str(len(rows)))]
    if kept is not None:
        headers.append(("rows-kept", kept))
    columns = list(rows[0]) if rows else []
    types = [{"price": "numeric", "word": "text"}.get(column, "int4") for column in columns]
    body = orjson.dumps({"columns": columns, "types": types, "rows": rows})
    return an_exchange(
        99,
        role=Role.OUTBOUND,
        protocol="postgres",
        service="db",
        request=Request("STATE", "stock", Headers(), b"", "", "state"),
        response=Response(0, Headers(headers), body),
    )


def found(baselines: Sequence[Run], *candidates: Run) -> list[tuple[str, str, str, str | None, str]]:
    rounds = [Overlapped(tuple(baselines), candidate) for candidate in candidates]
    return [(str(each.surface), each.kind, each.endpoint, each.path, each.transition) for each in race_findings(rounds)]


def stock(*available: int) -> list[dict[str, Json]]:
    return [{"id": 1_000_000 * at, "available": each} for at, each in enumerate(available)]


def test_a_lost_update_shows_in_what_a_column_adds_up_to() -> None:
    steady = [a_run(rows=stock(5, 7)), a_run(rows=stock(7, 5))]
    changed = ("state", "row_changed", "stock", "$.stock.available", "sum 12→14")
    assert found(steady, *[a_run(rows=stock(5, 9))] * 3) == [changed]


def test_rows_that_come_twice_and_rows_that_got_lost() -> None:
    steady = [a_run(rows=[{"id": 1, "word": "a"}])] * 2
    twice = a_run(rows=[{"id": 1, "word": "a"}, {"id": 2, "word": "a"}])
    assert found(steady, twice) == [("state", "multiset_changed", "stock", "$.stock", "1→2 rows")]
    assert found(steady, a_run(rows=[])) == [("state", "row_missing", "stock", "$.stock", "1→0 rows")]


def test_answers_are_counted_by_status() -> None:
    steady = [a_run([201, 409, 409])] * 2
    assert found(steady, a_run([201, 201, 409])) == [("status", "changed", "POST /claims", None, "409→201")]


@pytest.mark.parametrize(
    ("baselines", "candidates"),
    [
        ([a_run([201, 409])] * 2, [a_run([409, 201])]),
        ([a_run([201, 409]), a_run([201, 201])], [a_run([409, 409])] * 3),
        ([a_run([201, 409])] * 2, [a_run([201, 201]), a_run([201, 409])]),
        ([a_run(rows=stock(5))] * 2, [a_run(rows=[{"id": 9, "available": 5}])]),
        ([a_run(rows=stock(5), kept="1")] * 2, [a_run(rows=stock(6), kept="1")]),
        ([a_run(rows=[{"id": 1, "word": "a"}])] * 2, [a_run(rows=[{"id": 1, "word": "b"}])]),
        ([a_run()], []),
    ],
    ids=["order", "a baseline that races too", "once only", "ids", "not all rows", "texts", "nothing"],
)
def test_what_order_or_chance_may_have_done_is_no_finding(baselines: list[Run], candidates: list[Run]) -> None:
    assert found(baselines, *candidates) == []


def test_decimals_are_added_as_they_are_written() -> None:
    steady = [a_run(rows=[{"id": 1, "price": "0.10"}, {"id": 2, "price": "0.20"}])] * 2
    now = a_run(rows=[{"id": 1, "price": "0.10"}, {"id": 2, "price": "0.30"}])
    assert found(steady, now) == [("state", "row_changed", "stock", "$.stock.price", "sum 0.30→0.40")]


def test_a_finding_breaks_and_is_surer_after_three_rounds() -> None:
    steady, now = (a_run([201, 409]),) * 2, a_run([201, 201])
    [once] = race_findings([Overlapped(steady, now)])
    [sure] = race_findings([Overlapped(steady, now)] * 3)
    assert (once.severity, once.confidence, sure.confidence, once.id == sure.id) == (
        Severity.BREAKING, ONCE, CONFIRMED, True,
    )  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"rows":[1],"columns":["a"],"types":[]}', b'{"rows":{}}'])
def test_a_state_that_says_nothing_is_counted_by_its_rows_alone(body: bytes) -> None:
    table = a_table(stock(5))
    assert table.response is not None
    odd = Run(MANIFEST, (replace(table, response=replace(table.response, body=body)),))
    assert found([odd, odd], a_run(rows=stock(5, 6))) == [("state", "multiset_changed", "stock", "$.stock", "1→2 rows")]
