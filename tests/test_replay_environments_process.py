"""Services as processes: up, dead, stuck, talkative; and nothing left behind."""

import asyncio
import os
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.replay.environments.process import ProcessEnvironment, split_command
from seamline.replay.environments.spec import Listen, Ready, ServiceSpec
from support.services import write_script, write_server

READY = Ready(http="/healthz", timeout_s=20)


def environment(folder: Path, command: str, *, ready: Ready = READY, **env: str) -> ProcessEnvironment:
    service = ServiceSpec("x", folder, command=command, listen=Listen(env="PORT"), ready=ready)
    return ProcessEnvironment(service, cwd=folder, env=env, what="candidate", grace_s=0.5)


def failed_start(side: ProcessEnvironment) -> str:
    with pytest.raises(CouldNotCheck) as caught:
        asyncio.run(side.up())
    return str(caught.value)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while alive(pid):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_service_comes_up_with_its_variables_and_goes_down(
    tmp_path: Path, run: Callable[[Awaitable[None]], None]
) -> None:
    command = write_server(tmp_path)

    async def main() -> None:
        side = environment(tmp_path, command, GREETING="hi")
        url = await side.up()
        body = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{url}/x").read())
        assert b'"greeting": "hi"' in body
        assert side.ended() is None
        await side.down()
        assert side.ended() == "exited with code 0"
        await side.down()

    run(main())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_children_go_with_the_service_also_when_it_dies_by_itself(
    tmp_path: Path, run: Callable[[Awaitable[None]], None]
) -> None:
    command = write_script(
        tmp_path,
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "sys.exit(7)\n",
    )

    async def main() -> None:
        with pytest.raises(CouldNotCheck, match="candidate exited with code 7 before it was ready"):
            await environment(tmp_path, command).up()
        await gone(int((tmp_path / "pid").read_text()))

    run(main())


def test_children_go_with_a_service_that_is_taken_down(tmp_path: Path) -> None:
    command = write_server(
        tmp_path,
        main="import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', "
        "'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "serve(int(os.environ['PORT'])).serve_forever()",
    )

    async def main() -> None:
        side = environment(tmp_path, command)
        await side.up()
        await side.down()
        await gone(int((tmp_path / "pid").read_text()))

    asyncio.run(main())


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    command = write_server(
        tmp_path,
        main="signal.signal(signal.SIGTERM, signal.SIG_IGN)\nserve(int(os.environ['PORT'])).serve_forever()",
    )

    async def main() -> None:
        side = environment(tmp_path, command)
        await side.up()
        await side.down()
        assert side.ended() == "was killed by SIGKILL"

    asyncio.run(main())


def test_one_that_exits_at_once_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    command = write_script(tmp_path, "raise SystemExit('no module named orders')")
    message = failed_start(environment(tmp_path, command, ready=Ready(timeout_s=3600)))
    assert message.startswith("candidate exited with code 1 before it was ready; its last output:")
    assert "  | no module named orders" in message


def test_one_that_says_nothing_is_said_to(tmp_path: Path) -> None:
    assert "it printed nothing" in failed_start(environment(tmp_path, write_script(tmp_path, "raise SystemExit(3)")))


def test_one_that_never_gets_ready_is_taken_down_again(tmp_path: Path) -> None:
    command = write_script(
        tmp_path,
        "import os, time\nopen('pid', 'w').write(str(os.getpid()))\nprint('busy', flush=True)\ntime.sleep(600)",
    )
    message = failed_start(environment(tmp_path, command, ready=Ready(http="/healthz", timeout_s=1)))
    assert "candidate was not ready after 1 s" in message
    assert "  | busy" in message
    assert not alive(int((tmp_path / "pid").read_text()))


def test_secrets_and_escape_sequences_do_not_reach_the_message(tmp_path: Path) -> None:
    command = write_script(
        tmp_path,
        "import os, sys\nprint('\\x1b[31mconnecting to postgres://app:hunter22@db/x with', os.environ['API_TOKEN'])\n"
        "sys.exit(1)",
    )
    message = failed_start(environment(tmp_path, command, API_TOKEN="tok-12345678"))
    assert "hunter22" not in message
    assert "tok-12345678" not in message
    assert "\x1b" not in message
    assert "\\x1b[31mconnecting to postgres://app:***@db/x with ***" in message


def test_a_flood_of_output_neither_blocks_the_service_nor_fills_memory(tmp_path: Path) -> None:
    command = write_server(
        tmp_path,
        main="for number in range(200):\n    print(number, 'x' * 20000)\nprint('last line', flush=True)\n"
        "serve(int(os.environ['PORT'])).serve_forever()",
    )

    async def main() -> None:
        side = environment(tmp_path, command)
        await side.up()
        await side.down()
        assert side.tail().endswith("last line")
        assert len(side.tail()) < 20_000

    asyncio.run(main())


def test_death_in_mid_flight_is_seen(tmp_path: Path) -> None:
    command = write_server(tmp_path, answer="def answer(handler):\n    os.kill(os.getpid(), signal.SIGKILL)")

    async def main() -> None:
        side = environment(tmp_path, command)
        url = await side.up()
        with pytest.raises(OSError):
            await asyncio.to_thread(urllib.request.urlopen, f"{url}/x")
        async with asyncio.timeout(10):
            while side.ended() is None:
                await asyncio.sleep(0.01)
        assert side.ended() == "was killed by SIGKILL"
        await side.down()

    asyncio.run(main())


def test_cancelling_the_start_leaves_nothing_behind(tmp_path: Path) -> None:
    command = write_script(tmp_path, "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)")

    async def main() -> None:
        task = asyncio.create_task(environment(tmp_path, command).up())
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not alive(int((tmp_path / "pid").read_text()))

    asyncio.run(main())


def test_a_fixed_port_is_taken_as_it_is(tmp_path: Path) -> None:
    service = ServiceSpec("x", tmp_path, command=f"{sys.executable} -c pass", listen=Listen(port=1), ready=Ready())
    side = ProcessEnvironment(service, cwd=tmp_path, env={}, what="candidate")
    assert "candidate exited with code 0" in failed_start(side)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    message = failed_start(environment(tmp_path, "no-such-program-here --x"))
    assert "candidate: no-such-program-here: No such file" in message


@pytest.mark.parametrize(("command", "said"), [("run 'x", "quotation"), ("  ", "empty"), ("# x", None)])
def test_a_command_is_split_like_a_shells_and_never_run_by_one(command: str, said: str | None) -> None:
    if said is None:
        assert split_command(command, "candidate") == ["#", "x"]
        return
    with pytest.raises(UsageError, match=said):
        split_command(command, "candidate")
    assert split_command("run 'a b' $(rm) ;", "x") == ["run", "a b", "$(rm)", ";"]


def test_a_folder_that_is_not_there_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        asyncio.run(environment(tmp_path / "none", "true").up())


def test_down_before_up_is_nothing(tmp_path: Path) -> None:
    side = environment(tmp_path, "true")
    asyncio.run(side.down())
    assert side.ended() is None
    assert side.tail() == ""


def test_this_process_variables_are_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SEAMLINE_TEST_MARK", "inherited")
    command = write_script(tmp_path, "import os\nraise SystemExit(os.environ['SEAMLINE_TEST_MARK'])")
    assert "  | inherited" in failed_start(environment(tmp_path, command))
