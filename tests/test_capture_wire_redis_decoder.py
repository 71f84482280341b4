"""Redis on the wire: scripted conversations, hostile bytes, and a real server with real clients behind a tap."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis
import redis.asyncio as aredis
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.links import LinkIndex
from seamline.capture.model import Exchange, FailureKind, LinkKind, Role
from seamline.capture.wire.protocols import decoder_for
from seamline.capture.wire.redis import decoder as module
from seamline.capture.wire.redis.decoder import RedisDecoder
from seamline.capture.wire.redis.encode import encode, encode_command
from seamline.capture.wire.redis.values import NULL_ARRAY, Fault, Map, Push, Simple, Value
from support.redis_nats import Events, Piece, feed, told
from support.redis_server import redis_server
from support.taps import Address, CallStage, call_tapped

OK = Simple(b"OK")
QUEUED = Simple(b"QUEUED")


def ask(*lines: str) -> Piece:
    return "client", b"".join(encode_command(line.split()) for line in lines)


def say(*values: Value, resp: int = 2) -> Piece:
    return "server", b"".join(encode(value, resp) for value in values)


def played(*pieces: Piece, step: int = 0) -> Events:
    events = Events()
    feed(RedisDecoder("c-1", events), *pieces, step=step)
    return events


def answers(events: Events) -> list[tuple[str, int, Any]]:
    return [
        (call.operation, call.status, orjson.loads(call.response_body) if call.response_body else None)
        for call in events.calls
    ]


def test_the_table_of_protocols_knows_it() -> None:
    assert decoder_for("redis") is RedisDecoder


def test_pipelined_commands_are_answered_in_order() -> None:
    events = played(ask("SET a 1", "GET a", "INCR b"), say(OK, b"1", Fault(b"WRONGTYPE no")))
    assert answers(events) == [
        ("SET", 0, "OK"),
        ("GET", 0, {"a": "1"}),
        ("INCR", 1, {"error": "WRONGTYPE no"}),
    ]
    assert events.calls[2].reason == "WRONGTYPE"
    assert events.gaps == []


def test_times_are_those_of_the_bytes() -> None:
    events = Events()
    decoder = RedisDecoder("c", events)
    feed(decoder, ask("BLPOP q 5"), at_us=100)
    assert decoder.in_flight
    feed(decoder, say([b"q", b"x"]), at_us=4_000_100)
    call = events.one()
    assert (call.started_us, call.ended_us) == (100, 4_000_100)
    assert not decoder.in_flight


def test_exec_answers_what_was_queued() -> None:
    events = played(
        ask("WATCH a", "GET a", "MULTI", "SET a 1", "LPUSH a x", "EXEC", "GET a"),
        say(OK, None, OK, QUEUED, QUEUED, [OK, Fault(b"WRONGTYPE no")], b"1"),
    )
    assert answers(events) == [
        ("WATCH", 0, "OK"),
        ("GET", 0, {"a": None}),
        ("MULTI", 0, "OK"),
        ("SET", 0, "OK"),
        ("LPUSH", 1, {"error": "WRONGTYPE no"}),
        ("EXEC", 0, 2),
        ("GET", 0, {"a": "1"}),
    ]
    assert [call.lane for call in events.calls] == [*["c-1.1"] * 6, None]
    assert events.calls[3].headers.get("transaction") == "c-1.1"


@pytest.mark.parametrize("nothing", [None, NULL_ARRAY])
def test_a_transaction_that_a_watch_stopped(nothing: Value) -> None:
    events = played(ask("MULTI", "SET a 1", "EXEC"), say(OK, QUEUED, nothing))
    assert [(call.operation, call.status, call.reason) for call in events.calls] == [
        ("MULTI", 0, ""), ("SET", 1, "WATCH"), ("EXEC", 0, ""),
    ]  # fmt: skip


def test_a_transaction_that_was_refused_or_discarded() -> None:
    events = played(
        ask("MULTI", "SET a", "SET a 1", "EXEC", "MULTI", "SET a 1", "DISCARD"),
        say(OK, Fault(b"ERR wrong number"), QUEUED, Fault(b"EXECABORT no"), OK, QUEUED, OK),
    )
    assert [(call.operation, call.status, call.reason) for call in events.calls] == [
        ("MULTI", 0, ""), ("SET", 1, "ERR"), ("SET", 1, "EXECABORT"), ("EXEC", 1, "EXECABORT"),
        ("MULTI", 0, ""), ("SET", 1, "DISCARD"), ("DISCARD", 0, ""),
    ]  # fmt: skip


def test_a_transaction_whose_answers_do_not_fit_is_a_gap() -> None:
    events = played(ask("MULTI", "SET a 1", "EXEC"), say(OK, QUEUED, [OK, OK]))
    assert events.gaps == ["a transaction with another number of answers than commands"]
    assert events.open == []


def test_messages_between_answers_in_either_resp() -> None:
    for make in (list, Push):
        events = played(
            ask("SUBSCRIBE a b"),
            say(make([b"subscribe", b"a", 1]), make([b"message", b"a", b"m1"]), make([b"subscribe", b"b", 2]), resp=3),
            ask("UNSUBSCRIBE", "PING"),
            say(make([b"unsubscribe", b"a", 1]), make([b"message", b"b", b"m2"]), make([b"unsubscribe", b"b", 0]),
                Simple(b"PONG"), resp=3),
        )  # fmt: skip
        assert [(call.method, call.target, call.role) for call in events.calls] == [
            ("CONSUME", "a", Role.INBOUND), ("SUBSCRIBE", "a", None),
            ("CONSUME", "b", Role.INBOUND), ("UNSUBSCRIBE", "", None), ("PING", "", None),
        ]  # fmt: skip
        assert events.gaps == []


def test_push_messages_that_nobody_subscribed_to_are_no_answers() -> None:
    events = played(ask("GET a"), say(Push([b"invalidate", [b"a"]]), Push([]), b"1", resp=3))
    assert answers(events) == [("GET", 0, {"a": "1"})]


def test_a_server_that_unsubscribes_by_itself() -> None:
    events = played(ask("SSUBSCRIBE s"), say(Push([b"ssubscribe", b"s", 1]), Push([b"sunsubscribe", b"s", 0]), resp=3))
    assert events.gaps == []
    assert len(events.calls) == 1


def test_where_no_answer_comes() -> None:
    events = played(
        ask("CLIENT REPLY SKIP", "SET a 1", "GET a", "CLIENT REPLY OFF", "SET a 2", "CLIENT REPLY ON", "GET a"),
        say(b"1", OK, b"2"),
    )
    assert [(call.operation, call.reason) for call in events.calls] == [
        ("CLIENT REPLY", "unacknowledged"), ("SET", "unacknowledged"), ("CLIENT REPLY", "unacknowledged"),
        ("SET", "unacknowledged"), ("GET", ""), ("CLIENT REPLY", ""), ("GET", ""),
    ]  # fmt: skip


def test_the_database_of_a_refused_select() -> None:
    events = played(
        ask("SELECT 3", "SELECT 99"), say(OK, Fault(b"ERR DB index")), ask("GET a", "RESET", "GET a"),
        say(None, Simple(b"RESET"), None),
    )  # fmt: skip
    assert [call.headers.get("database") for call in events.calls] == ["0", "3", "3", "3", "0"]


@pytest.mark.parametrize("code", ["MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381", "LOADING Redis is loading"])
def test_redirects_are_errors_with_their_code(code: str) -> None:
    events = played(ask("GET a", "ASKING", "GET a"), say(Fault(code.encode()), OK, b"1"))
    assert events.calls[0].reason == code.split(maxsplit=1)[0]
    assert answers(events)[0] == ("GET", 1, {"error": code})


def test_a_client_that_learns_of_other_servers_is_told_once() -> None:
    events = played(ask("CLUSTER SLOTS", "CLUSTER SHARDS", "GET a"), say([[0, 16383, [b"10.0.0.2", 6379]]], [], b"1"))
    assert events.gaps == ["a cluster's client speaks to servers that are not tapped"]
    assert [call.status for call in events.calls] == [0, 0, 0]
    assert played(ask("CLUSTER SLOTS"), say(Fault(b"ERR This instance has cluster support disabled"))).gaps == []


@pytest.mark.parametrize("line", ["MONITOR", "PSYNC ? -1", "SYNC", "REPLCONF listening-port 1"])
def test_what_is_not_followed_is_one_gap_and_then_silence(line: str) -> None:
    events = played(ask("GET a", line), say(b"1", OK), ask("GET b"), ("server", b"*1000\r\nnonsense\r\n"))
    assert len(events.gaps) == 1
    (call,) = events.calls
    assert call.failure is not None
    assert call.failure.kind is FailureKind.PROTOCOL


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ((("client", b"\x16\x03\x01\x02"),), "client bytes that are not RESP"),
        ((ask("GET a"), ("server", b"HTTP/1.1 400\r\n")), "server bytes that are not RESP"),
        ((say(OK),), "an answer that nobody asked for"),
    ],
)
def test_bytes_that_are_no_redis_are_one_gap(pieces: tuple[Piece, ...], reason: str) -> None:
    events = played(*pieces, *pieces, say(OK))
    assert events.gaps == [reason]
    assert events.open == []


def test_commands_before_bytes_that_are_no_redis_count() -> None:
    events = played(("client", ask("GET a")[1] + b"\x00"))
    assert [call.operation for call in events.calls] == ["GET"]
    assert len(events.gaps) == 1


def test_credentials_are_nowhere() -> None:
    events = played(
        ask("AUTH hunter2", "HELLO 3 AUTH bob hunter2", "CONFIG SET requirepass hunter2", "CONFIG GET requirepass",
            "ACL SETUSER bob >hunter2", "MIGRATE h 1 k 0 1 AUTH hunter2", "ACL GETUSER bob", "MULTI", "AUTH hunter2"),
        say(OK, Map([b"proto", 3]), OK, [b"requirepass", b"hunter2"], OK, OK, [b"passwords", [b"hunter2"]], OK, OK),
    )  # fmt: skip
    assert len(events.calls) == 9
    assert "hunter2" not in repr(told(events.calls))


def test_a_lost_connection_fails_what_is_open() -> None:
    events = Events()
    decoder = RedisDecoder("c", events)
    feed(decoder, ask("MULTI", "SET a 1", "GET b"), say(OK, QUEUED))
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert [(call.operation, call.failure and call.failure.kind) for call in events.calls] == [
        ("MULTI", None), ("SET", FailureKind.RESET), ("GET", FailureKind.RESET),
    ]  # fmt: skip
    feed(decoder, ask("GET c"), say(b"x"))
    assert len(events.calls) == 3


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    assert played(ask(*["GET a"] * 11)).gaps == ["more commands unanswered than are kept"]
    monkeypatch.setattr(module, "MOST_WAITING", 100)
    monkeypatch.setattr(module, "LARGEST_WAITING", 1000)
    assert played(ask("SET a " + "x" * 1000)).gaps == ["more commands unanswered than are kept"]
    queued = (ask("SET a " + "x" * 400), say(QUEUED))
    assert played(ask("MULTI"), say(OK), *queued, *queued, *queued).gaps == ["more commands unanswered than are kept"]
    answered = (ask("SET a " + "x" * 400), say(OK))
    assert played(*answered, *answered, *answered).gaps == []
    executed = (ask("MULTI"), say(OK), *queued, ask("EXEC"), say([OK]))
    assert played(*executed, *executed, *executed).gaps == []


CONVERSATION = (
    ask("HELLO 3", "SELECT 2", "SET user:1:email a@b.c EX 60", "GET user:1:email", "HSET h f v"),
    say(Map([b"proto", 3]), OK, OK, b"a@b.c", 1, resp=3),
    ask("MULTI", "INCR n", "HGETALL h", "EXEC", "XADD s * a 1", "XREAD STREAMS s 0"),
    say(OK, QUEUED, QUEUED, [1, Map([b"f", b"v"])], b"1-1", Map([b"s", [[b"1-1", [b"a", b"1"]]]]), resp=3),
    ask("SUBSCRIBE ch", "PUBLISH ch x"),
    say(Push([b"subscribe", b"ch", 1]), Push([b"message", b"ch", b"x"]), 1, resp=3),
    ("client", b"PING\r\n"),
    say(Simple(b"PONG"), resp=3),
)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64])
def test_the_calls_are_the_same_in_any_split(step: int) -> None:
    whole, pieces = played(*CONVERSATION), played(*CONVERSATION, step=step)
    assert len(whole.calls) == 15
    assert whole.gaps == pieces.gaps == []
    assert told(pieces.calls) == told(whole.calls)


@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(max_size=60)), max_size=8))
def test_random_bytes_never_raise(pieces: list[Piece]) -> None:
    events = played(*pieces)
    assert len(events.gaps) <= 1


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_conversation_never_raises_and_leaves_nothing_open(data: st.DataObject) -> None:
    pieces = [(who, bytearray(raw)) for who, raw in CONVERSATION]
    for _ in range(data.draw(st.integers(1, 4))):
        _, raw = data.draw(st.sampled_from(pieces))
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    events = Events()
    decoder = RedisDecoder("c", events)
    feed(decoder, *[(who, bytes(raw)) for who, raw in pieces])
    assert len(events.gaps) <= 1
    assert decoder.in_flight == bool(events.open)
    decoder.lost(FailureKind.RESET, "gone", 9)
    assert events.open == []


# A real server.


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with redis_server() as address:
        yield address


def recorded(stage: CallStage) -> list[Exchange]:
    return [each for each in stage.sink.exchanges if each.request.headers.get("setup") is None]


async def tapped(server: Address, scene: Any, count: int, **options: Any) -> list[Exchange]:
    async with call_tapped("redis", server, **options) as stage:
        await scene(stage.address)
        async with asyncio.timeout(10):
            while len(recorded(stage)) < count:
                await asyncio.sleep(0.005)
        assert stage.sink.losses == {}
        return recorded(stage)


def client(address: Address, protocol: int, **options: Any) -> Any:
    return aredis.Redis(host=address[0], port=address[1], protocol=protocol, **options)


def briefly(exchange: Exchange) -> tuple[str, str, str, Any]:
    response = exchange.response
    assert response is not None
    body = orjson.loads(response.body) if response.body else None
    return exchange.request.operation, exchange.request.target, exchange.request.arguments, body


@pytest.mark.parametrize("protocol", [2, 3])
def test_commands_of_a_real_client(server: Address, protocol: int) -> None:
    async def scene(address: Address) -> None:
        async with client(address, protocol, db=3) as one:
            await one.flushdb()
            await one.set("user:1:email", "a@b.c", ex=60)
            assert await one.get("user:1:email") == b"a@b.c"
            await one.hset("h", mapping={"email": "x@y.z"})
            assert await one.hgetall("h") == {b"email": b"x@y.z"}
            await one.mget("a", "user:1:email")
            with pytest.raises(redis.ResponseError):
                await one.lpush("h", "x")
            await one.blpop("none", timeout=0.05)

    exchanges = asyncio.run(tapped(server, scene, 8))
    assert [briefly(each) for each in exchanges] == [
        ("FLUSHDB", "", "[]", "OK"),
        ("SET", "user:1:email", '[{"user:1:email":"a@b.c"},"EX","60"]', "OK"),
        ("GET", "user:1:email", '["user:1:email"]', {"user:1:email": "a@b.c"}),
        ("HSET", "h", '["h",{"email":"x@y.z"}]', 1),
        ("HGETALL", "h", '["h"]', {"email": "x@y.z"}),
        ("MGET", "a", '["a","user:1:email"]', {"a": None, "user:1:email": "a@b.c"}),
        ("LPUSH", "h", '["h","x"]', {"error": "WRONGTYPE Operation against a key holding the wrong kind of value"}),
        ("BLPOP", "none", '["none","0.05"]', None),
    ]
    assert {each.request.headers.get("database") for each in exchanges} == {"3"}
    assert exchanges[7].latency_us > 40_000


@pytest.mark.parametrize("protocol", [2, 3])
def test_pipelines_and_transactions_of_a_real_client(server: Address, protocol: int) -> None:
    async def scene(address: Address) -> None:
        async with client(address, protocol, db=4) as one:
            await one.flushdb()
            async with one.pipeline(transaction=False) as pipe:
                for number in range(500):
                    pipe.set(f"k:{number}", number)
                await pipe.execute()
            async with one.pipeline() as pipe:
                await pipe.watch("n")
                pipe.multi()
                pipe.incr("n")
                pipe.hset("h", "f", "v")
                pipe.hgetall("h")
                await pipe.execute()
            async with one.pipeline() as pipe:
                await pipe.watch("n")
                await client(server, protocol, db=4).incr("n")
                pipe.multi()
                pipe.incr("n")
                with pytest.raises(redis.WatchError):
                    await pipe.execute()

    exchanges = asyncio.run(tapped(server, scene, 511))
    assert [each.request.target for each in exchanges[1:501]] == [f"k:{number}" for number in range(500)]
    first = [each for each in exchanges if (each.request.headers.get("transaction") or "").endswith(".1")]
    assert [briefly(each)[0::3] for each in first] == [
        ("WATCH", "OK"), ("MULTI", "OK"), ("INCRBY", 1), ("HSET", 1), ("HGETALL", {"f": "v"}), ("EXEC", 3),
    ]  # fmt: skip
    assert exchanges[-1].request.operation == "EXEC"
    assert exchanges[-1].response is not None
    assert (exchanges[-1].response.headers.get("resp") or "").startswith("null")
    assert exchanges[-2].response is not None
    assert exchanges[-2].response.reason == "WATCH"


@pytest.mark.parametrize("protocol", [2, 3])
def test_publish_and_subscribe_of_a_real_client(server: Address, protocol: int) -> None:
    async def scene(address: Address) -> None:
        async with client(address, protocol) as one, one.pubsub() as heard:
            await heard.subscribe("ch", "ch2")
            await heard.psubscribe("p*")
            await one.publish("ch", '{"a":1}')
            await one.publish("pp", b"\xff")
            seen = 0
            while seen < 5:
                seen += await heard.get_message(timeout=5) is not None
            await heard.unsubscribe()

    exchanges = asyncio.run(tapped(server, scene, 7))
    messages = [each for each in exchanges if each.role is Role.INBOUND]
    assert [(each.request.target, each.request.body) for each in messages] == [("ch", b'{"a":1}'), ("pp", b"\xff")]
    published = [each for each in exchanges if each.request.method == "PUBLISH"]
    assert [(each.request.operation, each.request.target, each.role) for each in published] == [
        ("publish", "ch", Role.OUTBOUND), ("publish", "pp", Role.OUTBOUND),
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3])
def test_streams_of_a_real_client(server: Address, protocol: int) -> None:
    async def scene(address: Address) -> None:
        async with client(address, protocol, db=5) as one:
            await one.flushdb()
            entry = await one.xadd("st", {"email": "a@b.c"}, id="1-1", maxlen=10)
            await one.xgroup_create("st", "g", id="0")
            await one.xreadgroup("g", "me", {"st": ">"})
            await one.xack("st", "g", entry)

    exchanges = asyncio.run(tapped(server, scene, 5))
    entries = [["1-1", {"email": "a@b.c"}]]
    assert [briefly(each) for each in exchanges[1:]] == [
        ("XADD", "st", '["st","MAXLEN","~","10","1-1",{"email":"a@b.c"}]', "1-1"),
        ("XGROUP CREATE", "st", '["st","g","0"]', "OK"),
        ("XREADGROUP", "st", '["GROUP","g","me","STREAMS","st",">"]',
         {"st": entries} if protocol == 3 else [["st", entries]]),
        ("XACK", "st", '["st","g","1-1"]', 1),
    ]  # fmt: skip


def test_a_blocking_client_with_binary_and_large_values(server: Address) -> None:
    def blocking(address: Address) -> None:
        with redis.Redis(host=address[0], port=address[1], db=6) as one:
            one.set("bin", b"\xff\x00")
            assert one.get("bin") == b"\xff\x00"
            one.set("big", b"x" * 400_000)
            assert one.get("big") == b"x" * 400_000

    async def scene(address: Address) -> None:
        await asyncio.to_thread(blocking, address)

    exchanges = asyncio.run(tapped(server, scene, 4))
    assert [briefly(each)[2:] for each in exchanges[:3]] == [
        ('[{"bin":{"b64":"/wA="}}]', "OK"), ('["bin"]', {"bin": {"b64": "/wA="}}), ('[{"big":null}]', "OK"),
    ]  # fmt: skip
    asked, got = exchanges[2], exchanges[3]
    assert got.response is not None
    assert asked.truncated
    assert got.truncated
    assert asked.request.headers.get("hash") == got.response.headers.get("hash")
    assert got.response.headers.get("size") == "400000"


def test_calls_of_a_transaction_are_linked_to_what_caused_it(server: Address) -> None:
    links = LinkIndex()

    async def scene(address: Address) -> None:
        from seamline.capture.clock import Clock
        from seamline.capture.headers import Headers

        links.opened("in-1", Clock().now_us() - 1_000_000, Headers())
        async with client(address, 2) as one, one.pipeline() as pipe:
            pipe.incr("n")
            await pipe.execute()

    exchanges = asyncio.run(tapped(server, scene, 3, links=links))
    assert {each.parent for each in exchanges} == {"in-1"}
    assert exchanges[0].links[0].how in LinkKind


def test_a_redirect_played_by_a_small_server() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(b"-MOVED 3999 127.0.0.1:6381\r\n")
        writer.close()

    async def main() -> None:
        moving = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = moving.sockets[0].getsockname()[:2]
        async with call_tapped("redis", address) as stage:
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(encode_command(["GET", "k"]))
            assert (await reader.readline()).startswith(b"-MOVED")
            (exchange,) = await stage.recorded()
            assert exchange.response is not None
            assert (exchange.response.status, exchange.response.reason) == (1, "MOVED")
            writer.close()
        moving.close()

    asyncio.run(main())


def test_a_password_passes_and_is_not_recorded() -> None:
    async def scene(address: Address) -> None:
        async with client(address, 3, username="default", password="hunter2") as one:
            assert await one.ping()

    async def main(server: Address) -> None:
        async with call_tapped("redis", server) as stage:
            await scene(stage.address)
            await stage.recorded(2)
        assert "hunter2" not in repr(stage.sink.exchanges)
        assert stage.sink.exchanges[0].request.arguments == '["3","AUTH",null,null]'

    with redis_server("--requirepass", "hunter2") as server:
        asyncio.run(main(server))
