"""The MySQL stub, asked by real clients what a real server was asked before."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pymysql.constants import CLIENT
from sqlalchemy import create_engine, text

from seamline.capture.model import Exchange, Failure, FailureKind
from seamline.capture.wire.mysql.packets import framed
from seamline.replay.stubs import answers as answering
from seamline.replay.stubs.answers import Answered
from seamline.replay.stubs.door import open_stub
from seamline.replay.stubs.mysql import MysqlStub
from support.mariadb_server import PASSWORD, MariadbServer, mariadb_server
from support.stubs import Run, answers_of, stub_spec
from support.taps import Address, call_tapped

NAME = "db"


@pytest.fixture(scope="module")
def server() -> Iterator[MariadbServer]:
    with mariadb_server() as running:
        running.run("CREATE DATABASE shop", "CREATE TABLE shop.goods (id INT AUTO_INCREMENT PRIMARY KEY,"
                    " name VARCHAR(60) UNIQUE, price DECIMAL(8,2), at DATETIME(3), f DOUBLE, raw BLOB)")  # fmt: skip
        yield running


def connect(address: Address, password: str = PASSWORD, **options: Any) -> Any:
    host, port = address
    return pymysql.connect(
        host=host, port=port, user="root", password=password, database="shop", read_timeout=15, **options
    )


@contextlib.asynccontextmanager
async def stub(exchanges: Sequence[Exchange], **options: Any) -> AsyncIterator[tuple[Address, Run]]:
    answers, run = answers_of(exchanges, NAME, "mysql", **options)
    made = open_stub(stub_spec(NAME, "mysql"), answers)
    assert isinstance(made, MysqlStub)
    address = await made.start()
    try:
        yield address, run
    finally:
        await made.stop(1)


async def recorded(server: MariadbServer, talk: Callable[[Address], Any]) -> tuple[Any, list[Exchange]]:
    server.run("TRUNCATE shop.goods")
    async with call_tapped("mysql", (server.host, server.port)) as stage:
        got = await asyncio.to_thread(talk, stage.address)
    assert stage.sink.losses == {}
    return got, [_named(each) for each in stage.sink.exchanges]


def _named(exchange: Exchange) -> Exchange:
    return replace(exchange, service=NAME)


def both(server: MariadbServer, talk: Callable[[Address], Any]) -> tuple[Any, Any, Run]:
    """What `talk` gets of the server, and of a stub that plays what was recorded of that."""

    async def main() -> tuple[Any, Any, Run]:
        live, exchanges = await recorded(server, talk)
        async with stub(exchanges) as (address, run):
            return live, await asyncio.to_thread(talk, address), run

    return asyncio.run(main())


def steps(run: Run) -> Counter[str]:
    return Counter(each.response.headers.get("seamline-stub") or "" for each in run.exchanges if each.response)


def by_pymysql(address: Address) -> list[Any]:
    seen: list[Any] = []
    with connect(address, client_flag=CLIENT.MULTI_STATEMENTS) as connection, connection.cursor() as cursor:
        seen.append(connection.get_server_info())
        row = ("pen", "1.50", "2026-01-02 03:04:05.678", 1.5, b"\xff\0")
        seen.append(
            cursor.execute("INSERT INTO goods (name, price, at, f, raw) VALUES (%s, %s, %s, %s, _binary %s)", row)
        )
        seen.append(cursor.lastrowid)
        try:
            cursor.execute("INSERT INTO goods (name) VALUES ('pen')")
        except pymysql.IntegrityError as error:
            seen.append(error.args)
        connection.commit()
        cursor.execute("SELECT * FROM goods WHERE name = %s; SELECT COUNT(*) AS c FROM goods", ("pen",))
        seen.append(cursor.fetchall())
        seen.append(cursor.nextset())
        seen.append(cursor.fetchall())
        seen.append([each[0] for each in cursor.description])
        connection.ping()
        connection.select_db("shop")
    return seen


def test_pymysql_hears_the_same(server: MariadbServer) -> None:
    live, played, run = both(server, by_pymysql)
    assert played == live
    assert set(steps(run)) <= {"exact", "elsewhere", "mapped"}
    assert run.losses == []


def by_sqlalchemy(address: Address) -> list[Any]:
    engine = create_engine(f"mysql+pymysql://root:{PASSWORD}@{address[0]}:{address[1]}/shop")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO goods (name) VALUES (:name)"), [{"name": "a"}, {"name": "b"}])
    with engine.connect() as connection:
        rows = list(map(tuple, connection.execute(text("SELECT id, name, price FROM goods ORDER BY id"))))
    engine.dispose()
    return rows


def test_sqlalchemy_hears_the_same(server: MariadbServer) -> None:
    live, played, run = both(server, by_sqlalchemy)
    assert played == live
    assert live[0][1:] == ("a", None)
    assert "missed" not in steps(run)


def run_raw(connection: Any, command: int, body: bytes, packets: int) -> list[bytes]:
    connection._execute_command(command, body)
    return [connection._read_packet().get_all_data() for _ in range(packets)]


def test_prepared_statements_have_binary_rows(server: MariadbServer) -> None:
    async def main() -> None:
        def live(address: Address) -> list[bytes]:
            with connect(address, autocommit=True) as connection:
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO goods (name, price, f) VALUES ('cup', 2.5, 0.25)")
                run_raw(connection, 0x16, b"SELECT name, price, f FROM goods WHERE name = ?", 1 + 1 + 1 + 3 + 1)
                return run_raw(connection, 0x17, _bound(1), 1 + 3 + 1 + 1 + 1)

        got, exchanges = await recorded(server, live)

        def again(address: Address) -> list[bytes]:
            with connect(address, autocommit=True) as connection:
                (prepared, *_) = run_raw(
                    connection, 0x16, b"SELECT name, price, f FROM goods WHERE name = ?", 1 + 1 + 1
                )
                assert prepared[5:9] == b"\0\0\x01\0"
                found = run_raw(connection, 0x17, _bound(1), 1 + 3 + 1 + 1 + 1)
                connection._execute_command(0x19, (1).to_bytes(4, "little"))
                connection.ping()
                return found

        async with stub(exchanges) as (address, run):
            played = await asyncio.to_thread(again, address)
        assert played[5] == got[5]
        assert steps(run)["exact"] == 1

    asyncio.run(main())


def _bound(number: int) -> bytes:
    return number.to_bytes(4, "little") + b"\0\x01\0\0\0" + b"\x00\x01\xfd\0\x03cup"


def test_any_credentials_are_taken_and_sessions_are_granted() -> None:
    async def main() -> None:
        def talk(address: Address) -> list[Any]:
            with connect(address, "whatever") as connection, connection.cursor() as cursor:
                connection.begin()
                cursor.execute("SELECT @@transaction_isolation, DATABASE() AS d, @@version_comment")
                found = [cursor.fetchone()]
                connection.rollback()
                with pytest.raises(pymysql.MySQLError, match="no answer"):
                    cursor.execute("SELECT x FROM never_recorded")
                return found

        async with stub([]) as (address, run):
            assert await asyncio.to_thread(talk, address) == [("REPEATABLE-READ", "shop", "seamline stub")]
        assert steps(run) == {"own": 3, "missed": 1}

    asyncio.run(main())


@pytest.mark.parametrize("kind", [FailureKind.RESET, FailureKind.PROTOCOL])
def test_a_recorded_failure_breaks_the_connection(monkeypatch: pytest.MonkeyPatch, kind: FailureKind) -> None:
    async def broken(*_: Any, **__: Any) -> Answered:
        return Answered(None, Failure(kind, "gone"), 0, "exact")

    monkeypatch.setattr(answering.Answers, "answer", broken)

    async def main() -> None:
        def talk(address: Address) -> None:
            with pytest.raises((pymysql.OperationalError, ConnectionError)), connect(address) as connection:
                connection.cursor().execute("SELECT 1 FROM t")

        async with stub([]) as (address, _):
            await asyncio.to_thread(talk, address)

    asyncio.run(main())


@pytest.mark.parametrize("login", [b"\x00\x02", b"\x00\x0a\x00\x00" + bytes(28)], ids=["too short", "TLS"])
def test_what_is_not_mysql_is_a_gap(login: bytes) -> None:
    async def main() -> None:
        async with stub([]) as (address, run):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(framed(1, login))
            assert b"not MySQL's protocol" in await reader.read()
            writer.close()
        assert run.losses == ["a stub's client sent bytes that are not MySQL's"]

    asyncio.run(main())
