"""A tool's commands: words before, variables beside, failures in its own words."""

import asyncio
from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.replay.environments.tool import Tool
from support.tools import Fakes, fakes

__all__ = ["fakes"]


def test_a_call_is_the_words_and_its_arguments(tmp_path: Path, fakes: Fakes) -> None:
    fakes.write("tool", "fail(args[-1]); print(os.environ['OWN'], os.getcwd())")
    tool = Tool(("tool", "-x"), "candidate", cwd=tmp_path, env={"OWN": "own"})
    assert asyncio.run(tool.run("tool list", "list", within_s=20)) == f"own {tmp_path}\n"
    assert fakes.calls() == [["tool", "-x", "list"]]


def test_a_failure_names_the_verb_and_quotes_the_tool(
    tmp_path: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.write("tool", "fail(args[-1])")
    monkeypatch.setenv("FAKE_FAILS", "list")
    tool = Tool(("tool",), "candidate", cwd=tmp_path, env={})
    with pytest.raises(CouldNotCheck, match=r"candidate: tool list exited with code 7; .*\n  \| .*password=\*\*\*"):
        asyncio.run(tool.run("tool list", "list", within_s=20))
