"""Clones of a real PostgreSQL template: made, adorned, read and dropped."""

import asyncio
import importlib
from collections.abc import Iterator
from types import ModuleType

import psycopg
import pytest

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.replay.isolation.access import Access
from seamline.replay.isolation.names import own_name, run_name
from seamline.replay.isolation.postgres import PostgresCloner
from seamline.replay.isolation.tables import TableState
from support.postgres_server import PostgresServer, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        running.run("CREATE ROLE keeper LOGIN CREATEDB", "CREATE ROLE clerk LOGIN", "CREATE DATABASE shop OWNER keeper")
        running.run(
            "CREATE TABLE orders (id int PRIMARY KEY, total numeric, at timestamptz, open bool, note jsonb, raw bytea)",
            "INSERT INTO orders VALUES (2, 1.50, '2026-01-02 03:04:05+01', true, '{\"a\": [1]}', '\\x00ff')",
            "INSERT INTO orders VALUES (1, NULL, NULL, false, NULL, NULL)",
            "CREATE SCHEMA audit",
            'CREATE TABLE audit."Lines, all" (a text, b float8)',
            "INSERT INTO audit.\"Lines, all\" VALUES ('z', 'NaN'), ('a', 0.5)",
            "CREATE TABLE many AS SELECT n AS id, repeat('x', 10) AS text FROM generate_series(1, 2500) n",
            "ALTER TABLE many ADD PRIMARY KEY (id)",
            "CREATE TABLE parted (id int, day date) PARTITION BY RANGE (day)",
            "CREATE TABLE parted_26 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "INSERT INTO parted VALUES (1, '2026-05-01')",
            "CREATE VIEW seen AS SELECT * FROM orders",
            "REVOKE ALL ON SCHEMA audit FROM PUBLIC",
            "GRANT SELECT ON orders, many TO clerk",
            database="shop",
            user="keeper",
        )
        running.run(
            "ALTER DATABASE shop SET search_path = audit, public",
            "ALTER DATABASE shop SET work_mem = '7MB'",
            "REVOKE ALL ON DATABASE shop FROM PUBLIC",
            "GRANT CONNECT ON DATABASE shop TO clerk",
        )
        yield running


def a_cloner(server: PostgresServer, template: str = "shop", user: str = "postgres") -> PostgresCloner:
    access = Access(server.host, server.port, user, "secret", "postgres")
    return PostgresCloner(access, template, 'downstream "db"')


