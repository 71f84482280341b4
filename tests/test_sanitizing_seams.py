"""The proof that no sensitive value of any protocol reaches a disk: canaries go through real clients, real servers, the
decoders, the sanitizer and the store's own record, and are looked for in every spelling."""

import asyncio
import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.capture.sanitize.sanitizer import Sanitizer
from seamline.capture.wire.postgres.errors import error_body
from seamline.capture.wire.redis.decoder import RedisDecoder
from support import canaries
from support.canaries import (
    API_KEY,
    CARD,
    DEFLATED,
    DOCUMENT,
    EMAIL,
    FIRST,
    GZIPPED,
    IBAN,
    JWT,
    LAST,
    NAME,
    OPAQUE,
    PASSWORD,
    PERSON,
    PHONE,
    PICKLED,
    RESET,
    SECRET_BYTES,
    SESSION,
    cleaned,
)
from support.grpc_service import SERVICE, GrpcService, channel_to, grpc_service
from support.kafka import kafka_broker
from support.mariadb_server import PASSWORD as MARIADB_PASSWORD
from support.mariadb_server import MariadbServer, mariadb_server
from support.mongo import mongo_server
from support.nats_server import nats_server
from support.postgres import Server, postgres, record
from support.rabbitmq import rabbitmq_server
from support.redis_nats import Events
from support.redis_server import redis_server
from support.sanitizing import KEY
from support.taps import Address, call_tapped

JSON = "application/json"


def said(exchange: Exchange) -> Any:
    assert exchange.response is not None
    return orjson.loads(exchange.response.body)


def asked(exchange: Exchange) -> Any:
    return orjson.loads(exchange.request.arguments)


def through(protocol: str, upstream: Address, talk: Callable[[Address], None]) -> list[Exchange]:
    """What is recorded while a blocking client talks."""

    async def main() -> list[Exchange]:
        async with call_tapped(protocol, upstream) as stage:
            await asyncio.to_thread(talk, stage.address)
        assert stage.sink.losses == {}
        return stage.sink.exchanges

    return asyncio.run(main())


@pytest.mark.parametrize("value", [EMAIL, SESSION, PASSWORD, CARD])
def test_the_search_finds_what_it_looks_for(value: str) -> None:
    for shown in (value.encode(), value.encode().hex().encode(), value.encode("utf-16-le")):
        assert list(canaries.leaks(b"x" + shown + b"y"))
    for before in (b"", b"a", b"ab", b"abc"):
        assert list(canaries.leaks(b64encode(before + value.encode() + b"more")))


# PostgreSQL.


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    import psycopg

    with postgres() as running:
        with psycopg.connect(running.dsn, autocommit=True) as connection:
            connection.execute(
                "CREATE TABLE users (id serial PRIMARY KEY, name text, email text UNIQUE, phone text, iban text,"
                " card_number text, password text, password_hash bytea, session_token text, avatar bytea, state bytea,"
                " doc jsonb, raw json, blobs bytea[], tags text[], balance numeric CHECK (balance >= 0))"
            )
            connection.execute("CREATE TABLE pairs (key text, value text)")
        yield running


