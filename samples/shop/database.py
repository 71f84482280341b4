"""The shop's PostgreSQL: a small pool, and queries that say on whose behalf they run."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from aiohttp import web
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

SIZE = 4
Params = Sequence[object]


class Database:
    """A pool of connections to DATABASE_URL, opened as they are needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: asyncio.LifoQueue[AsyncConnection[DictRow] | None] = asyncio.LifoQueue()
        for _ in range(SIZE):
            self._idle.put_nowait(None)

    @asynccontextmanager
    async def transaction(self, trace: str | None) -> AsyncIterator["Transaction"]:
        """Queries that take effect together, on behalf of the request with the traceparent `trace`."""
        connection = await self._idle.get()
        try:
            if connection is None or connection.closed:
                connection = await AsyncConnection.connect(self._url, row_factory=dict_row)
            async with connection.transaction():
                yield Transaction(connection, trace)
        finally:
            self._idle.put_nowait(connection)

    async def rows(self, trace: str | None, text: str, params: Params = ()) -> list[dict[str, Any]]:
        """The rows of one query."""
        async with self.transaction(trace) as run:
            return await run.rows(text, params)

    async def close(self) -> None:
        """Close what is idle."""
        while not self._idle.empty():
            connection = self._idle.get_nowait()
            if connection is not None:
                await connection.close()


class Transaction:
    """Queries within one transaction."""

    def __init__(self, connection: AsyncConnection[DictRow], trace: str | None) -> None:
        self._connection = connection
        # sqlcommenter's form: https://google.github.io/sqlcommenter/spec/
        self._comment = f" /*traceparent='{quote(trace)}'*/" if trace else ""

    async def rows(self, text: str, params: Params = ()) -> list[dict[str, Any]]:
        """Run `text`; its rows, if it has any."""
        cursor = await self._connection.execute((text + self._comment).encode(), params)
        return await cursor.fetchall() if cursor.description else []


DATABASE: web.AppKey[Database] = web.AppKey("database", Database)


async def with_database(app: web.Application) -> AsyncIterator[None]:
    """An application's database, for as long as it runs."""
    app[DATABASE] = Database(os.environ["DATABASE_URL"])
    yield
    await app[DATABASE].close()


def trace_of(request: web.Request) -> str | None:
    """The traceparent that `request` came with."""
    return request.headers.get("traceparent")
