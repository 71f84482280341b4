"""A session: character sets, transactions, and prepared statements within bounds."""

import pytest

from seamline.capture.wire.mysql import session as module
from seamline.capture.wire.mysql.results import Outcome
from seamline.capture.wire.mysql.session import LAST_PREPARED, Prepared, Session, attribute_headers
from seamline.capture.wire.sql import MYSQL, parse_statement


def run(session: Session, text: str, status: int = 2) -> str | None:
    (statement,) = session.script(text.encode())
    call = session.statement_call(statement, 1, {})
    session.told(Outcome(status))
    session.chained(call)
    return call.lane


def test_the_servers_word_wins() -> None:
    session = Session("c-1")
    assert run(session, "SELECT 1", status=3) is None
    assert run(session, "SELECT 2", status=3) == "c-1.1"
    assert run(session, "COMMIT") == "c-1.1"
    assert run(session, "SELECT 3") is None


def test_a_savepoint_does_not_end_a_transaction() -> None:
    session = Session("c-1")
    run(session, "BEGIN", status=3)
    assert run(session, "ROLLBACK TO SAVEPOINT a", status=3) == "c-1.1"
    assert run(session, "SELECT 1", status=3) == "c-1.1"


@pytest.mark.parametrize(
    ("collation", "text", "is_read"),
    [(45, "é".encode(), True), (45, b"\xff", False), (8, b"\xff", True), (28, b"\x81\\'", False), (28, b"plain", True)],
)
def test_a_text_that_could_be_read_in_two_ways_is_not_read(collation: int, text: bytes, is_read: bool) -> None:
    session = Session("c-1")
    session.collation(collation)
    (statement,) = session.script(b"SELECT '" + text + b"'")
    assert statement.is_read is is_read


def test_a_clients_change_of_character_set_is_noticed() -> None:
    session = Session("c-1")
    run(session, "SET NAMES gbk")
    assert not session.script(b"SELECT '\x81\\'")[0].is_read
    run(session, "SET NAMES 'utf8mb4'")
    assert session.script("SELECT 'é'".encode())[0].is_read


def test_without_backslashes_a_text_that_has_one_is_not_read() -> None:
    session = Session("c-1")
    session.told(Outcome(0x0202))
    assert not session.script(b"SELECT '\\'")[0].is_read
    assert session.script(b"SELECT 'a'")[0].is_read


def test_prepared_statements_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STATEMENTS", 2)
    session = Session("c-1")
    for number in (1, 2, 3):
        session.prepare(number, Prepared(parse_statement(f"SELECT {number}", MYSQL), number))
    assert [session.prepared(number).parameters for number in (1, 2, 3)] == [0, 2, 3]
    assert session.prepared(LAST_PREPARED).parameters == 3
    session.close(3)
    assert not session.prepared(3).statement.is_read
    session.reset()
    assert not session.prepared(2).statement.is_read


def test_attributes_are_headers() -> None:
    assert attribute_headers({"a": "x", "b": 5}) == (("a", "x"), ("b", "5"))
