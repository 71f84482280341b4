"""The HTTP/1.1 stub, over real sockets and with real clients."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Failure, FailureKind, Response
from seamline.capture.wire.call import BODY_CAP
from seamline.replay.faults.spec import Faults, parse_fault
from seamline.replay.stubs.http import HEAD_CAP, HttpStub, encode
from support.stubs import Run, an_http_call, answers_of, stub_spec

JSON = ("Content-Type", "application/json")
Talk = Callable[["Client"], Awaitable[None]]


class Client:
    """A raw connection to the stub."""

    def __init__(self, stub: HttpStub, run: Run, port: int) -> None:
        self.stub = stub
        self.run = run
        self.port = port
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def connect(self) -> "Client":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def get(self, path: str, *lines: str) -> None:
        self.send("\r\n".join([f"GET {path} HTTP/1.1", "Host: p", "Accept: */*", *lines, "\r\n"]).encode())

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names lower) and body of the next answer that has a Content-Length or is chunked."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self.reader.readline(), 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
            return int(head[0].split()[1]), headers, body
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split()[1]), headers, body

    async def ended(self) -> bytes:
        """What comes until the stub closes; ConnectionResetError where it breaks."""
        return await self.reader.read()


def talk(calls: Sequence[Exchange], conversation: Talk, **options: Any) -> Run:
    """Play a conversation with a stub over the recorded calls; the run."""

    async def main() -> Run:
        answers, run = answers_of(calls, "pricing", "http", **options)
        stub = HttpStub(stub_spec("pricing", "http"), answers)
        _, port = await stub.start()
        client = await Client(stub, run, port).connect()
        try:
            async with asyncio.timeout(20):
                await conversation(client)
        finally:
            client.writer.close()
            await stub.stop(0.1)
        return run

    return asyncio.run(main())


def test_one_connection_serves_many_requests_in_their_order() -> None:
    async def conversation(client: Client) -> None:
        for number in range(5):
            client.get(f"/p/{number}")
        for number in range(5):
            status, headers, body = await client.answer()
            assert (status, body) == (200, b"%d" % number)
            assert "seamline-stub" not in headers, "the answer is the recorded one"
        client.get("/p/1", "Connection: close")
        assert (await client.answer())[1]["connection"] == "close"
        assert await client.ended() == b""

    run = talk([an_http_call(number, f"/p/{number}", b"%d" % number) for number in range(5)], conversation)
    assert [exchange.request.target for exchange in run.exchanges] == [*(f"/p/{n}" for n in range(5)), "/p/1"]
    assert {exchange.session for exchange in run.exchanges} == {"c-1"}
    assert {exchange.response.headers.get("seamline-stub") for exchange in run.exchanges if exchange.response} == {
        "exact"
    }


def test_a_pipeline_longer_than_is_read_ahead_is_answered_to_its_end() -> None:
    async def conversation(client: Client) -> None:
        for _ in range(500):
            client.get("/p")
        for _ in range(500):
            assert (await client.answer())[0] == 200

    assert len(talk([an_http_call(1, "/p")], conversation, latency="none").exchanges) == 500


def test_answers_wait_their_turn_also_where_one_takes_its_time() -> None:
    async def conversation(client: Client) -> None:
        client.get("/slow")
        client.get("/fast")
        assert (await client.answer())[2] == b"slow"
        assert (await client.answer())[2] == b"fast"
        client.get("/fast")
        assert (await client.answer())[2] == b"fast"

    calls = [an_http_call(1, "/slow", b"slow", latency_us=60_000), an_http_call(2, "/fast", b"fast", latency_us=0)]
    run = talk(calls, conversation, latency="recorded")
    assert run.exchanges[0].latency_us >= 60_000


def test_a_body_in_chunks_and_one_that_waits_for_leave() -> None:
    async def conversation(client: Client) -> None:
        head = b"POST /p HTTP/1.1\r\nHost: p\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        client.send(head + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n')
        assert (await client.answer())[0] == 200
        client.send(head + b"Content-Length: 7\r\nExpect: 100-continue\r\n\r\n")
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b'{"a":1}')
        assert (await client.answer())[0] == 200

    run = talk([an_http_call(1, "/p", method="POST", body=b'{"a":1}')], conversation)
    assert [exchange.request.body for exchange in run.exchanges] == [b'{"a":1}'] * 2


def test_a_body_over_the_cap_is_taken_and_left_out_as_a_tap_does() -> None:
    async def conversation(client: Client) -> None:
        client.send(b"POST /p HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n" % (BODY_CAP + 1))
        client.send(b"x" * (BODY_CAP + 1))
        assert (await client.answer())[0] == 502

    [exchange] = talk([], conversation).exchanges
    assert (exchange.truncated, exchange.request.body) == (True, b"")


def test_head_has_no_body_and_the_recorded_length() -> None:
    recorded = Response(200, Headers([("Content-Length", "1234")]), b"", "OK")

    async def conversation(client: Client) -> None:
        client.send(b"HEAD /p HTTP/1.1\r\nHost: p\r\nAccept: */*\r\n\r\n")
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b"Content-Length: 1234\r\n" in head
        client.get("/q")
        assert (await client.answer())[2] == b"next"

    talk([an_http_call(1, "/p", method="HEAD", response=recorded), an_http_call(2, "/q", b"next")], conversation)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_chunked_answer_is_chunked_for_who_understands_it(version: str) -> None:
    recorded = Response(200, Headers([("Transfer-Encoding", "chunked")]), b"piece", "OK")

    async def conversation(client: Client) -> None:
        client.send(f"GET /p HTTP/{version}\r\nHost: p\r\nAccept: */*\r\n\r\n".encode())
        _, headers, body = await client.answer()
        assert body == b"piece"
        assert ("transfer-encoding" in headers) is (version == "1.1")
        if version == "1.0":
            assert await client.ended() == b""

    talk([an_http_call(1, "/p", response=recorded)], conversation)


def test_a_coding_and_duplicate_headers_come_back_as_recorded() -> None:
    headers = [("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    recorded = Response(200, Headers(headers), gzip.compress(b"hello"), "OK")

    async def conversation(client: Client) -> None:
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{client.port}/p")
        assert answer.text == "hello"
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]

    talk([an_http_call(1, "/p", response=recorded)], conversation)


def test_a_miss_is_a_502_that_says_what_was_near() -> None:
    async def conversation(client: Client) -> None:
        client.get("/p/x")
        status, headers, body = await client.answer()
        assert (status, headers["seamline-stub"], headers["content-type"]) == (502, "missed", "application/json")
        assert b'"nearest":[{"exchange":"t-1","call":"GET /p/y"' in body

    talk([an_http_call(1, "/p/y")], conversation)


@pytest.mark.parametrize("kind", [FailureKind.RESET, FailureKind.CONNECT, FailureKind.PROTOCOL, FailureKind.TRUNCATED])
def test_a_recorded_failure_breaks_the_connection(kind: FailureKind) -> None:
    async def conversation(client: Client) -> None:
        client.get("/p")
        with pytest.raises(ConnectionResetError):
            await client.ended()

    run = talk([an_http_call(1, "/p", response=None, failure=Failure(kind))], conversation)
    assert run.exchanges[0].failure == Failure(kind)


def test_a_recorded_timeout_is_silence_until_the_client_leaves() -> None:
    async def conversation(client: Client) -> None:
        client.get("/p")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.ended()
        await client.stub.stop(5)
        assert await client.ended() == b"", "a stub that stops waits for nobody who waits in vain"

    talk([an_http_call(1, "/p", response=None, failure=Failure(FailureKind.TIMEOUT))], conversation)


def test_a_truncated_answer_is_half_of_one() -> None:
    async def conversation(client: Client) -> None:
        client.get("/p")
        data = await client.ended()
        assert data.endswith(b"\r\n\r\n12345")
        assert b"Content-Length: 10\r\n" in data

    faults = Faults([parse_fault("truncate")])
    run = talk([an_http_call(1, "/p", b"1234567890")], conversation, faults=faults)
    assert run.exchanges[0].failure is not None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", b"400", id="TLS"),
        pytest.param(b"GET /p HTTP/1.1\r\nbad header\r\n\r\n", b"400", id="no header"),
        pytest.param(b"GET /p HTTP/1.1\r\nX: " + b"a" * HEAD_CAP, b"431", id="endless head"),
    ],
)
def test_what_cannot_be_read_is_refused_and_counted(data: bytes, status: bytes) -> None:
    async def conversation(client: Client) -> None:
        client.send(data)
        assert (await client.ended()).startswith(b"HTTP/1.1 " + status)

    run = talk([], conversation)
    assert run.losses == ["a stub's client sent no HTTP/1.1"]
    assert run.exchanges == []


def test_who_half_closes_still_gets_the_answer() -> None:
    async def conversation(client: Client) -> None:
        client.get("/p")
        client.writer.write_eof()
        assert (await client.answer())[2] == b"late"
        assert await client.ended() == b""

    talk([an_http_call(1, "/p", b"late", latency_us=50_000)], conversation, latency="recorded")


def test_what_came_before_something_unreadable_is_still_answered() -> None:
    async def conversation(client: Client) -> None:
        client.get("/p")
        client.send(b"\x00\x00 nothing of ours\r\n\r\n")
        assert (await client.answer())[2] == b"late"
        assert await client.ended() == b""

    talk([an_http_call(1, "/p", b"late", latency_us=50_000)], conversation, latency="recorded")


def test_an_upgrade_is_answered_and_is_the_last() -> None:
    async def conversation(client: Client) -> None:
        client.get("/ws", "Connection: Upgrade", "Upgrade: websocket")
        assert (await client.answer())[0] == 502
        assert await client.ended() == b""

    talk([], conversation)


def test_stopping_gives_what_is_under_way_its_time() -> None:
    async def conversation(client: Client) -> None:
        idle = await Client(client.stub, client.run, client.port).connect()
        client.get("/p")
        while not client.run.exchanges:
            await asyncio.sleep(0)
        stopping = asyncio.ensure_future(client.stub.stop(10))
        assert (await client.answer())[2] == b"late"
        await stopping
        assert await idle.ended() == b""
        idle.writer.close()

    talk([an_http_call(1, "/p", b"late", latency_us=100_000)], conversation, latency="recorded")


TEXT = st.text(st.characters(max_codepoint=0xFF), max_size=12)


@given(
    st.integers(-5, 2000), st.lists(st.tuples(TEXT, TEXT), max_size=5), st.binary(max_size=40), TEXT,
    st.sampled_from(["GET", "HEAD"]),
)  # fmt: skip
def test_a_hostile_recorded_answer_is_never_more_than_one_answer(
    status: int, headers: list[tuple[str, str]], body: bytes, reason: str, method: str
) -> None:
    data, head_size = encode(Response(status, Headers(headers), body, reason), method, "1.1", keeps=True)
    head = data[:head_size]
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1
    assert head.count(b"\n") == head.count(b"\r\n") == len(head.split(b"\r\n")) - 1
    assert sum(line.lower().startswith(b"content-length:") for line in head.split(b"\r\n")) <= 1
