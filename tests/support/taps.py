"""A tap between a scripted upstream and a raw client, and a recorder that only remembers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from seamline.capture.clock import Clock
from seamline.capture.engines.call_tap import CallTap
from seamline.capture.engines.listener import TapSpec
from seamline.capture.engines.tap import Tap
from seamline.capture.links import LinkIndex
from seamline.capture.model import Exchange, Role
from seamline.capture.sessions import SessionNames
from seamline.capture.wire.call import Call
from seamline.capture.wire.carried import carried, exchanges_of
from seamline.capture.wire.turn import exchange_of_raw
from seamline.capture.wire.whole import WholeBatch, WholeDecoder

Address = tuple[str, int]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class MemorySink:
    """A recorder's front without anything behind it."""

    clock: Clock = field(default_factory=Clock)
    sessions: SessionNames = field(default_factory=lambda: SessionNames(b"k" * 32))
    exchanges: list[Exchange] = field(default_factory=list)
    losses: dict[tuple[str, str], int] = field(default_factory=dict)
    prefix: str = "m"
    count: int = 0

    def next_id(self) -> tuple[str, int]:
        seq = self.next_seq()
        return f"{self.prefix}-{seq}", seq

    def next_seq(self) -> int:
        self.count += 1
        return self.count

    def offer(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def offer_call(self, call: Call, role: Role, service: str, protocol: str) -> None:
        (exchange,) = exchanges_of([carried(call, role, service, protocol)])
        self.offer(exchange)

    def offer_raw(self, turn: tuple[Any, ...]) -> None:
        self.offer(exchange_of_raw(turn))

    def offer_whole(self, batch: WholeBatch) -> None:
        for exchange in WholeDecoder(self.sessions).exchanges(batch):
            assert exchange is not None
            self.offer(exchange)

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        self.losses[kind, reason] = self.losses.get((kind, reason), 0) + count


@dataclass
class Stage:
    """What a test plays on: the tap's address, its recorder, and the upstream's."""

    tap: Tap
    address: Address
    upstream: Address
    sink: MemorySink

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A raw client connection to the tap."""
        return await asyncio.open_connection(*self.address)

    async def ask(self, data: bytes) -> bytes:
        """Send `data`, half-close, and read until the end."""
        reader, writer = await self.connect()
        writer.write(data)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer

    async def recorded(self, count: int = 1) -> list[Exchange]:
        """The exchanges, once there are `count` of them."""
        async with asyncio.timeout(10):
            while len(self.sink.exchanges) < count:
                await asyncio.sleep(0.005)
        return self.sink.exchanges

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that happens soon."""
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def staged(serve: Serve | None, *, role: Role = Role.INBOUND, **options: Any) -> Any:
    """A `Stage` whose upstream is `serve` (None: nobody listens there)."""
    server = await asyncio.start_server(serve or _nobody, "127.0.0.1", 0)
    upstream = server.sockets[0].getsockname()[:2]
    if serve is None:
        server.close()
        await asyncio.sleep(0)
    sink = MemorySink()
    links = options.pop("links", LinkIndex())
    tap = Tap(TapSpec("svc", "http", ("127.0.0.1", 0), upstream, role), sink, links, **options)
    address = await tap.start()
    try:
        yield Stage(tap, address, upstream, sink)
    finally:
        await tap.stop(grace_s=0.05)
        server.close()


async def _nobody(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def play(scene: Coroutine[Any, Any, None], loop_name: str) -> None:
    """Run a test's coroutine on one of the two event loops, and let no error of a callback go by."""
    errors: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with asyncio.timeout(30):
            await scene

    if loop_name == "uvloop":
        import uvloop

        uvloop.run(watched())
    else:
        asyncio.run(watched())
    # Python 3.12.1 reports the cancelled handlers of a test's own servers (fixed in later releases): not ours.
    errors = [error for error in errors if "StreamReaderProtocol.connection_made" not in error["message"]]
    assert [str(error) for error in errors] == []


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """One message head."""
    return await reader.readuntil(b"\r\n\r\n")


@dataclass
class CallStage:
    """A call tap in front of a real server: clients connect to `address`, `sink` holds what was recorded."""

    address: Address
    sink: MemorySink

    async def recorded(self, count: int = 1) -> list[Exchange]:
        """The exchanges, once there are `count` of them."""
        async with asyncio.timeout(10):
            while len(self.sink.exchanges) < count:
                await asyncio.sleep(0.005)
        return self.sink.exchanges


@contextlib.asynccontextmanager
async def call_tapped(
    protocol: str, upstream: Address, *, role: Role = Role.OUTBOUND, links: LinkIndex | None = None, **options: Any
) -> AsyncIterator[CallStage]:
    """A tap for `protocol` in front of what listens at `upstream`; blocking clients belong into a thread
    (`asyncio.to_thread`), since the tap runs on this loop."""
    sink = MemorySink()
    tap = CallTap(TapSpec("svc", protocol, ("127.0.0.1", 0), upstream, role), sink, links, **options)
    address = await tap.start()
    try:
        yield CallStage(address, sink)
    finally:
        await tap.stop(grace_s=0.2)