def _postgres_talk(dsn: str) -> None:
    import psycopg

    columns = "name, email, phone, iban, card_number, password, password_hash, session_token, avatar, state, doc, raw"
    row = (NAME, EMAIL, PHONE, IBAN, CARD, PASSWORD, PASSWORD.encode(), SESSION, PICKLED, GZIPPED, DOCUMENT, DOCUMENT)
    marks = ", ".join(["%s"] * len(row))
    with psycopg.connect(dsn, autocommit=True, application_name=EMAIL, options=f"-c my.token={JWT}") as connection:
        connection.execute(f"INSERT INTO users ({columns}) VALUES ({marks}) RETURNING *", row)
        for is_binary in (False, True):
            assert connection.execute("SELECT * FROM users WHERE email = %s", (EMAIL,), binary=is_binary).fetchall()
        connection.execute(
            "UPDATE users SET blobs = %s, tags = %s", ([SECRET_BYTES, DOCUMENT.encode()], [EMAIL, JWT, API_KEY])
        )
        connection.execute("SELECT name, blobs, tags, state FROM users")
        connection.execute("SELECT %s::text, %s::bytea, %s::jsonb", (JWT, SECRET_BYTES, DOCUMENT))
        connection.execute("INSERT INTO pairs VALUES (%s, %s), (%s, %s)", (f"session:{SESSION}", PASSWORD, FIRST, LAST))
        connection.execute(f"SELECT name FROM users WHERE email = '{EMAIL}' AND avatar = '\\x{PICKLED.hex()}'::bytea")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO users (name, email) VALUES (%s, %s)", (NAME, EMAIL))
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE users SET balance = -1")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute(f"SELECT '{PASSWORD}'::int")
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute(f"SELEC '{PASSWORD}' FROM '{NAME}'")
        with connection.cursor().copy("COPY users (name, email, password, avatar) FROM STDIN") as copy:
            copy.write_row((NAME, f"x{EMAIL}", PASSWORD, PICKLED))
        with connection.cursor().copy("COPY users (name, email, password, avatar) TO STDOUT") as copy:
            assert list(copy)
        connection.execute("DO $$ BEGIN RAISE NOTICE 'of %', '" + EMAIL + "'; END $$")
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute("DO $$ BEGIN RAISE EXCEPTION 'no %', '" + EMAIL + "'; END $$")
        connection.execute("SELECT u.name FROM pairs p LEFT JOIN users u ON u.name <> p.key")
        connection.execute("LISTEN people")
        connection.execute("SELECT pg_notify('people', %s)", (DOCUMENT,))
        connection.execute(f"ALTER ROLE app PASSWORD 'app' /* {EMAIL} */")
        connection.execute(f"SET application_name = '{EMAIL}'")
        connection.execute(
            "SELECT set_config('my.user', %s, false) /*user='" + EMAIL.replace("@", "%%40") + "'*/",
            (EMAIL,),
        )
        with pytest.raises(psycopg.errors.UndefinedFunction):
            connection.execute("SELECT login(%s, %s)", (EMAIL, PASSWORD))
        with pytest.raises(psycopg.Error):
            connection.execute(f'SELECT "{EMAIL}" FROM users')
        connection.execute(f"PREPARE find AS SELECT name FROM users WHERE email = $1; EXECUTE find('{EMAIL}')")
        connection.execute(
            f"CREATE TEMP TABLE t AS SELECT '{NAME}'::text AS name; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t; FETCH ALL c"
        )
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn.replace("app:app", f"{FIRST}:{PASSWORD}".replace("&", "%26").replace("#", "%23")))


def test_postgres(database: Server) -> None:
    sink = record(database, _postgres_talk)
    assert sink.losses == {}
    made = cleaned(sink.exchanges)
    methods = [each.request.method for each in made]
    assert {"INSERT", "SELECT", "UPDATE", "COPY", "DO", "CONSUME"} <= set(methods)
    first = made[methods.index("INSERT")]
    assert said(first)["rows"][0]["email"] == asked(first)["email"]
    assert said(first)["rows"][0]["session_token"] == asked(first)["session_token"]


def test_messages_of_a_server_in_another_language_name_no_value() -> None:
    fields = {"S": "FEHLER", "V": "ERROR", "C": "23505", "M": "doppelter Schlüsselwert"}
    said_ = error_body({**fields, "D": f"Schlüssel (name)=({NAME}) existiert bereits."})
    assert (said_["key"], said_["detail"]) == ({"name": NAME}, "Schlüssel (name)=($1) existiert bereits.")
    failing = error_body({**fields, "C": "23514", "D": f"Fehlgeschlagene Zeile enthält (1, {NAME}, 5)."})
    assert NAME not in repr(failing)


# MySQL.


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariadbServer]:
    with mariadb_server() as running:
        running.run(
            "CREATE DATABASE shop",
            "CREATE TABLE shop.users (id int AUTO_INCREMENT PRIMARY KEY, name varchar(80), email varchar(80) UNIQUE,"
            " phone varchar(40), password varchar(80), session_token varchar(80), avatar blob, doc json, age int)",
        )
        yield running


