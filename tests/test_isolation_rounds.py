"""Sides of a round that write: each into a clone of its own, whose state is in its run."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Role
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.cli.config import load_config
from seamline.cli.rounds import RoundPlan, in_turn, play_round
from seamline.diffing.report.model import Verdict
from seamline.diffing.rounds import Run
from seamline.replay.isolation.door import Isolation
from seamline.replay.isolation.offset import offset_of
from seamline.replay.plan import make_plan
from seamline.replay.sides import SideSpec
from support.captures import an_exchange, write_capture
from support.postgres_server import PostgresServer, postgres_server
from support.redis_server import redis_server
from support.services import write_script, write_server
from support.verifications import a_plan, verify

_SHOP = """
import psycopg, redis

cache = redis.Redis.from_url(os.environ["REDIS_URL"])

def answer(handler):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("INSERT INTO orders (note) VALUES (%s)", (os.environ["NOTE"],))
        [count] = connection.execute("SELECT count(*) FROM orders").fetchone()
    cache.set("orders:last", count)
    return 200, json.dumps({"count": count, "route": handler.headers.get("baggage")})
"""
_CONFIG = """
[service]
name = "shop"
command = "{command}"
env = {{ NOTE = "plain" }}
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "20s" }}

[[downstream]]
name = "db"
protocol = "postgres"
address = "127.0.0.1:{postgres}"
env = {{ DATABASE_URL = "postgresql://postgres:secret@{{tap}}/{{database}}" }}
isolate = {{ template = "shop", migrate = "{migrate}" }}

[[downstream]]
name = "cache"
protocol = "redis"
address = "127.0.0.1:{redis}"
env = {{ REDIS_URL = "redis://{{tap}}/{{database}}" }}
isolate = {{ database = "auto" }}

[verify]
capture = ["shop.seam"]

[replay]
headers = {{ baggage = "sd-routing-key={{side}}" }}

[candidate]
env = {{ NOTE = "changed" }}
"""
_MIGRATION = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("ALTER TABLE orders ADD COLUMN note text")
"""
NAMES = ("baseline", "candidate")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[PostgresServer, int]]:
    with postgres_server() as database, redis_server() as (_, port):
        database.run("CREATE DATABASE shop")
        database.run("CREATE TABLE orders (id serial PRIMARY KEY)", database="shop")
        yield database, port


def a_round(folder: Path, servers: tuple[PostgresServer, int], number: int = 1) -> RoundPlan:
    if not (folder / "shop.seam").exists():
        headers = Headers([("Host", "shop"), ("baggage", "user=7")])
        requests = [Request("POST", f"/orders/{each}", headers) for each in range(3)]
        write_capture(
            folder / "shop.seam", [an_exchange(each, request=request) for each, request in enumerate(requests)]
        )
        (folder / "runs").mkdir()
    config_file = folder / "seamline.toml"
    config_file.write_text(
        _CONFIG.format(
            command=write_server(folder, _SHOP),
            migrate=write_script(folder, _MIGRATION, "migrate.py"),
            postgres=servers[0].port,
            redis=servers[1],
        )
    )
    config = load_config(config_file)
    with open_capture(folder / "shop.seam") as capture:
        source, plan = capture.manifest, make_plan(capture, allow_writes=True)
    sides = tuple(SideSpec(name, config.side(name), config.downstreams) for name in NAMES)
    return RoundPlan(
        number=number,
        sides=sides,
        plan=plan,
        folder=folder / "runs",
        source=source,
        trusted=folder / "shop.seam",
        rules=Rules(),
        key=b"k" * 32,
        seed=1,
        in_time=lambda: True,
        headers=config.replay_headers,
    )


def state(run: Run, service: str) -> list[Exchange]:
    return [each for each in run.exchanges if each.request.method == "STATE" and each.service == service]


def rows(exchange: Exchange) -> list[dict[str, object]]:
    assert exchange.response is not None
    found: list[dict[str, object]] = orjson.loads(exchange.response.body)["rows"]
    return found


def own(server: PostgresServer) -> set[str]:
    return {name for name in server.databases() if name.startswith("seamline_")}


