"""The replayer's HTTP/1.1 client against real sockets: byte-true out, every kind of end back."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from seamline.capture.clock import Clock
from seamline.capture.headers import Headers
from seamline.capture.model import FailureKind, Request
from seamline.capture.wire.answers import AnswerFramer, RawAnswer
from seamline.replay.transport.base import Outcome
from seamline.replay.transport.http1 import Http1Transport

GET = Request("GET", "/", Headers([("Host", "h")]))
HEAD = Request("HEAD", "/", Headers([("Host", "h")]))
POST = Request("POST", "/", Headers([("Host", "h"), ("Content-Length", "2")]), b"{}")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

LOOPS: list[Callable[..., Any]] = [asyncio.run]


@pytest.fixture(autouse=True, params=["asyncio", "uvloop"])
def _loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test runs on both event loops: their transports differ at the ends of connections."""
    LOOPS.append(pytest.importorskip("uvloop").run if request.param == "uvloop" else asyncio.run)
    yield
    LOOPS.pop()


class Server:
    """A scripted server: each connection plays the next script, a list with one entry for each request: bytes to
    answer with, and after them perhaps one of the words below. What came is in `received`, per connection."""

    CLOSE, RESET, STALL = "close", "reset", "stall"

    def __init__(self, *scripts: list[object]) -> None:
        self._scripts = list(scripts)
        self.received: list[bytes] = []
        self.port = 0

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.received)
        self.received.append(b"")
        script = self._scripts[min(number, len(self._scripts) - 1)]
        try:
            for entry in script:
                if entry == self.CLOSE:
                    break
                if entry == self.RESET:
                    writer.transport.abort()
                    return
                if entry == self.STALL:
                    await asyncio.sleep(3600)
                self.received[number] += await _one_request(reader)
                assert isinstance(entry, bytes)
                writer.write(entry)
                await writer.drain()
            else:
                # The peer ends it, or asks for more than the script has.
                await reader.read(1)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def _one_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    if length:
        return head + await reader.readexactly(int(length.group(1)))
    if b"chunked" in head.lower():
        return head + await reader.readuntil(b"0\r\n\r\n")
    return head


def talk(
    server: Server,
    *requests: Request,
    timeout_s: float = 20.0,
    body_cap: int = 1 << 20,
    between: Callable[[], Awaitable[None]] | None = None,
) -> list[Outcome]:
    """The outcomes of `requests`, sent one after the other."""

    async def main() -> list[Outcome]:
        async with server:
            transport = Http1Transport(
                ("127.0.0.1", server.port), "h:1", Clock(), timeout_s=timeout_s, body_cap=body_cap
            )
            outcomes = []
            for request in requests:
                outcomes.append(await asyncio.wait_for(transport.send(request), 30))
                if between is not None:
                    await between()
            await transport.close()
        return outcomes

    return LOOPS[-1](main())


def answer_to(reply: bytes, request: Request = GET, *, closes: bool = False) -> Outcome:
    return talk(Server([reply, Server.CLOSE] if closes else [reply]), request)[0]


def body_of(outcome: Outcome) -> bytes:
    assert outcome.response is not None, outcome.failure
    return outcome.response.body


def kind_of(outcome: Outcome) -> FailureKind:
    assert outcome.failure is not None, outcome.response
    return outcome.failure.kind


def test_requests_go_out_as_recorded_on_one_connection() -> None:
    headers = Headers([("hOST", "shop.example"), ("X-a", "1"), ("x-A", "2"), ("Accept", "*/*")])
    server = Server([OK, OK])
    talk(server, Request("GET", "/a%2Fb?c=%C3", headers), POST)
    assert server.received == [
        b"GET /a%2Fb?c=%C3 HTTP/1.1\r\nhOST: shop.example\r\nX-a: 1\r\nx-A: 2\r\nAccept: */*\r\n\r\n"
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    ]


def test_an_answer_is_kept_as_it_came() -> None:
    outcome = answer_to(
        b"HTTP/1.1 404 Not Here\r\nSet-Cookie: a=1\r\nset-cookie: b=\xe9\r\nContent-Length: 3\r\n\r\n\x00\xff!"
    )
    response = outcome.response
    assert response is not None
    assert (response.status, response.reason, response.version, response.body) == (404, "Not Here", "1.1", b"\x00\xff!")
    assert response.headers.items == (("Set-Cookie", "a=1"), ("set-cookie", "b=\xe9"), ("Content-Length", "3"))
    assert outcome.sent_us <= outcome.done_us


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)  # fmt: skip
def test_answers_with_an_end_keep_the_connection(reply: bytes, body: bytes) -> None:
    server = Server([reply, OK])
    first, second = talk(server, GET, GET)
    assert (body_of(first), body_of(second)) == (body, b"ok")
    assert len(server.received) == 1
    assert first.response is not None
    assert "Link" not in first.response.headers


