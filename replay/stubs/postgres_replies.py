"""Recorded answers of PostgreSQL as the messages that say them again. PURE."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ...capture.headers import Headers
from ...capture.model import Request, Response
from ...capture.wire.call import OK
from ...capture.wire.postgres import write
from ...capture.wire.postgres.encode import encode
from ...capture.wire.postgres.errors import error_fields
from ...capture.wire.postgres.messages import Column
from ...capture.wire.postgres.oids import type_oid
from ...capture.wire.postgres.told import SUSPENDED
from ...capture.wire.sql import unique_names
from ...capture.wire.sql.shape import unquoted

SYSTEM_ERROR = "58000"
"""SQLSTATE of a failure that is not the database's own: what the stub itself cannot do."""

_SAME_TAG = frozenset(
    {
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "SET",
        "RESET",
        "DISCARD",
        "DEALLOCATE",
        "LISTEN",
        "UNLISTEN",
        "CLOSE",
    }
)
_ACCEPTED = {"START": "START TRANSACTION", "END": "COMMIT", "ABORT": "ROLLBACK"} | {word: word for word in _SAME_TAG}
_FETCH = re.compile(r'FETCH\b.*?\b(?:FROM|IN)\s+("[^"]+"|\w+)\s*\Z', re.IGNORECASE | re.DOTALL)
_DECLARE = re.compile(r'DECLARE\s+("[^"]+"|\w+)', re.IGNORECASE)
_COPY_ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_COPY_TABLE = str.maketrans(_COPY_ESCAPES)


class Unsaid(Exception):
    """A recorded answer that cannot be said again; `args[0]` says why, and quotes none of it."""


class Shape:
    """What a statement takes and gives: its parameters' types and its columns, None where it gives no rows."""

    __slots__ = ("columns", "parameters")

    def __init__(self, parameters: tuple[int, ...], columns: tuple[Column, ...] | None) -> None:
        self.parameters = parameters
        self.columns = columns


class Shapes:
    """The shapes of the recorded statements: what is said to a Describe, before any value is known."""

    def __init__(self, recorded: Iterable[tuple[Request, Response | None]]) -> None:
        self._by_operation: dict[str, Shape] = {}
        self._by_fingerprint: dict[str, Shape] = {}
        self._by_cursor: dict[str, Shape] = {}
        self._declared: dict[str, str] = {}
        for request, response in recorded:
            if response is None or response.status != OK or not request.headers.get("fingerprint"):
                continue
            known = self._by_operation.get(request.operation)
            if known is None or (known.columns is None and response.body):
                self._learn(request, response)

    def _learn(self, request: Request, response: Response) -> None:
        types = request.headers.get("parameter-types") or ""
        oids = tuple(type_oid(name) for name in types.split(",") if name)
        shape = Shape(oids, columns_of(answer_of(response.body)) if not _is_copied(response) else None)
        self._by_operation[request.operation] = shape
        self._by_fingerprint[request.headers.get("fingerprint") or ""] = shape
        fetched, declared = fetched_from(request.operation), cursor_of(request.operation)
        if fetched is not None and shape.columns is not None:
            self._by_cursor[fetched] = shape
        if declared is not None:
            self._declared[request.headers.get("fingerprint") or ""] = declared

    def of(self, operation: str, fingerprint: str) -> Shape | None:
        """The shape of a statement, or of one that differs in the lengths of its lists alone."""
        return self._by_operation.get(operation) or self._by_fingerprint.get(fingerprint)

    def of_cursor(self, fingerprint: str) -> Shape | None:
        """The shape of what was fetched from a cursor that a DECLARE of this fingerprint has made."""
        return self._by_cursor.get(self._declared.get(fingerprint, ""))


def cursor_of(operation: str) -> str | None:
    """The name that a DECLARE gives; None for any other statement."""
    found = _DECLARE.match(operation)
    return unquoted(found.group(1)) if found is not None else None


def fetched_from(operation: str) -> str | None:
    """The cursor that a FETCH reads; None for any other statement."""
    found = _FETCH.match(operation)
    return unquoted(found.group(1)) if found is not None else None


