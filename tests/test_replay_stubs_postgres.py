"""The PostgreSQL stub, asked by real clients what a real server was asked before."""

import asyncio
import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from seamline.capture.model import Exchange, FailureKind
from seamline.capture.wire.postgres import write
from seamline.replay.stubs.postgres import PostgresStub
from support import pg_messages as pg
from support.pg_messages import Talk
from support.pg_stub import asked, exchanges_of, stub
from support.postgres import Server, postgres, recorded
from support.stubs import Run, answers_of, stub_spec

psycopg = pytest.importorskip("psycopg")
asyncpg = pytest.importorskip("asyncpg")
sa = pytest.importorskip("sqlalchemy")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres("trust") as running:
        with psycopg.connect(running.dsn, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE goods (id serial PRIMARY KEY, name text UNIQUE, price numeric(8,2), since date, tags text[],"
                " doc jsonb)"
            )
        yield running


def steps(run: Run) -> Counter[str]:
    return Counter(each.response.headers.get("seamline-stub") or "" for each in run.exchanges if each.response)


def both(server: Server, talk: Callable[[str], Any]) -> tuple[Any, Any, Run]:
    """What `talk` gets of the server, and of a stub that plays what was recorded of that."""

    async def main() -> tuple[Any, Any, Run]:
        async with recorded(server) as recording:
            live = await asyncio.to_thread(talk, recording.dsn)
        assert recording.sink.losses == {}
        async with stub(recording.exchanges) as (dsn, run):
            return live, await asyncio.to_thread(talk, dsn), run

    return asyncio.run(main())


def by_psycopg(dsn: str) -> list[Any]:
    seen: list[Any] = []
    with psycopg.connect(dsn) as connection:
        seen.append(connection.info.parameter_status("server_version"))
        one = ("pen", "1.50", "2024-01-02", ["x", "y z"], '{"a": 1}')
        insert = "INSERT INTO goods (name, price, since, tags, doc) VALUES (%s, %s, %s, %s, %s) RETURNING id"
        seen.append(connection.execute(insert, one).fetchall())
        for is_binary in (False, True):
            select = "SELECT name, price, since, tags, doc FROM goods WHERE name = %s"
            seen.append(connection.execute(select, ("pen",), binary=is_binary).fetchall())
        # Prepared after its fifth run.
        seen += [connection.execute("SELECT %s::int8 + 1 AS x", (number,)).fetchone() for number in range(7)]
        try:
            with connection.transaction():
                connection.execute("INSERT INTO goods (name) VALUES (%s)", ("pen",))
        except psycopg.errors.UniqueViolation as error:
            seen.append((error.sqlstate, str(error), error.diag.constraint_name))
        seen.append(connection.info.transaction_status)
        with connection.cursor().copy("COPY goods (name, price) FROM STDIN") as copy:
            copy.write_row(("a\tb", 2))
        with connection.cursor().copy("COPY (SELECT name, price FROM goods ORDER BY id) TO STDOUT") as copy:
            seen.append(list(copy.rows()))
        cursor = connection.execute("SELECT 1 AS one; SELECT 2 AS two")
        seen += [cursor.fetchall(), cursor.nextset(), cursor.fetchall()]
        with connection.pipeline():
            made = [connection.execute("SELECT 3 AS three"), connection.execute("SELECT %s::int4 AS four", (4,))]
            seen += [each.fetchall() for each in made]
        with connection.cursor(name="some") as named:
            named.itersize = 2
            seen.append(list(named.execute("SELECT generate_series(1, 5)")))
        connection.rollback()
        seen.append(connection.info.transaction_status)
    return seen


async def _by_asyncpg(dsn: str) -> list[Any]:
    seen: list[Any] = []
    connection = await asyncpg.connect(dsn)
    since = datetime.date(2024, 1, 2)
    insert = "INSERT INTO goods (name, price, since, tags) VALUES ($1, $2, $3, $4) RETURNING name"
    async with connection.transaction():
        seen.append(await connection.fetchval(insert, "cup", Decimal("2.50"), since, ["x"]))
        found = await connection.fetch(
            "SELECT name, price, since, tags, 1.5::float4 f, '1 day 2:03:04'::interval i FROM goods WHERE since = $1",
            since,
        )
        seen.append([tuple(row) for row in found])
        seen.append([row["g"] async for row in connection.cursor("SELECT generate_series(1, 5) g", prefetch=2)])
        await connection.executemany("UPDATE goods SET price = $1 WHERE name = $2", [(1, "cup"), (2, "cup")])
        try:
            async with connection.transaction():
                await connection.fetch("SELECT * FROM gone WHERE a = $1", 1)
        except asyncpg.PostgresError as error:
            seen.append((type(error).__name__, str(error)))
        await connection.execute("DELETE FROM goods WHERE name = $1", "cup")
    await connection.reset()
    await connection.close()
    return seen


def by_asyncpg(dsn: str) -> list[Any]:
    return asyncio.run(_by_asyncpg(dsn))


def by_sqlalchemy(dsn: str) -> list[Any]:
    engine = sa.create_engine(dsn.replace("postgresql:", "postgresql+psycopg:"))
    things = sa.Table(
        "things",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50)),
        sa.Column("price", sa.Numeric(10, 2)),
    )
    things.metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [{"name": f"n{number}", "price": number} for number in range(3)]
        seen = [connection.execute(things.insert().returning(things.c.name), rows).all()]
        seen.append(connection.execute(sa.select(things).where(things.c.name.in_(["n0", "n2"])).limit(2)).all())
        connection.execute(sa.delete(things))
    things.metadata.drop_all(engine)
    engine.dispose()
    return seen


