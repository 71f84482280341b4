"""What both directions share: transactions, encodings, and calls that are always ended."""

import pytest

from seamline.capture.model import FailureKind
from seamline.capture.wire.postgres import write
from support import pg_messages as pg
from support.pg_messages import IDLE, Talk


def run(talk: Talk, text: str, tag: str, status: bytes = b"I") -> None:
    talk.client(pg.query(text))
    talk.server(write.complete(tag), write.ready(status))


def test_a_transaction_names_its_calls() -> None:
    talk = Talk()
    run(talk, "SELECT 1", "SELECT 1")
    run(talk, "BEGIN", "BEGIN", b"T")
    run(talk, "INSERT INTO t VALUES (1)", "INSERT 0 1", b"T")
    run(talk, "ROLLBACK TO SAVEPOINT s", "ROLLBACK", b"T")
    run(talk, "COMMIT AND CHAIN", "COMMIT", b"T")
    run(talk, "COMMIT", "COMMIT")
    run(talk, "START TRANSACTION", "START TRANSACTION", b"T")
    run(talk, "ABORT", "ROLLBACK")
    run(talk, "SELECT 2", "SELECT 1")
    lanes = [call.lane for call in talk.calls]
    assert lanes == [None, *["c-1.1"] * 5, *["c-1.2"] * 2, None]
    assert [call.headers.get("transaction") for call in talk.calls] == lanes


def test_a_transaction_of_a_pipeline_is_known_before_it_is_answered() -> None:
    talk = Talk()
    for text in ("BEGIN", "SELECT 1", "COMMIT", "SELECT 2"):
        talk.client(pg.parse(text), pg.bind(), pg.execute())
    talk.client(pg.SYNC)
    done = [write.PARSE_COMPLETE, write.BIND_COMPLETE]
    talk.server(*(part for tag in ("BEGIN", "SELECT 1", "COMMIT", "SELECT 1") for part in (*done, write.complete(tag))))
    talk.server(IDLE)
    assert [call.lane for call in talk.calls] == ["c-1.1", "c-1.1", "c-1.1", None]


def test_a_transaction_that_the_text_did_not_open_is_believed_to_the_server() -> None:
    talk = Talk()
    run(talk, "CALL begins()", "CALL", b"T")
    run(talk, "SELECT 1", "SELECT 1", b"E")
    run(talk, "SELECT 2", "SELECT 1")
    run(talk, "SELECT 3", "SELECT 1")
    assert [call.lane for call in talk.calls] == [None, "c-1.1", "c-1.1", None]


@pytest.mark.parametrize(
    ("encoding", "raw", "operation"),
    [
        ("UTF8", "SELECT 'é'".encode(), "SELECT $1"),
        ("LATIN1", "SELECT 'é'".encode("latin-1"), "SELECT $1"),
        ("UTF8", b"SELECT '\xe9'", "UNKNOWN"),
        ("SJIS", b"SELECT 1", "UNKNOWN"),
    ],
)
def test_a_text_is_read_in_the_client_encoding_or_not_at_all(encoding: str, raw: bytes, operation: str) -> None:
    talk = Talk(client_encoding=encoding)
    talk.client(write.message(b"Q", raw + b"\0"))
    talk.server(write.complete("SELECT 0"), IDLE)
    assert talk.only.operation == operation
    assert talk.only.truncated is (operation == "UNKNOWN")


def test_a_backslash_escapes_where_the_server_says_so() -> None:
    talk = Talk()
    talk.server(write.parameter("standard_conforming_strings", "off"))
    run(talk, r"SELECT 'a\' secret'", "SELECT 0")
    assert talk.only.operation == "SELECT $1"


def test_the_same_text_prepared_again_keeps_what_was_learnt_of_it() -> None:
    talk = Talk()
    text = "SELECT * FROM t WHERE a = $1"
    talk.client(pg.parse(text), pg.describe("S"), pg.SYNC)
    described = write.parameter_description([23]) + write.row_description(pg.columns(("a", 23)))
    talk.server(write.PARSE_COMPLETE, described, IDLE)
    talk.client(pg.parse(text), pg.bind(b"\0\0\0\5", formats=(1,)), pg.execute(), pg.SYNC)
    talk.server(write.PARSE_COMPLETE, write.BIND_COMPLETE, write.data_row([b"5"]), write.complete("SELECT 1"), IDLE)
    assert talk.only.arguments == '{"a":5}'
    assert talk.only.headers.get("parameter-types") == "int4"
    assert pg.rows_of(talk.only) == [{"a": 5}]


def test_every_call_that_is_begun_is_ended() -> None:
    talk = Talk()
    talk.client(pg.query("SELECT 1"), pg.query("SELECT 2"))
    talk.lost(FailureKind.TIMEOUT)
    assert [call.failure.kind for call in talk.calls if call.failure] == [FailureKind.TIMEOUT] * 2
    assert talk.open == []
    assert not talk.decoder.in_flight


def test_a_statement_that_is_only_described_is_told_once_it_is_dropped() -> None:
    talk = Talk()
    for name in ("a", "b"):
        talk.client(pg.parse(f"SELECT {name} FROM t", name), pg.describe("S", name), pg.SYNC)
        described = write.parameter_description([]) + write.row_description(pg.columns((name, 23)))
        talk.server(write.PARSE_COMPLETE, described, IDLE)
    talk.client(pg.bind(name="b"), pg.execute(), pg.SYNC)
    talk.server(write.BIND_COMPLETE, write.complete("SELECT 0"), IDLE)
    assert [call.method for call in talk.calls] == ["SELECT"]
    talk.client(pg.close("S", "a"), pg.close("S", "b"))
    told = talk.calls[1]
    assert (told.method, told.operation, told.headers.get("setup")) == ("DESCRIBE", "SELECT a FROM t", "yes")
    assert told.response_body == b'{"columns":["a"],"types":["int4"],"rows":[]}'
    talk.lost()
    assert [call.method for call in talk.calls if call.answered] == ["SELECT", "DESCRIBE"]


def test_what_a_refused_copy_carried_is_told_too() -> None:
    talk = Talk()
    talk.client(pg.query("COPY t (a) FROM STDIN"))
    talk.server(write.copy_response(b"G", 1))
    talk.client(pg.copy_data(b"x\n"), pg.COPY_END)
    talk.server(write.error({"S": "ERROR", "C": "22P02", "M": "no"}), IDLE)
    assert talk.only.status == 1
    assert b'"rows":[{"a":"x"}]' in talk.only.body
