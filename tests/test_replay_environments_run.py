"""A command run to its end: its output, its code, and nothing of it left over."""

import asyncio
import sys
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.run import Ended, check_ended, run_command


def run(folder: Path, script: str, *, within_s: float = 20, separate: bool = False, **env: str) -> Ended:
    return asyncio.run(
        run_command([sys.executable, "-c", script], "what", cwd=folder, env=env, within_s=within_s, separate=separate)
    )


def test_output_is_kept_for_its_reader_and_the_tail_is_the_rest(tmp_path: Path) -> None:
    script = "import sys; print('{\"a\": 1}'); print('pulling', file=sys.stderr)"
    assert run(tmp_path, script, separate=True) == Ended(0, b'{"a": 1}\n', "pulling")
    together = run(tmp_path, script)
    assert (together.output, sorted(together.tail.splitlines())) == (b"", ["pulling", '{"a": 1}'])


def test_what_hangs_is_ended_with_everything_that_it_started(tmp_path: Path) -> None:
    script = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid)); child.wait()"
    )
    ended = run(tmp_path, script, within_s=2)
    assert ended.code is None
    with pytest.raises(CouldNotCheck, match="what took longer than 2 s; it printed nothing"):
        check_ended(ended, "what", 2)
    status = Path(f"/proc/{(tmp_path / 'pid').read_text()}/status")
    assert not status.exists() or "zombie" in status.read_text()


def test_a_grandchild_that_holds_the_output_is_not_waited_for(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print('gone')"
    )
    assert run(tmp_path, script).tail == "gone"


@pytest.mark.parametrize(
    ("script", "said"),
    [("raise SystemExit(3)", "what exited with code 3"), ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL")],
)
def test_how_it_ended_is_said(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(CouldNotCheck, match=said):
        check_ended(run(tmp_path, script), "what", 1)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheck, match=r"what: nowhere-at-all: No such file .*\(in "):
        asyncio.run(run_command(["nowhere-at-all"], "what", cwd=tmp_path, env={}, within_s=1))
