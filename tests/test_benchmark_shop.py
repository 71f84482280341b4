"""The benchmark's shop stands, behaves, and misbehaves on demand."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from benchmark.shop import servers, tokens, traffic
from seamline.samples.shop.servers import Ports, free_ports, reachable, url, wait

TESTS = Path(__file__).parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    with servers.running() as known:
        yield known


@contextmanager
def stack(ports: Ports, **variables: str) -> Iterator[str]:
    """The shop on a database of its own; its address."""
    port = free_ports(1)[0]
    with psycopg.connect(url(ports.postgres), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE hand_{port} TEMPLATE {servers.TEMPLATE}".encode())
    with subprocess.Popen(
        [sys.executable, "-m", "benchmark.shop.stack"],
        cwd=TESTS,
        env=os.environ | addresses(ports, port) | variables | {"PORT": str(port), "PYTHONPATH": str(TESTS)},
    ) as process:
        try:
            wait(lambda: reachable(port), OSError, "the stack")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def addresses(ports: Ports, port: int) -> Mapping[str, str]:
    return {
        "DATABASE_URL": f"postgresql://shop@127.0.0.1:{ports.postgres}/hand_{port}",
        "REDIS_URL": f"redis://127.0.0.1:{ports.redis}/1",
        "NATS_URL": f"nats://127.0.0.1:{ports.nats}",
        "MUT": "",
        "NOISE": "",
    }


def product(address: str, role: str = "user") -> Mapping[str, object]:
    headers = {"authorization": f"Bearer {tokens.make(7, role)}"}
    seen: Mapping[str, object] = httpx.get(f"{address}/products/tea-assam", headers=headers).json()
    return seen


def test_visitors_meet_every_status(ports: Ports) -> None:
    with stack(ports) as address:
        statuses = traffic.drive(address, seed=3, count=160)
    assert sum(statuses.values()) >= 160
    assert set(statuses) == {"200", "201", "204", "304", "401", "402", "403", "404", "409", "422", "429"}


def test_noise_leaves_the_statuses_alone(ports: Ports) -> None:
    with stack(ports) as calm, stack(ports, NOISE="1") as noisy:
        assert traffic.drive(calm, seed=4, count=160) == traffic.drive(noisy, seed=4, count=160)


def test_a_variant_is_what_it_says_and_nothing_else(ports: Ports) -> None:
    with stack(ports) as sound, stack(ports, MUT="R12,S10") as broken:
        before, after = product(sound), product(broken)
        assert product(sound, "admin")["cost_price"] == after["cost_price"]
    assert (before["in_stock"], after["in_stock"]) == (True, False)
    assert set(after) - set(before) == {"cost_price"}
