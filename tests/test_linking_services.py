"""Links of a real service that passes no trace id on, under 32 requests at once: real taps, PostgreSQL, Redis, HTTP.

Whose call each one was is known from the service's own log, by a number that no evidence rests on.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from seamline.capture.engines.call_tap import CallTap
from seamline.capture.engines.listener import TapSpec
from seamline.capture.engines.tap import Tap
from seamline.capture.links import SURE, LinkIndex
from seamline.capture.model import Exchange, LinkKind, Role
from support.postgres import Server, postgres
from support.redis_server import redis_server
from support.taps import MemorySink

SERVICE = Path(__file__).parent / "support" / "linked_service.py"
CONCURRENT, REQUESTS = 32, 700
SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, email text);
CREATE TABLE orders (id serial PRIMARY KEY, customer_id int, sku text);
CREATE TABLE stock (sku text PRIMARY KEY, left_over int);
CREATE TABLE outbox (id serial PRIMARY KEY, order_id int, sent boolean);
INSERT INTO customers SELECT n, 'user' || n || '@example.com' FROM generate_series(1, 900) n;
INSERT INTO orders (customer_id, sku) SELECT 1 + (n * 37) % 900, 'sku-' || (n * 61) % 400 FROM generate_series(1, 2000) n;
INSERT INTO stock SELECT 'sku-' || n, 100 FROM generate_series(0, 400) n;
"""


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    asyncpg = pytest.importorskip("asyncpg")
    with postgres() as server:

        async def fill() -> None:
            connection = await asyncpg.connect(server.dsn)
            await connection.execute(SCHEMA)
            await connection.close()

        asyncio.run(fill())
        yield server


@pytest.fixture(scope="module")
def cache() -> Iterator[tuple[str, int]]:
    with redis_server() as address:
        yield address


