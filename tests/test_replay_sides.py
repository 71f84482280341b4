"""A side: taps in front of its downstreams, the service behind them, and nothing left when it is down."""

import asyncio
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seamline.capture.clock import Clock
from seamline.capture.errors import CouldNotCheck
from seamline.capture.linking.spans import Span
from seamline.capture.links import LinkIndex
from seamline.capture.model import Manifest, Role
from seamline.capture.recorder import Recorder
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.replay.environments.ports import free_ports
from seamline.replay.environments.provided import Provided
from seamline.replay.environments.spec import DownstreamSpec, Listen, Ready, ServiceSpec
from seamline.replay.isolation.door import Isolation
from seamline.replay.sides import Side, SideSpec, check_reachable
from support.postgres_server import PostgresServer, postgres_server
from support.projects import write_service
from support.services import write_script, write_server
from support.tools import DOCKER, Fakes, fakes

__all__ = ["fakes"]

PRICES = DownstreamSpec("prices", address_env="PRICES_PORT", env={"PRICES_URL": "http://{tap}"})


def a_spec(folder: Path, command: str, *downstreams: DownstreamSpec, **env: str) -> SideSpec:
    ready = Ready(http="/healthz", timeout_s=20)
    service = ServiceSpec("quotes", folder, command=command, listen=Listen(env="PORT"), env=env, ready=ready)
    return SideSpec("candidate", service, downstreams)


async def a_recorder(folder: Path) -> Recorder:
    manifest = Manifest("cap-1", Clock().now_us(), "test", "tap")
    return await Recorder.open(folder / "run.seam", manifest, key=b"k" * 32, rules=Rules())


async def fetch(url: str, method: str = "GET") -> dict[str, object]:
    def read() -> bytes:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
            body: bytes = answer.read()
            return body

    told: dict[str, object] = json.loads(await asyncio.to_thread(read))
    return told


def refused(port: int) -> bool:
    async def main() -> bool:
        try:
            await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return True
        return False

    return asyncio.run(main())


def test_an_inner_hop_is_reached_through_its_tap_and_recorded(tmp_path: Path) -> None:
    command = write_service(tmp_path)

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        async with Side(a_spec(tmp_path, command, PRICES), recorder, LinkIndex()) as side:
            # Up once more would be a second side: the base URL is what `up` gave, so ask the one that runs.
            assert side.ended() is None
            side.check_alive()
        again = Side(a_spec(tmp_path, command, PRICES), recorder, LinkIndex())
        url = await again.up()
        assert (await fetch(f"{url}/quote/7"))["price"] == 70
        await again.down()
        await again.down()
        assert (await recorder.close()).losses.dropped == 0

    asyncio.run(main())
    with open_capture(tmp_path / "run.seam") as capture:
        [call] = list(capture)
    assert (call.role, call.service, call.request.target) == (Role.OUTBOUND, "prices", "/price/7")


def test_sides_live_beside_each_other(tmp_path: Path) -> None:
    command = write_service(tmp_path)

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        sides = [Side(a_spec(tmp_path, command, PRICES), recorder, LinkIndex()) for _ in range(3)]
        urls = await asyncio.gather(*(side.up() for side in sides))
        assert len(set(urls)) == 3
        for url in urls:
            assert (await fetch(f"{url}/quote/1"))["price"] == 10
        await asyncio.gather(*(side.down() for side in sides))
        await recorder.close()

    asyncio.run(main())


def test_a_real_downstream_is_told_by_its_tap(tmp_path: Path) -> None:
    command = write_service(tmp_path)

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        async with asyncio.timeout(60):
            # The first side is what the second one's tap stands for.
            real = Side(a_spec(tmp_path, command), recorder, LinkIndex())
            host, _, port = (await real.up()).removeprefix("http://").rpartition(":")
            prices = DownstreamSpec("prices", address=(host, int(port)), env={"PRICES_URL": "http://{tap}"})
            await check_reachable([prices])
            side = Side(a_spec(tmp_path, command, prices), recorder, LinkIndex())
            assert (await fetch(f"{await side.up()}/quote/2"))["price"] == 20
            await side.down()
            await real.down()
            with pytest.raises(CouldNotCheck, match='downstream "prices" was not ready'):
                await check_reachable([prices], timeout_s=0.05)
        await recorder.close()

    asyncio.run(main())


