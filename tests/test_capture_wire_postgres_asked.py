"""A client's messages."""

import orjson

from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.messages import MOST_KEPT
from seamline.capture.wire.postgres.session import MOST_EXPECTED
from support import pg_messages as pg
from support.pg_messages import IDLE, SYNC, Talk

DONE = write.PARSE_COMPLETE + write.BIND_COMPLETE


def test_a_statement_prepared_once_and_run_twice() -> None:
    talk = Talk()
    talk.client(pg.parse("UPDATE t SET a=$1 WHERE b=$2", "s", (23, 25)), SYNC)
    talk.server(write.PARSE_COMPLETE, IDLE)
    for value in (b"1", b"2"):
        talk.client(pg.bind(value, b"x", name="s"), pg.execute(), SYNC)
        talk.server(write.BIND_COMPLETE, write.complete("UPDATE 1"), IDLE)
    assert [call.arguments for call in talk.calls] == ['{"a":1,"b":"x"}', '{"a":2,"b":"x"}']
    assert {call.headers.get("parameter-types") for call in talk.calls} == {"int4,text"}
    talk.client(pg.close("S", "s"), pg.bind(b"3", b"x", name="s"), pg.execute(), SYNC)
    talk.server(write.CLOSE_COMPLETE, write.error({"S": "ERROR", "C": "26000", "M": "gone"}), IDLE)
    assert talk.calls[-1].operation == "UNKNOWN"


def test_portals_that_give_rows_in_parts() -> None:
    talk = Talk()
    talk.client(pg.parse("SELECT a FROM t"), pg.bind(portal="p"), pg.describe("P", "p"), pg.execute("p", 1), pg.FLUSH)
    told = write.row_description(pg.columns(("a", 23)))
    talk.server(DONE, told, write.data_row([b"1"]), write.SUSPENDED)
    talk.client(pg.execute("p", 1), SYNC)
    talk.server(write.data_row([b"2"]), write.complete("SELECT 1"), IDLE)
    assert [(call.reason, pg.rows_of(call)) for call in talk.calls] == [
        ("suspended", [{"a": 1}]),
        ("SELECT 1", [{"a": 2}]),
    ]
    assert [(call.headers.get("fetch"), call.headers.get("fetch-rows")) for call in talk.calls] == [
        ("1", "1"),
        ("2", "1"),
    ]


def test_a_text_too_long_to_be_held_is_told_by_nothing() -> None:
    talk = Talk()
    talk.client(pg.query("SELECT '" + "x" * MOST_KEPT + "'"))
    talk.server(write.complete("SELECT 1"), IDLE)
    assert (talk.only.operation, talk.only.truncated) == ("UNKNOWN", True)


def test_values_too_long_to_be_held_are_left_out() -> None:
    talk = Talk()
    talk.client(pg.parse("INSERT INTO t (a) VALUES ($1)"), pg.bind(b"x" * MOST_KEPT), pg.execute(), SYNC)
    talk.server(DONE, write.complete("INSERT 0 1"), IDLE)
    assert (talk.only.arguments, talk.only.truncated) == ("{}", True)


def test_passwords_are_not_looked_at() -> None:
    talk = Talk(started=False)
    talk.client(pg.startup(user="app"), write.message(b"p", b"hunter2\0"))
    talk.server(pg.greeting())
    talk.lost()
    assert "hunter2" not in repr(talk.told())


def test_the_data_of_a_copy_comes_with_its_call() -> None:
    talk = Talk()
    talk.client(pg.query("COPY t (a, b) FROM STDIN"))
    talk.server(write.copy_response(b"G", 2))
    talk.client(pg.copy_data(b"1\tx\n"), pg.copy_data(b"2\t\\N\n"), pg.COPY_END)
    talk.server(write.complete("COPY 2"), IDLE)
    assert orjson.loads(talk.only.body)["rows"] == [{"a": "1", "b": "x"}, {"a": "2", "b": None}]


def test_a_sync_that_is_sent_while_data_is_taken_is_never_answered() -> None:
    for is_early in (False, True):
        talk = Talk()
        data = (pg.copy_data(b"1\n"), pg.COPY_END, SYNC)
        asks = (pg.parse("COPY t (a) FROM STDIN"), pg.bind(), pg.execute(), SYNC)
        talk.client(*asks, *(data if is_early else ()))
        talk.server(DONE, write.copy_response(b"G", 1))
        if not is_early:
            talk.client(*data)
        talk.server(write.complete("COPY 1"), IDLE)
        talk.client(pg.query("SELECT 1"))
        talk.server(write.complete("SELECT 1"), IDLE)
        assert [call.method for call in talk.calls] == ["COPY", "SELECT"]
        assert talk.gaps == []


def test_a_function_call() -> None:
    talk = Talk()
    talk.client(write.message(b"F", (1598).to_bytes(4, "big") + b"\0\0\0\0\0\0"))
    talk.server(write.message(b"V", b"\xff\xff\xff\xff"), IDLE)
    assert (talk.only.method, talk.only.target) == ("FUNCTION", "1598")


def test_a_client_that_never_listens_is_not_followed_for_ever() -> None:
    talk = Talk()
    talk.client(SYNC * (MOST_EXPECTED + 1))
    assert talk.gaps == ["client bytes that are not PostgreSQL's"]
