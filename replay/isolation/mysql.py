"""Copies of a MySQL or MariaDB template database, and what their tables hold. The only file that knows PyMySQL here.

Rules of this file: PyMySQL waits, so every operation is a thread's, on a connection of its own; every database made
here has a name of ours (`names.py`), and nothing else is ever dropped; a run shows itself by a named lock that one
connection holds to the end.

MySQL has no template databases: tables are created by what SHOW CREATE says and filled by INSERT … SELECT, with
foreign keys unchecked meanwhile; views, triggers and routines follow. Events are left out: each copy's would fire.
"""

import asyncio
import base64
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from ...capture.errors import CouldNotCheck, UsageError
from ...capture.text import printable
from .access import Access
from .mystate import (
    COUNTED,
    ORDINARY_COLUMNS,
    TABLES,
    columns_of,
    hash_of_rest,
    key_of,
    most_of,
    next_number,
    quoted,
    rows_of,
)
from .names import is_leftover, own_name, run_name, run_of
from .offset import Counter, moved
from .tables import MOST_BYTES, MOST_ROWS, TableState, Value, typed

# PyMySQL brings no types along.
Cursor = Any
Connection = Any

_CONNECT_WITHIN_S = 10
_LOCK_WITHIN_S = 60
_ROUTINES = "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = %s"
_TRIGGERS = (
    "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = %s "
    "ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER"
)
_GRANTS = (
    "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE %s LIKE TABLE_SCHEMA "
    "AND TABLE_SCHEMA <> '%%'"
)


