"""Recorded answers as messages."""

from typing import Any

import orjson
import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Response
from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.messages import Column, Framer
from seamline.replay.stubs.postgres_replies import (
    Shapes,
    Unsaid,
    accepted,
    answer_of,
    columns_of,
    formatted,
    greeting,
    own_error,
    refusal,
    reply,
)

ROWS = {"columns": ["id", "n"], "types": ["int4", "text"], "rows": [{"id": 1, "n": None}]}


def answered(body: Any = None, reason: str = "SELECT 1", status: int = 0, **headers: str) -> Response:
    said = Headers((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, said, orjson.dumps(body) if body is not None else b"", reason)


def kinds(raw: bytes) -> str:
    return "".join(chr(kind) for kind, _, _ in Framer().feed(raw))


def test_rows_described_and_not() -> None:
    assert kinds(reply(answered(ROWS), None, describes=True)) == "TDC"
    columns = (Column("id", 23, 1), Column("n", 25, 0))
    assert kinds(reply(answered(ROWS), columns, describes=False)) == "DC"
    assert write.data_row([b"\0\0\0\1", None]) in reply(answered(ROWS), columns, describes=False)
    assert kinds(reply(answered(ROWS, "suspended"), columns, describes=False)) == "Ds"
    assert kinds(reply(answered(reason="INSERT 0 1"), None, describes=False)) == "C"


def test_errors() -> None:
    raw = reply(answered({"severity": "ERROR", "code": "23505", "message": "m"}, status=1), None, describes=True)
    assert raw == refusal(b'{"severity":"ERROR","code":"23505","message":"m"}')
    assert b"C23505\0" in raw
    assert b"C58000\0" in own_error("x")
    assert kinds(refusal(b"not json")) == "E"


def test_copied_rows() -> None:
    body = {"columns": ["a", "b"], "types": ["text", "text"], "rows": [{"a": "x\ty", "b": None}]}
    raw = reply(answered(body, "COPY 1", copied_bytes="9"), None, describes=False)
    assert kinds(raw) == "HdcC"
    assert b"x\\ty\t\\N\n" in raw


@pytest.mark.parametrize(
    ("response", "columns"),
    [
        (answered(ROWS, rows_kept="1"), None),
        (answered(ROWS), None),
        (answered(reason="COPY 5", copied_bytes="9"), None),
        (answered({**ROWS, "rows": [{"id": "no number", "n": "x"}]}), (Column("id", 23, 1), Column("n", 25, 0))),
        (answered({**ROWS, "rows": [7]}), (Column("id", 23, 1),)),
    ],
)
def test_what_cannot_be_said_again(response: Response, columns: tuple[Column, ...] | None) -> None:
    with pytest.raises(Unsaid):
        reply(response, columns, describes=False)


def test_shapes_of_recorded_statements() -> None:
    def request(operation: str, print_: str, types: str = "") -> Request:
        headers = [("fingerprint", print_), *([("parameter-types", types)] if types else [])]
        return Request("SELECT", "t", Headers(headers), operation=operation, arguments="{}")

    shapes = Shapes(
        [
            (request("SELECT a IN ($1)", "f1", "int4"), answered({"severity": "ERROR"}, status=1)),
            (request("SELECT a IN ($1)", "f1", "int4"), answered(ROWS)),
            (request('FETCH 2 FROM "c 1"', "f2"), answered(ROWS)),
            (request('DECLARE "c 1" CURSOR FOR SELECT', "f4"), answered(reason="DECLARE CURSOR")),
            (request("gone", "f3"), None),
        ]
    )
    found = shapes.of("SELECT a IN ($1, $2)", "f1")
    assert found is not None
    assert found.parameters == (23,)
    assert found.columns == (Column("id", 23, 0), Column("n", 25, 0))
    assert shapes.of("gone", "f3") is None
    cursor = shapes.of_cursor("f4")
    assert cursor is not None
    assert cursor.columns == found.columns
    assert shapes.of_cursor("f2") is None


def test_small_ones() -> None:
    assert answer_of(b"[1]") == answer_of(b"") == answer_of(b"{") == {}
    assert columns_of({}) is None
    columns = (Column("a", 23, 0), Column("b", 23, 0))
    assert [column.format for column in formatted(columns, (1,))] == [1, 1]
    assert [column.format for column in formatted(columns, (0, 1))] == [0, 1]
    assert [column.format for column in formatted(columns, ())] == [0, 0]
    assert (accepted("START"), accepted("SELECT")) == ("START TRANSACTION", None)
    assert kinds(greeting(Headers([("TimeZone", "UTC")]), 1, 2)) == "RSKZ"