def _mysql_talk(address: Address) -> None:
    import pymysql

    connection = pymysql.connect(
        host=address[0], port=address[1], user="root", password=MARIADB_PASSWORD, database="shop", autocommit=True
    )
    row = (NAME, EMAIL, PHONE, PASSWORD, SESSION, PICKLED, DOCUMENT)
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(row))
        cursor.execute(
            f"INSERT INTO users (name, email, phone, password, session_token, avatar, doc) VALUES ({marks})", row
        )
        cursor.execute("SELECT * FROM users WHERE email = %s", (EMAIL,))
        assert cursor.fetchall()
        cursor.execute(f"UPDATE users SET avatar = X'{PICKLED.hex()}' WHERE email = %s", (EMAIL,))
        cursor.execute(
            f"UPDATE users SET avatar = 0x{PICKLED.hex()}, name = _utf8mb4'{NAME}' WHERE email = %s", (EMAIL,)
        )
        raw = PICKLED.replace(b"\\", b"\\\\").replace(b"'", b"\\'").replace(b"\0", b"\\0")
        connection.query(b"UPDATE users SET avatar = _binary'" + raw + b"'")
        cursor.execute("SELECT name, avatar FROM users")
        cursor.execute("UPDATE users SET avatar = %s", (GZIPPED,))
        cursor.execute("SELECT * FROM users")
        cursor.execute("SELECT name, %s, %s FROM users", (JWT, API_KEY))
        with pytest.raises(pymysql.err.IntegrityError):
            cursor.execute("INSERT INTO users (name, email) VALUES (%s, %s)", (NAME, EMAIL))
        with pytest.raises(pymysql.err.Error):
            cursor.execute("INSERT INTO users (name, age) VALUES (%s, %s)", (NAME, EMAIL))
        with pytest.raises(pymysql.err.Error):
            cursor.execute(f"SELEC '{PASSWORD}' FROM '{EMAIL}'")
        cursor.execute(
            "INSERT INTO users VALUES (NULL, %s, %s, %s, %s, %s, %s, %s, 7)", (*row[:1], "y" + EMAIL, *row[2:])
        )
        cursor.execute(f"SET @who = '{EMAIL}'")
    connection.close()
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host=address[0], port=address[1], user=FIRST, password=PASSWORD, program_name=EMAIL)


def test_mysql(mariadb: MariadbServer) -> None:
    made = cleaned(through("mysql", (mariadb.host, mariadb.port), _mysql_talk))
    first = next(each for each in made if each.request.method == "SELECT")
    assert said(first)["rows"][0]["email"] == asked(first)["email"]


# Redis.


@pytest.fixture(scope="module")
def cache() -> Iterator[Address]:
    with redis_server() as address:
        yield address


