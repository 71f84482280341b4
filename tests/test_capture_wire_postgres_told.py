"""A server's messages."""

import orjson
import pytest

from seamline.capture.model import FailureKind, Role
from seamline.capture.wire.postgres import write
from support import pg_messages as pg
from support.pg_messages import IDLE, SYNC, Talk

DONE = write.PARSE_COMPLETE + write.BIND_COMPLETE
ERROR = write.error({"S": "ERROR", "V": "ERROR", "C": "42P01", "M": "no such table"})


def test_rows_of_a_simple_query() -> None:
    talk = Talk()
    talk.client(pg.query("SELECT id, id FROM t"))
    talk.server(write.row_description(pg.columns(("id", 23), ("id", 25))), write.data_row([b"1", None]))
    talk.server(write.complete("SELECT 1"), IDLE)
    assert orjson.loads(talk.only.response_body) == {
        "columns": ["id", "id"],
        "types": ["int4", "text"],
        "rows": [{"id": 1, "id#2": None}],
    }
    assert (talk.only.reason, talk.only.status) == ("SELECT 1", 0)


def test_each_statement_of_a_text_is_a_call() -> None:
    talk = Talk()
    talk.client(pg.query("INSERT INTO t VALUES (1); SELECT 2; DELETE FROM t"))
    talk.server(write.complete("INSERT 0 1"), write.row_description(pg.columns(("x", 23))), write.data_row([b"2"]))
    talk.server(write.complete("SELECT 1"), ERROR, IDLE)
    assert [(call.method, call.status, call.reason) for call in talk.calls] == [
        ("INSERT", 0, "INSERT 0 1"),
        ("SELECT", 0, "SELECT 1"),
        ("DELETE", 1, "42P01"),
    ]


def test_statements_after_an_error_were_never_asked() -> None:
    talk = Talk()
    talk.client(pg.query("SELECT 1; SELECT 2"))
    talk.server(ERROR, IDLE)
    assert [call.reason for call in talk.calls] == ["42P01"]


def test_an_empty_text_is_no_call() -> None:
    talk = Talk()
    talk.client(pg.query(" ; "))
    talk.server(write.EMPTY_QUERY, IDLE)
    assert talk.calls == []


def test_a_row_without_rows_still_has_columns() -> None:
    talk = Talk()
    talk.client(pg.parse("SELECT a FROM t"), pg.bind(), pg.describe(), pg.execute(), SYNC)
    talk.server(DONE, write.row_description(pg.columns(("a", 23))), write.complete("SELECT 0"), IDLE)
    assert orjson.loads(talk.only.response_body) == {"columns": ["a"], "types": ["int4"], "rows": []}


def test_what_gives_no_rows_has_no_body() -> None:
    talk = Talk()
    talk.client(pg.parse("DELETE FROM t"), pg.bind(), pg.describe(), pg.execute(), SYNC)
    talk.server(DONE, write.NO_DATA, write.complete("DELETE 3"), IDLE)
    assert (talk.only.response_body, talk.only.reason) == (b"", "DELETE 3")


@pytest.mark.parametrize("answered", [b"", write.PARSE_COMPLETE, DONE])
def test_an_error_belongs_to_the_execute_that_it_keeps_from_running(answered: bytes) -> None:
    talk = Talk()
    one = (pg.parse("SELECT * FROM gone"), pg.bind(), pg.execute())
    talk.client(*one, *one, SYNC)
    talk.server(answered, ERROR, IDLE)
    assert [(call.status, call.reason, call.failure and call.failure.kind) for call in talk.calls] == [
        (1, "42P01", None),
        (0, "", FailureKind.CANCELLED),
    ]
    assert orjson.loads(talk.calls[0].response_body)["message"] == "no such table"


def test_a_statement_that_cannot_be_prepared_is_a_call() -> None:
    talk = Talk()
    talk.client(pg.parse("SELECT * FROM gone WHERE a = $1", "s"), pg.describe("S", "s"), pg.FLUSH)
    talk.server(ERROR)
    talk.client(pg.bind(name="s"), SYNC)
    talk.server(IDLE)
    assert (talk.only.operation, talk.only.status) == ("SELECT * FROM gone WHERE a = $1", 1)
    assert talk.gaps == []


def test_an_error_at_the_end_of_an_implicit_transaction_is_a_failed_commit() -> None:
    talk = Talk()
    talk.client(pg.parse("INSERT INTO t VALUES (1)"), pg.bind(), pg.execute(), SYNC)
    talk.server(DONE, write.complete("INSERT 0 1"), ERROR, IDLE)
    assert [(call.method, call.status) for call in talk.calls] == [("INSERT", 0), ("COMMIT", 1)]


def test_copy_out() -> None:
    talk = Talk()
    talk.client(pg.query("COPY t (a) TO STDOUT"))
    talk.server(write.copy_response(b"H", 1), pg.copy_data(b"x\n"), write.COPY_DONE, write.complete("COPY 1"), IDLE)
    assert pg.rows_of(talk.only) == [{"a": "x"}]


def test_many_rows_are_cut() -> None:
    talk = Talk()
    talk.client(pg.query("SELECT a FROM t"))
    talk.server(write.row_description(pg.columns(("a", 23))), *(write.data_row([b"%d" % n]) for n in range(300)))
    talk.server(write.complete("SELECT 300"), IDLE)
    headers = talk.only.response_headers
    assert (headers.get("rows"), headers.get("rows-kept"), talk.only.truncated) == ("300", "200", True)
    assert len(pg.rows_of(talk.only)) == 200


def test_a_notification_is_a_message_that_comes_in() -> None:
    talk = Talk()
    talk.server(write.message(b"A", b"\0\0\0\7jobs\0" + b'{"id": 1}\0'))
    call = talk.only
    assert (call.method, call.target, call.role, call.body) == ("CONSUME", "jobs", Role.INBOUND, b'{"id": 1}')
    assert call.headers.get("content-type") == "application/json"


def test_notices_and_settings_say_nothing() -> None:
    talk = Talk()
    talk.server(write.message(b"N", b"SNOTICE\0\0"), write.parameter("TimeZone", "UTC"))
    assert (talk.calls, talk.gaps) == ([], [])


def test_a_goodbye_to_an_idle_session_is_no_answer() -> None:
    talk = Talk()
    talk.server(write.error({"S": "FATAL", "C": "57P01", "M": "terminating connection"}))
    assert (talk.calls, talk.gaps) == ([], [])


@pytest.mark.parametrize(
    "answer", [write.data_row([]), write.PARSE_COMPLETE, write.copy_response(b"W", 0), b"?\0\0\0\4", pg.copy_data(b"")]
)
def test_answers_out_of_step_are_one_gap(answer: bytes) -> None:
    talk = Talk()
    talk.server(answer)
    talk.client(pg.query("SELECT 1"))
    assert talk.gaps == ["server bytes that are not PostgreSQL's"]
    assert talk.calls == []
