"""What a MySQL server says to one statement, from its recorded answer. PURE.

A recorded answer that cannot be said again as a whole is an error of its own, never a shorter answer.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson

from ...capture.headers import Headers
from ...capture.model import Response
from ...capture.wire.call import OK
from ...capture.wire.mysql.encode import binary_row, column, eof, ok, text_row
from ...capture.wire.mysql.errors import error_packet
from ...capture.wire.mysql.handshake import Capability
from ...capture.wire.mysql.packets import counted
from ...capture.wire.mysql.results import Status
from ...capture.wire.sql import Statement, unique_names

DEFAULT_VERSION = "8.0.36"
SYSTEM_ERROR = "58000"

_JSON = Headers((("content-type", "application/json"),))
_END_OF_ROWS = 0xFE
_GRANTED = frozenset({"BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "USE"})
_FACT = r"(?:@@[\w.]+|version\(\)|database\(\)|schema\(\)|connection_id\(\))(?:\s+as\s+[\w`]+)?"
_FACTS = re.compile(rf"select {_FACT}(?:\s*,\s*{_FACT})*", re.IGNORECASE)
_VARIABLES: dict[str, Any] = {
    "transaction_isolation": "REPEATABLE-READ",
    "tx_isolation": "REPEATABLE-READ",
    "sql_mode": "STRICT_TRANS_TABLES",
    "lower_case_table_names": 0,
    "autocommit": 1,
    "max_allowed_packet": 67_108_864,
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_results": "utf8mb4",
    "collation_connection": "utf8mb4_general_ci",
    "time_zone": "SYSTEM",
    "system_time_zone": "UTC",
    "wait_timeout": 28_800,
    "version": DEFAULT_VERSION,
    "version_comment": "seamline stub",
}


class Unsaid(Exception):
    """A recorded answer that cannot be said again; `args[0]` says why, and quotes none of it."""


def own_answer(statement: Statement, database: str, version: str) -> Response | None:
    """What the stub says by itself where the capture has no answer, so that a client gets going: transactions and
    settings are granted, and facts about the session are told. None for everything else."""
    if statement.method in _GRANTED:
        return Response(OK, Headers(), b"", statement.method)
    if not _FACTS.fullmatch(statement.operation):
        return None
    row: dict[str, Any] = {}
    for word in statement.operation[len("select ") :].split(","):
        shown, _, alias = re.sub(r"\s+as\s+", "\0", word.strip(), flags=re.IGNORECASE).partition("\0")
        row[alias.strip("`") or shown] = _fact(shown.lower(), database, version)
    types = ["bigint" if isinstance(value, int) else "varchar" for value in row.values()]
    body = orjson.dumps({"columns": list(row), "types": types, "rows": [row]})
    return Response(OK, Headers((*_JSON, ("rows", "1"))), body, "SELECT 1")


def _fact(name: str, database: str, version: str) -> Any:
    if name.startswith("version"):
        return version
    if name.startswith(("database", "schema")):
        return database or None
    if name.startswith("connection_id"):
        return 1
    return version if name == "@@version" else _VARIABLES.get(name.removeprefix("@@").rpartition(".")[2], "")


def own_error(message: str, code: str = SYSTEM_ERROR) -> bytes:
    """An error of the stub's own, as a packet."""
    return error_packet({"code": code, "message": message})


def reply(
    response: Response, status: int, capabilities: int, *, is_binary: bool, has_more: bool = False
) -> list[bytes]:
    """The packets of one answer. `status` is the session's after it; with `has_more` another answer follows. Unsaid
    where it cannot be said again."""
    said = _answer_of(response.body)
    if response.status != OK:
        return [error_packet(said)]
    last = status | Status.MORE_RESULTS if has_more else status
    if "columns" not in said:
        return [ok(last, _count(said.get("affected_rows")), _count(said.get("insert_id")))]
    if "rows-kept" in response.headers:
        raise Unsaid("the recorded answer was too long to be kept as a whole")
    more = said.get("more")
    results = [said, *(each for each in more if isinstance(each, dict))] if isinstance(more, list) else [said]
    packets: list[bytes] = []
    for each, following in pairwise([*results, None]):
        assert each is not None
        goes_on = following is not None or bool(more)
        packets += _result(each, status | Status.MORE_RESULTS if goes_on else last, capabilities, is_binary=is_binary)
    # What has several results is a procedure, and its own end comes last.
    return [*packets, ok(last)] if more else packets


def _result(said: dict[str, Any], status: int, capabilities: int, *, is_binary: bool) -> list[bytes]:
    columns, types = said.get("columns"), said.get("types")
    if not isinstance(columns, list) or not columns:
        raise Unsaid("the recorded answer has no columns")
    types = types if isinstance(types, list) and len(types) == len(columns) else ["varchar"] * len(columns)
    names = unique_names([str(name) for name in columns])
    is_modern = bool(capabilities & Capability.DEPRECATE_EOF)
    head = [counted(len(columns)), *(column(str(name), str(kind)) for name, kind in zip(columns, types, strict=True))]
    row_of = binary_row if is_binary else text_row
    rows = [row_of(_values(row, names), types) for row in said.get("rows") or ()]
    if is_modern:
        return [*head, *rows, ok(status, head=_END_OF_ROWS)]
    return [*head, eof(status), *rows, eof(status)]


def _values(row: Any, names: Sequence[str]) -> list[Any]:
    if not isinstance(row, dict):
        raise Unsaid("the recorded answer has a row that is none")
    return [row.get(name) for name in names]


def _answer_of(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise Unsaid("the recorded answer is no JSON") from error
    return said if isinstance(said, dict) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 64 else 0


def version_of(response: Response | None) -> str | None:
    """The server's version that a recorded CONNECT was told."""
    if response is None or response.status != OK:
        return None
    try:
        version = _answer_of(response.body).get("server_version")
    except Unsaid:
        return None
    return version if isinstance(version, str) else None
