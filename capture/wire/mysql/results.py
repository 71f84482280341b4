"""Answers: which packets belong to one, and what it says.

Two rules hold here. A reader is told every packet of its answer in order and says when it is whole. Rows beyond what
is kept are hashed as they are and not looked into.

After the MySQL 8.4 source documentation, "Text Resultset", "OK_Packet", "COM_STMT_PREPARE Response".
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Protocol

from ..sql import Rows
from .columns import Column, parse_column
from .errors import ERR
from .handshake import Capability
from .packets import Malformed, Packet, counted_at, integer_at, string_at
from .values import binary_row, text_row

OK, LOCAL_INFILE, EOF = 0x00, 0xFB, 0xFE
MOST_COLUMNS = 4096
"""MySQL's own bound for a table; hardly an answer has more."""

_LONGEST_EOF = 9
_SCHEMA_CHANGED = 1
_PROGRESS = b"\xff\xff\xff"
"""MariaDB tells how far a statement is by ERR packets with the number 65535."""

_LONGEST_FRAME = 0xFFFFFF


class Status(IntFlag):
    """What the server says about the session with each answer."""

    IN_TRANSACTION = 0x0001
    AUTOCOMMIT = 0x0002
    MORE_RESULTS = 0x0008
    CURSOR_EXISTS = 0x0040
    LAST_ROW_SENT = 0x0080
    NO_BACKSLASHES = 0x0200
    STATE_CHANGED = 0x4000


@dataclass(slots=True)
class Outcome:
    """One whole answer. `status` is None where the server said nothing about the session."""

    status: int | None = None
    affected: int = 0
    insert_id: int = 0
    info: str = ""
    database: str | None = None
    rows: Rows | None = None
    error: bytes | None = None
    columns: tuple[Column, ...] = ()
    statement_id: int = 0
    parameters: int = 0
    infile: bool = False

    @property
    def has_more(self) -> bool:
        """Whether another result follows."""
        return self.status is not None and bool(self.status & Status.MORE_RESULTS)


class Reader(Protocol):
    """Reads one answer."""

    def take(self, packet: Packet) -> Outcome | None:
        """A packet; the answer, if that was its last one. Malformed where it cannot be one of this answer."""


def parse_ok(body: bytes, capabilities: int) -> Outcome:
    """An OK packet, also where it stands for an EOF."""
    affected, at = counted_at(body, 1)
    insert_id, at = counted_at(body, at)
    status, at = integer_at(body, at, 2)
    said = Outcome(status, affected, insert_id)
    at += 2
    if capabilities & Capability.SESSION_TRACK and at < len(body):
        info, at = string_at(body, at)
        if status & Status.STATE_CHANGED and at < len(body):
            changes, _ = string_at(body, at)
            said.database = _schema(changes)
    else:
        info = body[at:]
    said.info = info.decode("utf-8", "backslashreplace")
    return said


def _schema(changes: bytes) -> str | None:
    at, schema = 0, None
    while at < len(changes):
        kind = changes[at]
        change, at = string_at(changes, at + 1)
        if kind == _SCHEMA_CHANGED:
            name, _ = string_at(change, 0)
            schema = name.decode("utf-8", "backslashreplace")
    return schema


def _is_error(body: bytes) -> bool:
    return body[:1] == b"\xff"