def test_head_has_no_body_whatever_its_length_says() -> None:
    server = Server([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", OK])
    first, second = talk(server, HEAD, GET)
    assert (body_of(first), body_of(second)) == (b"", b"ok")
    assert len(server.received) == 1


def test_an_answer_may_end_with_its_connection() -> None:
    assert body_of(answer_to(b"HTTP/1.1 200 OK\r\n\r\nall of it", closes=True)) == b"all of it"
    assert body_of(answer_to(b"HTTP/1.0 200 OK\r\n\r\nold", closes=True)) == b"old"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", FailureKind.TRUNCATED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", FailureKind.TRUNCATED),
        (b"HTTP/1.1 200 OK\r\nContent-Le", FailureKind.TRUNCATED),
        (b"HTTP/1.1 100 Continue\r\n\r\n", FailureKind.TRUNCATED),
        (b"", FailureKind.RESET),
        (b"SSH-2.0-OpenSSH_9.9\r\n", FailureKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", FailureKind.PROTOCOL),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes", FailureKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 60_000, FailureKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 5_000 + b"\r\n", FailureKind.PROTOCOL),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else str(value),
)
def test_what_is_no_answer_is_a_failure(reply: bytes, kind: FailureKind) -> None:
    assert kind_of(answer_to(reply, closes=True)) is kind


def test_a_failure_inside_the_body_says_how_far_it_came() -> None:
    failure = answer_to(b"HTTP/1.1 206 Partial\r\nContent-Length: 9\r\n\r\nhalf", closes=True).failure
    assert failure is not None
    assert "status 206 and 4 bytes" in failure.detail


def test_no_answer_in_time() -> None:
    for script in ([Server.STALL], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Server.STALL]):
        assert kind_of(talk(Server(script), GET, timeout_s=0.2)[0]) is FailureKind.TIMEOUT


def test_nobody_listens() -> None:
    async def main() -> Outcome:
        async with Server([OK]) as server:
            port = server.port
        transport = Http1Transport(("127.0.0.1", port), "h:1", Clock())
        outcome = await transport.send(GET)
        await transport.close()
        return outcome

    assert kind_of(LOOPS[-1](main())) is FailureKind.CONNECT


def test_a_body_over_the_cap_is_left_out_and_said() -> None:
    server = Server([b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000, OK])
    first, second = talk(server, GET, GET, body_cap=1000)
    assert (body_of(first), first.truncated) == (b"", True)
    assert (body_of(second), second.truncated) == (b"ok", False)


@pytest.mark.parametrize("request_", [GET, HEAD, Request("OPTIONS", "*", Headers([("Host", "h")]))], ids=repr)
def test_a_stale_connection_is_replaced_once_for_what_may_be_repeated(request_: Request) -> None:
    reply = OK if request_ is not HEAD else OK[:-2]
    server = Server([OK, b"", Server.RESET], [reply])
    first, second = talk(server, GET, request_)
    assert (first.retried, second.retried) == (False, True)
    assert second.failure is None
    assert len(server.received) == 2


def test_a_write_is_never_sent_twice() -> None:
    server = Server([OK, b"", Server.RESET], [OK])
    _, second = talk(server, GET, POST)
    assert (kind_of(second), second.retried) == (FailureKind.RESET, False)
    assert len(server.received) == 1


def test_a_fresh_connection_that_is_closed_is_not_retried() -> None:
    server = Server([b"", Server.CLOSE], [OK])
    outcome = talk(server, GET)[0]
    assert (kind_of(outcome), outcome.retried) == (FailureKind.RESET, False)
    assert len(server.received) == 1


def test_part_of_an_answer_is_not_retried() -> None:
    server = Server([OK, b"HTTP/1.1 2", Server.CLOSE], [OK])
    assert kind_of(talk(server, GET, GET)[1]) is FailureKind.TRUNCATED


def test_a_repeat_that_fails_too_is_the_end_of_it() -> None:
    server = Server([OK, b"", Server.RESET], [b"", Server.RESET], [OK])
    outcome = talk(server, GET, GET)[1]
    assert (kind_of(outcome), outcome.retried) == (FailureKind.RESET, True)
    assert len(server.received) == 2


