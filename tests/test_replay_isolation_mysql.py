"""Copies of a template database on a real MariaDB: made, read and dropped."""

import asyncio
import importlib
from collections.abc import Iterator
from types import ModuleType

import pymysql
import pytest

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.replay.isolation.access import Access
from seamline.replay.isolation.mysql import MysqlCloner
from seamline.replay.isolation.names import own_name, run_name
from seamline.replay.isolation.tables import TableState
from support.mariadb_server import PASSWORD, MariadbServer, mariadb_server


@pytest.fixture(scope="module")
def server() -> Iterator[MariadbServer]:
    with mariadb_server() as running:
        running.run(
            "CREATE USER 'app'@'%' IDENTIFIED BY 'secret'",
            "CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO 'app'@'%'",
            "USE shop",
            "CREATE TABLE orders (id INT PRIMARY KEY, total DECIMAL(8,2), at DATETIME, raw VARBINARY(8), note JSON)",
            "CREATE TABLE a_lines (id INT AUTO_INCREMENT PRIMARY KEY, order_id INT, twice INT AS (order_id * 2) STORED,"
            " CONSTRAINT of_order FOREIGN KEY (order_id) REFERENCES orders (id))",
            "INSERT INTO orders VALUES (2, 1.50, '2026-01-02 03:04:05', X'00FF', '{\"a\": [1]}'), (1, NULL, NULL, NULL, NULL)",
            "INSERT INTO a_lines (order_id) VALUES (1), (2)",
            "CREATE TABLE bare (word VARCHAR(9), odd DOUBLE)",
            "INSERT INTO bare VALUES ('b', 0.5), ('a', NULL)",
            "CREATE TABLE many (id INT PRIMARY KEY, word TEXT)",
            "INSERT INTO many SELECT seq, REPEAT('x', 10) FROM seq_1_to_2500",
            "CREATE VIEW b_view AS SELECT id, total FROM orders",
            "CREATE VIEW a_view AS SELECT id FROM b_view",
            "CREATE TRIGGER stamped BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = COALESCE(NEW.total, 9)",
            "CREATE FUNCTION doubled(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
        )
        yield running


def a_cloner(server: MariadbServer, template: str = "shop", user: str = "root") -> MysqlCloner:
    return MysqlCloner(Access(server.host, server.port, user, PASSWORD), template, 'downstream "db"')


def databases(server: MariadbServer) -> set[str]:
    return {str(name) for (name,) in server.run("SHOW DATABASES")}


def test_a_copy_has_rows_keys_views_triggers_routines_and_grants(server: MariadbServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server)
        await cloner.open()
        first, second = await asyncio.gather(cloner.clone("candidate"), cloner.clone("baseline"))
        assert server.run("SELECT id, order_id, twice FROM a_lines", database=first) == [(1, 1, 2), (2, 2, 4)]
        with pytest.raises(pymysql.MySQLError, match="of_order"):
            server.run("DELETE FROM orders", database=first)
        server.run("INSERT INTO orders (id) VALUES (7)", database=first, user="app")
        assert server.run("SELECT id, total FROM b_view WHERE id = 7", database=first) == [(7, 9)]
        assert server.run("SELECT COUNT(*) FROM a_view", database=second) == [(2,)]
        assert server.run("SELECT doubled(4)", database=second) == [(8,)]
        assert server.run("SELECT @@collation_database", database=second) == [("utf8mb4_bin",)]
        for name in (first, second, second):
            await cloner.drop(name)
        await cloner.close()
        assert not any(name.startswith("seamline_") for name in databases(server))
        grants = server.run("SHOW GRANTS FOR 'app'@'%'")
        assert not any("seamline" in str(row) for row in grants)

    asyncio.run(main())


def test_numbered_tables_count_on_from_the_sides_own_place(server: MariadbServer) -> None:
    server.run(
        "CREATE DATABASE counted",
        "USE counted",
        "CREATE TABLE plain (id INT AUTO_INCREMENT PRIMARY KEY, word TEXT)",
        "INSERT INTO plain (word) VALUES ('a'), ('b')",
        "CREATE TABLE small (id SMALLINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, word TEXT)",
        "CREATE TABLE bare (word TEXT)",
    )

    async def main() -> list[tuple[object, ...]]:
        cloner = a_cloner(server, "counted")
        await cloner.open()
        name = await cloner.clone("candidate")
        await cloner.move_apart(name, 1_000_003)
        for table in ("plain", "small"):
            server.run(f"INSERT INTO {table} (word) VALUES ('c')", database=name)
        found = server.run("SELECT MAX(id) FROM plain UNION ALL SELECT MAX(id) FROM small", database=name)
        await cloner.drop(name)
        await cloner.close()
        return found

    assert asyncio.run(main()) == [(1_000_006,), (1,)]