def test_a_failed_start_takes_the_taps_down_again(tmp_path: Path) -> None:
    command = write_script(
        tmp_path,
        "import os\nopen('tap', 'w').write(os.environ['PRICES_URL'])\nraise SystemExit('no luck')",
    )

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        with pytest.raises(CouldNotCheck, match="candidate exited with code 1 before it was ready") as caught:
            await Side(a_spec(tmp_path, command, PRICES), recorder, LinkIndex()).up()
        assert "no luck" in str(caught.value)
        await recorder.close()

    asyncio.run(main())
    assert refused(int((tmp_path / "tap").read_text().rpartition(":")[2]))


def test_an_inner_hop_that_never_comes_up_is_named(tmp_path: Path) -> None:
    command = write_service(tmp_path)
    spec = a_spec(tmp_path, command, replace(PRICES, address_env="OTHER_PORT"))
    spec = replace(spec, service=replace(spec.service, ready=Ready(http="/healthz", timeout_s=1)))

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        with pytest.raises(CouldNotCheck, match=r"the inner hop at OTHER_PORT=.* was not ready"):
            await Side(spec, recorder, LinkIndex()).up()
        await recorder.close()

    asyncio.run(main())


def test_a_service_that_died_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = write_service(tmp_path)

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        side = Side(a_spec(tmp_path, command, PRICES, MODE="die"), recorder, LinkIndex())
        url = await side.up()
        for _ in range(2):
            await fetch(f"{url}/quote/1")
        with pytest.raises(OSError):
            await fetch(f"{url}/quote/1")
        async with asyncio.timeout(10):
            while side.ended() is None:
                await asyncio.sleep(0.01)
        with pytest.raises(CouldNotCheck, match=r"code 9 during the replay; .*\n  \| out of cheese"):
            side.check_alive()
        await side.down()
        await recorder.close()

    asyncio.run(main())


def test_a_revision_runs_from_a_checkout_that_goes_with_the_side(tmp_path: Path) -> None:
    project = tmp_path / "repo" / "app"
    project.mkdir(parents=True)
    command = write_service(project)

    def git(*args: str) -> str:
        identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *args], cwd=project, check=True, capture_output=True, text=True)
        return done.stdout

    git("init", "--quiet", "--initial-branch=main")
    git("add", ".")
    git("commit", "--quiet", "-m", "works")
    (project / "service.py").write_text("raise SystemExit('the working tree is broken')")
    spec = a_spec(project, command, PRICES)
    spec = replace(spec, service=replace(spec.service, git="main"))

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        side = Side(spec, recorder, LinkIndex())
        assert (await fetch(f"{await side.up()}/quote/3"))["price"] == 30
        assert git("worktree", "list").count("\n") == 2
        await side.down()
        await recorder.close()

    asyncio.run(main())
    assert git("worktree", "list").count("\n") == 1


def test_a_running_service_is_left_running(tmp_path: Path) -> None:
    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        connected = asyncio.Event()

        async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            side = Side(SideSpec("baseline", ServiceSpec("x", tmp_path, url=url)), recorder, LinkIndex())
            assert await side.up() == url
            await connected.wait()
            await side.down()
            assert server.is_serving()
        await recorder.close()

    asyncio.run(main())


def test_a_cancelled_start_leaves_no_tap_and_no_service(tmp_path: Path) -> None:
    command = write_script(
        tmp_path,
        "import os, time\nopen('told', 'w').write(os.environ['PRICES_URL'] + ' ' + str(os.getpid()) + '.')\n"
        "time.sleep(600)",
    )

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        task = asyncio.create_task(Side(a_spec(tmp_path, command, PRICES), recorder, LinkIndex()).up())
        async with asyncio.timeout(20):
            while not (tmp_path / "told").exists() or not (tmp_path / "told").read_text().endswith("."):
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await recorder.close()

    asyncio.run(main())
    url, pid = (tmp_path / "told").read_text().removesuffix(".").split()
    assert refused(int(url.rpartition(":")[2]))
    assert not Path(f"/proc/{pid}").exists()


def test_a_fixed_port_that_is_taken_is_never_mistaken_for_the_side(tmp_path: Path) -> None:
    command = write_service(tmp_path)
    spec = a_spec(tmp_path, command)

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        first = Side(spec, recorder, LinkIndex())
        port = int((await first.up()).rpartition(":")[2])
        fixed = replace(spec, service=replace(spec.service, listen=Listen(port=port)))
        with pytest.raises(CouldNotCheck, match=f"candidate: port {port} is taken"):
            await Side(fixed, recorder, LinkIndex()).up()
        await first.down()
        await recorder.close()

    asyncio.run(main())


