"""MySQL on the wire: scripted conversations, hostile bytes, and a real MariaDB with real clients behind a tap."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pymysql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymysql.constants import CLIENT
from sqlalchemy import create_engine, text

from seamline.capture.model import Exchange, FailureKind
from seamline.capture.wire.mysql.decoder import MysqlDecoder
from seamline.capture.wire.mysql.encode import binary_row, column, eof, ok
from seamline.capture.wire.mysql.handshake import Capability
from seamline.capture.wire.mysql.packets import framed
from seamline.capture.wire.protocols import decoder_for
from support.mariadb_server import PASSWORD, MariadbServer, mariadb_server
from support.mysql_talk import MODERN, OLD, Piece, client, query, server, start, table
from support.redis_nats import Events, feed, told
from support.taps import Address, call_tapped

MORE = 0x0008 | 2
IN_TRANSACTION = 3


def played(*pieces: Piece, step: int = 0) -> Events:
    events = Events()
    feed(MysqlDecoder("c-1", events), *pieces, step=step)
    return events


def calls(*pieces: Piece) -> list[tuple[str, int, Any]]:
    """What a conversation after the login made: method, status, body."""
    events = played(*start(), *pieces)
    assert events.gaps == []
    assert events.calls[0].method == "CONNECT"
    return [
        (call.method, call.status, orjson.loads(call.response_body) if call.response_body else None)
        for call in events.calls[1:]
    ]


def test_the_table_of_protocols_knows_it() -> None:
    assert decoder_for("mysql") is MysqlDecoder


def test_a_connection_is_told_without_credentials() -> None:
    call = played(*start()).one()
    assert (call.method, call.reason) == ("CONNECT", "CONNECT")
    assert call.headers.get("database") == "shop"
    assert orjson.loads(call.response_body) == {"server_version": "8.0.36"}
    assert "key" not in repr(told([call]))


@pytest.mark.parametrize(("capabilities", "modern"), [(MODERN, True), (OLD, False)])
def test_rows_with_and_without_eof_packets(capabilities: int, modern: bool) -> None:
    rows = table([("id", "int"), ("email", "varchar")], (1, "a@b.c"), (2, None), modern=modern)
    events = played(*start(capabilities), query("SELECT id, email FROM users WHERE id < 9"), server(*rows))
    call = events.calls[1]
    assert (call.method, call.target, call.reason) == ("SELECT", "users", "SELECT 2")
    assert call.operation == "SELECT id, email FROM users WHERE id < $1"
    assert call.arguments == '{"id":9}'
    assert orjson.loads(call.response_body) == {
        "columns": ["id", "email"],
        "types": ["int", "varchar"],
        "rows": [{"id": 1, "email": "a@b.c"}, {"id": 2, "email": None}],
    }


def test_statements_of_one_text_are_calls_of_their_own() -> None:
    found = calls(
        query("INSERT INTO a (x) VALUES (1); SELECT x FROM a; BROKEN"),
        server(ok(MORE, 1, 4), *table([("x", "int")], (1,), status=MORE), b"\xff\x28\x04#42000wrong near 'BROKEN'"),
    )
    assert [(method, status) for method, status, _ in found] == [("INSERT", 0), ("SELECT", 0), ("BROKEN", 1)]
    assert found[0][2] == {"affected_rows": 1, "insert_id": 4}
    assert found[2][2]["message"] == "wrong near a value"


def test_a_procedures_results_are_one_call() -> None:
    found = calls(
        query("CALL report(1)"),
        server(*table([("x", "int")], (1,), status=MORE), *table([("y", "int")], (2,), status=MORE), ok(2)),
    )
    ((method, status, body),) = found
    assert (method, status) == ("CALL", 0)
    assert body["rows"] == [{"x": 1}]
    assert [each["rows"] for each in body["more"]] == [[{"y": 2}]]


def test_transactions_name_a_lane() -> None:
    events = played(
        *start(),
        query("BEGIN"), server(ok(IN_TRANSACTION)),
        query("DELETE FROM a"), server(ok(IN_TRANSACTION, 3)),
        query("COMMIT AND CHAIN"), server(ok(IN_TRANSACTION)),
        query("DELETE FROM b"), server(ok(IN_TRANSACTION)),
        query("ROLLBACK"), server(ok(2)),
        query("SELECT 1"), server(*table([("1", "int")], (1,))),
    )  # fmt: skip
    assert [call.lane for call in events.calls[1:]] == ["c-1.1", "c-1.1", "c-1.1", "c-1.2", "c-1.2", None]
    assert events.calls[2].headers.get("transaction") == "c-1.1"


def test_without_autocommit_a_statement_opens_its_transaction() -> None:
    events = played(
        *start(),
        query("SET AUTOCOMMIT = 0"), server(ok(0)),
        query("SELECT 1"), server(*table([("1", "int")], (1,), status=1)),
        query("COMMIT"), server(ok(0)),
    )  # fmt: skip
    assert [call.lane for call in events.calls[1:]] == [None, "c-1.1", "c-1.1"]
    assert events.calls[1].headers.get("setup") == "yes"


def test_a_prepared_statement_has_its_binds_and_binary_rows() -> None:
    prepared = b"\0\x07\0\0\0\x01\0\x02\0\0\0\0"
    columns = [column("id", "bigint")]
    execute = b"\x17\x07\0\0\0\0\x01\0\0\0\x00\x01\x08\0\xfd\0" + (5).to_bytes(8, "little") + b"\x05a@b.c"
    again = b"\x17\x07\0\0\0\0\x01\0\0\0\x02\x00" + (6).to_bytes(8, "little")
    answer = [b"\x01", *columns, binary_row([5], ["bigint"]), ok(2, head=0xFE)]
    events = played(
        *start(),
        client(b"\x16SELECT id FROM users WHERE id = ? AND email = ?"),
        server(prepared, column("?", "int"), column("?", "int"), *columns),
        client(execute), server(*answer),
        client(again), server(*answer),
        client(b"\x19\x07\0\0\0"),
    )  # fmt: skip
    assert events.gaps == []
    first, second = events.calls[1:]
    assert first.arguments == '{"id":5,"email":"a@b.c"}'
    assert second.arguments == '{"id":6,"email":null}'
    assert orjson.loads(first.response_body)["rows"] == [{"id": 5}]


def test_a_client_that_does_not_wait_for_its_statements_number() -> None:
    execute = b"\x17\xff\xff\xff\xff\0\x01\0\0\0\x00\x01\x01\0\x07"
    prepared = b"\0\x09\0\0\0\0\0\x01\0\0\0\0"
    events = played(
        *start(), client(b"\x16DELETE FROM t WHERE id = ?"), client(execute),
        server(prepared, column("?", "int")), server(ok(2, 1)),
    )  # fmt: skip
    assert events.calls[1].arguments == '{"id":7}'


def test_what_cannot_be_prepared_is_a_call_with_an_error() -> None:
    assert calls(
        client(b"\x16SELECT x FROM nowhere"), server(b"\xff\x7a\x04#42S02Table 's.nowhere' doesn't exist")
    ) == [
        (
            "SELECT",
            1,
            {"severity": "ERROR", "code": "42S02", "number": 1146, "message": "Table 's.nowhere' doesn't exist"},
        )
    ]


def test_a_cursors_rows_are_fetched() -> None:
    columns = [column("id", "int")]
    prepared = server(b"\0\x01\0\0\0\x01\0\0\0\0\0\0", *columns, eof(2))
    events = played(
        *start(OLD),
        client(b"\x16SELECT id FROM users"), prepared,
        client(b"\x17\x01\0\0\0\x01\x01\0\0\0"), server(b"\x01", *columns, eof(0x42)),
        client(b"\x1c\x01\0\0\0\x02\0\0\0"), server(binary_row([1], ["int"]), binary_row([2], ["int"]), eof(0x82)),
    )  # fmt: skip
    assert events.gaps == []
    _, opened, fetched = events.calls
    assert opened.reason == "SELECT 0"
    assert (fetched.headers.get("fetch"), fetched.headers.get("fetch-rows")) == ("1", "2")
    assert orjson.loads(fetched.response_body)["rows"] == [{"id": 1}, {"id": 2}]


def test_query_attributes_are_headers() -> None:
    own = MODERN | Capability.QUERY_ATTRIBUTES
    body = b"\x03\x01\x01\x00\x01\xfd\x00\x0btraceparent\x0500-abSELECT 1"
    events = played(*start(own), client(body), server(*table([("1", "int")], (1,))))
    assert events.gaps == []
    assert events.calls[1].headers.get("traceparent") == "00-ab"
    assert events.calls[1].operation == "SELECT $1"


def test_a_file_for_load_data_is_the_calls_body() -> None:
    events = played(
        *start(),
        query("LOAD DATA LOCAL INFILE 'x' INTO TABLE users"), server(b"\xfbx"),
        client(b"1\ta@b.c\n", 2), client(b"", 3), server(ok(2, 1), first=4),
        query("DO 1"), server(ok(2)),
    )  # fmt: skip
    call = events.calls[1]
    assert (call.method, call.body) == ("LOAD", b"1\ta@b.c\n")
    assert call.headers.get("content-type") == "application/octet-stream"
    assert len(events.calls) == 3


def test_what_keeps_a_connection_alive_is_no_call() -> None:
    quiet = [
        (b"\x0e", ok(2)), (b"\x09", b"Uptime: 1"), (b"\x1f", ok(2)), (b"\x1b\0\0", eof(2)), (b"\x04t\0", eof(2)),
        (b"\x11app\0\x03keyshop2\0\x2d\0plugin\0", ok(2)),
    ]  # fmt: skip
    pieces = [piece for asked, said in quiet for piece in (client(asked), server(said))]
    events = played(
        *start(), *pieces, client(b"\x02other"), server(ok(2)), query("DO 1"), server(ok(2)), client(b"\x01")
    )
    assert [(call.method, call.headers.get("database")) for call in events.calls[1:]] == [
        ("USE", "other"),
        ("DO", "other"),
    ]


def test_bulk_values_stand_under_their_names() -> None:
    prepared = server(b"\0\x01\0\0\0\0\0\x01\0\0\0\0", column("?", "int"))
    bulk = b"\xfa\x01\0\0\0\x80\0\xfd\0" + b"\0\x01a" + b"\x01" + b"\0\x01c"
    events = played(*start(), client(b"\x16INSERT INTO t (email) VALUES (?)"), prepared, client(bulk), server(ok(2, 3)))
    assert events.calls[1].arguments == '{"email":["a",null,"c"]}'


def test_a_long_answer_is_cut_and_told_by_its_hash() -> None:
    rows = table([("n", "int")], *((number,) for number in range(300)))
    events = played(*start(), query("SELECT n FROM t"), server(*rows))
    headers = events.calls[1].response_headers
    assert (headers.get("rows"), headers.get("rows-kept")) == ("300", "200")
    assert events.calls[1].truncated


def test_a_statement_beyond_16_mb_is_told_by_its_keyword() -> None:
    data = framed(0, b"\x03INSERT INTO t VALUES ('" + b"x" * (17 << 20) + b"')")
    events = played(*start(), ("client", data), server(ok(2, 1), first=3), query("DO 1"), server(ok(2)))
    assert events.gaps == []
    assert [call.truncated for call in events.calls[1:]] == [True, False]
    assert "x" not in events.calls[1].operation.lower()


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([query("SELECT 1")], "whose beginning was not seen"),
        ([*start(), client(b"\x12")], "client bytes"),
        ([*start(), query("SELECT 1"), server(b"\xfa\0")], "server bytes"),
        ([*start(), server(ok(2))], "server bytes"),
        ([start(MODERN | Capability.COMPRESS)[0], start(MODERN | Capability.COMPRESS)[1]], "compression"),
    ],
)
def test_what_cannot_be_followed_is_one_gap(pieces: list[Piece], reason: str) -> None:
    events = played(*pieces, ("client", b"\xff" * 50), ("server", b"\xff" * 50))
    assert len(events.gaps) == 1
    assert reason in events.gaps[0]
    assert events.open == []


def test_a_connection_that_is_refused_is_a_call() -> None:
    call = played(("server", framed(0, b"\xff\x10\x04Too many connections"))).one()
    assert (call.method, call.status, call.reason) == ("CONNECT", 1, "HY000")


def test_a_lost_connection_fails_what_is_open() -> None:
    events = Events()
    decoder = MysqlDecoder("c-1", events)
    feed(decoder, *start(), query("SELECT SLEEP(9)"))
    assert decoder.in_flight
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert not decoder.in_flight
    assert events.calls[1].failure is not None


CONVERSATION = [
    *start(),
    query("BEGIN"), server(ok(IN_TRANSACTION)),
    query("SELECT id FROM users WHERE email = 'a@b.c'"), server(*table([("id", "int")], (1,), (2,), status=3)),
    client(b"\x16UPDATE users SET n = ? WHERE id = ?"),
    server(b"\0\x01\0\0\0\0\0\x02\0\0\0\0", column("?", "int"), column("?", "int")),
    client(b"\x17\x01\0\0\0\0\x01\0\0\0\x00\x01\x08\0\x08\0" + bytes(16)), server(ok(3, 1)),
    query("COMMIT"), server(ok(2)),
]  # fmt: skip


@given(st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_chunks_make_no_difference(step: int) -> None:
    whole = played(*CONVERSATION)
    assert len(whole.calls) == 5
    assert told(played(*CONVERSATION, step=step).calls) == told(whole.calls)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_hostile_bytes_never_raise(data: st.DataObject) -> None:
    pieces = list(CONVERSATION[: data.draw(st.integers(0, len(CONVERSATION)))])
    for _ in range(data.draw(st.integers(1, 4))):
        who = data.draw(st.sampled_from(["client", "server"]))
        body = data.draw(st.binary(max_size=60))
        pieces.append((who, framed(data.draw(st.integers(0, 2)), body) if data.draw(st.booleans()) else body))
    events = Events()
    decoder = MysqlDecoder("c-1", events)
    feed(decoder, *pieces)
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert len(events.gaps) <= 1
    assert events.open == []


# A real server.


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariadbServer]:
    with mariadb_server() as server_:
        server_.run("CREATE DATABASE shop", "CREATE TABLE shop.users (id INT AUTO_INCREMENT PRIMARY KEY,"
                    " email VARCHAR(60) UNIQUE, n DECIMAL(9,2), at DATETIME(3), f FLOAT, raw BLOB)")  # fmt: skip
        yield server_


def recorded(mariadb: MariadbServer, talk: Callable[[Address], None]) -> list[Exchange]:
    async def main() -> list[Exchange]:
        mariadb.run("TRUNCATE shop.users")
        async with call_tapped("mysql", (mariadb.host, mariadb.port)) as stage:
            await asyncio.to_thread(talk, stage.address)
        assert stage.sink.losses == {}
        return [each for each in stage.sink.exchanges if each.request.headers.get("setup") is None]

    return asyncio.run(main())


def connect(address: Address, **options: Any) -> Any:
    host, port = address
    return pymysql.connect(
        host=host, port=port, user="root", password=PASSWORD, database="shop", read_timeout=15, **options
    )


def body(exchange: Exchange) -> Any:
    assert exchange.response is not None
    return orjson.loads(exchange.response.body)


def test_pymysql(mariadb: MariadbServer) -> None:
    def talk(address: Address) -> None:
        with connect(address, client_flag=CLIENT.MULTI_STATEMENTS) as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO users (email, n) VALUES (%s, %s)", ("a@b.c", 1.5))
            with pytest.raises(pymysql.IntegrityError):
                cursor.execute("INSERT INTO users (email) VALUES ('a@b.c')")
            connection.commit()
            cursor.execute(
                "SELECT id, email, n FROM users WHERE email = %s; SELECT COUNT(*) AS c FROM users", ("a@b.c",)
            )
            connection.ping()

    exchanges = recorded(mariadb, talk)
    assert [(each.request.method, each.request.target) for each in exchanges] == [
        ("INSERT", "users"), ("INSERT", "users"), ("COMMIT", ""), ("SELECT", "users"), ("SELECT", "users"),
    ]  # fmt: skip
    assert body(exchanges[0]) == {"affected_rows": 1, "insert_id": 1}
    assert body(exchanges[1])["key"] == {"email": "a@b.c"}
    assert body(exchanges[3])["rows"] == [{"id": 1, "email": "a@b.c", "n": "1.50"}]
    lanes = [each.request.headers.get("transaction") for each in exchanges]
    assert lanes[:3] == [lanes[0]] * 3
    assert lanes[3] == lanes[4] != lanes[0]


def test_sqlalchemy(mariadb: MariadbServer) -> None:
    def talk(address: Address) -> None:
        engine = create_engine(f"mysql+pymysql://root:{PASSWORD}@{address[0]}:{address[1]}/shop")
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO users (email) VALUES (:email)"), [{"email": "x@y.z"}, {"email": "q@y.z"}]
            )
            assert connection.execute(text("SELECT email FROM users ORDER BY id")).scalars().all() == ["x@y.z", "q@y.z"]
        engine.dispose()

    exchanges = [each for each in recorded(mariadb, talk) if each.request.target == "users"]
    assert body(exchanges[-1])["rows"] == [{"email": "x@y.z"}, {"email": "q@y.z"}]


def test_prepared_statements_of_a_real_server(mariadb: MariadbServer) -> None:
    def talk(address: Address) -> None:
        with connect(address, autocommit=True) as connection:
            run(connection, 0x16, b"INSERT INTO users (email, n, at, f) VALUES (?, ?, ?, ?)", 1 + 4 + 1)
            binds = (
                b"\x05p@q.r\x052.250\x0b\xea\x07\x0b\x18\x01\x02\x03"
                + (4000).to_bytes(4, "little")
                + b"\xcd\xcc\xcc\x3d"
            )
            types = b"\xfd\0\xf6\0\x0c\0\x04\0"
            execute(connection, 1, b"\x00\x01" + types + binds, 1)
            run(connection, 0x16, b"SELECT email, n, at, f, raw FROM users WHERE email = ?", 1 + 1 + 1 + 5 + 1)
            execute(connection, 2, b"\x00\x01\xfd\0\x05p@q.r", 1 + 5 + 1 + 1 + 1)
            run(connection, 0x19, (2).to_bytes(4, "little"), 0)

    inserted, selected = recorded(mariadb, talk)
    assert orjson.loads(inserted.request.arguments) == {
        "email": "p@q.r", "n": "2.250", "at": "2026-11-24 01:02:03.004000", "f": 0.1,
    }  # fmt: skip
    assert body(selected) == {
        "columns": ["email", "n", "at", "f", "raw"],
        "types": ["varchar", "decimal", "datetime", "float", "blob"],
        "rows": [{"email": "p@q.r", "n": "2.25", "at": "2026-11-24 01:02:03.004", "f": 0.1, "raw": None}],
    }


def run(connection: Any, command: int, body: bytes, packets: int) -> None:
    """Send a command and read as many packets as its answer has."""
    connection._execute_command(command, body)
    for _ in range(packets):
        connection._read_packet()


def execute(connection: Any, number: int, binds: bytes, packets: int) -> None:
    run(connection, 0x17, number.to_bytes(4, "little") + b"\0\x01\0\0\0" + binds, packets)


def test_the_command_line_client_with_a_file(mariadb: MariadbServer, tmp_path: Path) -> None:
    binary = shutil.which("mariadb") or pytest.skip("the mariadb client is not installed")
    rows = tmp_path / "rows"
    rows.write_text("1\ta@b.c\n2\tb@b.c\n")

    def talk(address: Address) -> None:
        command = [binary, "--no-defaults", f"-h{address[0]}", f"-P{address[1]}", "-uroot", f"-p{PASSWORD}", "shop"]
        statements = f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE users (id, email); SELECT id, email FROM users;"
        subprocess.run([*command, "--local-infile=1", "-e", statements], check=True, capture_output=True, timeout=30)

    exchanges = [each for each in recorded(mariadb, talk) if each.request.target == "users"]
    loaded, selected = exchanges
    assert loaded.request.body == rows.read_bytes()
    assert body(loaded) == {"affected_rows": 2}
    assert body(selected)["rows"] == [{"id": 1, "email": "a@b.c"}, {"id": 2, "email": "b@b.c"}]


def test_a_wrong_password_is_a_refused_connection(mariadb: MariadbServer) -> None:
    async def main() -> None:
        async with call_tapped("mysql", (mariadb.host, mariadb.port)) as stage:
            with pytest.raises(pymysql.OperationalError):
                await asyncio.to_thread(
                    pymysql.connect, host=stage.address[0], port=stage.address[1], user="root", password="not-it"
                )
            (exchange,) = await stage.recorded()
        assert (exchange.request.method, exchange.status) == ("CONNECT", 1)
        assert "not-it" not in repr(exchange)

    asyncio.run(main())
