"""Clones of a PostgreSQL template database, and what their tables hold. The only file that knows psycopg.

Rules of this file:
- nobody's sessions are ended but those on our own clones: a template in use is said to be in use;
- every database made here has a name of ours (`names.py`), and nothing else is ever dropped;
- the run shows itself by the `application_name` of one connection that is held to the end: what has a name of a run
  that shows no connection is a killed run's.

CREATE DATABASE copies tables, not what hangs on the database itself: owner, settings and grants are copied here.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...capture.errors import CouldNotCheck, UsageError
from ...capture.text import printable
from ...capture.wire.postgres.types import decoder_of
from .access import Access
from .names import is_leftover, own_name, run_name
from .offset import Counter, moved
from .pgstate import COLUMNS, SEQUENCES, SET_SEQUENCES, TABLES, hash_of_rest, last_values, rows_of
from .tables import MOST_BYTES, MOST_ROWS, TableState, Value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from psycopg import AsyncConnection

_OLDEST = 130_000
"""DROP DATABASE … WITH (FORCE) came with 13."""
_STRATEGIES_SINCE = 150_000
_FILE_COPY_FROM = 192 << 20
"""Bytes of a template from which copying files beats writing them to the log (measured on 15: 17 MB 2.8 s against
0.7 s, 196 MB 3.6 s both, 949 MB 9.6 s against 12.1 s)."""
_AT_ONCE = 2
_CONNECT_WITHIN_S = 10
_FETCH = 200
_SEQUENCES_AT_ONCE = 200

_IN_USE, _NO_SUCH_DATABASE, _NOT_ALLOWED = "55006", "3D000", "42501"


class PostgresCloner:
    """A `template` on the server that `access` leads to; `what` names the downstream in errors."""

    def __init__(self, access: Access, template: str, what: str) -> None:
        self._access = access
        self._template = template
        self._what = what
        self._psycopg = _psycopg()
        self._owner: AsyncConnection[Any] | None = None
        self._run = ""
        self._number = 0
        self._version = 0
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def open(self) -> None:
        """Connect, check the version, and drop what killed runs have left."""
        self._owner = owner = await self._connect(self._access.database, "seamline")
        self._version = owner.info.server_version
        if self._version < _OLDEST:
            raise CouldNotCheck(f"{self._what}: PostgreSQL {self._version // 10_000} is too old", "13 or newer")
        async with self._told(f'template "{self._template}"'):
            now_s = int(await self._one(owner, "SELECT extract(epoch FROM now())::bigint"))
            self._run = run_name(now_s, os.urandom(4))
            await owner.execute("SELECT set_config('application_name', %s, false)", (f"seamline {self._run}",))
            leftovers = await self._leftovers(owner, now_s)
        for name in leftovers:
            # Another run may be at it too; whoever comes second has nothing to do.
            with suppress(CouldNotCheck):
                await self.drop(name)

    async def clone(self, side: str) -> str:
        """CREATE DATABASE … TEMPLATE, with the template's owner, settings and grants."""
        self._number += 1
        name = own_name(self._run, side, self._number)
        async with self._slots:
            try:
                await self._make(name)
            except BaseException:
                # It may be there all the same: made before its settings failed, or before a cancellation came. Where it
                # cannot be dropped either, the first error says more, and the next run finds the leftover.
                with suppress(CouldNotCheck):
                    await self.drop(name)
                raise
        return name

    async def drop(self, database: str) -> None:
        """DROP DATABASE … WITH (FORCE)."""
        sql = self._psycopg.sql
        async with self._entered() as connection, self._told(f'dropping "{database}"'):
            await connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )

    async def tables(self, database: str) -> Sequence[TableState]:
        """Every table of the clone, read in one snapshot."""
        connection = await self._connect(database, f"seamline {self._run}")
        async with connection, self._told(f'the state of "{database}"'):
            await connection.execute("SET TIME ZONE 'UTC'")
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = await (await connection.execute(TABLES)).fetchall()
            return [await self._table(connection, *row) for row in found]

    async def move_apart(self, database: str, offset: int) -> None:
        """Every sequence of the clone that may be set, those of serial and identity columns among them."""
        connection = await self._connect(database, f"seamline {self._run}")
        async with connection, self._told(f'the sequences of "{database}"'):
            targets = moved(await self._counters(connection), offset)
            if targets:
                await connection.execute(SET_SEQUENCES, (list(targets), list(targets.values())))

    async def close(self) -> None:
        """End the connection that shows the run."""
        owner, self._owner = self._owner, None
        if owner is not None:
            await owner.close()

    async def _make(self, name: str) -> None:
        async with self._entered() as connection:
            try:
                await connection.execute(await self._create(connection, name))
                await self._adorn(connection, name)
            except self._psycopg.Error as error:
                raise await self._why(connection, error) from error

    async def _create(self, connection: "AsyncConnection[Any]", name: str) -> Any:
        sql = self._psycopg.sql
        row = await (await connection.execute(_TEMPLATE, (self._template,))).fetchone()
        if row is None:
            raise CouldNotCheck(f'{self._what}: template "{self._template}": no such database', "create it first")
        size, owner, may_own = row
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(self._template)
        )
        if may_own:
            statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
        if self._version >= _STRATEGIES_SINCE:
            statement += sql.SQL(f" STRATEGY {'file_copy' if size >= _FILE_COPY_FROM else 'wal_log'}")
        return statement

    async def _adorn(self, connection: "AsyncConnection[Any]", name: str) -> None:
        """Settings and grants of the template, which its copies do not get by themselves."""
        sql = self._psycopg.sql
        database = sql.Identifier(name)
        for setting, value in await (await connection.execute(_SETTINGS, (self._template,))).fetchall():
            # A list such as search_path is stored as it is written: quoted as one value it would be one name.
            shown = sql.SQL(value) if setting in _LISTS else sql.Literal(value)
            await connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} TO {}").format(database, sql.Identifier(setting), shown)
            )
        grants = await (await connection.execute(_GRANTS, (self._template,))).fetchall()
        if grants:
            await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        for grantee, privilege in grants:
            role = sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee)
            await connection.execute(sql.SQL(f"GRANT {privilege} ON DATABASE {{}} TO {{}}").format(database, role))

    async def _why(self, connection: "AsyncConnection[Any]", error: Exception) -> CouldNotCheck:
        """What keeps the template from being cloned, in words of the user's world."""
        where = f'{self._what}: template "{self._template}"'
        state = getattr(error, "sqlstate", None)
        if state == _IN_USE:
            others = await (await connection.execute(_OTHERS, (self._template,))).fetchall()
            who = ", ".join(printable(f"{user} ({name or 'unnamed'})", 60) for user, name in others[:3])
            return CouldNotCheck(
                f"{where} is in use{' by ' + who if who else ''}: a database with sessions cannot be cloned",
                "end them, and let services use another database than the template",
            )
        if state == _NOT_ALLOWED:
            return CouldNotCheck(
                f"{where}: {_said(error)}",
                "the user needs CREATEDB and the template, or isolate.admin names one that has them",
            )
        return CouldNotCheck(f"{where}: {_said(error)}")

    async def _leftovers(self, connection: "AsyncConnection[Any]", now_s: int) -> list[str]:
        shown = await (await connection.execute(_LIVING)).fetchall()
        living = frozenset(str(name).partition(" ")[2] for (name,) in shown)
        names = await (await connection.execute(_OURS)).fetchall()
        return [name for (name,) in names if is_leftover(name, now_s, living)]

    async def _counters(self, connection: "AsyncConnection[Any]") -> list[Counter]:
        found = await (await connection.execute(SEQUENCES)).fetchall()
        last: dict[str, int] = {}
        for begin in range(0, len(found), _SEQUENCES_AT_ONCE):
            asked = [row[:4] for row in found[begin : begin + _SEQUENCES_AT_ONCE]]
            last.update(await (await connection.execute(last_values(self._psycopg.sql, asked))).fetchall())
        return [Counter(oid, last[oid], step, low, high) for oid, _, _, step, low, high in found]

    async def _table(
        self, connection: "AsyncConnection[Any]", oid: int, schema: str, name: str, key: list[str]
    ) -> TableState:
        columns = await (await connection.execute(COLUMNS, (oid,))).fetchall()
        names = tuple(column for column, _ in columns)
        types = tuple(type_name for _, type_name in columns)
        sql = self._psycopg.sql
        query = rows_of(sql, schema, name, names, key)
        await connection.execute(sql.SQL("DECLARE seamline_state CURSOR FOR ") + query)
        rows = await self._rows(connection)
        await connection.execute("CLOSE seamline_state")
        count, rest = len(rows), ""
        if await self._has_more(connection, query, count):
            more, digest = await self._first(connection, hash_of_rest(sql, schema, name, key, count))
            count, rest = count + int(more), f"{int(digest) & (1 << 64) - 1:016x}"
        shown = name if schema == "public" else f"{schema}.{name}"
        return TableState(shown, names, types, tuple(key), rows, count, rest)

    async def _rows(self, connection: "AsyncConnection[Any]") -> list[list[Value]]:
        """The first rows, each value read from its text form as the tap's decoder reads it."""
        rows: list[list[Value]] = []
        size = 0
        while len(rows) < MOST_ROWS:
            result = (await connection.execute(f"FETCH {_FETCH} FROM seamline_state")).pgresult
            if result is None or not result.ntuples:
                break
            decoders = [decoder_of(result.ftype(column), 0) for column in range(result.nfields)]
            for row in range(min(result.ntuples, MOST_ROWS - len(rows))):
                raw = [result.get_value(row, column) for column in range(result.nfields)]
                size += sum(len(value) for value in raw if value is not None)
                if size >= MOST_BYTES and rows:
                    return rows
                pairs = zip(decoders, raw, strict=True)
                rows.append([None if value is None else decode(value) for decode, value in pairs])
        return rows

    async def _has_more(self, connection: "AsyncConnection[Any]", query: Any, kept: int) -> bool:
        sql = self._psycopg.sql
        cursor = await connection.execute(query + sql.SQL(f" LIMIT 1 OFFSET {kept}"))
        return cursor.rowcount > 0

    async def _one(self, connection: "AsyncConnection[Any]", query: str) -> Any:
        return (await self._first(connection, query))[0]

    async def _first(self, connection: "AsyncConnection[Any]", query: Any) -> Any:
        row = await (await connection.execute(query)).fetchone()
        assert row is not None
        return row

    @asynccontextmanager
    async def _entered(self) -> "AsyncIterator[AsyncConnection[Any]]":
        """A connection of its own: one makes a clone while another drops one."""
        connection = await self._connect(self._access.database, f"seamline {self._run}")
        try:
            yield connection
        finally:
            await connection.close()

    async def _connect(self, database: str, name: str) -> "AsyncConnection[Any]":
        access = self._access
        try:
            found: AsyncConnection[Any] = await self._psycopg.AsyncConnection.connect(
                **_libpq(access.options),
                host=access.host,
                port=access.port,
                user=access.user or None,
                password=access.password or None,
                dbname=database,
                application_name=name,
                connect_timeout=_CONNECT_WITHIN_S,
                client_encoding="utf-8",
                autocommit=True,
            )
            return found
        except self._psycopg.Error as error:
            where = f"{access.host}:{access.port}"
            raise CouldNotCheck(f"{self._what}: no way into PostgreSQL at {where}: {_said(error)}", _WAY_IN) from error

    @asynccontextmanager
    async def _told(self, doing: str) -> "AsyncIterator[None]":
        try:
            yield
        except self._psycopg.Error as error:
            raise CouldNotCheck(f"{self._what}: {doing}: {_said(error)}") from error


