"""One connection: hostile bytes, and real clients at a real server through a real tap."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.model import Exchange, FailureKind
from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.messages import CANCEL_REQUEST, SSL_REQUEST
from support import pg_messages as pg
from support.pg_messages import IDLE, SYNC, Talk
from support.postgres import Server, postgres, record, recorded

DONE = write.PARSE_COMPLETE + write.BIND_COMPLETE
CONVERSATION: list[tuple[str, bytes]] = [
    ("client", pg.startup(user="app", database="shop")),
    ("server", pg.greeting(client_encoding="UTF8", server_version="16.1")),
    ("client", pg.query("BEGIN; SELECT a FROM t WHERE b = 'x'")),
    ("server", write.complete("BEGIN") + write.row_description(pg.columns(("a", 23)))),
    ("server", write.data_row([b"1"]) + write.complete("SELECT 1") + write.ready(b"T")),
    ("client", pg.parse("INSERT INTO t (a, b) VALUES ($1, $2)", "s", (23,)) + pg.describe("S", "s") + SYNC),
    ("server", write.PARSE_COMPLETE + write.parameter_description([23, 25]) + write.NO_DATA + write.ready(b"T")),
    ("client", pg.bind(b"\0\0\0\1", b"y", name="s", formats=(1, 0)) + pg.execute() + SYNC),
    ("server", write.BIND_COMPLETE + write.error({"S": "ERROR", "C": "23505", "M": "twice"}) + write.ready(b"E")),
    ("client", pg.query("ROLLBACK")),
    ("server", write.complete("ROLLBACK") + IDLE),
    ("client", pg.query("COPY t (a) FROM STDIN")),
    ("server", write.copy_response(b"G", 1)),
    ("client", pg.copy_data(b"1\n") + pg.COPY_END),
    ("server", write.complete("COPY 1") + IDLE + write.message(b"A", b"\0\0\0\7ch\0hello\0")),
]


def play(pieces: list[tuple[str, bytes]]) -> Talk:
    talk = Talk(started=False)
    for side, data in pieces:
        (talk.client if side == "client" else talk.server)(data)
    return talk


WHOLE = play(CONVERSATION).told()


def test_the_conversation() -> None:
    assert [(call[0], call[7], call[8]) for call in WHOLE] == [
        ("CONNECT", 0, "CONNECT"),
        ("BEGIN", 0, "BEGIN"),
        ("SELECT", 0, "SELECT 1"),
        ("INSERT", 1, "23505"),
        ("ROLLBACK", 0, "ROLLBACK"),
        ("COPY", 0, "COPY 1"),
        ("CONSUME", 0, ""),
    ]


@given(st.data())
def test_calls_do_not_depend_on_how_bytes_are_cut(data: st.DataObject) -> None:
    pieces: list[tuple[str, bytes]] = []
    for side, raw in CONVERSATION:
        rest = raw
        while rest:
            size = data.draw(st.integers(1, len(rest)))
            pieces.append((side, rest[:size]))
            rest = rest[size:]
    talk = play(pieces)
    assert talk.told() == WHOLE
    assert talk.gaps == []


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 14), st.integers(0, 400), st.binary(min_size=1, max_size=4)), max_size=4),
    st.data(),
)
def test_broken_bytes_never_raise_and_every_call_is_ended(
    damages: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    pieces = list(CONVERSATION)
    for at, place, damage in damages:
        side, raw = pieces[at]
        start = place % len(raw)
        end = start + len(damage) * data.draw(st.integers(0, 1))
        pieces[at] = (side, raw[:start] + damage + raw[end:])
    talk = play(pieces)
    talk.lost()
    assert talk.open == []
    assert len(talk.gaps) <= 1
    assert not talk.decoder.in_flight


@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(max_size=40)), max_size=8))
def test_any_bytes_never_raise(pieces: list[tuple[str, bytes]]) -> None:
    talk = play(pieces)
    talk.lost()
    assert talk.open == []


def test_a_connection_that_turns_to_encryption_is_a_gap() -> None:
    talk = play([("client", pg.special(SSL_REQUEST)), ("server", b"S"), ("client", b"\x16\x03\x01")])
    assert talk.gaps == ["a connection that turned to encryption"]


def test_a_connection_that_is_refused_encryption_is_read() -> None:
    talk = play([("client", pg.special(SSL_REQUEST)), ("server", b"N"), *CONVERSATION])
    assert talk.told() == WHOLE


def test_a_replication_connection_is_a_gap() -> None:
    assert play([("client", pg.startup(user="a", replication="database"))]).gaps == ["a replication connection"]


def test_a_cancel_request_is_a_call_without_its_secret() -> None:
    talk = play([("client", pg.special(CANCEL_REQUEST, b"\0\0\0\7SECR"))])
    assert talk.decoder.in_flight
    talk.lost()
    assert (talk.only.method, talk.only.status, talk.only.failure) == ("CANCEL", 0, None)
    assert "SECR" not in repr(talk.told())


def test_a_session_that_is_refused() -> None:
    refused = write.error({"S": "FATAL", "V": "FATAL", "C": "28P01", "M": "password authentication failed"})
    talk = play([("client", pg.startup(user="app", database="shop")), ("server", refused)])
    assert (talk.only.method, talk.only.target, talk.only.status, talk.only.reason) == ("CONNECT", "shop", 1, "28P01")


def test_a_session_that_breaks_off() -> None:
    talk = play([("client", pg.startup(user="app"))])
    talk.lost(FailureKind.RESET)
    assert talk.only.failure is not None


# Real clients.


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    import psycopg

    with postgres() as running:
        with psycopg.connect(running.dsn, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, balance numeric(8,2), born date,"
                " at timestamptz, tags text[], doc jsonb)"
            )
        yield running


def statements(exchanges: list[Exchange]) -> list[Exchange]:
    return [each for each in exchanges if each.request.method != "CONNECT"]


def body(exchange: Exchange) -> dict[str, Any]:
    assert exchange.response is not None
    made: dict[str, Any] = orjson.loads(exchange.response.body)
    return made


def arguments(exchange: Exchange) -> dict[str, Any]:
    made: dict[str, Any] = orjson.loads(exchange.request.arguments)
    return made


def test_psycopg(server: Server) -> None:
    import psycopg

    def talk(dsn: str) -> None:
        with psycopg.connect(dsn) as connection:
            one = ("p@example.com", "1.50", "2024-01-02", ["x", "y z"], '{"a": 1}')
            connection.execute(
                "INSERT INTO users (email, balance, born, tags, doc) VALUES (%s, %s, %s, %s, %s) RETURNING email", one
            )
            for is_binary in (False, True):
                found = connection.execute(
                    "SELECT email, balance, born, tags, doc FROM users WHERE email = %s", (one[0],), binary=is_binary
                )
                assert found.fetchone() is not None
            with pytest.raises(psycopg.errors.UniqueViolation), connection.transaction():
                connection.execute("INSERT INTO users (email) VALUES (%s)", (one[0],))
            with connection.cursor().copy("COPY users (email, balance) FROM STDIN") as copy:
                copy.write_row(("q@example.com", 2))
            connection.execute("SELECT 1; SELECT 2 AS two")
            with connection.pipeline():
                connection.execute("SELECT 3 AS three")
                connection.execute("SELECT %s::int4 AS four", (4,))
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(dsn.replace("app:app", "app:hunter2"))

    sink = record(server, talk)
    assert sink.losses == {}
    connects = [each for each in sink.exchanges if each.request.method == "CONNECT"]
    assert [each.status for each in connects] == [0, 1]
    assert "server_version" in body(connects[0])
    made = statements(sink.exchanges)
    assert [each.request.method for each in made] == (
        [
            "BEGIN",
            "INSERT",
            "SELECT",
            "SELECT",
            "SAVEPOINT",
            "INSERT",
            "ROLLBACK",
            "RELEASE",
            "COPY",
            "SELECT",
            "SELECT",
            "SELECT",
            "SELECT",
            "COMMIT",
        ]
    )
    assert {each.request.headers.get("transaction") for each in made} == {"c-1.1"}
    assert arguments(made[1])["email"] == "p@example.com"
    row = {"email": "p@example.com", "balance": "1.50", "born": "2024-01-02", "tags": ["x", "y z"], "doc": {"a": 1}}
    assert body(made[2]) == body(made[3])
    assert body(made[2])["rows"] == [row]
    assert body(made[2])["types"] == ["text", "numeric", "date", "text[]", "jsonb"]
    assert (made[5].status, body(made[5])["key"]) == (1, {"email": "p@example.com"})
    assert orjson.loads(made[8].request.body)["rows"] == [{"email": "q@example.com", "balance": "2"}]
    assert [body(each)["rows"] for each in made[9:13]] == [
        [{"?column?": 1}],
        [{"two": 2}],
        [{"three": 3}],
        [{"four": 4}],
    ]
    assert "hunter2" not in repr(sink.exchanges)


def test_asyncpg(server: Server) -> None:
    import datetime

    import asyncpg

    async def main() -> list[Exchange]:
        async with recorded(server) as recording:
            connection = await asyncpg.connect(recording.dsn)
            moment = datetime.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=datetime.UTC)
            await connection.execute("INSERT INTO users (email, at) VALUES ($1, $2)", "a@example.com", moment)
            await connection.fetch("SELECT email, at FROM users WHERE email = $1", "a@example.com")
            async with connection.transaction():
                seen = [row["g"] async for row in connection.cursor("SELECT generate_series(1, 3) g", prefetch=2)]
            assert seen == [1, 2, 3]
            with pytest.raises(asyncpg.UndefinedTableError):
                await connection.fetch("SELECT * FROM gone")
            await connection.close()
        assert recording.sink.losses == {}
        return statements(recording.exchanges)

    made = asyncio.run(main())
    assert [each.request.method for each in made] == [
        "INSERT",
        "SELECT",
        "BEGIN",
        "SELECT",
        "SELECT",
        "COMMIT",
        "SELECT",
    ]
    moment = "2024-02-29 01:02:03.000004+00"
    assert arguments(made[0]) == {"email": "a@example.com", "at": moment}
    assert made[0].request.headers.get("parameter-types") == "text,timestamptz"
    assert body(made[1])["rows"] == [{"email": "a@example.com", "at": moment}]
    assert [body(each)["rows"] for each in made[3:5]] == [[{"g": 1}, {"g": 2}], [{"g": 3}]]
    assert (made[6].status, made[6].response and made[6].response.reason) == (1, "42P01")


def test_sqlalchemy(server: Server) -> None:
    import sqlalchemy as sa

    def talk(dsn: str) -> None:
        engine = sa.create_engine(dsn.replace("postgresql:", "postgresql+psycopg:"))
        users = sa.Table(
            "users", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.Text)
        )
        with engine.begin() as connection:
            emails = [{"email": f"s{number}@example.com"} for number in range(3)]
            connection.execute(users.insert().returning(users.c.id), emails)
            found = connection.execute(sa.select(users.c.email).where(users.c.email.in_([emails[0]["email"], "none"])))
            assert found.all() == [("s0@example.com",)]
        engine.dispose()

    made = statements(record(server, talk).exchanges)
    inserts = [each for each in made if each.request.method == "INSERT"]
    assert {value for each in inserts for value in arguments(each).values()} >= {"s0@example.com", "s2@example.com"}
    assert arguments(inserts[0])["email"] == "s0@example.com"
    (select,) = [each for each in made if each.request.target == "users" and each.request.method == "SELECT"]
    assert arguments(select) == {"email": "s0@example.com", "email#2": "none"}
    assert body(select)["rows"] == [{"email": "s0@example.com"}]


def test_a_cancelled_statement(server: Server) -> None:
    import psycopg

    def talk(dsn: str) -> None:
        import threading

        with psycopg.connect(dsn, autocommit=True) as connection:
            timer = threading.Timer(0.2, connection.cancel_safe)
            timer.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute("SELECT pg_sleep(30)")
            timer.join()

    made = statements(record(server, talk).exchanges)
    assert {(each.request.method, each.status) for each in made} == {("SELECT", 1), ("CANCEL", 0)}


def test_notify(server: Server) -> None:
    import psycopg

    def talk(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("LISTEN jobs")
            connection.execute("SELECT pg_notify('jobs', 'hello')")
            assert [each.payload for each in connection.notifies(timeout=5, stop_after=1)] == ["hello"]

    (heard,) = [each for each in record(server, talk).exchanges if each.request.method == "CONSUME"]
    assert (heard.role, heard.request.target, heard.request.body) == ("inbound", "jobs", b"hello")


def test_what_is_secret_is_found_however_it_is_written(server: Server) -> None:
    import psycopg

    from seamline.capture.sanitize.rules import Rules
    from seamline.capture.sanitize.sanitizer import Sanitizer

    def talk(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE TEMP TABLE people (email text UNIQUE, password text)")
            connection.execute("INSERT INTO people (email, password) VALUES ('ada@corp-mail.com', 'hunter2')")
            connection.execute("INSERT INTO people VALUES ('bob@corp-mail.com', 'hunter2')")
            connection.execute("SELECT * FROM people WHERE password = 'hunter2' AND email = %s", ("ada@corp-mail.com",))
            connection.execute("UPDATE people SET password = concat($$hunter2$$, $x$$x$)")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO people (email) VALUES (%s)", ("ada@corp-mail.com",))
            for table in ("people (email, password)", "people"):
                with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write_row((f"{len(table)}@corp-mail.com", "hunter2"))
            with connection.cursor().copy("COPY people (email, password) TO STDOUT") as copy:
                assert len(list(copy)) == 4
            with pytest.raises(psycopg.errors.SyntaxError):
                connection.execute("SELECT 'hunter2")
            connection.execute("CREATE ROLE ada PASSWORD 'hunter2'")
            connection.execute("DROP ROLE ada")

    sink = record(server, talk)
    sanitizer = Sanitizer(b"a key of the tests, long enough.", Rules())
    clean = [sanitizer.clean(each) for each in sink.exchanges]
    assert "hunter2" not in repr(clean)
    assert "corp-mail" not in repr(clean)
    assert [each.withheld for each in clean if each.withheld] == []
    written = [each.request.operation for each in clean if "people" in each.request.operation]
    assert "SELECT * FROM people WHERE password = $1 AND email = $2" in written
