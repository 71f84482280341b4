"""The tap between real sockets: what passes, and what is recorded of it."""

import asyncio
import resource
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from seamline.capture.engines.tap import MOST_IN_BATCH
from seamline.capture.frames import MAX_FRAME
from seamline.capture.links import LinkIndex
from seamline.capture.model import FailureKind, Link, LinkKind, Role
from seamline.capture.sample import Sampler
from seamline.capture.wire.whole import LARGEST_WHOLE
from support.taps import play, read_head, staged

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Scene = Callable[[], Coroutine[Any, Any, None]]

pytestmark = pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])

GET = b"GET /a HTTP/1.1\r\nHost: svc\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def answering(reader: Reader, writer: Writer) -> None:
    """An ordinary keep-alive server: echoes the body's length, or the path."""
    try:
        while True:
            head = await read_head(reader)
            length = next(
                (int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")), 0
            )
            body = await reader.readexactly(length)
            told = b"%d" % len(body) if body else head.split(b" ")[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told))
            if not head.startswith(b"HEAD"):
                writer.write(told)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def reset(writer: Writer) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def test_keep_alive_pipelining_and_head_pass_unchanged(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(answering) as stage:
            reader, writer = await stage.connect()
            writer.write(GET)
            assert (await reader.readexactly(40)).endswith(b"/a")
            writer.write(GET.replace(b"GET", b"HEAD") + GET + b"POST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz")
            head = await read_head(reader)
            assert head == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
            assert await reader.readexactly(40) == head + b"/a"
            assert (await reader.readexactly(39)).endswith(b"\r\n3")
            writer.close()
            seen = [(each.request.method, each.response.body) for each in await stage.recorded(4)]
            assert seen == [("GET", b"/a"), ("HEAD", b""), ("GET", b"/a"), ("POST", b"3")]
            first = stage.sink.exchanges[0]
            assert (first.id, first.seq, first.service, first.protocol) == ("m-1", 1, "svc", "http")
            assert first.role is Role.INBOUND
            assert {each.session for each in stage.sink.exchanges} == {"c-1"}
            assert stage.sink.losses == {}

    play(scene(), loop_name)


def test_without_downstreams_the_same_is_recorded(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(answering, links=None) as stage:
            reader, writer = await stage.connect()
            for request, size in ((GET, 40), (GET.replace(b"GET", b"HEAD"), 38), (GET + GET, 80), (GET, 40)):
                writer.write(request)
                await reader.readexactly(size)
            writer.close()
            exchanges = await stage.recorded(5)
            assert [each.request.method for each in exchanges] == ["GET", "HEAD", "GET", "GET", "GET"]
            assert [(each.id, each.seq) for each in exchanges] == [(f"m-{number}", number) for number in range(1, 6)]
            assert all(each.links == () and each.session == "c-1" for each in exchanges)
            assert stage.sink.losses == {}

    play(scene(), loop_name)


def test_a_batch_of_whole_exchanges_always_fits_a_frame(loop_name: str) -> None:
    del loop_name
    assert MOST_IN_BATCH * 2 * LARGEST_WHOLE < MAX_FRAME


def test_continue_and_chunked(loop_name: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await reader.readexactly(12) == b"2\r\nhi\r\n0\r\n\r\n"
        writer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await writer.drain()
        writer.write(b"0\r\n\r\n")
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            reader, writer = await stage.connect()
            writer.write(b"POST /p HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
            assert await read_head(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"2\r\nhi\r\n0\r\n\r\n")
            answer = await reader.read()
            assert answer.endswith(b"3\r\nabc\r\n0\r\n\r\n")
            (exchange,) = await stage.recorded()
            assert exchange.request.body == b"hi"
            assert (exchange.response.status, exchange.response.body) == (201, b"abc")

    play(scene(), loop_name)


def test_an_upgraded_connection_is_passed_on_unparsed(loop_name: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            reader, writer = await stage.connect()
            writer.write(b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
            await read_head(reader)
            (exchange,) = await stage.recorded()
            assert exchange.response.status == 101
            for word in (b"\x00\xff", b"GET / HTTP/1.1\r\n\r\n"):
                writer.write(word)
                assert await reader.readexactly(len(word)) == word
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            assert len(stage.sink.exchanges) == 1
            assert stage.sink.losses == {}

    play(scene(), loop_name)


def test_garbage_passes_unharmed_and_is_counted(loop_name: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(b"<" + await reader.readexactly(9) + b">")
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            assert await stage.ask(b"\x16\x03\x01\x00gar\r\n") == b"<\x16\x03\x01\x00gar\r\n>"
            await stage.until(lambda: bool(stage.sink.losses))
            assert stage.sink.losses == {("gaps", "client bytes that are not HTTP/1.1"): 1}
            assert stage.sink.exchanges == []

    play(scene(), loop_name)


def test_a_garbage_answer_passes_and_is_a_failure(loop_name: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(b"ICY 200 OK\r\n\r\n\x00\x01")
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            assert await stage.ask(GET) == b"ICY 200 OK\r\n\r\n\x00\x01"
            (exchange,) = await stage.recorded()
            assert exchange.failure.kind is FailureKind.PROTOCOL

    play(scene(), loop_name)


def test_a_half_closed_client_still_gets_an_answer_delimited_by_the_close(loop_name: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        # Only the client's end of sending lets this server answer.
        asked = await reader.read()
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it, %d" % len(asked))
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            assert await stage.ask(GET) == b"HTTP/1.1 200 OK\r\n\r\nall of it, %d" % len(GET)
            (exchange,) = await stage.recorded()
            assert exchange.response.body == b"all of it, %d" % len(GET)

    play(scene(), loop_name)


def test_without_an_upstream_the_client_gets_a_502(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(None) as stage:
            for request in (GET, b"POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"):
                reader, writer = await stage.connect()
                writer.write(request)
                head = await read_head(reader)
                assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
                assert (await reader.read()).startswith(b"seamline tap: ")
                writer.close()
            exchanges = await stage.recorded(2)
            assert {(each.failure.kind, each.failure.detail) for each in exchanges} == {
                (FailureKind.CONNECT, "ECONNREFUSED")
            }
            assert all(each.response is None for each in exchanges)

    play(scene(), loop_name)


def test_a_head_in_pieces_without_an_upstream_hears_the_502_too(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(None) as stage:
            reader, writer = await stage.connect()
            writer.write(GET[:-3])
            # The first piece sets off the attempt to connect; the rest comes when it has failed.
            await asyncio.sleep(0.1)
            writer.write(GET[-3:])
            assert (await read_head(reader)).startswith(b"HTTP/1.1 502")
            await reader.read()
            writer.close()
            (exchange,) = await stage.recorded()
            assert exchange.failure.kind is FailureKind.CONNECT

    play(scene(), loop_name)


def test_a_large_upload_without_an_upstream_still_hears_the_502(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(None) as stage:
            reader, writer = await stage.connect()
            writer.write(b"POST /p HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
            assert (await read_head(reader)).startswith(b"HTTP/1.1 502")
            await reader.read()
            writer.close()
            (exchange,) = await stage.recorded()
            assert exchange.failure.kind is FailureKind.CONNECT

    play(scene(), loop_name)


def test_an_upstream_that_comes_back_is_found_by_a_client_that_connected_before(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(None) as stage:
            reader, writer = await stage.connect()
            await asyncio.sleep(0.1)
            server = await asyncio.start_server(answering, *stage.upstream)
            writer.write(GET)
            assert (await reader.readexactly(40)).endswith(b"/a")
            writer.close()
            server.close()

    play(scene(), loop_name)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"])
def test_an_upstream_that_resets_resets_the_client(loop_name: str, said: bytes) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(said)
        await writer.drain()
        await asyncio.sleep(0.05)
        reset(writer)

    async def scene() -> None:
        async with staged(serve) as stage:
            reader, writer = await stage.connect()
            writer.write(GET)
            assert await reader.readexactly(len(said)) == said
            with pytest.raises(ConnectionResetError):
                await reader.read()
            (exchange,) = await stage.recorded()
            assert exchange.failure.kind is FailureKind.RESET

    play(scene(), loop_name)


def test_an_upstream_that_breaks_off_is_a_truncated_failure(loop_name: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            assert (await stage.ask(GET)).endswith(b"some")
            (exchange,) = await stage.recorded()
            assert exchange.failure.kind is FailureKind.TRUNCATED

    play(scene(), loop_name)


def test_a_client_that_leaves_early_is_a_cancelled_failure_and_the_upstream_sees_it(loop_name: str) -> None:
    async def scene() -> None:
        gone = asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            await read_head(reader)
            try:
                await reader.read()
            except ConnectionError:
                gone.set()
            writer.close()

        async with staged(serve) as stage:
            _, writer = await stage.connect()
            writer.write(GET)
            await stage.until(lambda: stage.sink.count == 1)
            reset(writer)
            await asyncio.wait_for(gone.wait(), 10)
            (exchange,) = await stage.recorded()
            assert exchange.failure.kind is FailureKind.CANCELLED

    play(scene(), loop_name)


@pytest.mark.slow
def test_a_large_body_streams_in_bounded_memory(loop_name: str) -> None:
    size = 200 << 20
    chunk = bytes(1 << 20)

    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(chunk)):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            reader, writer = await stage.connect()
            writer.write(GET)
            await read_head(reader)
            # A reader that pauses: what piles up must pile up at the sender.
            await asyncio.sleep(0.3)
            got = 0
            while data := await reader.read(1 << 20):
                got += len(data)
            assert got == size
            (exchange,) = await stage.recorded()
            assert exchange.truncated
            assert exchange.response.body == b""
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
            writer.close()

    play(scene(), loop_name)


def test_a_reader_that_stalls_holds_the_upstream_back(loop_name: str) -> None:
    sent = 0

    async def serve(reader: Reader, writer: Writer) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while sent < 100 << 20:
                writer.write(bytes(1 << 18))
                sent += 1 << 18
                await writer.drain()
        except ConnectionError:
            return

    async def scene() -> None:
        async with staged(serve) as stage:
            _, writer = await stage.connect()
            writer.write(GET)
            before = -1
            while before != sent or not sent:
                before = sent
                await asyncio.sleep(0.2)
            assert sent < 50 << 20
            reset(writer)
            await stage.recorded()

    play(scene(), loop_name)


def test_a_credential_names_the_session_and_is_not_in_it(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(answering) as stage:
            for token in (b"one", b"two", b"one"):
                await stage.ask(GET.replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer " + token + b"\r\n\r\n"))
            first, second, third = [each.session for each in await stage.recorded(3)]
            assert first == third != second
            assert "one" not in first

    play(scene(), loop_name)


def test_an_outbound_tap_links_calls_to_what_is_open(loop_name: str) -> None:
    async def scene() -> None:
        links = LinkIndex()
        async with staged(answering, role=Role.OUTBOUND, links=links) as stage:
            now = stage.sink.clock.now_us()
            links.opened("in-1", now, _no_headers())
            await stage.ask(GET)
            (exchange,) = await stage.recorded()
            assert exchange.parent == "in-1"
            assert exchange.role is Role.OUTBOUND

    play(scene(), loop_name)


def test_an_inbound_tap_opens_and_closes_in_the_index(loop_name: str) -> None:
    async def scene() -> None:
        links = LinkIndex()
        seen: list[str | None] = []

        async def serve(reader: Reader, writer: Writer) -> None:
            await read_head(reader)
            await asyncio.sleep(0.02)
            found = links.links_for(_no_headers(), 1 << 60)
            seen.extend(link.parent for link in found)
            writer.write(OK)
            writer.close()

        async with staged(serve, links=links) as stage:
            await stage.ask(GET)
            (exchange,) = await stage.recorded()
            assert seen == [exchange.id]

    play(scene(), loop_name)


def test_an_inbound_body_in_a_piece_of_its_own_counts_too(loop_name: str) -> None:
    async def scene() -> None:
        links = LinkIndex()
        links.opened("other", 0, _no_headers())
        found: list[Link] = []

        async def serve(reader: Reader, writer: Writer) -> None:
            await read_head(reader)
            await reader.readexactly(22)
            await asyncio.sleep(0.02)
            found.extend(links.begin("call", 1 << 60, _no_headers(), "db/c-1", values=("sku-000777",)))
            writer.write(OK)
            writer.close()

        async with staged(serve, links=links) as stage:
            reader, writer = await stage.connect()
            writer.write(b"POST /orders HTTP/1.1\r\nHost: svc\r\nContent-Length: 22\r\n\r\n")
            await stage.until(lambda: stage.sink.count == 1)
            writer.write(b'{"sku": "sku-000777" }')
            await reader.read()
            writer.close()
            (exchange,) = await stage.recorded()
            assert (found[0].parent, found[0].how) == (exchange.id, LinkKind.VALUE)

    play(scene(), loop_name)


def test_a_call_that_is_not_sure_waits_for_its_candidates_to_end(loop_name: str) -> None:
    async def scene() -> None:
        links = LinkIndex()
        async with staged(answering, role=Role.OUTBOUND, links=links) as stage:
            now = stage.sink.clock.now_us()
            links.opened("in-1", now, _no_headers())
            links.opened("in-2", now, _no_headers())
            for asked in (GET, GET[:9]):
                reader, writer = await stage.connect()
                writer.write(asked)
                if asked is not GET:
                    # In two pieces it has to be parsed, and takes another way through the tap.
                    await asyncio.sleep(0.01)
                    writer.write(GET[9:])
                await reader.readexactly(1)
                writer.close()
            await stage.until(lambda: stage.sink.count == 2 and not stage.tap.waiting)
            assert stage.sink.exchanges == []
            for name in ("in-1", "in-2"):
                links.closed(name, stage.sink.clock.now_us())
            for exchange in await stage.recorded(2):
                assert {link.parent for link in exchange.links} == {"in-1", "in-2"}
                assert exchange.links[0].confidence < 0.9

    play(scene(), loop_name)


def test_a_tap_that_stops_hands_over_what_waits(loop_name: str) -> None:
    async def scene() -> None:
        links = LinkIndex()
        async with staged(answering, role=Role.OUTBOUND, links=links) as stage:
            now = stage.sink.clock.now_us()
            links.opened("in-1", now, _no_headers())
            links.opened("in-2", now, _no_headers())
            await stage.ask(GET)
            await stage.tap.stop(grace_s=5)
            assert len(stage.sink.exchanges) == 1

    play(scene(), loop_name)


def test_a_sample_keeps_none_or_all_of_a_session(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(answering, sampler=Sampler(0.5, "salt")) as stage:
            for number in range(30):
                reader, writer = await stage.connect()
                writer.write(GET + GET)
                await reader.readexactly(80)
                writer.close()
                await stage.until(lambda done=number: stage.sink.count == 2 * (done + 1))
            await stage.tap.stop(grace_s=5)
            sessions = [each.session for each in stage.sink.exchanges]
            skipped = stage.sink.losses[("skipped", "not in the sample")]
            assert len(sessions) + skipped == 60
            assert 0 < len(set(sessions)) < 30
            assert all(sessions.count(name) == 2 for name in sessions)

    play(scene(), loop_name)


def test_stopping_lets_a_request_in_flight_finish_and_closes_idle_connections(loop_name: str) -> None:
    async def scene() -> None:
        go = asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            if await reader.read(1000):
                await go.wait()
                writer.write(OK)
            writer.close()

        async with staged(serve) as stage:
            idle, _ = await stage.connect()
            busy, writer = await stage.connect()
            writer.write(GET)
            await stage.until(lambda: stage.sink.count == 1)
            stopping = asyncio.ensure_future(stage.tap.stop(grace_s=20))
            assert await idle.read() == b""
            go.set()
            assert await busy.read() == OK
            await stopping
            (exchange,) = stage.sink.exchanges
            assert exchange.response.status == 200
            with pytest.raises(ConnectionRefusedError):
                await stage.connect()

    play(scene(), loop_name)


def test_stopping_gives_up_on_a_request_that_outlasts_the_grace(loop_name: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await reader.read()
        writer.close()

    async def scene() -> None:
        async with staged(serve) as stage:
            _, writer = await stage.connect()
            writer.write(GET)
            await stage.until(lambda: stage.sink.count == 1)
            await stage.tap.stop(grace_s=0.01)
            (exchange,) = stage.sink.exchanges
            assert (exchange.failure.kind, exchange.failure.detail) == (FailureKind.CANCELLED, "the tap was stopped")
            writer.close()

    play(scene(), loop_name)


def test_a_fault_in_the_recording_never_reaches_the_traffic(loop_name: str) -> None:
    async def scene() -> None:
        async with staged(answering) as stage:
            stage.sink.next_seq = _broken
            assert (await stage.ask(GET)).endswith(b"/a")
            await stage.until(lambda: bool(stage.sink.losses))
            assert all(kind == "gaps" for kind, _ in stage.sink.losses)

    play(scene(), loop_name)


def _no_headers() -> Any:
    from seamline.capture.headers import Headers

    return Headers()


def _broken() -> int:
    raise RuntimeError("a secret that must not be told")
