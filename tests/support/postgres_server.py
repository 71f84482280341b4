"""A real PostgreSQL that lets everybody in, with what tests of isolation ask of it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from support.postgres import postgres

_ADMIN = "postgres"


@dataclass(frozen=True)
class PostgresServer:
    """Where it listens; "postgres" is its administrator."""

    host: str
    port: int

    def url(self, database: str = "postgres", user: str = _ADMIN) -> str:
        """What a client is told."""
        return f"postgresql://{user}:secret@{self.host}:{self.port}/{database}"

    def run(self, *statements: str, database: str = "postgres", user: str = _ADMIN) -> list[tuple[object, ...]]:
        """Run statements one after the other; the rows of the last one."""
        import psycopg

        rows: list[tuple[object, ...]] = []
        with psycopg.connect(self.url(database, user), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def databases(self) -> set[str]:
        """The names of all databases."""
        return {str(name) for (name,) in self.run("SELECT datname FROM pg_database")}


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A server that is up, and gone afterwards."""
    with postgres(auth="trust") as running:
        server = PostgresServer("127.0.0.1", running.port)
        server.run(f"CREATE ROLE {_ADMIN} SUPERUSER LOGIN", user="app")
        yield server
