"""A SQL statement as it is recorded: its text without its values, and the values under their columns' names.

Two rules hold here. No value that a user gave stands in `operation`. A text that does not lex (an open quote) says
nothing but its first keyword.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from ..call import BODY_CAP
from .dialect import POSTGRES, Dialect
from .lexer import Piece, Value, lex, take_comment
from .literals import MOST_GAPS, Place, cut, known, value_of
from .shape import shape_of

_WORD = re.compile(r"[\s(]*([A-Za-z]{1,12})\b")
_KEYWORDS = frozenset(
    [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "WITH",
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "END",
        "SAVEPOINT",
        "RELEASE",
        "COPY",
        "CREATE",
        "ALTER",
        "DROP",
        "TRUNCATE",
        "SET",
        "SHOW",
        "RESET",
        "EXPLAIN",
        "ANALYZE",
        "VACUUM",
        "CALL",
        "DO",
        "MERGE",
        "REPLACE",
        "VALUES",
        "TABLE",
        "DECLARE",
        "FETCH",
        "MOVE",
        "CLOSE",
        "LOCK",
        "GRANT",
        "REVOKE",
        "COMMENT",
        "LISTEN",
        "NOTIFY",
        "UNLISTEN",
        "PREPARE",
        "EXECUTE",
        "DEALLOCATE",
        "DISCARD",
        "USE",
        "LOAD",
        "REFRESH",
        "REINDEX",
        "CLUSTER",
    ]
)
_CACHED_LENGTH = 4096
_NO_PAIRS: dict[str, str] = {}


class Slot(NamedTuple):
    """One value's place in a statement: `bind` is the index of its bind value, counted from 0, or None where the text
    itself held the value `literal`."""

    name: str
    bind: int | None
    literal: Value


class Statement(NamedTuple):
    """One statement. `comment` is what its sqlcommenter comment says; `is_read` is False where the text did not lex."""

    method: str
    target: str
    operation: str
    fingerprint: str
    slots: tuple[Slot, ...]
    comment: Mapping[str, str] = MappingProxyType({})
    is_read: bool = True


def parse_statement(text: str, dialect: Dialect = POSTGRES) -> Statement:
    """`text` as one statement; of several the first is told."""
    statements = parse_script(text, dialect)
    return statements[0] if statements else EMPTY


def parse_script(text: str, dialect: Dialect = POSTGRES) -> tuple[Statement, ...]:
    """The statements of `text`, which `;` separates; none for an empty one. Never raises."""
    text, pairs = take_comment(text)
    made = _cached(text, dialect) if len(text) <= _CACHED_LENGTH else _parse(text, dialect)
    if not pairs:
        return made
    return tuple(each._replace(comment={**each.comment, **pairs}) for each in made)


def arguments(statement: Statement, binds: Sequence[Any] = ()) -> str:
    """Name to value, as JSON text in the order of the statement. `binds` are JSON values; one that the statement does
    not name keeps its number. What is longer than a body may be is told by its size and hash."""
    named: dict[str, Any] = {}
    used = set()
    for slot in statement.slots:
        if slot.bind is None:
            named[slot.name] = slot.literal
        elif slot.bind < len(binds):
            named[slot.name] = binds[slot.bind]
            used.add(slot.bind)
    if len(used) < len(binds):
        for index, value in enumerate(binds):
            if index not in used:
                named.setdefault(f"${index + 1}", value)
    return _json(named)


def statement_headers(statement: Statement, database: str, transaction: str | None) -> list[tuple[str, str]]:
    """The headers that every statement's call has."""
    headers = [("database", database), ("fingerprint", statement.fingerprint)]
    if transaction is not None:
        headers.append(("transaction", transaction))
    headers.extend(statement.comment.items())
    return headers


def _json(named: dict[str, Any]) -> str:
    try:
        raw = orjson.dumps(named)
    except (orjson.JSONEncodeError, TypeError):
        # A lone surrogate or an integer beyond 64 bits: what JSON cannot say is not said.
        return orjson.dumps({"$size": len(named)}).decode()
    if len(raw) <= BODY_CAP:
        return raw.decode()
    return orjson.dumps({"$size": len(raw), "$hash": blake2b(raw, digest_size=16).hexdigest()}).decode()


@lru_cache(maxsize=2048)
def _cached(text: str, dialect: Dialect) -> tuple[Statement, ...]:
    between, strings, gaps = cut(text)
    form = _form(between, strings, dialect) if 0 < len(gaps) <= MOST_GAPS else None
    return _parse(text, dialect) if form is None else tuple([_filled(each, gaps) for each in form])


_Form = tuple[Statement, tuple[tuple[int, int, bool], ...]]
"""A statement, and which of its slots are filled from which gap: (slot, gap, is negative)."""


@lru_cache(maxsize=1024)
def _form(between: tuple[str, ...], strings: tuple[bool, ...], dialect: Dialect) -> tuple[_Form, ...] | None:
    """How the texts read that differ in their literals alone; None where each has to be lexed."""
    found = known(between, strings, dialect)
    if found is None:
        return None
    forms = tuple([_form_of(piece, places) for piece, places in found])
    return forms if all(statement.is_read for statement, _ in forms) else None


def _form_of(piece: Piece, places: tuple[Place, ...]) -> _Form:
    secret = shape_of(piece.template).secret
    return _statement(piece, {}), tuple([place for place in places if place[0] not in secret])


def _filled(form: _Form, gaps: list[str]) -> Statement:
    statement, places = form
    slots = list(statement.slots)
    for at, gap, is_negative in places:
        slots[at] = Slot(slots[at].name, None, value_of(gaps[gap], is_negative=is_negative))
    return Statement(
        statement.method, statement.target, statement.operation, statement.fingerprint, tuple(slots), _NO_PAIRS
    )


def _parse(text: str, dialect: Dialect) -> tuple[Statement, ...]:
    lexed = lex(text, dialect)
    if lexed is None:
        return (_unread(text),)
    pieces, comment = lexed
    return tuple(_statement(piece, comment) for piece in pieces)


def _statement(piece: Piece, comment: dict[str, str]) -> Statement:
    shape = shape_of(piece.template)
    if len(shape.names) != len(piece.values):
        # A name that looks like a placeholder (MySQL's `$1`): what is whose value is not clear.
        return _unread(piece.template)
    slots = tuple(
        Slot(name, bind, None if at in shape.secret else literal)
        for at, (name, (bind, literal)) in enumerate(zip(shape.names, piece.values, strict=True))
    )
    return Statement(shape.method, shape.target, piece.template, shape.fingerprint, slots, comment or _NO_PAIRS)


def _unread(text: str) -> Statement:
    found = _WORD.match(text[:64])
    keyword = found.group(1).upper() if found else ""
    method = keyword if keyword in _KEYWORDS else "UNKNOWN"
    return Statement(method, "", method, shape_of(method).fingerprint, (), _NO_PAIRS, is_read=False)


UNREAD = _unread("")
"""A text of which nothing is said."""

EMPTY = Statement("EMPTY", "", "", shape_of("").fingerprint, ())
"""A text without a statement."""