def test_a_clone_is_the_template_with_its_owner_settings_and_grants(server: PostgresServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server)
        await cloner.open()
        first, second = await asyncio.gather(cloner.clone("Candidate!"), cloner.clone("baseline"))
        assert (first.rsplit("_", 2)[1:], second.rsplit("_", 2)[1:]) == (["candidate", "1"], ["baseline", "2"])
        server.run("DELETE FROM public.orders", database=first)
        assert server.run("SELECT count(*) FROM public.orders", database=second) == [(2,)]
        assert server.run("SHOW search_path", database=first) == [("audit, public",)]
        assert server.run("SHOW work_mem", database=first) == [("7MB",)]
        owner = server.run(f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{first}'")
        assert owner == [("keeper",)]
        server.run("SELECT 1", database=first, user="clerk")
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            server.run("CREATE ROLE stranger LOGIN", "SELECT 1")
            server.run("SELECT 1", database=first, user="stranger")
        await cloner.drop(first)
        await cloner.drop(second)
        await cloner.drop(second)
        await cloner.close()
        assert not any(name.startswith("seamline_") for name in server.databases())

    asyncio.run(main())


def test_the_state_of_a_clone_is_read_in_text_forms_by_primary_key(server: PostgresServer) -> None:
    async def main() -> dict[str, TableState]:
        cloner = a_cloner(server)
        await cloner.open()
        name = await cloner.clone("candidate")
        server.run("UPDATE public.many SET text = 'y' WHERE id = 2400", database=name)
        found = {table.name: table for table in await cloner.tables(name)}
        server.run("UPDATE public.many SET text = 'z' WHERE id = 2400", database=name)
        again = {table.name: table for table in await cloner.tables(name)}
        assert again["many"].rest != found["many"].rest
        assert again["orders"] == found["orders"]
        await cloner.drop(name)
        await cloner.close()
        return found

    tables = asyncio.run(main())
    assert set(tables) == {"orders", "audit.Lines, all", "many", "parted"}
    orders = tables["orders"]
    assert orders.columns == ("id", "total", "at", "open", "note", "raw")
    assert orders.types == ("int4", "numeric", "timestamptz", "bool", "jsonb", "bytea")
    assert (orders.primary_key, orders.count, orders.rest) == (("id",), 2, "")
    assert [tuple(row) for row in orders.rows] == [
        (1, None, None, False, None, None),
        (2, "1.50", "2026-01-02 02:04:05+00", True, {"a": [1]}, "\\x00ff"),
    ]
    lines = tables["audit.Lines, all"]
    assert ([tuple(row) for row in lines.rows], lines.primary_key) == ([("a", 0.5), ("z", "NaN")], ())
    many = tables["many"]
    assert (many.count, len(many.rows), len(many.rest)) == (2500, 2000, 16)
    assert [tuple(row) for row in tables["parted"].rows] == [(1, "2026-05-01")]


_COUNTED = (
    "CREATE TABLE plain (id serial PRIMARY KEY)",
    "INSERT INTO plain DEFAULT VALUES",
    "CREATE TABLE identity (id bigint GENERATED ALWAYS AS IDENTITY (INCREMENT 2))",
    "CREATE TABLE small (id smallserial)",
    "CREATE SEQUENCE wide",
    "CREATE TABLE narrow (id int2 DEFAULT nextval('wide'))",
    "CREATE SEQUENCE round MAXVALUE 9000000 CYCLE",
    'CREATE SCHEMA "Odd one"',
    'CREATE SEQUENCE "Odd one"."Set, not called"',
    """SELECT setval('"Odd one"."Set, not called"', 50, false)""",
    "CREATE SEQUENCE down INCREMENT -1",
)


def test_sequences_of_all_kinds_count_on_from_the_sides_own_place(server: PostgresServer) -> None:
    server.run("CREATE DATABASE counted")
    server.run(*_COUNTED, database="counted")

    async def main() -> dict[str, object]:
        cloner = a_cloner(server, "counted")
        await cloner.open()
        name = await cloner.clone("candidate")
        await cloner.move_apart(name, 1_000_003)

        def gives(query: str) -> object:
            return server.run(query, database=name)[0][0]

        found = {
            "plain": gives("INSERT INTO plain DEFAULT VALUES RETURNING id"),
            "identity": gives("INSERT INTO identity DEFAULT VALUES RETURNING id"),
            "small": gives("INSERT INTO small DEFAULT VALUES RETURNING id"),
            "narrow": gives("INSERT INTO narrow DEFAULT VALUES RETURNING id"),
            "round": gives("SELECT nextval('round')"),
            "odd": gives("""SELECT nextval('"Odd one"."Set, not called"')"""),
            "down": gives("SELECT nextval('down')"),
        }
        await cloner.drop(name)
        await cloner.close()
        return found

    assert asyncio.run(main()) == {
        "plain": 1_000_005, "identity": 1_000_003, "small": 1, "narrow": 1, "round": 1, "odd": 1_000_053,
        "down": -1_000_004,
    }  # fmt: skip


def test_sequences_of_others_stay_where_they_are(server: PostgresServer) -> None:
    server.run("CREATE DATABASE others")
    server.run("CREATE SEQUENCE theirs", "GRANT CREATE ON SCHEMA public TO clerk", database="others")
    server.run("CREATE SEQUENCE own", database="others", user="clerk")

    async def main() -> list[tuple[object, ...]]:
        cloner, clerk = a_cloner(server, "others"), a_cloner(server, "others", "clerk")
        await cloner.open()
        await clerk.open()
        name = await cloner.clone("candidate")
        await clerk.move_apart(name, 1_000_003)
        found = server.run("SELECT nextval('theirs'), nextval('own')", database=name)
        await cloner.drop(name)
        await clerk.close()
        await cloner.close()
        return found

    assert asyncio.run(main()) == [(1, 1_000_004)]


def test_what_the_user_may_not_read_is_left_out(server: PostgresServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server)
        await cloner.open()
        name = await cloner.clone("candidate")
        clerk = a_cloner(server, user="clerk")
        await clerk.open()
        assert [table.name for table in await clerk.tables(name)] == ["many", "orders"]
        await clerk.close()
        await cloner.drop(name)
        await cloner.close()

    asyncio.run(main())


def test_an_owner_who_may_make_databases_needs_no_administrator(server: PostgresServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server, user="keeper")
        await cloner.open()
        name = await cloner.clone("service")
        assert server.run("SELECT count(*) FROM public.orders", database=name, user="keeper") == [(2,)]
        await cloner.drop(name)
        await cloner.close()

    asyncio.run(main())


def test_a_user_without_the_right_is_told_what_is_missing(server: PostgresServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server, user="clerk")
        await cloner.open()
        with pytest.raises(
            CouldNotCheck, match=r'db": template "shop": permission denied .* \(the user needs CREATEDB'
        ):
            await cloner.clone("candidate")
        await cloner.close()

    asyncio.run(main())


@pytest.mark.parametrize("when", [0.0, 0.01, 0.03, 0.1])
def test_a_clone_that_is_cancelled_leaves_nothing(server: PostgresServer, when: float) -> None:
    async def main() -> None:
        cloner = a_cloner(server)
        await cloner.open()
        making = asyncio.create_task(cloner.clone("candidate"))
        await asyncio.sleep(when)
        making.cancel()
        await asyncio.wait([making])
        if not making.cancelled():
            await cloner.drop(making.result())
        await cloner.close()

    asyncio.run(main())
    assert not any(name.startswith("seamline_") for name in server.databases())


def test_a_clone_whose_grants_fail_leaves_nothing(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seamline.replay.isolation.postgres._GRANTS", "SELECT 'clerk', 'FLY' WHERE %s <> ''")

    async def main() -> None:
        cloner = a_cloner(server)
        await cloner.open()
        with pytest.raises(CouldNotCheck, match='template "shop": '):
            await cloner.clone("candidate")
        await cloner.close()

    asyncio.run(main())
    assert not any(name.startswith("seamline_") for name in server.databases())


def test_a_template_that_is_not_there_or_not_reached_is_named(server: PostgresServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server, template="shoop")
        await cloner.open()
        with pytest.raises(CouldNotCheck, match='template "shoop": no such database'):
            await cloner.clone("candidate")
        await cloner.close()
        nowhere = PostgresCloner(Access("127.0.0.1", 1, "u", "hush", "postgres"), "shop", "db")
        with pytest.raises(CouldNotCheck, match=r"no way into PostgreSQL at 127.0.0.1:1: ") as caught:
            await nowhere.open()
        assert "hush" not in str(caught.value)
        assert "the service's own URL in env" in caught.value.hint

    asyncio.run(main())


@pytest.mark.slow
def test_a_template_in_use_is_left_in_peace_and_its_user_named(server: PostgresServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server)
        await cloner.open()
        with psycopg.connect(server.url("shop") + "?application_name=psql", autocommit=True) as other:
            with pytest.raises(CouldNotCheck, match=r"is in use by postgres \(psql\): a database with sessions"):
                await cloner.clone("candidate")
            assert other.execute("SELECT 1").fetchone() == (1,)
        await cloner.close()

    asyncio.run(main())


def test_what_a_killed_run_left_is_dropped_and_a_living_runs_kept(server: PostgresServer) -> None:
    dead, living, foreign = run_name(1_000_000, b"aa"), run_name(1_000_001, b"bb"), "seamline_shop"
    names = [own_name(dead, "candidate", 1), own_name(living, "candidate", 1), foreign]
    for name in names:
        server.run(f'CREATE DATABASE "{name}"')

    async def main() -> None:
        with psycopg.connect(server.url() + f"?application_name=seamline%20{living}"):
            cloner = a_cloner(server)
            await cloner.open()
            await cloner.close()

    asyncio.run(main())
    assert server.databases() & set(names) == set(names[1:])
    for name in names[1:]:
        server.run(f'DROP DATABASE "{name}"')


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def import_module(name: str, package: str | None = None) -> ModuleType:
        if name.startswith("psycopg"):
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr("seamline.replay.isolation.postgres.import_module", import_module)
    with pytest.raises(UsageError, match=r"needs psycopg \(pip install 'seamline\[postgres\]'\)"):
        PostgresCloner(Access("h", 1, "u", "p"), "shop", "db")