def _redis_talk(protocol: int) -> Callable[[Address], None]:
    def talk(address: Address) -> None:
        import redis

        one = redis.Redis(*address, protocol=protocol, client_name="svc")
        one.flushall()
        for key in (f"session:{SESSION}", f"sess:{OPAQUE}", f"token:{JWT}", f"user:{EMAIL}:cart", f"app|sid|{SESSION}"):
            one.set(key, DOCUMENT, ex=60)
            assert one.get(key) == DOCUMENT.encode()
            one.expire(key, 100)
            one.mget(key, "other")
        one.set("password_reset:17", RESET)
        one.get("password_reset:17")
        one.setex(f"sess_{SESSION}", 60, PASSWORD)
        one.set("user:17:password", PASSWORD)
        one.mset({f"session:{SESSION}:csrf": OPAQUE, "user:17:session": SESSION, f"email:{EMAIL}": "17"})
        one.mget(f"session:{SESSION}:csrf", "user:17:session", f"email:{EMAIL}")
        one.set(f"cart:{SESSION}", "3")
        one.hset(f"session:{OPAQUE}", mapping={"email": EMAIL, "name": NAME, "api_key": API_KEY, "user": DOCUMENT})
        one.hgetall(f"session:{OPAQUE}")
        one.hset("user:17", mapping={"name": NAME, "phone": PHONE, "pickled": PICKLED, "gz": GZIPPED})
        one.hgetall("user:17")
        one.hget("user:17", "name")
        one.hset("tokens", OPAQUE, "17")
        one.hget("tokens", OPAQUE)
        one.hgetall("tokens")
        one.sadd("user:17:sessions", SESSION, OPAQUE)
        one.smembers("user:17:sessions")
        one.sismember("user:17:sessions", OPAQUE)
        one.rpush(f"inbox:{EMAIL}", DOCUMENT, PICKLED, DEFLATED)
        one.lrange(f"inbox:{EMAIL}", 0, -1)
        one.set("pickled", PICKLED)
        one.get("pickled")
        one.set("packed", b"\x0a\x0d" + EMAIL.encode() + b"\x12\x07" + FIRST.encode() + b"\x1a" + LAST.encode())
        one.get("packed")
        one.set("php", f's:8:"password";s:{len(PASSWORD)}:"{PASSWORD}";s:4:"name";s:3:"abc";')
        one.get("php")
        with one.pipeline(transaction=True) as pipe:
            pipe.get(f"session:{SESSION}").set(f"otp:{EMAIL}", "493021").get("user:17:password").keys("*").execute()
        one.keys("*session*")
        list(one.scan_iter("*"))
        one.xadd(f"stream:session:{SESSION}", {"email": EMAIL, "session": SESSION, "doc": DOCUMENT})
        one.xread({f"stream:session:{SESSION}": "0"})
        one.xrange(f"stream:session:{SESSION}")
        with pytest.raises(redis.ResponseError):
            one.lpush(f"session:{SESSION}", EMAIL)
        with pytest.raises(redis.ResponseError):
            one.execute_command("NOSUCH", EMAIL, JWT)
        one.eval("return {KEYS[1], ARGV[1]}", 1, f"session:{SESSION}", EMAIL)
        listener = one.pubsub()
        listener.subscribe(f"session:{SESSION}")
        listener.psubscribe(f"session:{OPAQUE}*")
        for _ in range(2):
            assert listener.get_message(timeout=5)
        one.client_setname(EMAIL)
        one.client_getname()
        one.client_list()
        one.execute_command("AUTH", "default", PASSWORD)
        one.config_set("masterauth", PASSWORD)
        one.config_get("masterauth")
        one.publish(f"session:{SESSION}", DOCUMENT)
        one.publish(f"session:{OPAQUE}", PICKLED)
        for _ in range(2):
            assert listener.get_message(timeout=5)
        listener.close()
        one.close()

    return talk


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis(cache: Address, protocol: int) -> None:
    made = cleaned(through("redis", cache, _redis_talk(protocol)))
    key = next(each.request.target for each in made if each.request.method == "SET")
    assert key.startswith("session:")
    same = [each for each in made if each.request.target == key]
    assert {each.request.method for each in same} >= {"SET", "GET", "EXPIRE", "MGET", "PUBLISH", "CONSUME", "LPUSH"}
    got = next(each for each in same if each.request.method == "GET")
    assert asked(got) == [key]
    assert json.loads(next(iter(said(got).values())))["email"].endswith(".test")
    listed = next(each for each in made if each.request.method == "KEYS")
    assert key in said(listed)


def _said(*args: bytes) -> bytes:
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%b\r\n" % (len(arg), arg) for arg in args)


# The one without a colon is only read where keys are expected: not in a column.
_KEYS = (f"session:{SESSION}", f"sess_{SESSION}", f"a:token:{OPAQUE}:b", f"{EMAIL}", f"otp:{EMAIL}", f"x|sid|{SESSION}")


