"""A side with a network of its own: stand-ins of every kind are inside, and it goes without a trace."""

import asyncio
import json
import os
import urllib.request
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from seamline.capture.clock import Clock
from seamline.capture.errors import CouldNotCheck
from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import Manifest, Request
from seamline.capture.recorder import Recorder
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.cli.main import run
from seamline.replay.environments.namespace import Namespace
from seamline.replay.environments.spec import DownstreamSpec, Listen, Ready, ServiceSpec
from seamline.replay.faults.spec import Fault
from seamline.replay.sides import Side, SideSpec
from seamline.replay.transport.http1 import Http1Transport
from support.postgres_server import postgres_server
from support.projects import write_project, write_service
from support.sealed import check_namespaces
from support.services import write_server
from support.stubs import an_http_call, playback_of

PRICES = DownstreamSpec("prices", address_env="PRICES_PORT", env={"PRICES_URL": "http://{tap}"})
STUBBED = ("http", "grpc", "redis", "postgres")

_REACHING = """
import socket

def answer(handler):
    told = {}
    for name, place in os.environ.items():
        if name.startswith("AT_"):
            host, port = place.removeprefix("http://").split(":")
            try:
                socket.create_connection((host, int(port)), 5).close()
                told[name] = "reached"
            except OSError as error:
                told[name] = type(error).__name__
    return 200, json.dumps(told)
"""


@pytest.fixture(autouse=True)
def _allowed() -> None:
    check_namespaces()


def sealed(folder: Path, command: str, *downstreams: DownstreamSpec, **changes: object) -> SideSpec:
    ready = Ready(http="/healthz", timeout_s=20)
    service = ServiceSpec("quotes", folder, command=command, listen=Listen(env="PORT"), ready=ready, egress="sealed")
    return SideSpec("candidate", replace(service, **changes), downstreams)  # type: ignore[arg-type]  # changes differ in type


async def a_recorder(folder: Path) -> Recorder:
    manifest = Manifest("cap-1", Clock().now_us(), "test", "tap")
    return await Recorder.open(folder / "run.seam", manifest, key=b"k" * 32, rules=Rules())


async def fetch(side: Side, url: str, path: str) -> tuple[int, object]:
    """Status and JSON of the side's answer, by the connections that a replay makes."""
    transport = Http1Transport(("127.0.0.1", httpx.URL(url).port or 0), "quotes", Clock(), dial=side.dial)
    outcome = await transport.send(Request("GET", path, Headers([("Host", "quotes")])))
    await transport.close()
    assert outcome.response is not None, outcome.failure
    return outcome.response.status, json.loads(outcome.response.body)


def test_an_inner_hop_is_reached_through_its_tap_faults_and_all(tmp_path: Path) -> None:
    command = write_service(tmp_path)
    faulty = replace(PRICES, faults=(Fault("latency", latency_us=1),))

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        for downstream in (PRICES, faulty):
            side = Side(sealed(tmp_path, command, downstream), recorder, LinkIndex())
            url = await side.up()
            status, told = await fetch(side, url, "/quote/7")
            assert status == 200
            assert isinstance(told, dict)
            assert told["price"] == 70
            # From outside there is nobody there.
            with pytest.raises(OSError, match="refused"):
                await asyncio.to_thread(urllib.request.urlopen, url, timeout=5)
            await side.down()
            assert not side.tried
        await recorder.close()

    asyncio.run(main())
    with open_capture(tmp_path / "run.seam") as capture:
        assert [each.request.target for each in capture] == ["/price/7"] * 2