async def prices(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The price service: `GET /prices/<sku>` takes a while."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            sku = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
            await asyncio.sleep(random.expovariate(1 / 0.006))
            body = json.dumps({"sku": sku, "cents": 990}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
    writer.close()


def asked(choice: random.Random, number: int, *, traced: bool) -> bytes:
    """One request of the mix, with the number that only the test reads."""
    extra = f"x-number: {number}\r\n"
    if traced:
        extra += f"traceparent: 00-{number:032x}-{1:016x}-01\r\n"
    roll = choice.random()
    body = b""
    if roll < 0.45:
        line = f"GET /orders/{choice.randrange(1, 2000)}"
    elif roll < 0.7:
        line = "POST /orders"
        body = json.dumps({"customer_id": choice.randrange(1, 900), "sku": f"sku-{choice.randrange(400)}"}).encode()
        extra += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    elif roll < 0.97:
        line = f"GET /customers/{choice.randrange(1, 900)}/orders"
    else:
        line = "GET /stats"
    return f"{line} HTTP/1.1\r\nHost: shop\r\n{extra}\r\n".encode() + body


async def client(address: tuple[str, int], left: list[int], choice: random.Random, *, traced: bool) -> None:
    """Ask one request after the other on one connection."""
    reader, writer = await asyncio.open_connection(*address)
    while left:
        # A head and its body in two pieces, as many clients send them.
        head, end, body = asked(choice, left.pop(), traced=traced).partition(b"\r\n\r\n")
        writer.write(head + end)
        await writer.drain()
        if body:
            await asyncio.sleep(0)
            writer.write(body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")), answer
        found = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        assert found is not None
        await reader.readexactly(int(found[1]))
        await asyncio.sleep(choice.expovariate(1 / 0.005))
    writer.close()


@contextlib.asynccontextmanager
async def service(env: dict[str, str], port: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(sys.executable, str(SERVICE), env={**os.environ, **env})
    try:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def recorded(database: Server, cache: tuple[str, int], log: Path, *, traced: bool = False) -> list[Exchange]:
    """What the taps recorded of all the requests."""
    links, sink = LinkIndex(), MemorySink()
    behind = await asyncio.start_server(prices, "127.0.0.1", 0)
    free = await asyncio.start_server(prices, "127.0.0.1", 0)
    port = free.sockets[0].getsockname()[1]
    free.close()
    taps = [
        CallTap(spec("db", "postgres", ("127.0.0.1", database.port)), sink, links),
        CallTap(spec("cache", "redis", cache), sink, links),
        Tap(spec("pricing", "http", behind.sockets[0].getsockname()[:2]), sink, links),
        Tap(spec("shop", "http", ("127.0.0.1", port), Role.INBOUND), sink, links),
    ]
    places = [await tap.start() for tap in taps]
    env = {
        "PORT": str(port),
        "LINKED_LOG": str(log),
        "DATABASE_URL": Server.dsn_at(places[0][1]),
        "REDIS_URL": f"redis://127.0.0.1:{places[1][1]}",
        "PRICE_URL": f"http://127.0.0.1:{places[2][1]}",
    }
    try:
        async with service(env, port):
            left = list(range(REQUESTS, 0, -1))
            await asyncio.gather(
                *(client(places[3], left, random.Random(seed), traced=traced) for seed in range(CONCURRENT))
            )
            await taps[3].stop()
    finally:
        for tap in taps:
            await tap.stop(grace_s=0.5)
        behind.close()
    return sink.exchanges


def spec(name: str, protocol: str, upstream: tuple[str, int], role: Role = Role.OUTBOUND) -> TapSpec:
    return TapSpec(name, protocol, ("127.0.0.1", 0), upstream, role)


def call_number(call: Exchange) -> int | None:
    """The number that the service gave a call; None for what its clients do by themselves (BEGIN, RESET …)."""
    if call.protocol == "postgres":
        written = call.request.headers.get("call")
    elif call.protocol == "redis":
        found = re.search(r'"n(\d+)"', call.request.arguments)
        written = found[1] if found else None
    else:
        written = call.request.headers.get("x-call")
    return int(written) if written else None


class Judged:
    """The numbered calls of a recording, held against the service's own log."""

    def __init__(self, exchanges: list[Exchange], log: Path) -> None:
        truth = dict(json.loads(line) for line in log.read_text().splitlines())
        requests = {each.id: each.request.headers.get("x-number") for each in exchanges if each.role is Role.INBOUND}
        assert len(requests) == REQUESTS
        self.count = {"postgres": 0, "redis": 0, "http": 0}
        self.right = self.sure = self.sure_right = self.nobodys_sure = 0
        self.propagated: list[tuple[Exchange, bool]] = []
        for call in exchanges:
            number = call_number(call) if call.role is Role.OUTBOUND else None
            if number is None:
                continue
            is_sure = bool(call.links) and call.links[0].confidence >= SURE
            if truth[number] == "nobody":
                self.nobodys_sure += is_sure
                continue
            is_right = bool(call.links) and requests.get(call.links[0].parent) == truth[number]
            self.count[call.protocol] += 1
            self.right += is_right
            self.sure += is_sure
            self.sure_right += is_sure and is_right
            if call.links and call.links[0].how is LinkKind.PROPAGATED:
                self.propagated.append((call, is_right and call.links[0].confidence == 1.0))

    @property
    def calls(self) -> int:
        return sum(self.count.values())


@pytest.mark.slow
def test_under_32_requests_at_once_what_is_claimed_sure_is_right(
    database: Server, cache: tuple[str, int], tmp_path: Path
) -> None:
    log = tmp_path / "calls.log"
    judged = Judged(asyncio.run(recorded(database, cache, log)), log)
    assert min(judged.count.values()) > 300
    assert judged.propagated == []
    assert judged.sure_right / judged.sure >= 0.95
    assert judged.right / judged.calls >= 0.95
    assert judged.sure / judged.calls >= 0.8
    assert judged.nobodys_sure <= 1


@pytest.mark.slow
def test_where_a_trace_id_is_passed_on_every_link_is_right(
    database: Server, cache: tuple[str, int], tmp_path: Path
) -> None:
    log = tmp_path / "calls.log"
    judged = Judged(asyncio.run(recorded(database, cache, log, traced=True)), log)
    assert len(judged.propagated) == judged.count["postgres"] + judged.count["http"]
    assert all(is_right for _, is_right in judged.propagated)
    assert judged.right / judged.calls >= 0.98
    assert judged.nobodys_sure <= 1
