"""Migrations and resets: run to their end, their failure told in their own words."""

import asyncio
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.replay.isolation.hook import run_hook
from support.services import write_script


def run(folder: Path, command: str, within_s: float = 20, **env: str) -> None:
    asyncio.run(run_hook(command, "candidate: migrate", cwd=folder, env=env, within_s=within_s))


def test_a_command_runs_in_the_sides_folder_with_its_variables(tmp_path: Path) -> None:
    run(tmp_path, write_script(tmp_path, "import os; open('out', 'w').write(os.environ['URL'])"), URL="u")
    assert (tmp_path / "out").read_text() == "u"


def test_a_failure_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = write_script(tmp_path, "print('applying 0007'); raise SystemExit('no such column: password=hunter22')")
    with pytest.raises(CouldNotCheck, match=r"candidate: migrate exited with code 1; its last output:") as caught:
        run(tmp_path, command)
    assert "  | no such column: password=***" in str(caught.value)


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    command = write_script(tmp_path, "print('locked', flush=True)\nimport time; time.sleep(600)")
    with pytest.raises(CouldNotCheck, match=r"migrate took longer than 0.5 s; its last output:\n  \| locked"):
        run(tmp_path, command, within_s=0.5)


def test_a_command_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="candidate: migrate: command is empty"):
        run(tmp_path, " ")
    with pytest.raises(CouldNotCheck, match="candidate: migrate: nowhere-at-all: No such file"):
        run(tmp_path, "nowhere-at-all")