@pytest.mark.slow
@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("key", _KEYS[::2])
def test_every_command_of_redis(place: int, key: str) -> None:
    events = Events()
    decoder = RedisDecoder("c-1", events)
    raw = key.encode()
    names = sorted({each.split()[0] for each in _COMMANDS.split()})
    for name in names:
        args = [name.encode(), *[b"5"] * (place - 1), raw, DOCUMENT.encode(), PICKLED, raw]
        for answer in (_said(raw, DOCUMENT.encode(), PICKLED, b"x"), b"-WRONGTYPE of '%b' here\r\n" % raw):
            decoder.feed_client(_said(*args), 1)
            decoder.feed_server(answer, 2)
    assert events.gaps == []
    made = cleaned(canaries.as_exchanges(events.calls, "redis"))
    assert len(made) == 2 * len(names)


_COMMANDS = (
    "GET SET SETEX SETNX GETSET GETDEL APPEND MGET MSET HSET HGET HMGET HGETALL HDEL HINCRBY SADD SREM SMEMBERS LPUSH "
    "LRANGE RPOPLPUSH ZADD ZRANGE ZSCORE XADD XRANGE XREAD XREADGROUP XCLAIM DEL EXISTS EXPIRE TTL RENAME TYPE DUMP "
    "EVAL EVALSHA FCALL BITOP SORT SCAN KEYS OBJECT MEMORY DEBUG PFADD GEOADD BLPOP BLMPOP LMPOP ZUNION SINTERCARD "
    "CONFIG CLIENT ACL FUNCTION SCRIPT MIGRATE COPY MOVE RESTORE UNLINK TOUCH WAIT ECHO LCS NOSUCHCOMMAND"
)


_NAMES = tuple(key for key in _KEYS if ":" in key or "|" in key)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=30) | st.sampled_from(_NAMES),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*_NAMES, "email", "a", "*", "$1", "$in", "b64", "x:y"]), inner, max_size=4
            )
        ),
        max_leaves=15,
    ),
    st.sampled_from(["redis", "postgres", "mongodb", "kafka", "nats", "amqp"]),
    st.sampled_from(["tokens", "users", "", "session:17"]),
)
def test_whatever_arguments_come_they_keep_their_form(value: Any, protocol: str, target: str) -> None:
    (made,) = cleaned([call(protocol, "SADD", target, value, value)])
    assert made.withheld == ()
    assert _form(asked(made)) == _form(value)
    assert _form(said(made)) == _form(value)


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return [_form(each) for each in value.values()]
    if isinstance(value, list):
        return [_form(each) for each in value]
    return type(value)


# Buses.


@pytest.fixture(scope="module")
def nats_address() -> Iterator[Address]:
    with nats_server() as address:
        yield address


def test_nats(nats_address: Address) -> None:
    import nats

    async def scene(one: Any) -> None:
        async def answer(message: Any) -> None:
            await message.respond(DOCUMENT.encode())

        await one.subscribe(f"session.{SESSION}.*", cb=answer)
        await one.subscribe("people", queue="w")
        await one.flush()
        await one.request(f"session.{SESSION}.get", DOCUMENT.encode(), timeout=5)
        headers = {"x-user": EMAIL, "authorization": f"Bearer {JWT}", "session-id": SESSION, CARD: "yes"}
        await one.publish("people", DOCUMENT.encode(), headers=headers)
        await one.publish("people", PICKLED)
        await one.publish("people", f"email={EMAIL}&password={PASSWORD}".encode())
        await one.publish(f"password_reset.{RESET}", b"")
        stream = one.jetstream()
        await stream.add_stream(name="S", subjects=["js.>"])
        await stream.publish(f"js.session.{SESSION}", DOCUMENT.encode(), headers={"Nats-Msg-Id": EMAIL})
        pulled = await stream.pull_subscribe(f"js.session.{SESSION}", "d")
        for message in await pulled.fetch(1, timeout=5):
            await message.ack()

    async def main() -> list[Exchange]:
        async with call_tapped("nats", nats_address) as stage, asyncio.timeout(30):
            one = await nats.connect(f"nats://{stage.address[0]}:{stage.address[1]}")
            await scene(one)
            await one.flush()
            await stage.recorded(10)
            await one.close()
        assert stage.sink.losses == {}
        return stage.sink.exchanges

    made = cleaned(asyncio.run(main()))
    subjects = {each.request.target for each in made if each.request.operation in ("publish", "consume")}
    (asked_,) = {each for each in subjects if each.startswith("session.")}
    (streamed,) = {each for each in subjects if each.startswith("js.session.")}
    assert asked_.split(".")[1] == streamed.split(".")[2] != SESSION