def test_two_rounds_of_sides_that_write(tmp_path: Path, servers: tuple[PostgresServer, int]) -> None:
    async def main() -> list[dict[str, Run]]:
        isolation = Isolation()
        played = []
        try:
            for number in (1, 2):
                what = a_round(tmp_path, servers, number)
                ahead = what.sides if number == 1 else ()
                fired, runs, _ = await play_round(replace(what, isolation=isolation, ahead=ahead))
                assert fired == 3
                played.append(runs)
        finally:
            await isolation.close()
        return played

    for runs in asyncio.run(main()):
        for name, note in zip(NAMES, ("plain", "changed"), strict=True):
            run = runs[name]
            [orders] = state(run, "db")
            # Each side and round began with the template's rows, which are none, and counts from its own place.
            place = offset_of(name, {})
            assert place > 0
            assert rows(orders) == [{"id": place + number, "note": note} for number in (1, 2, 3)]
            [cache] = state(run, "cache")
            assert "3" in str(rows(cache))
            answers = [each for each in run.exchanges if each.role is Role.INBOUND]
            assert all(each.response is not None for each in answers)
            told = [orjson.loads(each.response.body) for each in answers if each.response is not None]
            assert {each["route"] for each in told} == {f"user=7,sd-routing-key={name}"}
            assert all(each.request.headers.get("baggage") == "user=7" for each in answers)
            calls = [each for each in run.exchanges if each.service == "db" and each.request.method == "INSERT"]
            assert [call.parent is not None for call in calls] == [True] * 3
            assert {call.request.headers.get("database") for call in calls} == {"{database}"}
    assert own(servers[0]) == set()


def test_sides_of_a_downstream_that_is_only_reset_take_turns(
    tmp_path: Path, servers: tuple[PostgresServer, int]
) -> None:
    what = a_round(tmp_path, servers)
    assert in_turn(what.sides) is None
    reset = write_script(tmp_path, "import sys; open('resets', 'a').write('x')", "reset.py")
    sides = tuple(
        replace(side, downstreams=(replace(side.downstreams[0], isolate={"reset": reset}), side.downstreams[1]))
        for side in what.sides
    )
    assert in_turn(sides) == 'downstream "db", which is reset for each,'
    assert in_turn(sides[:1]) is None
    assert sys.executable in reset


def test_a_round_that_is_cut_short_leaves_no_clone(tmp_path: Path, servers: tuple[PostgresServer, int]) -> None:
    async def main() -> None:
        isolation = Isolation()
        what = replace(a_round(tmp_path, servers), isolation=isolation)
        playing = asyncio.create_task(play_round(what))
        async with asyncio.timeout(30):
            while not own(servers[0]):
                await asyncio.sleep(0.01)
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        await isolation.close()

    asyncio.run(main())
    assert own(servers[0]) == set()


_CALLING_OUT = """
def answer(handler):
    if os.environ["NOTE"] == "changed":
        try:
            get("https://payments.example/charge?card=4111")
        except OSError:
            pass
    return 200, "{}"
"""


def test_a_change_that_calls_what_nobody_configured_is_told(
    tmp_path: Path, servers: tuple[PostgresServer, int]
) -> None:
    a_round(tmp_path, servers)
    write_server(tmp_path, _CALLING_OUT)
    report, said, _ = verify(a_plan(tmp_path / "seamline.toml", allow_writes=True))
    note = "candidate tried to reach payments.example:443, which is no downstream: it was refused"
    assert note in said
    assert note in report.coverage.unverified
    # A new call to a payment provider must not pass the gate because it was refused here.
    assert report.verdict is Verdict.DIVERGED
    assert [(one.surface, one.kind, one.service) for one in report.findings] == [
        ("http", "extra", "payments.example:443")
    ]
    assert not any(line.startswith("baseline tried") for line in (*said, *report.coverage.unverified))
    assert own(servers[0]) == set()


def test_what_a_side_left_in_its_database_is_found(tmp_path: Path, servers: tuple[PostgresServer, int]) -> None:
    a_round(tmp_path, servers)
    report, _, _ = verify(a_plan(tmp_path / "seamline.toml", allow_writes=True))
    assert report.verdict is Verdict.DIVERGED
    assert {finding.surface for finding in report.findings} == {"sql", "state"}
    assert own(servers[0]) == set()


def test_sides_alike_leave_the_same(tmp_path: Path, servers: tuple[PostgresServer, int]) -> None:
    a_round(tmp_path, servers)
    config = tmp_path / "seamline.toml"
    config.write_text(config.read_text().replace('"changed"', '"plain"'))
    report, _, _ = verify(a_plan(config, allow_writes=True))
    assert (report.verdict, report.findings) == (Verdict.SAME, ())
