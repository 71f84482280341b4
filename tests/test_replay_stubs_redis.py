"""The Redis stub, asked by redis-py: what a real server said is said again, in either RESP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio as aredis

from seamline.capture.model import Exchange, Failure, FailureKind
from seamline.capture.wire.redis.encode import encode_command
from seamline.replay.stubs import answers as answering
from seamline.replay.stubs.answers import Answered
from seamline.replay.stubs.door import open_stub
from seamline.replay.stubs.redis import RedisStub
from support.redis_server import redis_server
from support.stubs import answers_of, stub_spec
from support.taps import Address, call_tapped

NAME = "cache"


@pytest.fixture(scope="module")
def server() -> Iterator[Address]:
    with redis_server() as address:
        yield address


def client(address: Address, protocol: int = 2, **options: Any) -> Any:
    return aredis.Redis(host=address[0], port=address[1], protocol=protocol, db=2, **options)


async def script(address: Address, protocol: int) -> list[Any]:
    """What a service might ask, and what it was told."""
    got: list[Any] = []
    async with client(address, protocol) as one:

        async def tell(asked: Any) -> None:
            try:
                got.append(await asked)
            except redis.ResponseError as error:
                got.append(repr(error))

        await tell(one.set("user:1:name", "Jo", ex=60))
        await tell(one.get("user:1:name"))
        await tell(one.get("nothing"))
        await tell(one.hset("h", mapping={"size": "XL", "n": 1}))
        await tell(one.hgetall("h"))
        await tell(one.hmget("h", "size", "nothing"))
        await tell(one.mget("nothing", "user:1:name"))
        async with one.pipeline(transaction=True) as pipe:
            pipe.incr("n").get("n").lpush("n", "x").hgetall("h")
            got += map(str, await pipe.execute(raise_on_error=False))
        async with one.pipeline(transaction=False) as pipe:
            for number in range(50):
                pipe.set(f"k:{number}", number)
                pipe.get(f"k:{number}")
            await tell(pipe.execute())
        await tell(one.xadd("st", {"a": "1"}, id="1-1"))
        await tell(one.xrange("st"))
        await tell(one.zadd("z", {"m": 1.5, "k": 2}))
        await tell(one.zscore("z", "m"))
        await tell(one.sadd("s", "1", "2"))
        await tell(one.smembers("s"))
        await tell(one.publish("ch", "hi"))
        await tell(one.lpush("n", "q"))
        await tell(one.set("bin", b"\xff\x00"))
        await tell(one.get("bin"))
        await tell(one.blpop("empty", timeout=0.01))
        await tell(one.ping())
        async with one.pubsub() as heard:
            await heard.subscribe("ch", "ch2")
            got += [await heard.get_message(timeout=5) for _ in range(2)]
            await heard.unsubscribe("ch2", "ch")
            got += [await heard.get_message(timeout=5) for _ in range(2)]
        # Last, since redis-py itself makes something else of it in RESP2 and in RESP3.
        await tell(one.xread({"st": "0"}))
    return got


async def recording(server: Address, protocol: int) -> tuple[list[Exchange], list[Any]]:
    async with client(server) as one:
        await one.flushall()
    async with call_tapped("redis", server) as stage:
        got = await script(stage.address, protocol)
    return stage.sink.exchanges, got


@contextlib.asynccontextmanager
async def stubbed(exchanges: list[Exchange], **options: Any) -> AsyncIterator[tuple[Address, RedisStub, Any]]:
    answers, run = answers_of(exchanges, "svc", "redis", **options)
    stub = open_stub(stub_spec("svc", "redis"), answers)
    assert isinstance(stub, RedisStub)
    address = await stub.start()
    try:
        yield address, stub, run
    finally:
        await stub.stop(0.2)


@pytest.mark.parametrize("recorded_in", [2, 3])
@pytest.mark.parametrize("asked_in", [2, 3])
def test_a_recorded_script_is_answered_as_it_was(server: Address, recorded_in: int, asked_in: int) -> None:
    async def main() -> None:
        exchanges, truth = await recording(server, recorded_in)
        async with stubbed(exchanges) as (address, _, run):
            got = await script(address, asked_in)
        assert run.losses == []
        assert got[:-1] == truth[:-1]
        assert got[-1] == (
            [[b"st", [(b"1-1", {b"a": b"1"})]]] if asked_in == 2 else {b"st": [[(b"1-1", {b"a": b"1"})]]}
        )
        data = [each for each in run.exchanges if each.request.headers.get("setup") is None]
        assert len(data) > 120
        assert all(each.response and each.response.headers.get("seamline-stub") for each in data)

    asyncio.run(main())


def test_more_connections_than_were_recorded(server: Address) -> None:
    async def main() -> None:
        exchanges, _ = await recording(server, 2)
        async with stubbed(exchanges) as (address, _, _run):
            clients = [client(address, 3 if number % 2 else 2) for number in range(20)]
            got = await asyncio.gather(*[each.get("user:1:name") for each in clients])
            assert got == [b"Jo"] * 20
            for each in clients:
                await each.aclose()

    asyncio.run(main())


async def raw(address: Address, *lines: str, size: int = 1 << 16) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"".join(encode_command(line.split()) for line in lines))
    writer.write_eof()
    try:
        return await reader.read(-1) if size < 0 else await _all(reader)
    finally:
        writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while data := await reader.read(65536):
        parts.append(data)
    return b"".join(parts)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("PING",), b"+PONG\r\n"),
        (("PING hi",), b"$2\r\nhi\r\n"),
        (("AUTH anybody secret",), b"+OK\r\n"),
        (("SELECT 7", "CLIENT SETNAME me", "READONLY"), b"+OK\r\n" * 3),
        (("CLIENT ID",), b":1\r\n"),
        (("HELLO 4",), b"-NOPROTO unsupported protocol version\r\n"),
        (("HELLO 3", "RESET", "HELLO 2"), b"%7\r\n"),
        (("QUIT", "PING"), b"+OK\r\n"),
        (("CLIENT REPLY OFF", "PING", "CLIENT REPLY ON", "PING"), b"+OK\r\n+PONG\r\n"),
        (("MULTI", "PING", "EXEC"), b"+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n"),
        (("MULTI", "DISCARD", "MULTI", "EXEC"), b"+OK\r\n+OK\r\n+OK\r\n*0\r\n"),
        (("SUBSCRIBE a", "PING x", "UNSUBSCRIBE", "UNSUBSCRIBE"),
         b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*2\r\n$4\r\npong\r\n$1\r\nx\r\n"
         b"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"),
        (("SSUBSCRIBE s", "SUBSCRIBE a"),
         b"*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
        (("INFO",), b"$"),
        (("MONITOR",), b"-ERR seamline: "),
    ],
)  # fmt: skip
def test_what_the_stub_says_by_itself(lines: tuple[str, ...], said: bytes) -> None:
    async def main() -> None:
        async with stubbed([]) as (address, _, _run):
            assert (await raw(address, *lines)).startswith(said)

    asyncio.run(main())


def test_a_command_that_nobody_recorded_is_an_error_that_says_so() -> None:
    async def main() -> None:
        async with stubbed([]) as (address, _, run):
            said = await raw(address, "GET a", "PING")
            assert said.startswith(b"-ERR seamline: ")
            assert said.endswith(b"\r\n+PONG\r\n")
            (exchange,) = run.exchanges
            assert exchange.response.headers.get("seamline-stub") == "missed"

    asyncio.run(main())


def test_what_was_not_recorded_around_a_transaction_is_no_miss(server: Address) -> None:
    async def main() -> None:
        async with call_tapped("redis", server) as stage, client(stage.address) as one:
            await one.set("a", 1)
        async with stubbed(stage.sink.exchanges) as (address, _, run):
            said = await raw(address, "WATCH a", "MULTI", "SET a 1", "EXEC", "SUBSCRIBE c")
            assert said.startswith(b"+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n*3\r\n$9\r\nsubscribe")
            steps = [each.response.headers.get("seamline-stub") for each in run.exchanges]
            assert steps == ["own", "own", "exact", "own", "own"]

    asyncio.run(main())


def test_a_clusters_client_stays_with_the_stub(server: Address) -> None:
    async def main() -> None:
        async with call_tapped("redis", server) as stage, client(stage.address) as one:
            await one.set("a", 1)
            await one.get("a")
            await one.execute_command("COMMAND")
        async with stubbed(stage.sink.exchanges) as (address, _, _run):
            cluster = aredis.RedisCluster(host=address[0], port=address[1])
            assert await cluster.get("a") == b"1"
            assert await cluster.set("a", 1)
            await cluster.aclose()
            assert f"{address[1]}@".encode() in await raw(address, "CLUSTER NODES")

    asyncio.run(main())


def test_bytes_that_are_no_redis_end_the_connection() -> None:
    async def main() -> None:
        async with stubbed([]) as (address, _, run):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"\x16\x03\x01\x00")
            assert await reader.read() == b""
            assert run.losses == ["client bytes that are not RESP"]
            writer.close()

    asyncio.run(main())


def test_an_aborted_transaction_is_aborted_again(server: Address) -> None:
    async def scene(address: Address, disturb: bool) -> str:
        async with client(address) as one, one.pipeline() as pipe:
            await pipe.watch("n")
            if disturb:
                async with client(server) as other:
                    await other.incr("n")
            pipe.multi()
            pipe.incr("n")
            with pytest.raises(redis.WatchError):
                await pipe.execute()
        return "aborted"

    async def main() -> None:
        async with call_tapped("redis", server) as stage:
            await scene(stage.address, True)
        async with stubbed(stage.sink.exchanges) as (address, _, _run):
            assert await scene(address, False) == "aborted"

    asyncio.run(main())


def test_an_answer_that_was_too_large_to_keep_is_an_error(server: Address) -> None:
    async def main() -> None:
        async with client(server) as one:
            await one.set("big", "x" * 400_000)
        async with call_tapped("redis", server) as stage, client(stage.address) as one:
            await one.get("big")
        async with stubbed(stage.sink.exchanges) as (address, _, run):
            assert b"not whole" in await raw(address, "GET big")
            assert run.losses == ["a recorded answer that is not whole"]

    asyncio.run(main())


class Scripted:
    """Answers that say what a test wants."""

    def __init__(self, *said: Answered) -> None:
        self.said = list(said)
        self.now_us = lambda: 0

    async def answer(self, call: Any, connection: str, default: Any = None, **_: Any) -> Answered:
        return self.said.pop(0)

    def gap(self, reason: str) -> None:
        raise AssertionError(reason)


async def failing(answered: Answered) -> bytes:
    stub = RedisStub(stub_spec("svc", "redis"), Scripted(answered))  # type: ignore[arg-type]  # all that a stub uses
    address = await stub.start()
    try:
        async with asyncio.timeout(10):
            return await raw(address, "GET a")
    finally:
        await stub.stop(0.2)


def test_failures_are_played() -> None:
    reset = Answered(None, Failure(FailureKind.RESET, ""), 0, "fault")
    with pytest.raises(ConnectionResetError):
        asyncio.run(failing(reset))
    protocol = Answered(None, Failure(FailureKind.PROTOCOL, ""), 0, "exact")
    assert asyncio.run(failing(protocol)) == b""


def test_a_client_that_waits_in_vain_waits_as_long_as_it_likes() -> None:
    silent = Answered(None, Failure(FailureKind.TIMEOUT, ""), 0, "fault")

    async def main() -> None:
        stub = RedisStub(stub_spec("svc", "redis"), Scripted(silent))  # type: ignore[arg-type]  # all that it uses
        address = await stub.start()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(encode_command(["GET", "a"]))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        await stub.stop(5)
        assert await reader.read() == b""
        writer.close()

    asyncio.run(main())


def test_what_was_taken_off_a_queue_is_there_once(server: Address) -> None:
    async def main() -> None:
        async with call_tapped("redis", server) as stage, client(stage.address) as one:
            await one.delete("jobs")
            await one.rpush("jobs", "a", "b")
            assert [await one.lpop("jobs"), await one.blpop("jobs", timeout=1)] == [b"a", (b"jobs", b"b")]
        async with stubbed(stage.sink.exchanges) as (address, _, run), client(address) as one:
            assert [await one.lpop("jobs"), await one.blpop("jobs", timeout=1)] == [b"a", (b"jobs", b"b")]
            begun = asyncio.get_running_loop().time()
            assert [await one.lpop("jobs"), await one.blpop("jobs", timeout=1)] == [None, None]
            assert asyncio.get_running_loop().time() - begun > 0.9
            assert run.exchanges[-1].response.headers.get("seamline-stub") == "own"

    asyncio.run(main())


def test_a_client_that_waits_does_not_hold_the_stub_up() -> None:
    async def main() -> None:
        async with stubbed([]) as (address, stub, run):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(encode_command(["BLPOP", "q", "0"]))
            while not run.exchanges:
                await asyncio.sleep(0.005)
            async with asyncio.timeout(10):
                await stub.stop(60)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(main())


def test_recorded_time_passes(server: Address) -> None:
    async def main() -> None:
        async with call_tapped("redis", server) as stage, client(stage.address) as one:
            await one.blpop("nobody", timeout=0.2)
        async with stubbed(stage.sink.exchanges, latency=answering.RECORDED) as (address, _, _run):
            begun = asyncio.get_running_loop().time()
            async with client(address) as one:
                assert await one.blpop("nobody", timeout=0.2) is None
            assert asyncio.get_running_loop().time() - begun > 0.15

    asyncio.run(main())


def test_stopping_lets_what_is_under_way_finish() -> None:
    from seamline.capture.headers import Headers
    from seamline.capture.model import Response

    slow = Answered(
        Response(0, Headers((("resp", "bulk"), ("seamline-stub", "exact"))), b'{"a":"1"}'), None, 200_000, "exact"
    )

    async def main() -> None:
        stub = RedisStub(stub_spec("svc", "redis"), Scripted(slow))  # type: ignore[arg-type]  # all that it uses
        address = await stub.start()
        idle, _ = await asyncio.open_connection(*address)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(encode_command(["GET", "a"]))
        while not stub.is_busy:
            await asyncio.sleep(0.005)
        await stub.stop(10)
        assert await reader.read() == b"$1\r\n1\r\n"
        assert await idle.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        writer.close()

    asyncio.run(main())
