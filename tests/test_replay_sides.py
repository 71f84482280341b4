"""A side: taps in front of its downstreams, the service behind them, and nothing left when it is down."""

import asyncio
import json
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from seamline.capture.clock import Clock
from seamline.capture.errors import CouldNotCheck
from seamline.capture.links import LinkIndex
from seamline.capture.model import Manifest, Role
from seamline.capture.recorder import Recorder
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.replay.environments.ports import free_ports
from seamline.replay.environments.spec import DownstreamSpec, Listen, Ready, ServiceSpec
from seamline.replay.sides import Side, SideSpec, check_reachable
from support.projects import write_service
from support.services import write_script

PRICES = DownstreamSpec("prices", address_env="PRICES_PORT", env={"PRICES_URL": "http://{tap}"})


def a_spec(folder: Path, command: str, *downstreams: DownstreamSpec, **env: str) -> SideSpec:
    ready = Ready(http="/healthz", timeout_s=20)
    service = ServiceSpec("quotes", folder, command=command, listen=Listen(env="PORT"), env=env, ready=ready)
    return SideSpec("candidate", service, downstreams)


async def a_recorder(folder: Path) -> Recorder:
    manifest = Manifest("cap-1", Clock().now_us(), "test", "tap")
    return await Recorder.open(folder / "run.seam", manifest, key=b"k" * 32, rules=Rules())


async def fetch(url: str) -> dict[str, object]:
    def read() -> bytes:
        with urllib.request.urlopen(url, timeout=10) as answer:
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
