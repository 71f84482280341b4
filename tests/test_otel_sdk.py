"""Spans of a real OpenTelemetry SDK as witnesses: a service whose Redis calls are all alike, asked by many at once."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from seamline.capture.model import Exchange, LinkKind, Role
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.cli.config import parse_config
from seamline.cli.recording import RecordPlan, run_recording
from seamline.replay.environments.ports import free_ports
from support.redis_server import redis_server

pytest.importorskip("opentelemetry.sdk", reason="the OpenTelemetry SDK is not installed")
pytestmark = pytest.mark.slow

SERVICE = Path(__file__).parent / "support" / "traced_service.py"
REQUESTS = 60


def a_config(folder: Path, redis: tuple[str, int], *, otlp: bool) -> str:
    return f"""
[service]
command = "{sys.executable} {SERVICE}"
listen = {{ env = "PORT" }}
otlp = {str(otlp).lower()}
ready = {{ http = "/healthz" }}
[[downstream]]
name = "cache"
protocol = "redis"
address = "{redis[0]}:{redis[1]}"
env = {{ REDIS_URL = "redis://{{tap}}/0" }}
"""


async def asked(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        for _ in range(400):
            try:
                await client.get("/healthz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        slots = asyncio.Semaphore(6)

        async def one(number: int) -> None:
            # An ingress in front of the service has begun the trace; Redis has no place to hand it on.
            trace = {"traceparent": f"00-{number:032x}-{number:016x}-01"}
            async with slots:
                (await client.get("/a/number", headers=trace)).raise_for_status()

        await asyncio.gather(*(one(number) for number in range(1, REQUESTS + 1)))


def recorded(folder: Path, redis: tuple[str, int], *, otlp: bool) -> list[Exchange]:
    (port,) = free_ports(1)
    config = parse_config(a_config(folder, redis, otlp=otlp), folder / "seamline.toml")
    output = folder / f"otlp-{otlp}.seam"

    async def scene() -> None:
        plan = RecordPlan(
            listen=("127.0.0.1", port), upstream=None, engine="auto", taps=(), config=config, service="svc", output=output,
            duration_s=None, most=None, rules=Rules(), key=b"k" * 32, state=folder / ".seamline", sample=1.0,
            body_cap=1000,
        )  # fmt: skip
        recording = asyncio.create_task(run_recording(plan, Console(stderr=True, quiet=True)))
        await asked(port)
        # As a user ends it; what waits for spans is waited for.
        os.kill(os.getpid(), signal.SIGTERM)
        await recording

    asyncio.run(scene())
    with open_capture(output) as capture:
        return list(capture)


def by_spans(exchanges: list[Exchange]) -> tuple[int, int]:
    """Links that a trace names, right ones and wrong ones: the number that was drawn is the one answered."""
    answers = {
        each.id: json.loads(each.response.body)["drawn"]
        for each in exchanges
        if each.role is Role.INBOUND and each.response is not None and each.request.target.endswith("/number")
    }
    right = wrong = 0
    for call in exchanges:
        if call.role is Role.OUTBOUND and call.request.target == "numbers" and call.response is not None:
            named = [answers.get(link.parent) for link in call.links if link.how is LinkKind.PROPAGATED]
            drawn = json.loads(call.response.body)
            right += named.count(drawn)
            wrong += len(named) - named.count(drawn)
    return right, wrong


def test_spans_tell_whose_a_call_is(tmp_path: Path) -> None:
    with redis_server() as redis:
        assert by_spans(recorded(tmp_path, redis, otlp=False)) == (0, 0)
        right, wrong = by_spans(recorded(tmp_path, redis, otlp=True))
    # Calls of one text within two milliseconds of each other are meant by no span alone: those stay uncertain.
    assert right >= 5
    assert wrong == 0
