"""What a stub says: recorded answers as packets, and what it says by itself."""

from typing import Any

import orjson
import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Response
from seamline.capture.wire.mysql.encode import OFFERED
from seamline.capture.wire.mysql.handshake import Capability
from seamline.capture.wire.mysql.packets import Packet
from seamline.capture.wire.mysql.results import Outcome, ResultReader
from seamline.capture.wire.sql import MYSQL, parse_statement
from seamline.replay.stubs.mysql_replies import Unsaid, own_answer, own_error, reply, version_of

ROWS = {"columns": ["id", "id"], "types": ["int", "varchar"], "rows": [{"id": 1, "id#2": "a"}]}


def response(body: Any, status: int = 0, *headers: tuple[str, str]) -> Response:
    return Response(status, Headers(headers), b"" if body is None else orjson.dumps(body))


def heard(packets: list[bytes], capabilities: int = OFFERED, *, is_binary: bool = False) -> list[Outcome]:
    """What the decoder makes of it."""
    reader, found = ResultReader(capabilities, is_binary=is_binary), []
    for number, body in enumerate(packets, 1):
        said = reader.take(Packet(number, body, len(body)))
        if said is not None:
            found.append(said)
            reader = ResultReader(capabilities, is_binary=is_binary)
    return found


@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize("capabilities", [OFFERED, OFFERED & ~Capability.DEPRECATE_EOF])
def test_rows(capabilities: int, is_binary: bool) -> None:
    (said,) = heard(reply(response(ROWS), 3, capabilities, is_binary=is_binary), capabilities, is_binary=is_binary)
    assert said.rows is not None
    assert orjson.loads(said.rows.body()) == ROWS
    assert said.status == 3


def test_counts_and_errors() -> None:
    (said,) = heard(reply(response({"affected_rows": 3, "insert_id": 9}), 2, OFFERED, is_binary=False, has_more=True))
    assert (said.affected, said.insert_id, said.has_more) == (3, 9, True)
    (said,) = heard(reply(response({"code": "23000", "number": 1062, "message": "no"}, 1), 2, OFFERED, is_binary=False))
    assert said.error == b"\xff\x26\x04#23000no"
    assert b"why" in own_error("why")


def test_several_results_of_one_call() -> None:
    first, second, end = heard(reply(response({**ROWS, "more": [ROWS]}), 2, OFFERED, is_binary=False))
    assert (first.has_more, second.has_more, end.has_more) == (True, True, False)
    assert end.rows is None


@pytest.mark.parametrize(
    "said",
    [
        response(ROWS, 0, ("rows-kept", "1")),
        response({**ROWS, "rows": [5]}),
        response({"columns": []}),
        Response(0, Headers(), b"{broken"),
    ],
)
def test_what_is_not_whole_is_not_said(said: Response) -> None:
    with pytest.raises(Unsaid):
        reply(said, 2, OFFERED, is_binary=False)


@pytest.mark.parametrize("text", ["BEGIN", "COMMIT", "SET x = 1", "SELECT @@autocommit, DATABASE() AS `d`"])
def test_what_gets_a_client_going_is_granted(text: str) -> None:
    assert own_answer(parse_statement(text, MYSQL), "shop", "8.0") is not None


def test_facts_of_the_session() -> None:
    said = own_answer(
        parse_statement("SELECT VERSION(), DATABASE() AS d, @@session.tx_isolation", MYSQL), "shop", "8.1"
    )
    assert said is not None
    assert orjson.loads(said.body)["rows"] == [
        {"VERSION()": "8.1", "d": "shop", "@@session.tx_isolation": "REPEATABLE-READ"}
    ]


@pytest.mark.parametrize("text", ["SELECT 1", "INSERT INTO t VALUES (1)", "SELECT VERSION() FROM t"])
def test_everything_else_has_to_be_recorded(text: str) -> None:
    assert own_answer(parse_statement(text, MYSQL), "shop", "8.0") is None


def test_a_recorded_version() -> None:
    assert version_of(response({"server_version": "10.11"})) == "10.11"
    for other in (None, response({"code": "x"}, 1), response({}), Response(0, Headers(), b"{")):
        assert version_of(other) is None
