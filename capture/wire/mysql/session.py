"""What one connection has agreed on and is in the middle of: database, transaction, prepared statements.

Two rules hold here. What the server says about the session (the status of its last answer) wins over what the
statements let expect. What a client prepares is kept up to a bound; a forgotten statement is one that is not read.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from ...headers import Headers
from ..call import Call
from ..sql import MYSQL, Statement, arguments, parse_script
from ..sql.statement import UNREAD
from .columns import Column
from .parameters import LongData, Type
from .results import Outcome, Status

MOST_STATEMENTS = 16_382
"""MySQL's own bound (max_prepared_stmt_count)."""

LARGEST_STATEMENTS = 16 << 20
"""Characters of the texts of one connection's prepared statements."""

LAST_PREPARED = 0xFFFFFFFF
"""MariaDB's number for the statement that was prepared just before."""

_LATIN = frozenset({5, 8, 15, 31, 47, 48, 49, 94})
_UNSAFE = frozenset({1, 13, 28, 84, 87, 88, 95, 96, 248, 249, 250})
"""Collations of character sets in which a byte of a character may be a backslash: big5, sjis, gbk, cp932, gb18030."""

_UNSAFE_NAMES = frozenset({"big5", "sjis", "gbk", "cp932", "gb18030"})
_LATIN_NAMES = frozenset({"latin1"})
_OUTSIDE = frozenset({"COMMIT", "ROLLBACK", "SET", "USE", "SHOW", "CONNECT", "UNKNOWN", "EMPTY", "KILL"})
"""Statements that open no transaction, even with autocommit off."""

_SETUP_STARTS = (
    "SET NAMES",
    "SET AUTOCOMMIT",
    "SET CHARACTER SET",
    "SET @@SESSION.AUTOCOMMIT",
    "SET SESSION AUTOCOMMIT",
)
SETUP = (("setup", "yes"),)
"""The header of what a client does for its connection: how often depends on its pool."""


@dataclass(slots=True)
class Prepared:
    """A prepared statement; `types` are its parameters' as the last execution named them, `columns` those of the last
    answer, which an open cursor's rows have."""

    statement: Statement
    parameters: int
    types: tuple[Type, ...] | None = None
    columns: tuple[Column, ...] | None = None
    long: LongData = field(default_factory=LongData)
    arguments: str = "{}"
    fetches: int = 0


class Session:
    """The state of one connection."""

    def __init__(self, connection: str) -> None:
        self.database = ""
        self.capabilities = 0
        self.last_prepared = LAST_PREPARED
        self.transaction: str | None = None
        self._connection = connection
        self._transactions = 0
        self._status = int(Status.AUTOCOMMIT)
        self._reads_latin = self._is_unsafe = False
        self._statements: OrderedDict[int, Prepared] = OrderedDict()
        self._weight = 0

    def collation(self, number: int | None) -> None:
        """The client's collation."""
        if number is not None:
            self._reads_latin, self._is_unsafe = number in _LATIN, number in _UNSAFE

    def script(self, text: bytes) -> tuple[Statement, ...]:
        """The statements of a text. One that could be read in two ways is not read."""
        if (self._is_unsafe and not text.isascii()) or (self._status & Status.NO_BACKSLASHES and b"\\" in text):
            return (UNREAD,)
        try:
            return parse_script(text.decode("latin-1" if self._reads_latin else "utf-8"), MYSQL)
        except UnicodeDecodeError:
            return (UNREAD,)

    def call(self, statement: Statement, said: str, at_us: int, extra: tuple[tuple[str, str], ...] = ()) -> Call:
        """A call of a statement that starts now."""
        method = statement.method
        if self.transaction is None and self._opens(method, statement.operation):
            self._open()
        call = Call(at_us, method, statement.target, statement.operation)
        call.arguments = said
        call.lane = self.transaction
        call.truncated = not statement.is_read
        headers = [("database", self.database), ("fingerprint", statement.fingerprint)]
        if self.transaction is not None:
            headers.append(("transaction", self.transaction))
        headers.extend((*statement.comment.items(), *extra))
        if method == "USE" or (method == "SET" and statement.operation.upper().startswith(_SETUP_STARTS)):
            headers.extend(SETUP)
            self._notice(statement)
        call.headers = Headers.of_pairs(tuple(headers))
        return call

    def statement_call(self, statement: Statement, at_us: int, attributes: dict[str, Any]) -> Call:
        """A call of a statement that has its values in its text."""
        return self.call(statement, arguments(statement), at_us, attribute_headers(attributes))

    def other_call(self, method: str, at_us: int, extra: tuple[tuple[str, str], ...] = ()) -> Call:
        """A call that is no SQL."""
        call = Call(at_us, method, "", method)
        call.arguments = "{}"
        call.lane = self.transaction
        call.headers = Headers((("database", self.database), *extra))
        return call

    def _opens(self, method: str, operation: str) -> bool:
        if method in {"BEGIN", "START"}:
            return not operation.upper().startswith("BEGIN NOT ATOMIC")
        return not self._status & Status.AUTOCOMMIT and method not in _OUTSIDE

    def _open(self) -> None:
        self._transactions += 1
        self.transaction = f"{self._connection}.{self._transactions}"

    def _notice(self, statement: Statement) -> None:
        """A client that changes its character set."""
        words = statement.operation.lower().split()
        named = {slot.literal for slot in statement.slots} | set(words[2:3])
        if words[:2] in (["set", "names"], ["set", "character"]):
            self._is_unsafe = bool(named & _UNSAFE_NAMES)
            self._reads_latin = bool(named & _LATIN_NAMES)

    def told(self, said: Outcome) -> None:
        """What an answer says about the session."""
        if said.database is not None:
            self.database = said.database
        if said.status is None:
            return
        self._status = said.status
        if not said.status & Status.IN_TRANSACTION:
            self.transaction = None
        elif self.transaction is None:
            self._open()

    def chained(self, call: Call) -> None:
        """A COMMIT or ROLLBACK that leaves a transaction open has opened another one (AND CHAIN)."""
        is_end = call.method in {"COMMIT", "ROLLBACK"} and " TO " not in call.operation.upper()
        if is_end and self.transaction is not None:
            self._open()

    def reset(self) -> None:
        """The session starts anew; its transaction is rolled back."""
        self.transaction = None
        self._statements.clear()
        self._weight = 0

    def prepared(self, number: int) -> Prepared:
        """A prepared statement, or one that is not read."""
        if number == LAST_PREPARED:
            number = self.last_prepared
        return self._statements.get(number) or Prepared(UNREAD, 0)

    def prepare(self, number: int, prepared: Prepared) -> None:
        """Keep a statement by its number."""
        self.close(number)
        self.last_prepared = number
        self._statements[number] = prepared
        self._weight += len(prepared.statement.operation)
        while len(self._statements) > MOST_STATEMENTS or self._weight > LARGEST_STATEMENTS:
            _, oldest = self._statements.popitem(last=False)
            self._weight -= len(oldest.statement.operation)

    def close(self, number: int) -> None:
        """Forget a statement."""
        gone = self._statements.pop(number, None)
        if gone is not None:
            self._weight -= len(gone.statement.operation)


def attribute_headers(attributes: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Query attributes as headers."""
    return tuple((name, value if isinstance(value, str) else str(value)) for name, value in attributes.items())


def binds_of(statement: Statement) -> int:
    """How many parameters a statement has, by its text."""
    return len({slot.bind for slot in statement.slots if slot.bind is not None})