def test_kafka() -> None:
    confluent_kafka = pytest.importorskip("confluent_kafka")

    def talk(address: Address) -> None:
        server = f"{address[0]}:{address[1]}"
        producer = confluent_kafka.Producer({"bootstrap.servers": server, "compression.type": "gzip"})
        headers = [("authorization", f"Bearer {JWT}"), ("user", EMAIL), ("raw", PICKLED), ("doc", DOCUMENT)]
        for key, value in (
            (EMAIL.encode(), DOCUMENT.encode()),
            (f"session:{SESSION}".encode(), PICKLED),
            (PICKLED, f"email={EMAIL}&password={PASSWORD}".encode()),
            (DOCUMENT.encode(), b"\0\0\0\0\x01" + EMAIL.encode()),
        ):
            producer.produce("people", value, key=key, headers=headers)
        assert producer.flush(20) == 0
        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": server, "group.id": f"g-{EMAIL}", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe(["people"])
        assert all(consumer.poll(20) is not None for _ in range(4))
        consumer.commit(asynchronous=False)
        consumer.close()

    with kafka_broker() as broker:
        made = cleaned(through("kafka", broker, talk))
    assert sum(each.request.method == "CONSUME" for each in made) == 4


@pytest.fixture(scope="module")
def rabbit() -> Iterator[Address]:
    with rabbitmq_server() as address:
        yield address


@pytest.mark.slow
def test_amqp(rabbit: Address) -> None:
    import pika

    def talk(address: Address) -> None:
        connection = pika.BlockingConnection(pika.ConnectionParameters(*address))
        channel = connection.channel()
        channel.exchange_declare("people", "topic")
        queue = f"session.{SESSION}"
        channel.queue_declare(
            queue, arguments={"x-dead-letter-exchange": "people", "x-dead-letter-routing-key": f"session.{OPAQUE}"}
        )
        channel.queue_bind(queue, "people", f"user.session.{SESSION}")
        channel.confirm_delivery()
        properties = pika.BasicProperties(
            content_type=JSON, content_encoding="utf-8", correlation_id=EMAIL, reply_to=queue, message_id=EMAIL,
            headers={"user": EMAIL, "token": JWT, "nested": {"password": PASSWORD, "session_id": SESSION},
                     "argsrepr": f"('{EMAIL}',)", "kwargsrepr": f"{{'password': '{PASSWORD}'}}", EMAIL: 1},
        )  # fmt: skip
        channel.basic_publish("people", f"user.session.{SESSION}", DOCUMENT.encode(), properties)
        channel.basic_publish("", queue, PICKLED, pika.BasicProperties(content_type="application/x-python-serialize"))
        channel.basic_publish("", queue, PICKLED)
        with pytest.raises(pika.exceptions.UnroutableError):
            channel.basic_publish("people", f"token.{OPAQUE}", DOCUMENT.encode(), mandatory=True)
        for method, _, _ in channel.consume(queue, inactivity_timeout=5):
            channel.basic_ack(method.delivery_tag)
            if method.delivery_tag == 3:
                break
        channel.cancel()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker):
            channel.queue_declare(f"session.{OPAQUE}", passive=True)
        connection.close()

    made = cleaned(through("amqp", rabbit, talk))
    published = next(each for each in made if each.request.method == "PUBLISH")
    assert orjson.loads(published.request.body)["email"].endswith(".test")
    consumed = next(each for each in made if each.request.operation == "consume" and each.role is Role.INBOUND)
    assert consumed.request.target == published.request.headers.get("reply-to") != f"session.{SESSION}"
    assert asked(consumed)["routing_key"] == asked(published)["routing_key"]


# Bytes of a protocol that nobody knows.


def test_tcp() -> None:
    async def main() -> list[Exchange]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(65536))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server, call_tapped("tcp", server.sockets[0].getsockname()[:2]) as stage:
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(DOCUMENT.encode() + PICKLED + SECRET_BYTES)
            await reader.read()
            writer.close()
            return await stage.recorded()

    for each in cleaned(asyncio.run(main())):
        assert each.withheld