def test_stubs_and_the_receiver_of_spans_are_inside(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.proto")
    downstreams = [
        DownstreamSpec(name, name, ("127.0.0.1", 9), env={f"AT_{name.upper()}": "{tap}"}, mode="stub")
        for name in STUBBED
    ]
    own = {"AT_NOWHERE": "127.0.0.1:9"}

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        playback, _ = playback_of([an_http_call(1, "/p/1")], ("http", "http"))
        spec = sealed(tmp_path, write_server(tmp_path, _REACHING), *downstreams, otlp=True, env=own)
        side = Side(spec, recorder, LinkIndex(), playback=playback)
        url = await side.up()
        assert await fetch(side, url, "/") == (
            200,
            {f"AT_{name.upper()}": "reached" for name in STUBBED} | {"AT_NOWHERE": "ConnectionRefusedError"},
        )
        await side.down()
        assert side.tried == {"127.0.0.1:9": 1}
        await recorder.close()

    asyncio.run(main())


def test_a_recording_is_not_sealed(tmp_path: Path) -> None:
    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        side = Side(sealed(tmp_path, write_server(tmp_path)), recorder, LinkIndex(), guarded=False)
        url = await side.up()
        assert side.dial is None
        assert (await asyncio.to_thread(urllib.request.urlopen, url, timeout=5)).status == 200
        await side.down()
        await recorder.close()

    asyncio.run(main())


def test_a_command_that_does_not_start_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the names alone
        with pytest.raises(CouldNotCheck) as met:
            await Side(sealed(tmp_path, "no-such-program --x"), recorder, LinkIndex()).up()
        assert "candidate exited with code 127 before it was ready" in met.value.message
        assert "no-such-program: No such file or directory" in met.value.message
        await asyncio.sleep(0)
        assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - the names alone
        await recorder.close()

    asyncio.run(main())


def test_without_a_namespace_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def denied(_: Namespace) -> None:
        raise CouldNotCheck("candidate: no network namespace", "be root")

    monkeypatch.setattr(Namespace, "open", denied)

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        with pytest.raises(CouldNotCheck, match="no network namespace"):
            await Side(sealed(tmp_path, f"touch {tmp_path / 'started'}"), recorder, LinkIndex()).up()
        await recorder.close()

    asyncio.run(main())
    assert not (tmp_path / "started").exists()


def test_seamline_replay_fires_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_project(tmp_path)
    config.write_text(config.read_text().replace('name = "quotes"', 'name = "quotes"\negress = "sealed"'))
    monkeypatch.setenv("SEAMLINE_KEY", "0123456789abcdef")
    monkeypatch.chdir(tmp_path)
    asked = ["replay", "quotes.seam", "--config", str(config), "--pace", "max", "-o", "run.seam", "--quiet"]
    assert run(asked) == 0
    with open_capture(tmp_path / "run.seam") as capture:
        assert [each.status for each in capture] == [200] * 24


_COUNTING = """
import psycopg

def answer(handler):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("INSERT INTO orders DEFAULT VALUES")
        [count] = connection.execute("SELECT count(*) FROM orders").fetchone()
    return 200, json.dumps(count)
"""


@pytest.mark.slow
def test_a_clone_of_a_database_outside_is_reached_through_its_tap(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with postgres_server() as server:
        server.run("CREATE DATABASE shop")
        server.run("CREATE TABLE orders (id serial PRIMARY KEY)", database="shop")
        db = DownstreamSpec(
            "db",
            "postgres",
            (server.host, server.port),
            env={"DATABASE_URL": "postgresql://postgres:secret@{tap}/{database}"},
            isolate={"template": "shop"},
        )

        async def main() -> None:
            recorder = await a_recorder(tmp_path)
            side = Side(sealed(tmp_path, write_server(tmp_path, _COUNTING), db), recorder, LinkIndex())
            url = await side.up()
            assert [await fetch(side, url, "/") for _ in range(2)] == [(200, 1), (200, 2)]
            await side.record_state()
            await side.down()
            assert not side.tried
            await recorder.close()

        asyncio.run(main())
    with open_capture(tmp_path / "run.seam") as capture:
        told = [each.request.method for each in capture if each.request.method in {"INSERT", "SELECT", "STATE"}]
    assert told == ["INSERT", "SELECT", "INSERT", "SELECT", "STATE"]