def test_a_fixed_port_is_used(tmp_path: Path) -> None:
    [port] = free_ports(1)
    spec = a_spec(tmp_path, write_service(tmp_path), PORT=str(port))
    fixed = replace(spec, service=replace(spec.service, listen=Listen(port=port)))

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        async with Side(fixed, recorder, LinkIndex()):
            assert (await fetch(f"http://127.0.0.1:{port}/stock"))["count"] == 1
        await recorder.close()

    asyncio.run(main())


_SHOP = """
import psycopg

def answer(handler):
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        if handler.command == "POST":
            connection.execute("INSERT INTO orders (note) VALUES (%s)", (os.environ["NOTE"],))
        [count] = connection.execute("SELECT count(*) FROM orders").fetchone()
    return 200, json.dumps({"count": count})
"""
_MIGRATION = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("ALTER TABLE orders ADD COLUMN note text")
"""
_BROKEN = "raise SystemExit('column note is there already')"


@pytest.fixture(scope="module")
def shop() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        server.run("CREATE DATABASE shop")
        server.run("CREATE TABLE orders (id serial PRIMARY KEY)", database="shop")
        yield server


def a_shop(folder: Path, server: PostgresServer, migration: str = _MIGRATION, **isolate: str) -> SideSpec:
    migrate = write_script(folder, migration, "migrate.py")
    db = DownstreamSpec(
        "db",
        "postgres",
        (server.host, server.port),
        env={"DATABASE_URL": "postgresql://postgres:secret@{tap}/{database}"},
        isolate={"template": "shop", "migrate": migrate, **isolate},
    )
    return a_spec(folder, write_server(folder, _SHOP), db, NOTE="seen")


def test_sides_have_migrated_clones_whose_state_is_recorded_and_which_go_with_them(
    tmp_path: Path, shop: PostgresServer
) -> None:
    spec = a_shop(tmp_path, shop)

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        isolation = Isolation()
        sides = [Side(spec, recorder, LinkIndex(), isolation=isolation) for _ in range(2)]
        first, second = await asyncio.gather(*(side.up() for side in sides))
        assert (await fetch(f"{first}/orders", "POST"))["count"] == 1
        assert (await fetch(f"{second}/orders"))["count"] == 0
        await sides[0].record_state()
        assert sum(name.startswith("seamline_") for name in shop.databases()) == 2
        for side in sides:
            await side.down()
        await isolation.close()
        await recorder.close()

    asyncio.run(main())
    assert not any(name.startswith("seamline_") for name in shop.databases())
    with open_capture(tmp_path / "run.seam") as capture:
        exchanges = list(capture)
    [state] = [each for each in exchanges if each.request.method == "STATE"]
    assert (state.role, state.service, state.request.target) == (Role.OUTBOUND, "db", "orders")
    assert state.response is not None
    assert json.loads(state.response.body)["rows"] == [{"id": 3_000_010, "note": "seen"}]
    calls = [each for each in exchanges if each.request.method in ("INSERT", "SELECT")]
    assert {each.request.headers.get("database") for each in calls} == {"{database}"}


def test_a_migration_that_fails_ends_the_start_with_its_last_words(tmp_path: Path, shop: PostgresServer) -> None:
    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        said = r'candidate: migrate of downstream "db" exited with code 1; .*\n  \| column note is there already'
        with pytest.raises(CouldNotCheck, match=said):
            await Side(a_shop(tmp_path, shop, _BROKEN), recorder, LinkIndex()).up()
        await recorder.close()

    asyncio.run(main())
    assert not any(name.startswith("seamline_") for name in shop.databases())


def test_a_reset_runs_before_the_service_with_the_real_address(tmp_path: Path) -> None:
    command = write_service(tmp_path)
    reset = write_script(tmp_path, "import os; open('seeded', 'w').write(os.environ['PRICES_URL'])", "seed.py")

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        prices = replace(PRICES, isolate={"reset": reset})
        async with Side(a_spec(tmp_path, f"{command}", prices), recorder, LinkIndex()) as side:
            assert side.ended() is None
            assert (tmp_path / "seeded").read_text().startswith("http://127.0.0.1:")
        await recorder.close()

    asyncio.run(main())


_CALLING_OUT = """
def answer(handler):
    if handler.path == "/out":
        try:
            return get("http://payments.example:8080/charge?card=4111")[0], "{}"
        except OSError as error:
            return 502, json.dumps(str(error))
    return 200, json.dumps({name: os.environ.get(name, "") for name in ("HTTPS_PROXY", "no_proxy", "all_proxy")})
