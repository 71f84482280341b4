"""A replay that was killed goes on: nothing that was fired is fired again, and what hangs on it is not either."""

import asyncio
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Role
from seamline.capture.store.reader import open_capture
from seamline.cli.resuming import open_ledger, resumed
from seamline.replay.ledger import Ledger, path_of
from seamline.replay.plan import Plan, Step, make_plan
from seamline.replay.values.session import SideValues
from support.linked_values import an_order, order_exchanges
from support.recordings import environment
from support.stateful import desk, write_project


@dataclass
class Options:
    """What of the command line matters here."""

    output: Path
    resume: bool = False


def a_step(origin: str, method: str = "POST") -> Step:
    return Step(origin, "s", 0, Request(method, f"/{origin}", Headers()))


def the_ledger(options: Options, plan: Plan, address: tuple[str, int] | None = ("127.0.0.1", 1)) -> Ledger | None:
    return open_ledger(options, "cap", plan, address)  # type: ignore[arg-type]  # only these options are read


def test_what_reads_or_goes_with_its_service_needs_no_ledger(tmp_path: Path) -> None:
    options = Options(tmp_path / "run.seam")
    assert the_ledger(options, Plan((a_step("a", "GET"),))) is None
    assert the_ledger(options, Plan((a_step("a"),)), None) is None
    assert not list(tmp_path.iterdir())


def test_what_is_left_out_is_said_and_the_earlier_run_kept(tmp_path: Path) -> None:
    options = Options(tmp_path / "run.seam")
    plan = make_plan(order_exchanges(), allow_writes=True)
    first = the_ledger(options, plan)
    assert first is not None
    for each in plan.steps[:1]:
        first.intend(each)
    first.close(whole=False)
    options.output.write_text("earlier")
    options.resume = True
    ledger = the_ledger(options, plan)
    assert ledger is not None
    said = io.StringIO()
    values = SideValues(an_order())
    left = resumed(options, plan, ledger, values, Console(file=said, width=200))  # type: ignore[arg-type]  # as above
    ledger.close(whole=True)
    assert [each.origin for each in left.steps] == ["pay", "show"]
    assert said.getvalue().splitlines() == [
        f"1 requests with side effects are not sent again: {path_of(options.output)} has them",
        "in doubt, it may have been sent: POST /orders (place)",
        f"the earlier run is kept as {tmp_path / 'run.part-1.seam'}",
    ]
    why = values.lack("pay")
    assert why is not None
    assert why.did == "was sent by an earlier replay"


@pytest.mark.slow
def test_a_killed_replay_goes_on_and_fires_nothing_twice(tmp_path: Path) -> None:
    folder = write_project(tmp_path).parent
    run, ledger = folder / "run.seam", folder / "run.seam.ledger"
    with desk(folder) as port:
        options = ["--target", f"http://127.0.0.1:{port}", "--allow-writes", "-o", run.name]
        asyncio.run(killed_after(folder, ledger, *options, "--pace", "20/s"))
        refused = replay(folder, *options)
        assert (refused.returncode, "--resume" in refused.stderr) == (2, True)
        going_on = replay(folder, *options, "--resume", "--pace", "max")
        assert going_on.returncode == 0, going_on.stderr
    assert "are not sent again" in going_on.stderr
    assert "because POST /login was sent by an earlier replay" in going_on.stderr
    assert not ledger.exists()
    parts = [writes(folder / "run.part-1.seam"), writes(run)]
    assert parts[0].isdisjoint(parts[1])
    assert parts[1]


async def killed_after(folder: Path, ledger: Path, *options: str) -> None:
    """A replay that is killed once some of its writes were answered."""
    quiet = asyncio.subprocess.DEVNULL
    first = await asyncio.create_subprocess_exec(*command(*options), cwd=folder, env=environment(), stderr=quiet)
    async with asyncio.timeout(60):
        while not (ledger.exists() and ledger.read_text().count('["d"') >= 3):
            assert first.returncode is None
            await asyncio.sleep(0.01)
    first.kill()
    await first.wait()


def writes(path: Path) -> set[str | None]:
    with open_capture(path) as capture:
        return {each.origin for each in capture if each.role is Role.INBOUND and each.request.method == "POST"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "seamline.cli", "replay", "desk.seam", *arguments]


def replay(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, timeout=90, check=False
    )