_TEMPLATE = """
SELECT pg_database_size(oid), pg_get_userbyid(datdba), pg_has_role(datdba, 'MEMBER')
FROM pg_database WHERE datname = %s
"""
_SETTINGS = """
SELECT split_part(each, '=', 1), substr(each, strpos(each, '=') + 1)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS each
WHERE d.datname = %s AND s.setrole = 0
"""
_GRANTS = """
SELECT r.rolname, a.privilege_type
FROM pg_database d, aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE d.datname = %s AND d.datacl IS NOT NULL AND (a.grantee = 0 OR r.rolname IS NOT NULL)
"""
_OTHERS = """
SELECT usename, application_name FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()
"""
_WAY_IN = "user, password and TLS are those of the service's own URL in env, or of admin in isolate"
_LIVING = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'seamline %'"
_OURS = r"""
SELECT datname FROM pg_database d WHERE datname LIKE 'seamline\_%' AND pg_has_role(datdba, 'MEMBER')
AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname)
"""
_LISTS = frozenset(
    ("search_path", "session_preload_libraries", "local_preload_libraries", "temp_tablespaces", "DateStyle")
)


def _libpq(options: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name.startswith("ssl") and name != "ssl_ca"}


def _said(error: Exception) -> str:
    """The server's sentence, in one line."""
    diag = getattr(error, "diag", None)
    text = (diag.message_primary if diag is not None else None) or str(error)
    return printable(" ".join(text.split()), 300)


def _psycopg() -> Any:
    try:
        found = import_module("psycopg")
        import_module("psycopg.sql")
    except ImportError as error:
        raise UsageError(
            "isolate template: cloning a PostgreSQL database needs psycopg", "pip install 'seamline[postgres]'"
        ) from error
    return found
