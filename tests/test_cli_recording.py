"""A recording's course, in one process: signals before it has begun, and its last line."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from rich.console import Console

from seamline.capture.addresses import TapText
from seamline.capture.errors import CouldNotCheck, UsageError
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.cli.config import parse_config
from seamline.cli.recording import RecordPlan, run_recording


def plan(folder: Path, **changed: object) -> RecordPlan:
    values: dict[str, object] = {
        "listen": ("127.0.0.1", 0),
        "upstream": "http://127.0.0.1:1",
        "engine": "auto",
        "taps": (),
        "config": None,
        "service": "svc",
        "output": folder / "a.seam",
        "duration_s": 0.05,
        "most": None,
        "rules": Rules(),
        "key": b"k" * 32,
        "state": folder / ".seamline",
        "sample": 1.0,
        "body_cap": 1000,
    }
    return RecordPlan(**{**values, **changed})  # type: ignore[arg-type]  # a table of overrides


def record(made: RecordPlan) -> int:
    return asyncio.run(run_recording(made, Console(stderr=True, quiet=True)))


def test_the_last_line_is_the_contracts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record(plan(tmp_path)) == 0
    assert capsys.readouterr().err == "recorded 0, dropped 0, withheld 0, truncated 0\n"


def test_the_manifest_says_what_a_replay_has_to_know(tmp_path: Path) -> None:
    tap = TapText("db", "http", ("127.0.0.1", 0), ("10.0.0.1", 5432))
    record(plan(tmp_path, taps=(tap,), sample=0.5))
    with open_capture(tmp_path / "a.seam") as capture:
        manifest = capture.manifest
    assert manifest.hosts == ("10.0.0.1:5432", "127.0.0.1:1")
    assert (manifest.engine, manifest.service, manifest.notes) == ("tap", "svc", {"sample": "0.5"})
    assert manifest.tool.startswith("seamline ")


def test_a_signal_during_the_start_takes_down_what_has_started(tmp_path: Path) -> None:
    config = parse_config(
        '[service]\ncommand = "sleep 60"\nlisten = { env = "PORT" }\nready = { timeout = "50s" }\n',
        tmp_path / "seamline.toml",
    )

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, os.kill, os.getpid(), signal.SIGTERM)
        with pytest.raises(CouldNotCheck, match="stopped before"):
            await run_recording(plan(tmp_path, config=config, duration_s=None), Console(stderr=True, quiet=True))

    asyncio.run(scene())
    assert not (tmp_path / "a.seam").exists()
    (tmp_path / "a.seam").write_bytes(b"an earlier capture")
    asyncio.run(scene())
    assert (tmp_path / "a.seam").read_bytes() == b"an earlier capture", "it was not replaced by anything"
    assert [each.name for each in tmp_path.glob(".a.seam*")] == []


def test_a_recording_replaces_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "a.seam").write_bytes(b"an earlier capture")
    assert record(plan(tmp_path)) == 0
    with open_capture(tmp_path / "a.seam") as capture:
        assert capture.complete
    assert [each.name for each in tmp_path.glob(".a.seam*")] == []


def test_an_address_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"203\.0\.113\.7:80"):
        record(plan(tmp_path, listen=("203.0.113.7", 80)))
    assert not (tmp_path / "a.seam").exists()
