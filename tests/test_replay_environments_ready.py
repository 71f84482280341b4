"""Waiting for a service: ready, not yet, never, dead."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.ports import free_ports
from seamline.replay.environments.ready import accepts, await_ready
from seamline.replay.environments.spec import Ready

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(*answers: bytes) -> Handler:
    """A server's handler that gives each connection the next answer, the last one for ever."""
    left = list(answers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()
        writer.close()

    return handle


async def probe(handler: Handler, ready: Ready, ended: Callable[[], str | None] = lambda: None) -> None:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()
        await await_ready(address, ready, ended, "candidate")


def failed(handler: Handler, ready: Ready) -> str:
    with pytest.raises(CouldNotCheck) as caught:
        asyncio.run(probe(handler, ready))
    return str(caught.value)


@pytest.mark.parametrize("status", [200, 204, 302])
def test_a_good_answer_is_ready(status: int) -> None:
    asyncio.run(probe(answering(f"HTTP/1.1 {status} X\r\n\r\n".encode()), Ready(http="/healthz")))


def test_it_asks_again_until_the_answer_is_good() -> None:
    bad = b"HTTP/1.1 503 Not yet\r\n\r\n"
    asyncio.run(probe(answering(bad, b"", bad, b"HTTP/1.0 200 OK\r\n\r\n"), Ready(http="/")))


def test_a_tcp_connection_is_enough_where_no_path_is_given() -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    asyncio.run(probe(silent, Ready()))


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        (b"HTTP/1.1 500 X\r\n\r\n", "/healthz answered 500"),
        (b"SSH-2.0\r\n", "answered no HTTP"),
        (b"HTTP/1.1 x\r\n", "answered no HTTP"),
        (b"\xff" * 100_000, "/healthz"),
        (b"", "answered no HTTP"),
    ],
)
def test_what_was_met_is_in_the_error(answer: bytes, met: str) -> None:
    message = failed(answering(answer), Ready(http="/healthz", timeout_s=0.5))
    assert "candidate was not ready after 0.5 s" in message
    assert met in message


def test_a_server_that_never_answers_is_given_up() -> None:
    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    assert "did not answer" in failed(stuck, Ready(http="/", timeout_s=0.1))


def test_nobody_there_is_said_so() -> None:
    async def main() -> None:
        [port] = free_ports(1)
        await await_ready(("127.0.0.1", port), Ready(timeout_s=0.05), lambda: None, "candidate")

    with pytest.raises(CouldNotCheck, match=r"refused|Connect call failed"):
        asyncio.run(main())


def test_a_dead_process_ends_the_wait_at_once() -> None:
    async def main() -> None:
        await await_ready(("127.0.0.1", 1), Ready(timeout_s=3600), lambda: "exited with code 1", "candidate")

    with pytest.raises(CouldNotCheck, match="candidate exited with code 1 before it was ready"):
        asyncio.run(main())


def test_another_port_can_stand_for_the_service() -> None:
    async def main() -> None:
        async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await await_ready(("127.0.0.1", 1), Ready(tcp=port, timeout_s=5), lambda: None, "candidate")

    asyncio.run(main())


def test_a_listener_is_told_from_a_free_port() -> None:
    async def main() -> None:
        async with await asyncio.start_server(answering(b""), "127.0.0.1", 0) as server:
            assert await accepts(server.sockets[0].getsockname())
        [port] = free_ports(1)
        assert not await accepts(("127.0.0.1", port))

    asyncio.run(main())
