"""The call tap on real sockets, with the protocol that every server speaks: bytes."""

import asyncio

import pytest

from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import FailureKind, LinkKind, Role
from seamline.capture.sample import Sampler
from seamline.capture.wire.call import Call
from support.taps import Address, call_tapped, play

BOTH = pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def serving() -> tuple[asyncio.Server, Address]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[:2]


async def closed_port() -> Address:
    server, upstream = await serving()
    server.close()
    await server.wait_closed()
    return upstream


@BOTH
def test_what_passes_is_recorded(loop_name: str) -> None:
    async def main() -> None:
        server, upstream = await serving()
        async with server, call_tapped("tcp", upstream) as stage:
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(b"one")
            assert await reader.readexactly(3) == b"ONE"
            writer.write(b"two")
            assert await reader.readexactly(3) == b"TWO"
            writer.close()
            first, second = await stage.recorded(2)
            assert (first.request.body, first.response and first.response.body) == (b"one", b"ONE")
            assert (second.request.body, second.response and second.response.body) == (b"two", b"TWO")
            assert (first.role, first.protocol, first.service, first.session) == (Role.OUTBOUND, "tcp", "svc", "c-1")

    play(main(), loop_name)


@BOTH
def test_an_unreachable_upstream_hangs_up_and_is_recorded(loop_name: str) -> None:
    async def main() -> None:
        async with call_tapped("tcp", await closed_port()) as stage:
            reader, writer = await asyncio.open_connection(*stage.address)
            # A client of a protocol whose server speaks first waits without a word: it must not wait for ever.
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            (call,) = await stage.recorded(1)
            assert call.request.method == "CONNECT"
            assert call.failure is not None
            assert call.failure.kind is FailureKind.CONNECT

    play(main(), loop_name)


def test_calls_are_tied_to_what_is_open() -> None:
    async def main() -> None:
        server, upstream = await serving()
        links = LinkIndex()
        async with server, call_tapped("tcp", upstream, links=links) as stage:
            links.opened("inbound-1", 0, Headers())
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(b"x")
            await reader.readexactly(1)
            writer.close()
            (call,) = await stage.recorded(1)
            assert call.parent == "inbound-1"
            assert call.links[0].how is LinkKind.TIME

    asyncio.run(main())


def test_a_call_that_is_not_sure_waits_for_its_candidates_or_for_the_end() -> None:
    async def main() -> None:
        server, upstream = await serving()
        links = LinkIndex()
        for name in ("inbound-1", "inbound-2"):
            links.opened(name, 0, Headers())
        async with server:
            async with call_tapped("tcp", upstream, links=links) as stage:
                reader, writer = await asyncio.open_connection(*stage.address)
                writer.write(b"x")
                await reader.readexactly(1)
                writer.write(b"y")
                await reader.readexactly(1)
                assert stage.sink.exchanges == []
                for name in ("inbound-1", "inbound-2"):
                    links.closed(name, stage.sink.clock.now_us())
                await stage.recorded(1)
                writer.close()
            assert {link.parent for link in stage.sink.exchanges[0].links} == {"inbound-1", "inbound-2"}
            assert len(stage.sink.exchanges) == 2

    asyncio.run(main())


def test_what_is_not_in_the_sample_is_counted() -> None:
    async def main() -> None:
        server, upstream = await serving()
        async with server, call_tapped("tcp", upstream, sampler=Sampler(1e-9, "salt")) as stage:
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(b"x")
            await reader.readexactly(1)
            writer.close()
            async with asyncio.timeout(10):
                while not stage.sink.losses:
                    await asyncio.sleep(0.005)
            assert stage.sink.losses == {("skipped", "not in the sample"): 1}
            assert stage.sink.exchanges == []

    asyncio.run(main())


def test_a_call_in_flight_has_its_grace_when_the_tap_stops() -> None:
    async def main() -> None:
        asked = asyncio.Event()

        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            asked.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        async with server:
            async with call_tapped("tcp", server.sockets[0].getsockname()[:2]) as stage:
                _, writer = await asyncio.open_connection(*stage.address)
                writer.write(b"x")
                await asked.wait()
            (call,) = stage.sink.exchanges
            assert call.failure is not None
            assert call.failure.kind is FailureKind.CANCELLED
            writer.close()

    asyncio.run(main())


def test_a_watch_is_told_before_a_call_is_recorded_and_may_name_its_origin() -> None:
    class Watch:
        def __init__(self) -> None:
            self.told: list[str] = []

        def begun(self, call: Call) -> None:
            assert call.exchange_id
            self.told.append("begun")
            call.origin = "t-1"

        def ended(self, call: Call) -> None:
            self.told.append("ended")
            call.reason = "seen"

    async def main() -> None:
        watch = Watch()
        server, upstream = await serving()
        async with server, call_tapped("tcp", upstream, watch=watch) as stage:
            reader, writer = await asyncio.open_connection(*stage.address)
            writer.write(b"one")
            await reader.readexactly(3)
            writer.close()
            (call,) = await stage.recorded(1)
            assert (call.origin, call.response and call.response.reason) == ("t-1", "seen")
        assert watch.told == ["begun", "ended"]

    asyncio.run(main())
