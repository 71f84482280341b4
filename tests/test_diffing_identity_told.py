"""What two sides were told differently: in their requests, and by those who store what they wrote."""

from typing import Any

from seamline.diffing.comparison import Side
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.identity.sights import Trust
from seamline.diffing.identity.told import leaves_apart, told_apart
from seamline.diffing.pair import pair_up
from support.calls import put, sql
from support.traffic import Call, Turn, a_run

INSERT = "INSERT INTO orders (total) VALUES ($1) RETURNING id"


def told(first: Turn, second: Turn) -> list[tuple[str, str, str, str, Trust]]:
    runs = a_run([first], "a"), a_run([second], "b")
    templates = Templates.learn(exchange for run in runs for exchange in run.exchanges)
    (pair,) = pair_up(*runs).pairs
    found = told_apart("E", pair, Side.of(runs[0]), Side.of(runs[1]), templates)
    return [(one.spot.place[0], one.spot.place[1], one.before, one.after, one.trust) for one in found]


def test_a_client_asks_each_side_for_its_own() -> None:
    def turn(number: int) -> Turn:
        return Turn("POST", f"/orders/{number}/pay", sent={"order": {"id": number}, "amount": 5})

    assert told(turn(1017), turn(2017)) == [
        ("request", "path.id", "1017", "2017", Trust.ASKED),
        ("request", "$.order.id", "1017", "2017", Trust.ASKED),
    ]


def test_a_database_answers_a_write_with_its_own_number() -> None:
    def turn(number: int) -> Turn:
        return Turn("POST", "/orders", calls=[sql(INSERT, 5, rows=[{"id": number}])])

    assert told(turn(17), turn(19)) == [("sql", "$[*].id", "17", "19", Trust.STORED)]


def test_a_neighbour_that_keeps_something_names_it() -> None:
    def turn(number: int) -> Turn:
        return Turn(
            "POST", "/orders", calls=[Call("stock", "POST", "/holds", {"n": 1}, answer={"hold": {"id": number}})]
        )

    assert told(turn(17), turn(19)) == [("http", "$.hold.id", "17", "19", Trust.STORED)]


def test_reads_caches_and_uneven_writes_say_nothing() -> None:
    def turn(number: int, times: int) -> Turn:
        read = sql("SELECT id FROM orders", rows=[{"id": number}])
        return Turn("POST", "/orders", calls=[read, put("k", number), *[sql(INSERT, 5, rows=[{"id": number}])] * times])

    assert told(turn(17, 1), turn(19, 2)) == []


def test_leaves_that_differ_with_their_paths() -> None:
    before: Any = {"a": 1, "b": [{"c": "x"}, {"c": "y"}], "d": True, "e": 1.5, "f": "t" * 300}
    after: Any = {"a": 2, "b": [{"c": "x"}, {"c": "z"}], "d": False, "e": 2.5, "f": "u" * 300}
    assert sorted(leaves_apart(before, after)) == [("$.a", "1", "2"), ("$.b[*].c", "y", "z")]