# gRPC.


@pytest.fixture(scope="module")
def service() -> Iterator[GrpcService]:
    with grpc_service() as running:
        yield running


def _field(number: int, value: bytes) -> bytes:
    from seamline.capture.protobuf import _varint_bytes

    return bytes([number << 3 | 2]) + _varint_bytes(len(value)) + value


def test_grpc(service: GrpcService) -> None:
    import grpc

    values = [EMAIL, PHONE, CARD, IBAN, JWT, API_KEY, DOCUMENT, f"session_id={SESSION}&password={PASSWORD}"]
    flat = b"".join(_field(number, value.encode()) for number, value in enumerate(values, 1))
    maps = b"".join(
        _field(9, _field(1, key.encode()) + _field(2, value.encode()))
        for key, value in (("password", PASSWORD), ("session_id", SESSION), (EMAIL, "x"), ("first_name", FIRST))
    )
    message = flat + _field(15, flat + maps) + _field(14, PICKLED) + _field(13, SECRET_BYTES) + maps

    def talk(address: Address) -> None:
        metadata = (("authorization", f"Bearer {JWT}"), ("x-user", EMAIL), ("x-initial", EMAIL), ("who-bin", flat))
        for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
            with channel_to(address) as channel:
                channel.unary_unary(f"/{SERVICE}/Echo")(message, metadata=metadata, timeout=10, compression=compression)

    exchanges = through("grpc", service.address, talk)
    assert exchanges[0].response is not None
    said_ = Headers(
        (*exchanges[0].response.headers.items, ("grpc-message", f"no user {EMAIL}, {EMAIL.replace('@', '%40')}: {JWT}"))
    )
    exchanges.append(replace(exchanges[0], response=replace(exchanges[0].response, headers=said_)))
    made = cleaned(exchanges)
    assert made[0].request.body == made[0].response.body  # type: ignore[union-attr]


# The same value on all protocols.


def call(protocol: str, method: str, target: str, arguments: Any, answer: Any = None, **options: Any) -> Exchange:
    headers = Headers((("content-type", JSON),))
    request = Request(method, target, headers, options.get("body", b""), "", method, orjson.dumps(arguments).decode())
    response = Response(0, headers, orjson.dumps(answer))
    return Exchange("t-1", 1, Role.OUTBOUND, protocol, "svc", "s-1", 1, 1, request, response)


@pytest.mark.parametrize(("name", "value"), [("email", EMAIL), ("session_id", SESSION), ("access_token", JWT)])
def test_a_value_has_one_pseudonym_on_all_protocols(name: str, value: str) -> None:
    one = Sanitizer(KEY)
    http = Request("POST", "/", Headers((("content-type", JSON),)), json.dumps({name: value}).encode())
    seen = one.clean(Exchange("t-1", 1, Role.INBOUND, "http", "svc", "s", 1, 1, http, None))
    made = orjson.loads(seen.request.body)[name]
    assert made != value
    word = {"email": "email", "session_id": "session", "access_token": "token"}[name]
    row = call(
        "postgres", "SELECT", "users", {name: value}, {"columns": [name], "types": ["text"], "rows": [{name: value}]}
    )
    (found,) = cleaned([row], one)
    assert (asked(found)[name], said(found)["rows"][0][name]) == (made, made)
    (found,) = cleaned([call("redis", "GET", f"{word}:{value}", [f"{word}:{value}"], {f"{word}:{value}": "17"})], one)
    assert found.request.target == asked(found)[0] == next(iter(said(found))) == f"{word}:{made}"
    event = call("kafka", "PUBLISH", "people", {"key": f"{word}:{value}"}, body=json.dumps({name: value}).encode())
    (found,) = cleaned([event], one)
    assert (asked(found)["key"], orjson.loads(found.request.body)[name]) == (f"{word}:{made}", made)
    (found,) = cleaned([call("mongodb", "find", "users", {"find": "users", "filter": {name: {"$eq": value}}})], one)
    assert asked(found)["filter"][name]["$eq"] == made