"""


def test_a_call_that_leads_to_no_downstream_is_refused_and_counted(tmp_path: Path) -> None:
    spec = a_spec(tmp_path, write_server(tmp_path, _CALLING_OUT), ALL_PROXY="http://mine")

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        recording = Side(spec, recorder, LinkIndex(), guarded=False)
        assert (await fetch(f"{await recording.up()}/variables"))["HTTPS_PROXY"] == ""
        await recording.down()
        side = Side(spec, recorder, LinkIndex())
        url = await side.up()
        told = await fetch(f"{url}/variables")
        assert str(told["HTTPS_PROXY"]).startswith("http://127.0.0.1:")
        assert (told["no_proxy"], told["all_proxy"]) == ("127.0.0.1,localhost,::1", "")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            await fetch(f"{url}/out")
        assert side.tried == {"payments.example:8080": 1}
        await side.down()
        losses = (await recorder.close()).losses
        assert (losses.gaps, losses.reasons) == (1, {"tried to reach payments.example:8080": 1})

    asyncio.run(main())


def test_egress_may_be_opened(tmp_path: Path) -> None:
    spec = a_spec(tmp_path, write_server(tmp_path, _CALLING_OUT))
    opened = replace(spec, service=replace(spec.service, egress="open"))

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        side = Side(opened, recorder, LinkIndex())
        assert (await fetch(f"{await side.up()}/variables"))["HTTPS_PROXY"] == ""
        await side.down()
        await recorder.close()

    asyncio.run(main())


def test_an_environments_service_is_told_of_its_taps_where_it_reaches_them(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("docker", DOCKER)
    provided = Provided("compose", tmp_path / "compose.yaml", "web", 8080, tap="127.0.0.2")
    service = ServiceSpec("shop", tmp_path, environment=provided, ready=Ready(http="/healthz", timeout_s=20))
    db = DownstreamSpec("db", "tcp", ("127.0.0.1", 1), env={"DATABASE_URL": "{tap}"})

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        side = Side(SideSpec("candidate", service, (db,)), recorder, LinkIndex())
        url = await side.up()
        assert int(url.rpartition(":")[2])
        told = (fakes.folder / "told").read_text()
        assert told.startswith("127.0.0.2:")
        # A tool has to reach its registry, or its cloud.
        assert (fakes.folder / "proxy").read_text() == os.environ.get("HTTPS_PROXY", "")
        side.check_alive()
        await side.down()
        await recorder.close()

    asyncio.run(main())
    assert not fakes.is_running


_SENDING_SPANS = """
def answer(handler):
    where = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if where is None:
        return 200, json.dumps({"sent": None})
    span = {"traceId": "ab" * 16, "kind": 3, "name": "SELECT", "startTimeUnixNano": "5000", "endTimeUnixNano": "9000"}
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    request = urllib.request.Request(where + "/v1/traces", data=body, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as taken:
        return 200, json.dumps({"sent": taken.status, "how": os.environ["OTEL_TRACES_SAMPLER"]})
"""


@pytest.mark.parametrize("asked", [True, False])
def test_a_service_is_told_where_to_send_its_spans_if_the_configuration_asks_for_them(
    asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    seen: list[Span] = []
    monkeypatch.setattr(LinkIndex, "testify", lambda _, spans: seen.extend(spans))
    spec = a_spec(tmp_path, write_server(tmp_path, _SENDING_SPANS))
    spec = replace(spec, service=replace(spec.service, otlp=asked))

    async def main() -> None:
        recorder = await a_recorder(tmp_path)
        side = Side(spec, recorder, LinkIndex())
        try:
            told = await fetch(f"{await side.up()}/spans")
        finally:
            await side.down()
            await recorder.close()
        assert told == ({"sent": 200, "how": "always_on"} if asked else {"sent": None})
        assert [span.trace for span in seen] == (["ab" * 16] if asked else [])

    asyncio.run(main())
