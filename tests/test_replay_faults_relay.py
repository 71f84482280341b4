"""Faults between a tap and a real upstream, over real sockets."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from seamline.replay.faults.relay import FaultRelay
from seamline.replay.faults.spec import Faults, parse_fault

REQUEST = b"POST /p HTTP/1.1\r\nHost: p\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890"


class Ends:
    """A client of the relay, and what its upstream has been sent."""

    def __init__(self, relay: FaultRelay, port: int) -> None:
        self.relay = relay
        self.port = port
        self.received = b""

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


Talk = Callable[[Ends], Awaitable[None]]


def play(faults: str, conversation: Talk, *, is_http: bool = True, answers: bool = True) -> Ends:
    """A conversation through a relay to an upstream that answers each chunk that it gets with ANSWER."""

    async def main() -> Ends:
        ends: list[Ends] = []

        async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                ends[0].received += data
                if answers:
                    writer.write(ANSWER)
            writer.close()

        server = await asyncio.start_server(upstream, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        relay = FaultRelay(
            ("127.0.0.1", 0),
            address,
            Faults([parse_fault(text) for text in faults.split(",") if text]),
            is_http=is_http,
        )
        _, port = await relay.start()
        ends.append(Ends(relay, port))
        try:
            async with asyncio.timeout(20):
                await conversation(ends[0])
        finally:
            await relay.stop()
            server.close()
        return ends[0]

    return asyncio.run(main())


def test_without_a_fault_every_byte_passes() -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        for _ in range(3):
            writer.write(REQUEST)
            assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()

    ends = play("", conversation)
    assert ends.received == REQUEST * 3


def test_a_status_is_answered_in_the_upstreams_place() -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        writer.write(REQUEST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.write(REQUEST[:-2])
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.write(REQUEST[-2:])
        told = await reader.read()
        assert told.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert told.endswith(b'{"error":"fault","status":503}')
        writer.close()

    ends = play("503 after 1", conversation)
    assert ends.received == REQUEST
    assert ends.relay.faults.hits == 1


def test_who_waits_for_leave_to_send_a_body_gets_it() -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        writer.write(b"POST /p HTTP/1.1\r\nHost: p\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"body")
        assert (await reader.read()).startswith(b"HTTP/1.1 500 ")
        writer.close()

    assert play("500", conversation).received == b""


@pytest.mark.parametrize("is_http", [True, False])
def test_a_reset_breaks_the_connection(is_http: bool) -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        writer.write(REQUEST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.write(REQUEST)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    assert play("reset after 1", conversation, is_http=is_http).received == REQUEST


def test_half_an_answer() -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        writer.write(REQUEST)
        assert await reader.read() == ANSWER[: len(ANSWER) // 2]
        writer.close()

    play("truncate", conversation)


@pytest.mark.parametrize("is_http", [True, False])
def test_latency_comes_before_the_upstream_is_asked(is_http: bool) -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        loop = asyncio.get_running_loop()
        began = loop.time()
        writer.write(REQUEST)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        assert loop.time() - began >= 0.15
        writer.close()

    play("latency:+150ms", conversation, is_http=is_http)


def test_a_timeout_says_nothing_until_the_client_leaves() -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        writer.write(REQUEST)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read()
        writer.close()

    assert play("timeout", conversation).received == b""


def test_what_is_no_http_passes_without_faults() -> None:
    async def conversation(ends: Ends) -> None:
        reader, writer = await ends.client()
        writer.write(b"\x00\x01\x02 not http")
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.close()

    assert play("reset", conversation).received == b"\x00\x01\x02 not http"


def test_an_upstream_that_is_not_there_is_a_reset() -> None:
    async def main() -> None:
        relay = FaultRelay(("127.0.0.1", 0), ("127.0.0.1", 1), Faults(), is_http=True)
        _, port = await relay.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        await relay.stop()

    asyncio.run(main())


def test_an_upstream_that_goes_on_speaking_after_a_reset_raises_nothing() -> None:
    """On uvloop, which commands run on, a write to a transport that was aborted is a RuntimeError."""
    troubles: list[dict[str, object]] = []

    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while True:
                writer.write(b"x" * 4096)
                await asyncio.wait_for(writer.drain(), 5)
                await asyncio.sleep(0)

    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.read(1)
        writer.write(b"second call")
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass
        writer.close()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        server = await asyncio.start_server(upstream, "127.0.0.1", 0)
        relay = FaultRelay(
            ("127.0.0.1", 0), server.sockets[0].getsockname(), Faults([parse_fault("reset")]), is_http=False
        )
        _, port = await relay.start()
        async with asyncio.timeout(20):
            for _ in range(40):
                await talk(port)
        await relay.stop()
        server.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    assert troubles == []