def test_mongodb(tmp_path: Path) -> None:
    pymongo = pytest.importorskip("pymongo")

    document = {**PERSON, "avatar": PICKLED, "packed": GZIPPED, "text": DOCUMENT.encode(), "key": SECRET_BYTES}
    filters = [
        {"email": EMAIL}, {"password": {"$in": [PASSWORD]}}, {"name": {"$eq": NAME}}, {"first_name": {"$gte": FIRST}},
        {"$or": [{"email": {"$ne": EMAIL}}, {"sessions": {"$elemMatch": {"token": SESSION}}}]},
    ]  # fmt: skip

    def talk(address: Address) -> None:
        with pymongo.MongoClient(*address, directConnection=True) as client:
            users = client.shop.users
            users.create_index("email", unique=True)
            users.insert_one(dict(document))
            with pytest.raises(pymongo.errors.DuplicateKeyError):
                users.insert_one(dict(document))
            for each in filters:
                list(users.find(each, {"name": 1, "email": 1}))
            users.update_one({"email": EMAIL}, {"$set": {"profile.email": EMAIL, "session_id": OPAQUE, "name": NAME}})
            list(users.find({}))
            users.delete_one({"name": NAME, "phone": PHONE})

    with mongo_server(tmp_path) as address:
        made = cleaned(through("mongodb", address, talk))
    inserted = next(each for each in made if each.request.operation.startswith("insert"))
    found = next(each for each in made if each.request.operation.startswith("find"))
    assert EMAIL not in repr(inserted)
    assert "$in" in repr([each.request.arguments for each in made])
    assert found.response is not None


def test_what_mongodb_calls_binary_is_opened() -> None:
    document = {
        "_id": {"$oid": "65f0c0ffee0123456789abcd"}, **PERSON, "at": {"$date": "2026-11-24T10:00:00Z"},
        "avatar": {"$binary": {"base64": b64encode(PICKLED).decode(), "subType": "00"}},
        "packed": {"$binary": {"base64": b64encode(GZIPPED).decode(), "subType": "00"}},
        "text": {"$binary": {"base64": b64encode(DOCUMENT.encode()).decode(), "subType": "00"}},
        "key": {"$binary": {"base64": b64encode(SECRET_BYTES).decode(), "subType": "00"}},
    }  # fmt: skip
    (made,) = cleaned([call("mongodb", "insert", "users", {"insert": "users", "documents": [document]}, {"n": 1})])
    (kept,) = asked(made)["documents"]
    assert (kept["_id"], kept["at"]) == (document["_id"], document["at"])
    assert json.loads(gzip.decompress(b64decode(kept["packed"]["$binary"]["base64"])))["email"] == kept["email"]
    assert json.loads(b64decode(kept["text"]["$binary"]["base64"]))["email"] == kept["email"]
    assert len(b64decode(kept["key"]["$binary"]["base64"])) == len(SECRET_BYTES)


# Names that are values.


def test_names_of_members_are_cleaned_like_values() -> None:
    body = json.dumps({EMAIL: {"role": "admin"}, CARD: 1, JWT: None, IBAN: [True], "kept": {PHONE: "x", EMAIL: 2}})
    http = Request("POST", "/", Headers((("content-type", JSON),)), body.encode())
    (made,) = cleaned([Exchange("t-1", 1, Role.INBOUND, "http", "svc", "s", 1, 1, http, None)])
    names = list(orjson.loads(made.request.body))
    assert names[0].endswith(".test")
    assert (len(names), names[-1]) == (5, "kept")
    assert names[0] in orjson.loads(made.request.body)["kept"]
    twice = f'{{"{EMAIL}": 1, "{EMAIL}": 2, "a" : 3}}'
    http = Request("POST", "/", Headers((("content-type", JSON),)), twice.encode())
    (made,) = cleaned([Exchange("t-1", 1, Role.INBOUND, "http", "svc", "s", 1, 1, http, None)])
    assert made.request.body.decode() == twice.replace(EMAIL, names[0])