class MysqlCloner:
    """A `template` on the server that `access` leads to; `what` names the downstream in errors."""

    def __init__(self, access: Access, template: str, what: str) -> None:
        self._access = access
        self._template = template
        self._what = what
        self._pymysql = _pymysql()
        self._owner: Connection | None = None
        self._run = ""
        self._number = 0
        # One at a time: two copies at once wait for the same disk.
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Come in, and drop what killed runs have left."""
        await asyncio.to_thread(self._open)

    async def clone(self, side: str) -> str:
        """A copy of the template; its name."""
        self._number += 1
        name = own_name(self._run, side, self._number)
        async with self._turn:
            copying = asyncio.create_task(asyncio.to_thread(self._copy, name))
            try:
                await asyncio.shield(copying)
            except BaseException:
                # A thread comes to its end in its own time; what it has made until then goes. Where it cannot be
                # dropped, the first error says more, and the next run finds the leftover.
                await asyncio.wait([copying])
                with suppress(CouldNotCheck):
                    await self.drop(name)
                raise
        return name

    async def tables(self, database: str) -> Sequence[TableState]:
        """What the tables of a copy hold, read in one snapshot."""
        return await asyncio.to_thread(self._tables, database)

    async def drop(self, database: str) -> None:
        """Drop a copy and the grants on it."""
        await asyncio.to_thread(self._drop, database)

    async def move_apart(self, database: str, offset: int) -> None:
        """Every AUTO_INCREMENT of the copy."""
        await asyncio.to_thread(self._move_apart, database, offset)

    async def close(self) -> None:
        """End the connection that shows the run."""
        owner, self._owner = self._owner, None
        if owner is not None:
            await asyncio.to_thread(owner.close)

    def _open(self) -> None:
        with self._told("coming in"):
            self._owner = owner = self._connect()
            with owner.cursor() as cursor:
                now_s = int(_first(cursor, "SELECT UNIX_TIMESTAMP()")[0])
                self._run = run_name(now_s, os.urandom(4))
                cursor.execute("SELECT GET_LOCK(%s, 0)", (_lock(self._run),))
                names = [row[0] for row in _all(cursor, "SHOW DATABASES LIKE 'seamline\\_%'")]
                runs = {found[0] for name in names if (found := run_of(name)) is not None}
                living = frozenset(run for run in runs if not self._is_free(cursor, run))
        for name in names:
            if is_leftover(name, now_s, living):
                # Another run may be at it too, or it is another user's.
                with suppress(CouldNotCheck):
                    self._drop(name)

    def _is_free(self, cursor: Cursor, run: str) -> bool:
        return int(_first(cursor, "SELECT IS_FREE_LOCK(%s)", (_lock(run),))[0]) == 1

    def _copy(self, name: str) -> None:
        with self._told(f'template "{self._template}"'), self._entered() as cursor:
            found = _all(
                cursor,
                "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA "
                "WHERE SCHEMA_NAME = %s",
                (self._template,),
            )
            if not found:
                raise CouldNotCheck(
                    f'{self._what}: template "{self._template}": no such database', "create it, or see to the grants"
                )
            charset, collation = found[0]
            cursor.execute(f"CREATE DATABASE {quoted(name)} CHARACTER SET {charset} COLLATE {collation}")
            cursor.execute(f"USE {quoted(name)}")
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0, UNIQUE_CHECKS = 0, SQL_MODE = 'NO_AUTO_VALUE_ON_ZERO'")
            self._copy_tables(cursor)
            self._copy_routines(cursor)
            self._copy_views(cursor, name)
            self._copy_grants(cursor, name)

    def _copy_tables(self, cursor: Cursor) -> None:
        for table, _ in _all(cursor, TABLES, (self._template,)):
            source = f"{quoted(self._template)}.{quoted(table)}"
            cursor.execute(_first(cursor, f"SHOW CREATE TABLE {source}")[1])
            columns = [column for (column,) in _all(cursor, ORDINARY_COLUMNS, (self._template, table))]
            if columns:
                names = ", ".join(map(quoted, columns))
                cursor.execute(f"INSERT INTO {quoted(table)} ({names}) SELECT {names} FROM {source}")  # noqa: S608

    def _copy_routines(self, cursor: Cursor) -> None:
        """Procedures, functions and triggers; a trigger comes after the rows, which it has seen once already."""
        place = quoted(self._template)
        for kind, routine in _all(cursor, _ROUTINES, (self._template,)):
            cursor.execute(_first(cursor, f"SHOW CREATE {kind} {place}.{quoted(routine)}")[2])
        for (trigger,) in _all(cursor, _TRIGGERS, (self._template,)):
            cursor.execute(_first(cursor, f"SHOW CREATE TRIGGER {place}.{quoted(trigger)}")[2])

    def _copy_views(self, cursor: Cursor, name: str) -> None:
        """Views name their tables in full, and may name each other: those that cannot be made yet come again."""
        place = quoted(self._template)
        texts = [
            _first(cursor, f"SHOW CREATE VIEW {place}.{quoted(view)}")[1].replace(f"{place}.", f"{quoted(name)}.")
            for (view,) in _all(
                cursor, "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = %s", (self._template,)
            )
        ]
        while texts:
            left = [text for text in texts if not self._made(cursor, text)]
            if len(left) == len(texts):
                cursor.execute(left[0])
            texts = left

    def _made(self, cursor: Cursor, text: str) -> bool:
        try:
            cursor.execute(text)
        except self._pymysql.MySQLError:
            return False
        return True

    def _copy_grants(self, cursor: Cursor, name: str) -> None:
        """Who may use the template may use its copy."""
        me = _first(cursor, "SELECT CURRENT_USER()")[0].replace("@", "'@'")
        for grantee, privilege in _all(cursor, _GRANTS, (self._template,)):
            if grantee != f"'{me}'":
                cursor.execute(f"GRANT {privilege} ON {_pattern(name)}.* TO {grantee}")

    def _drop(self, name: str) -> None:
        with self._told(f'dropping "{name}"'), self._entered() as cursor:
            cursor.execute(f"SET lock_wait_timeout = {_LOCK_WITHIN_S}")
            granted = "SELECT DISTINCT GRANTEE FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA IN (%s, %s)"
            for (grantee,) in _all(cursor, granted, (name, name.replace("_", "\\_"))):
                cursor.execute(f"REVOKE ALL PRIVILEGES ON {_pattern(name)}.* FROM {grantee}")
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted(name)}")

    def _move_apart(self, database: str, offset: int) -> None:
        with self._told(f'the counters of "{database}"'), self._entered() as cursor:
            cursor.execute(f"USE {quoted(database)}")
            found = [
                Counter(str(table), int(number) - 1, 1, 0, most_of(str(type_name)))
                for table, number, type_name in _all(cursor, COUNTED, (database,))
            ]
            for table, last in moved(found, offset).items():
                cursor.execute(next_number(table, last + 1))

    def _tables(self, database: str) -> list[TableState]:
        with self._told(f'the state of "{database}"'), self._entered() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            return [self._table(cursor, database, table) for table, _ in _all(cursor, TABLES, (database,))]

    def _table(self, cursor: Cursor, database: str, table: str) -> TableState:
        columns = _all(cursor, *columns_of(database, table))
        names = tuple(str(name) for name, _ in columns)
        types = tuple(str(type_name) for _, type_name in columns)
        key = tuple(str(name) for (name,) in _all(cursor, *key_of(database, table)))
        rows: list[tuple[Value, ...]] = []
        size = 0
        for raw in _all(cursor, rows_of(database, table, names, key, MOST_ROWS)):
            size += sum(len(value) for value in raw if value is not None)
            if size >= MOST_BYTES and rows:
                break
            rows.append(tuple(_value(type_name, value) for type_name, value in zip(types, raw, strict=True)))
        more, digest = _first(cursor, hash_of_rest(database, table, names, key, len(rows)))
        rest = f"{int(digest) & (1 << 64) - 1:016x}" if int(more) else ""
        return TableState(table, names, types, key, rows, len(rows) + int(more), rest)

    @contextmanager
    def _entered(self) -> Iterator[Cursor]:
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def _connect(self) -> "Connection":
        access = self._access
        found: Connection = self._pymysql.connect(
            host=access.host,
            port=access.port,
            user=access.user or None,
            password=access.password,
            database=access.database or None,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=_CONNECT_WITHIN_S,
            ssl={"ca": access.options["ssl_ca"]} if "ssl_ca" in access.options else None,
            # No value is converted: what is read is the text that the server sends.
            conv=_escapes(self._pymysql),
        )
        return found

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except self._pymysql.MySQLError as error:
            said = printable(" ".join(str(error.args[-1] if error.args else error).split()), 300)
            raise CouldNotCheck(f"{self._what}: {doing}: {said}", self._hint(error)) from error

    def _hint(self, error: Exception) -> str:
        denied = error.args[:1] and error.args[0] in (1044, 1045, 1142, 1227, 1410)
        return "isolate.admin names a user that may create databases and grant" if denied else ""


def _escapes(pymysql: Any) -> dict[Any, Callable[..., Any]]:
    """Only the ways out: how Python's values are written into a statement."""
    return {kind: way for kind, way in pymysql.converters.encoders.items() if isinstance(kind, type)}


def _value(type_name: str, raw: str | bytes | None) -> Value:
    if not isinstance(raw, bytes):
        return typed(type_name, raw)
    try:
        return typed(type_name, raw.decode("utf-8"))
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(raw).decode()}


def _pattern(name: str) -> str:
    """In a grant the underscore is a wild card."""
    return quoted(name.replace("_", "\\_"))


def _lock(run: str) -> str:
    return f"seamline {run}"


def _all(cursor: Cursor, query: str, arguments: tuple[str, ...] | None = None) -> Sequence[Any]:
    cursor.execute(query, arguments)
    rows: Sequence[Any] = cursor.fetchall()
    return rows


def _first(cursor: Cursor, query: str, arguments: tuple[str, ...] | None = None) -> Any:
    return _all(cursor, query, arguments)[0]


def _pymysql() -> Any:
    try:
        found = import_module("pymysql")
    except ImportError as error:
        raise UsageError(
            "isolate template: copying a MySQL database needs PyMySQL", "pip install 'seamline[mysql]'"
        ) from error
    return found