def answer_of(body: bytes) -> dict[str, Any]:
    """A recorded body as an object; {} for none and for what is none."""
    try:
        answer = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def columns_of(answer: dict[str, Any]) -> tuple[Column, ...] | None:
    """The columns of a recorded answer, in text format; None where it has no rows."""
    names, types = answer.get("columns"), answer.get("types")
    if not isinstance(names, list) or not isinstance(types, list):
        return None
    return tuple(Column(str(name), type_oid(str(type_)), 0) for name, type_ in zip(names, types, strict=False))


def formatted(columns: Sequence[Column], formats: Sequence[int]) -> tuple[Column, ...]:
    """Columns in the formats that a Bind asks for."""
    each = list(formats) * len(columns) if len(formats) == 1 else [*formats, *(0 for _ in columns)]
    return tuple(Column(column.name, column.oid, format_) for column, format_ in zip(columns, each, strict=False))


def reply(response: Response, columns: Sequence[Column] | None, *, describes: bool, method: str = "") -> bytes:
    """What a server says to one execution. `columns` are those that the client was told, None where it was told none
    (or, with `describes`, is told now). Unsaid where that cannot be said."""
    if response.status != OK:
        return refusal(response.body)
    if _is_copied(response):
        return _copied(response)
    if "rows-kept" in response.headers:
        raise Unsaid("the recorded answer was too long to be kept as a whole")
    answer = answer_of(response.body)
    parts: list[bytes] = []
    recorded = columns_of(answer)
    if describes and recorded is not None:
        columns = recorded
        parts.append(write.row_description(columns))
    if recorded is not None:
        if columns is None:
            raise Unsaid("the recorded answer has rows, and the statement was described as one without")
        parts.extend(_rows(answer.get("rows"), columns))
    ends_early = response.reason == SUSPENDED
    parts.append(write.SUSPENDED if ends_early else write.complete(response.reason or method))
    return b"".join(parts)


def _rows(rows: Any, columns: Sequence[Column]) -> Iterable[bytes]:
    names = unique_names([column.name for column in columns])
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            raise Unsaid("the recorded answer has a row that is none")
        yield write.data_row([_value(row.get(name), column) for name, column in zip(names, columns, strict=True)])


def _value(value: Any, column: Column) -> bytes | None:
    try:
        return encode(value, column.oid, column.format)
    except (ValueError, RecursionError) as wrong:
        raise Unsaid(f"a recorded value is no {column.oid} (type OID) any more") from wrong


def refusal(body: bytes) -> bytes:
    """A recorded error."""
    return write.error(error_fields(answer_of(body)))


def own_error(message: str, code: str = SYSTEM_ERROR, severity: str = "ERROR") -> bytes:
    """An error of the stub's own."""
    return write.error({"S": severity, "V": severity, "C": code, "M": f"seamline: {message}"})


def accepted(method: str) -> str | None:
    """The tag of a statement that a session may say at any time, recorded or not; None for any other."""
    return _ACCEPTED.get(method)


def _is_copied(response: Response) -> bool:
    return "copied-bytes" in response.headers


def _copied(response: Response) -> bytes:
    answer = answer_of(response.body)
    if not response.body:
        raise Unsaid("the recorded COPY was too long to be kept, or not in the text format")
    columns = answer.get("columns") or []
    rows = [row for row in answer.get("rows") or () if isinstance(row, dict)]
    lines = ("\t".join(_copy_text(value) for value in row.values()) + "\n" for row in rows)
    data = (write.message(b"d", line.encode("utf-8", "surrogatepass")) for line in lines)
    opened = write.copy_response(b"H", len(columns))
    return opened + b"".join(data) + write.COPY_DONE + write.complete(response.reason)


def _copy_text(value: Any) -> str:
    if value is None:
        return "\\N"
    return (value if isinstance(value, str) else orjson.dumps(value).decode()).translate(_COPY_TABLE)


def greeting(parameters: Headers, pid: int, secret: int) -> bytes:
    """What a server says on a new session: it takes any credentials and tells `parameters`."""
    told = b"".join(write.parameter(name, value) for name, value in parameters)
    return write.AUTHENTICATED + told + write.key_data(pid, secret) + write.ready(b"I")