@pytest.mark.parametrize(
    "reply",
    [
        OK + OK,
        OK + b"H",
        OK + b"junk",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_bytes_after_an_answer_never_become_the_next_one(reply: bytes) -> None:
    evil = reply if reply.startswith(OK) else OK
    server = Server([reply, evil], [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh"])
    first, second = talk(server, GET, GET)
    assert (body_of(first), body_of(second)) == (b"ok", b"fresh")


def test_an_answer_nobody_asked_for_is_not_used() -> None:
    """It comes while the connection idles, so the connection goes."""
    pushed = asyncio.Event()

    class Pushing(Server):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.received.append(await _one_request(reader))
            writer.write(OK)
            if len(self.received) == 1:
                await asyncio.sleep(0.05)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            await reader.read(1)
            pushed.set()
            writer.close()

    second = talk(Pushing([]), GET, GET, between=lambda: asyncio.wait_for(asyncio.sleep(0.2), 1))[1]
    assert body_of(second) == b"ok"


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/", Headers([("Host", "h"), ("Connection", "close")])),
        Request("GET", "/", Headers([("Host", "h")]), version="1.0"),
    ],
    ids=repr,
)
def test_a_request_may_end_its_connection(request_: Request) -> None:
    server = Server([OK, OK], [OK])
    assert [body_of(outcome) for outcome in talk(server, request_, GET)] == [b"ok", b"ok"]
    assert len(server.received) == 2


def test_requests_side_by_side_have_a_connection_each() -> None:
    async def main() -> tuple[list[Outcome], int]:
        async with Server([OK]) as server:
            transport = Http1Transport(("127.0.0.1", server.port), "h:1", Clock())
            outcomes = await asyncio.gather(*(transport.send(GET) for _ in range(20)))
            await transport.close()
            return list(outcomes), len(server.received)

    outcomes, connections = LOOPS[-1](main())
    assert ([body_of(outcome) for outcome in outcomes], connections) == ([b"ok"] * 20, 20)


def test_closing_ends_what_is_under_way_once() -> None:
    async def main() -> list[Outcome]:
        async with Server([Server.STALL]) as server:
            transport = Http1Transport(("127.0.0.1", server.port), "h:1", Clock())
            outcomes: list[Outcome] = []
            transport.fire(GET, outcomes.append)
            while not transport.connections:
                await asyncio.sleep(0.001)
            transport.fire(GET, outcomes.append)
            await transport.close()
            transport.fire(GET, outcomes.append)
            await asyncio.sleep(0.01)
            return outcomes

    assert [kind_of(outcome) for outcome in LOOPS[-1](main())] == [FailureKind.CANCELLED] * 3


PLAIN_ANSWERS = [
    OK,
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nX: \xe9\r\nx: 2\r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.1 206 \r\nContent-Length:\t3\r\n\r\n\x00\r\n",
]


@pytest.mark.parametrize("reply", PLAIN_ANSWERS)
@pytest.mark.parametrize("request_", [GET, POST, Request("HEAD", "/", Headers())])
def test_the_parser_says_the_same_of_a_plain_answer(
    reply: bytes, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request_.method == "HEAD":
        reply = reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    servers = [Server([reply, OK]) for _ in range(2)]
    first = talk(servers[0], request_, GET)
    monkeypatch.setattr(AnswerFramer, "head_size", lambda *_: 0)
    second = talk(servers[1], request_, GET)
    assert [(each.response, each.truncated) for each in first] == [(each.response, each.truncated) for each in second]
    assert [len(server.received) for server in servers] == [1, 1]


def test_plain_answers_and_others_take_turns_on_one_connection() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
    server = Server([OK, chunked, OK, head, OK, chunked])
    outcomes = talk(server, GET, GET, GET, Request("HEAD", "/", Headers()), GET, GET)
    assert [body_of(outcome) for outcome in outcomes] == [b"ok", b"ab", b"ok", b"", b"ok", b"ab"]
    assert len(server.received) == 1
    assert [isinstance(outcome.answer, RawAnswer) for outcome in outcomes] == [True, False, True, False, True, False]


def test_a_plain_answer_over_the_cap_is_left_out() -> None:
    outcome = talk(Server([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"]), GET, body_cap=4)[0]
    assert (body_of(outcome), outcome.truncated) == (b"", True)


def test_an_answer_of_two_reads_is_one_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _one_request(reader)
        for piece in (OK[:30], OK[30:-1], OK[-1:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        await _one_request(reader)
        writer.write(OK)
        await reader.read(1)
        writer.close()

    async def main() -> list[Outcome]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            transport = Http1Transport(("127.0.0.1", server.sockets[0].getsockname()[1]), "h:1", Clock())
            outcomes = [await asyncio.wait_for(transport.send(GET), 30) for _ in range(2)]
            await transport.close()
        return outcomes

    first, second = LOOPS[-1](main())
    assert first.response == second.response
    assert isinstance(second.answer, RawAnswer)