class ResultReader:
    """The answer to a statement: OK, an error, a request for a file, or columns and rows. With `columns` given it is
    COM_STMT_FETCH's: rows alone."""

    __slots__ = ("_capabilities", "_columns", "_is_binary", "_left", "_names", "_rows", "_step")

    def __init__(
        self, capabilities: int, *, is_binary: bool = False, columns: tuple[Column, ...] | None = None
    ) -> None:
        self._capabilities = capabilities
        self._is_binary = is_binary
        self._columns: list[Column] = list(columns or ())
        self._names: tuple[Column, ...] = columns or ()
        self._left = 0
        self._rows: Rows | None = None
        self._step = self._first
        if columns is not None:
            self._rows = _rows(columns)
            self._step = self._row

    @property
    def has_begun(self) -> bool:
        """Whether a part of the answer is here."""
        return self._step != self._first

    def take(self, packet: Packet) -> Outcome | None:
        """See `Reader`."""
        if _is_error(packet.body):
            # A row can never start so: no length does.
            return None if packet.body[:3] == _PROGRESS else Outcome(error=packet.body)
        return self._step(packet)

    def _first(self, packet: Packet) -> Outcome | None:
        body = packet.body
        head = body[0] if body else ERR
        if head == OK:
            return parse_ok(body, self._capabilities)
        if head == LOCAL_INFILE:
            return Outcome(infile=True)
        if head == EOF and packet.size <= _LONGEST_EOF:
            return _parse_eof(body)
        count, end = counted_at(body, 0)
        if not 0 < count <= MOST_COLUMNS or end != packet.size:
            raise Malformed
        self._left = count
        self._step = self._column
        return None

    def _column(self, packet: Packet) -> Outcome | None:
        self._columns.append(parse_column(packet.body, bool(self._capabilities & Capability.EXTENDED_METADATA)))
        self._left -= 1
        if not self._left:
            self._names = tuple(self._columns)
            self._rows = _rows(self._names)
            self._step = self._row if self._capabilities & Capability.DEPRECATE_EOF else self._columns_end
        return None

    def _columns_end(self, packet: Packet) -> Outcome | None:
        if packet.body[:1] != b"\xfe" or packet.size > _LONGEST_EOF:
            raise Malformed
        self._step = self._row
        said = _parse_eof(packet.body)
        # An open cursor: rows come once they are fetched.
        return self._end(said) if said.status is not None and said.status & Status.CURSOR_EXISTS else None

    def _row(self, packet: Packet) -> Outcome | None:
        body, size = packet.body, packet.size
        if body[:1] == b"\xfe":
            if self._capabilities & Capability.DEPRECATE_EOF:
                if size < _LONGEST_FRAME:
                    return self._end(parse_ok(body, self._capabilities))
            elif size < _LONGEST_EOF:
                return self._end(_parse_eof(body))
        rows = self._rows
        assert rows is not None
        if rows.keeps(size) and packet.is_whole:
            read = binary_row if self._is_binary else text_row
            rows.add(read(body, self._names))
        else:
            rows.skip(body)
        return None

    def _end(self, said: Outcome) -> Outcome:
        said.rows, said.columns = self._rows, self._names
        return said


def _rows(columns: tuple[Column, ...]) -> Rows:
    return Rows([column.name for column in columns], [column.type for column in columns])


def _parse_eof(body: bytes) -> Outcome:
    if len(body) < 5:
        return Outcome()
    status, _ = integer_at(body, 3, 2)
    return Outcome(status)


class PrepareReader:
    """The answer to COM_STMT_PREPARE: a statement's number, and definitions of its parameters and columns."""

    __slots__ = ("_left", "_said", "_skips_eof")

    def __init__(self, capabilities: int) -> None:
        self._said: Outcome | None = None
        self._left = 0
        self._skips_eof = not capabilities & Capability.DEPRECATE_EOF

    def take(self, packet: Packet) -> Outcome | None:
        """See `Reader`."""
        if _is_error(packet.body):
            return Outcome(error=packet.body)
        if self._said is None:
            self._start(packet.body)
        else:
            self._left -= 1
        return self._said if not self._left else None

    def _start(self, body: bytes) -> None:
        if body[:1] != b"\0":
            raise Malformed
        number, at = integer_at(body, 1, 4)
        columns, at = integer_at(body, at, 2)
        parameters, _ = integer_at(body, at, 2)
        self._said = Outcome(statement_id=number, parameters=parameters)
        ends = (bool(columns) + bool(parameters)) if self._skips_eof else 0
        self._left = columns + parameters + ends


class FieldsReader:
    """The answer to COM_FIELD_LIST: column definitions up to an EOF."""

    def take(self, packet: Packet) -> Outcome | None:
        """See `Reader`."""
        if _is_error(packet.body):
            return Outcome(error=packet.body)
        return _parse_eof(packet.body) if packet.body[:1] == b"\xfe" else None


class OneReader:
    """An answer of one packet that says nothing of interest (COM_STATISTICS)."""

    def take(self, packet: Packet) -> Outcome | None:
        """See `Reader`."""
        return Outcome(error=packet.body) if _is_error(packet.body) else Outcome()


class LoginReader:
    """An exchange of credentials up to its end, of which nothing is kept."""

    def __init__(self, capabilities: int) -> None:
        self._capabilities = capabilities

    def take(self, packet: Packet) -> Outcome | None:
        """See `Reader`."""
        if _is_error(packet.body):
            return Outcome(error=packet.body)
        return parse_ok(packet.body, self._capabilities) if packet.body[:1] == b"\0" else None