def test_the_state_of_a_copy_is_read_in_text_forms_by_primary_key(server: MariadbServer) -> None:
    async def main() -> dict[str, TableState]:
        cloner = a_cloner(server)
        await cloner.open()
        name = await cloner.clone("candidate")
        found = {table.name: table for table in await cloner.tables(name)}
        server.run("UPDATE many SET word = 'z' WHERE id = 2400", database=name)
        again = {table.name: table for table in await cloner.tables(name)}
        assert again["many"].rest != found["many"].rest
        assert again["bare"] == found["bare"]
        await cloner.drop(name)
        await cloner.close()
        return found

    tables = asyncio.run(main())
    assert set(tables) == {"orders", "a_lines", "bare", "many"}
    orders = tables["orders"]
    assert (orders.columns, orders.primary_key, orders.count) == (("id", "total", "at", "raw", "note"), ("id",), 2)
    assert [tuple(row) for row in orders.rows][1][:4] == (2, "1.50", "2026-01-02 03:04:05", {"b64": "AP8="})
    assert tables["bare"].types == ("varchar", "double")
    assert [tuple(row) for row in tables["bare"].rows] == [("a", None), ("b", 0.5)]
    assert (tables["many"].count, len(tables["many"].rows), len(tables["many"].rest)) == (2500, 2000, 16)


def test_a_user_without_the_right_is_told_whom_it_takes(server: MariadbServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server, user="app")
        await cloner.open()
        with pytest.raises(CouldNotCheck, match=r"Access denied .*isolate.admin names a user"):
            await cloner.clone("candidate")
        await cloner.close()

    asyncio.run(main())


def test_a_copy_that_is_cancelled_or_fails_leaves_nothing(
    server: MariadbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        cloner = a_cloner(server)
        await cloner.open()
        making = asyncio.create_task(cloner.clone("candidate"))
        await asyncio.sleep(0.02)
        making.cancel()
        await asyncio.wait([making])
        assert making.cancelled()
        monkeypatch.setattr("seamline.replay.isolation.mysql._ROUTINES", "SELECT nonsense, %s")
        with pytest.raises(CouldNotCheck, match="nonsense"):
            await cloner.clone("candidate")
        await cloner.close()

    asyncio.run(main())
    assert not any(name.startswith("seamline_") for name in databases(server))


def test_a_template_that_is_not_there_or_not_reached_is_named(server: MariadbServer) -> None:
    async def main() -> None:
        cloner = a_cloner(server, template="shoop")
        await cloner.open()
        with pytest.raises(CouldNotCheck, match='template "shoop": no such database'):
            await cloner.clone("candidate")
        await cloner.close()
        with pytest.raises(CouldNotCheck, match=r'downstream "db": coming in: '):
            await MysqlCloner(Access("127.0.0.1", 1, "u", "p"), "shop", 'downstream "db"').open()

    asyncio.run(main())


def test_what_a_killed_run_left_is_dropped_and_a_living_runs_kept(server: MariadbServer) -> None:
    dead, living = run_name(1_000_000, b"aa"), run_name(1_000_001, b"bb")
    names = [own_name(dead, "candidate", 1), own_name(living, "candidate", 1), "seamline_shop"]
    server.run(*(f"CREATE DATABASE {name}" for name in names))
    holder = pymysql.connect(host=server.host, port=server.port, user="root", password=PASSWORD)

    async def main() -> None:
        with holder.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK(%s, 0)", (f"seamline {living}",))
        cloner = a_cloner(server)
        await cloner.open()
        await cloner.close()

    asyncio.run(main())
    holder.close()
    assert databases(server) & set(names) == set(names[1:])
    server.run(*(f"DROP DATABASE {name}" for name in names[1:]))


def test_without_pymysql_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def import_module(name: str, package: str | None = None) -> ModuleType:
        if name == "pymysql":
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr("seamline.replay.isolation.mysql.import_module", import_module)
    with pytest.raises(UsageError, match=r"needs PyMySQL \(pip install 'seamline\[mysql\]'\)"):
        MysqlCloner(Access("h", 1, "u", "p"), "shop", "db")
