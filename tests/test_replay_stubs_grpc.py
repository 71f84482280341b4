"""The stub against grpcio's own clients. What it says is told by a small table here; matching has its own tests."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
import h2.connection
import httpx
import pytest
from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.engines.listener import TapSpec
from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import Failure, FailureKind, Response, Role
from seamline.capture.wire.call import Call
from seamline.replay.stubs.answers import Answered, Answers
from seamline.replay.stubs.book import Book
from seamline.replay.stubs.grpc import GrpcStub
from seamline.replay.stubs.playback import Playback
from support.grpc_service import SERVICE, grpc_service
from support.sanitizing import sanitizer
from support.taps import MemorySink, call_tapped, play

Address = tuple[str, int]


def message(data: bytes) -> bytes:
    return b"\0" + len(data).to_bytes(4) + data


def told(*bodies: bytes, status: str = "0", text: str = "", trailers: tuple[tuple[str, str], ...] = ()) -> Response:
    headers = (
        ("content-type", "application/grpc"),
        ("x-first", "1"),
        ("grpc-status", status),
        ("grpc-message", text),
        *trailers,
    )
    return Response(200, Headers(headers), b"".join(map(message, bodies)))


class Table:
    """Answers by operation. `calls` are those that were asked."""

    def __init__(self, answers: dict[str, Response | Failure | Callable[[Call], Response]], **options: Any) -> None:
        self._answers = answers
        self._options = options
        self.calls: list[Call] = []
        self.connections: set[str] = set()

    def now_us(self) -> int:
        return 1

    async def answer(self, call: Call, connection: str) -> Answered:
        self.calls.append(call)
        self.connections.add(connection)
        said = self._answers[call.operation or call.target]
        if callable(said):
            said = said(call)
        if isinstance(said, Failure):
            return Answered(None, said, 0, "exact")
        return Answered(said, None, self._options.get("delay_us", 0), "exact", cut=self._options.get("cut", False))


@contextlib.asynccontextmanager
async def stubbed(table: Table, **options: Any) -> AsyncIterator[Address]:
    nowhere = ("127.0.0.1", 0)
    stub = GrpcStub(TapSpec("orders", "grpc", nowhere, nowhere, Role.OUTBOUND), table, **options)  # type: ignore[arg-type]  # a table in place of Answers
    try:
        yield await stub.start()
    finally:
        await stub.stop(0.5)
        assert stub.connections == set()


@contextlib.asynccontextmanager
async def calling(address: Address) -> AsyncIterator[grpc.aio.Channel]:
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", 64 << 20),
        ("grpc.max_send_message_length", 64 << 20),
        ("grpc.enable_retries", 0),
    ]
    async with grpc.aio.insecure_channel(f"{address[0]}:{address[1]}", options=options) as channel:
        yield channel


def scene(table: Table, client: Callable[[grpc.aio.Channel], Any], loop_name: str = "asyncio", **options: Any) -> None:
    async def main() -> None:
        async with stubbed(table, **options) as address, calling(address) as channel:
            await client(channel)

    play(main(), loop_name)


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code(), raised.value.details() or ""


def test_a_unary_call_is_answered() -> None:
    table = Table({"o.O/Get": told(b"told", trailers=(("x-last", "2"), ("x-bin", "AAE")))})

    async def client(channel: grpc.aio.Channel) -> None:
        call = channel.unary_unary("/o.O/Get")(b"ask", metadata=(("x-mine", "3"),))
        assert await call == b"told"
        assert ("x-first", "1") in tuple(await call.initial_metadata())
        assert ("x-last", "2") in tuple(await call.trailing_metadata())
        assert ("x-bin", b"\0\1") in tuple(await call.trailing_metadata())

    scene(table, client)
    (call,) = table.calls
    assert (call.method, call.target, call.operation) == ("POST", "/o.O/Get", "o.O/Get")
    assert call.body == message(b"ask")
    assert call.headers.get("x-mine") == "3"
    assert (call.headers.get("host") or "").startswith("127.0.0.1:")


def test_streams_of_either_side_are_answered() -> None:
    table = Table(
        {"o.O/List": told(b"1", b"2", b"3"), "o.O/None": told(), "o.O/Sum": lambda call: told(b"%d" % len(call.body))}
    )

    async def client(channel: grpc.aio.Channel) -> None:
        assert [each async for each in channel.unary_stream("/o.O/List")(b"")] == [b"1", b"2", b"3"]
        assert [each async for each in channel.unary_stream("/o.O/None")(b"")] == []
        assert await channel.stream_unary("/o.O/Sum")(iter([b"ab", b"c"])) == b"13"

    scene(table, client)


def test_a_conversation_that_waits_is_answered() -> None:
    table = Table({"o.O/Talk": told(b"hello", b"and bye")})

    async def client(channel: grpc.aio.Channel) -> None:
        call = channel.stream_stream("/o.O/Talk")()
        await call.write(b"one")
        assert await call.read() == b"hello"
        assert await call.read() == b"and bye"
        assert await call.read() is grpc.aio.EOF

    scene(table, client, quiet_s=0.05)
    assert table.calls[0].body == message(b"one")


def test_errors_are_answered() -> None:
    table = Table({"o.O/Get": told(status="5", text="no %C3%A9"), "o.O/Some": told(b"1", status="10", text="enough")})

    async def client(channel: grpc.aio.Channel) -> None:
        assert await refused(channel.unary_unary("/o.O/Get")(b"")) == (grpc.StatusCode.NOT_FOUND, "no é")
        got: list[bytes] = []
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for each in channel.unary_stream("/o.O/Some")(b""):
                got.append(each)
        assert got == [b"1"]
        assert raised.value.code() is grpc.StatusCode.ABORTED

    scene(table, client)


def test_failures_are_played() -> None:
    table = Table(
        {
            "o.O/Reset": Failure(FailureKind.RESET, "the server reset the stream: INTERNAL_ERROR"),
            "o.O/Down": Failure(FailureKind.CONNECT, "ECONNREFUSED"),
            "o.O/Late": Failure(FailureKind.TIMEOUT, "x"),
            "o.O/Get": told(b"still here"),
        }
    )

    async def client(channel: grpc.aio.Channel) -> None:
        assert (await refused(channel.unary_unary("/o.O/Reset")(b"")))[0] is grpc.StatusCode.INTERNAL
        code, text = await refused(channel.unary_unary("/o.O/Down")(b""))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert text == "recorded failure: connect: ECONNREFUSED"
        code, _ = await refused(channel.unary_unary("/o.O/Late")(b"", timeout=0.2))
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert await channel.unary_unary("/o.O/Get")(b"") == b"still here"

    scene(table, client)
    assert len(table.calls) == 4
    assert len(table.connections) == 1


def test_a_deadline_passes_while_an_answer_is_delayed() -> None:
    table = Table({"o.O/Get": told(b"late")}, delay_us=20_000_000)

    async def client(channel: grpc.aio.Channel) -> None:
        code, _ = await refused(channel.unary_unary("/o.O/Get")(b"", timeout=0.2))
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED

    scene(table, client)


def test_an_answer_that_is_cut_breaks_the_connection() -> None:
    table = Table({"o.O/Get": told(b"x" * 1000)}, cut=True)

    async def client(channel: grpc.aio.Channel) -> None:
        code, _ = await refused(channel.unary_unary("/o.O/Get")(b""))
        assert code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL)

    scene(table, client)


@pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])
def test_large_messages_go_through_the_windows(loop_name: str) -> None:
    large = bytes(range(256)) * 20_000
    table = Table({"o.O/Get": told(large), "o.O/Put": lambda call: told(b"%d" % len(call.body))})

    async def client(channel: grpc.aio.Channel) -> None:
        calls = [channel.unary_unary("/o.O/Get")(b"") for _ in range(5)]
        assert [await each == large for each in calls] == [True] * 5
        # A request over the cap is cut, as it was when it was recorded.
        assert await channel.unary_unary("/o.O/Put")(large) == b"0"
        assert await channel.unary_unary("/o.O/Put")(large[: 1 << 19]) == b"%d" % ((1 << 19) + 5)

    scene(table, client, loop_name)
    cut = next(call for call in table.calls if call.target == "/o.O/Put")
    assert cut.truncated
    assert cut.headers.get("size") == str(len(large) + 5)


def test_a_client_that_reads_slowly_holds_its_stream_alone() -> None:
    table = Table({"o.O/List": told(*([b"x" * 60_000] * 100)), "o.O/Get": told(b"told")})

    async def client(channel: grpc.aio.Channel) -> None:
        slow = channel.unary_stream("/o.O/List")(b"")
        assert await slow.read() == b"x" * 60_000
        assert await channel.unary_unary("/o.O/Get")(b"") == b"told"
        rest = 0
        while await slow.read() is not grpc.aio.EOF:
            rest += 1
        assert rest == 99

    scene(table, client)


def test_many_calls_at_once() -> None:
    table = Table({"o.O/Echo": lambda call: told(call.body[5:])})

    async def client(channel: grpc.aio.Channel) -> None:
        echo = channel.unary_unary("/o.O/Echo")
        bodies = [b"%d " % number * 500 for number in range(300)]
        assert await asyncio.gather(*(echo(body) for body in bodies)) == bodies

    scene(table, client)
    assert len(table.calls) == 300


def test_a_cancelled_call_leaves_the_others_alone() -> None:
    table = Table({"o.O/Late": Failure(FailureKind.TIMEOUT, "x"), "o.O/Get": told(b"told")})

    async def client(channel: grpc.aio.Channel) -> None:
        waiting = channel.unary_unary("/o.O/Late")(b"")
        while not table.calls:
            await asyncio.sleep(0.005)
        waiting.cancel()
        assert await channel.unary_unary("/o.O/Get")(b"") == b"told"

    scene(table, client)


def test_compressed_answers_are_told_as_recorded() -> None:
    data = gzip.compress(b"told" * 50)
    headers = (("content-type", "application/grpc"), ("grpc-encoding", "gzip"), ("grpc-status", "0"))
    table = Table({"o.O/Get": Response(200, Headers(headers), b"\1" + len(data).to_bytes(4) + data)})

    async def client(channel: grpc.aio.Channel) -> None:
        assert await channel.unary_unary("/o.O/Get")(b"") == b"told" * 50

    scene(table, client)


def test_plain_http_2_is_answered_too() -> None:
    table = Table({"/a?b=1": Response(404, Headers((("content-type", "text/plain"),)), b"none")})

    async def main() -> None:
        async with stubbed(table) as address, httpx.AsyncClient(http1=False, http2=True) as client:
            answer = await client.post(f"http://{address[0]}:{address[1]}/a?b=1", content=b"x" * 100_000)
            assert (answer.status_code, answer.text) == (404, "none")

    play(main(), "asyncio")
    (call,) = table.calls
    assert (call.method, call.protocol, len(call.body)) == ("POST", "http", 100_000)


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40)]
)
def test_what_is_no_http_2_is_hung_up_on(data: bytes) -> None:
    async def main() -> None:
        async with stubbed(Table({})) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(data)
            await asyncio.wait_for(reader.read(), 10)
            writer.close()

    play(main(), "asyncio")


def test_a_fault_of_the_stubs_own_is_told() -> None:
    async def client(channel: grpc.aio.Channel) -> None:
        code, text = await refused(channel.unary_unary("/o.O/Unknown")(b""))
        assert (code, text) == (grpc.StatusCode.INTERNAL, "seamline: the stub failed: KeyError")

    scene(Table({}), client)


def a_client_talk() -> bytes:
    """What a client sends for two calls."""
    client = h2.connection.H2Connection()
    client.initiate_connection()
    for _ in range(2):
        stream = client.get_next_available_stream_id()
        head = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/o.O/Get"),
            (":authority", "h"),
            ("te", "trailers"),
        ]
        client.send_headers(stream, [*head, ("content-type", "application/grpc")])
        client.send_data(stream, message(b"ask"), end_stream=True)
    client.ping(b"12345678")
    return client.data_to_send()


CLIENT_TALK = a_client_talk()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(CLIENT_TALK) - 1), st.integers(0, 255), st.binary(max_size=30), st.integers(1, len(CLIENT_TALK))
)
def test_garbage_ends_a_connection_and_no_more(at: int, byte: int, more: bytes, cut: int) -> None:
    sent = CLIENT_TALK[:at] + bytes([byte]) + more + CLIENT_TALK[at + 1 :]

    async def main() -> None:
        async with stubbed(Table({"o.O/Get": told(b"told"), "/o.O/Get": told(b"told")})) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(sent[:cut])
            writer.write(sent[cut:])
            writer.write_eof()
            await asyncio.wait_for(_drained(reader), 10)
            writer.close()

    play(main(), "asyncio")


async def _drained(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(1 << 16):
            pass


def test_stopping_lets_a_call_finish() -> None:
    table = Table({"o.O/Get": told(b"told")}, delay_us=200_000)

    async def main() -> None:
        nowhere = ("127.0.0.1", 0)
        stub = GrpcStub(TapSpec("orders", "grpc", nowhere, nowhere, Role.OUTBOUND), table)  # type: ignore[arg-type]  # a table in place of Answers
        address = await stub.start()
        async with calling(address) as channel:
            asking = asyncio.ensure_future(_await(channel.unary_unary("/o.O/Get")(b"")))
            while not table.calls:
                await asyncio.sleep(0.005)
            await stub.stop(10)
            assert await asking == b"told"
        assert stub.connections == set()

    play(main(), "asyncio")


async def _await(call: Any) -> Any:
    return await call


def said(**members: object) -> bytes:
    made = struct_pb2.Struct()
    made.update(members)
    return made.SerializeToString()


def test_what_a_tap_has_recorded_is_told_again() -> None:
    """From the real service through tap, sanitizer and book to the stub: the same questions, clean answers."""
    email = "anna.smith@example.com"
    questions = [said(id="o-1", email=email), said(id="o-2", n=5), said(id="o-3", email=email)]

    async def ask(channel: grpc.aio.Channel) -> list[bytes]:
        echo = channel.unary_unary(f"/{SERVICE}/Echo")
        answers = [await echo(question, metadata=(("x-user-bin", email.encode()),)) for question in questions]
        assert [each async for each in channel.unary_stream(f"/{SERVICE}/Count")(b"3")] == [b"0", b"1", b"2"]
        assert (await refused(channel.unary_unary(f"/{SERVICE}/Refuse")(b"")))[0] is grpc.StatusCode.NOT_FOUND
        return answers

    async def main() -> None:
        with grpc_service() as service:
            async with call_tapped("grpc", service.address) as stage:
                async with calling(stage.address) as channel:
                    assert await ask(channel) == questions
                recorded = [sanitizer().clean(each) for each in await stage.recorded(5)]
        assert email not in repr(recorded)
        book = Book(recorded[:3], [("svc", "grpc")], sanitizer())
        sink = MemorySink()
        spec = TapSpec("svc", "grpc", ("127.0.0.1", 0), ("127.0.0.1", 0), Role.OUTBOUND)
        stub = GrpcStub(spec, Answers(spec, Playback(book, sink, LinkIndex())))
        async with calling(await stub.start()) as channel:
            echo = channel.unary_unary(f"/{SERVICE}/Echo")
            for question, exchange in zip(questions, recorded, strict=False):
                assert exchange.response is not None
                call = echo(question, metadata=(("x-user-bin", email.encode()),))
                assert message(await call) == exchange.response.body
                assert ("seamline-stub", "exact") in tuple(await call.trailing_metadata())
            code, text = await refused(channel.unary_unary(f"/{SERVICE}/Refuse")(b""))
            assert code is grpc.StatusCode.UNKNOWN
            assert text.startswith("seamline: the stub of svc has no answer")
        await stub.stop(1)
        assert len(sink.exchanges) == 4

    play(main(), "asyncio")