@pytest.mark.parametrize("talk", [by_psycopg, by_asyncpg, by_sqlalchemy])
def test_a_client_gets_the_same_of_the_stub_as_of_the_server(server: Server, talk: Callable[[str], Any]) -> None:
    live, played, run = both(server, talk)
    assert played == live
    missed = [
        each for each in run.exchanges if each.response and each.response.headers.get("seamline-stub") == "missed"
    ]
    assert [(each.request.operation, each.request.arguments) for each in missed] == []
    assert set(steps(run)) == {"exact"}
    assert run.losses == []


def test_what_the_stub_records_is_what_the_tap_records(server: Server) -> None:
    async def main() -> None:
        async with recorded(server) as recording:
            await asyncio.to_thread(by_psycopg, recording.dsn)
        async with stub(recording.exchanges) as (dsn, run):
            await asyncio.to_thread(by_psycopg, dsn)
        taped = [each for each in recording.exchanges if each.request.method != "CONNECT"]
        assert [each.request for each in run.exchanges] == [each.request for each in taped]

    asyncio.run(main())


# What no server was asked before.


def on_stub(exchanges: Sequence[Exchange], talk: Callable[[str], Any], **options: Any) -> Run:
    async def main() -> Run:
        async with stub(exchanges, **options) as (dsn, run):
            await asyncio.to_thread(talk, dsn)
        return run

    return asyncio.run(main())


def test_a_miss_explains_itself_and_a_session_goes_on() -> None:
    def talk(dsn: str) -> None:
        with psycopg.connect(dsn) as connection:
            with pytest.raises(psycopg.OperationalError, match="the stub of db has no answer") as failed:
                connection.execute("SELECT * FROM never WHERE a = %s", ("x",))
            assert failed.value.sqlstate == "58000"
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
            connection.rollback()
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            with pytest.raises(psycopg.OperationalError, match="no answer"):
                connection.execute("SELECT 1; SELECT 2")

    run = on_stub([], talk)
    assert [each.request.method for each in run.exchanges] == [
        "BEGIN",
        "SELECT",
        "ROLLBACK",
        "BEGIN",
        "SELECT",
        "COMMIT",
    ]


def test_a_recorded_answer_that_was_cut_is_not_played_as_if_it_were_whole() -> None:
    rows = [write.data_row([b"%d" % number]) for number in range(300)]
    made = asked("SELECT a FROM t", write.row_description(pg.columns(("a", 23))), *rows, write.complete("SELECT 300"))

    def talk(dsn: str) -> None:
        with (
            psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection,
            pytest.raises(psycopg.OperationalError, match="too long to be kept"),
        ):
            connection.execute("SELECT a FROM t")

    on_stub(made, talk)


def test_a_connection_that_broke_breaks_again() -> None:
    def talk(dsn: str) -> None:
        with (
            pytest.raises(psycopg.OperationalError),
            psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection,
        ):
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    on_stub(asked("SELECT pg_terminate_backend(pg_backend_pid())"), talk)


def test_a_statement_that_was_waited_for_in_vain_can_be_cancelled() -> None:
    made = Talk()
    made.client(pg.query("SELECT pg_sleep(30)"))
    made.lost(FailureKind.TIMEOUT)

    async def main() -> None:
        async with stub(exchanges_of(made)) as (dsn, run):
            connection = await asyncpg.connect(dsn)
            with pytest.raises(TimeoutError):
                await connection.execute("SELECT pg_sleep(30)", timeout=0.2)
            await connection.close()
        assert "CANCEL" in [each.request.method for each in run.exchanges]

    asyncio.run(main())


def test_stopping_lets_what_is_being_said_be_said() -> None:
    found = asked("SELECT a FROM t", write.row_description(pg.columns(("a", 23))), write.complete("SELECT 0"))
    slow = [replace(each, latency_us=300_000) for each in found]

    async def main() -> None:
        answers, _ = answers_of(slow, "db", "postgres", latency="recorded")
        made = PostgresStub(stub_spec("db", "postgres"), answers)
        _, port = await made.start()
        idle_reader, idle = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(pg.startup(user="app") + pg.query("SELECT a FROM t"))
        while answers.calls and not made.is_busy:
            await asyncio.sleep(0.005)
        async with asyncio.timeout(10):
            await made.stop(5)
            assert b"SELECT 0" in await reader.read()
            assert await idle_reader.read() == b""
        writer.close()
        idle.close()

    asyncio.run(main())
