"""What a replay says of itself, and what its run's manifest keeps."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from seamline.capture.errors import CouldNotCheck
from seamline.capture.headers import Headers
from seamline.capture.model import Losses, Request
from seamline.capture.recorder import Recorder
from seamline.capture.sanitize.rules import Rules
from seamline.capture.store.reader import open_capture
from seamline.capture.store.writer import CaptureWriter
from seamline.cli.options import message_console
from seamline.cli.replaying import ReplayPlan, run_replay
from seamline.replay.pace import AT_ONCE
from seamline.replay.runner import Runner
from seamline.replay.safety import parse_target
from seamline.replay.shard import WHOLE, Shard
from support.captures import MANIFEST, an_exchange, write_capture


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline():
        while (await reader.readline()).strip():
            continue
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()


def replay(folder: Path, *exchanges: Any, complete: bool = True, **how: Any) -> int:
    """Replay a capture of `exchanges` at a server that says ok to everything."""
    capture = folder / "a.seam"
    if complete:
        write_capture(capture, exchanges)
    else:
        writer = CaptureWriter(capture, MANIFEST)
        for exchange in exchanges:
            writer.write(exchange)
        writer.flush(Losses())

    async def main() -> int:
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
        async with server:
            values = {
                "capture": capture, "output": folder / "r.seam", "config": None, "pace": AT_ONCE, "concurrency": 4,
                "target": parse_target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), "timeout_s": 10.0,
                "taps": (), "allow_writes": False, "allowed": (), "shard": WHOLE, "where": None, "key": b"k" * 32,
                "rules": Rules(), "seed": 7, **how,
            }  # fmt: skip
            return await run_replay(ReplayPlan(**values), message_console(no_color=True))

    return asyncio.run(main())


def expecting(number: int) -> Any:
    headers = Headers([("Host", "h"), ("Expect", "100-continue")])
    return an_exchange(number, request=Request("GET", "/", headers))


def test_the_manifest_says_how_it_was_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, an_exchange(1), expecting(2)) == 0
    with open_capture(tmp_path / "r.seam") as run:
        assert run.manifest.notes == {"pace": "max", "seed": "7", "changed: Expect header left out": "1"}
        assert run.manifest.service == "orders"
    assert "1 requests are sent with a change: Expect header left out" in capsys.readouterr().err


def test_a_part_that_holds_no_session_is_done_at_once(tmp_path: Path) -> None:
    exchange = an_exchange(1)
    other = next(index for index in (1, 2) if not Shard(index, 2).holds(exchange.session))
    assert replay(tmp_path, exchange, shard=Shard(other, 2)) == 0
    with open_capture(tmp_path / "r.seam") as run:
        assert list(run) == []
        assert run.manifest.notes["shard"] == f"{other}/2"


def test_an_unfinished_capture_is_replayed_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replay(tmp_path, an_exchange(1), complete=False) == 0
    assert "was not finished by its recorder" in capsys.readouterr().err


def test_nothing_to_replay_says_why(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheck, match="nothing to replay; 1 not selected by --where"):
        replay(tmp_path, an_exchange(1), where=lambda _: False)


def test_a_replay_ends_with_its_recorder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorders: list[Recorder] = []
    stopped = asyncio.Event()
    opened, stop = Recorder.open, Runner.stop

    async def remembered(*values: Any, **options: Any) -> Recorder:
        recorders.append(await opened(*values, **options))
        return recorders[-1]

    def told(runner: Runner) -> None:
        stop(runner)
        stopped.set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = 0
        while await reader.readline():
            while (await reader.readline()).strip():
                continue
            asked += 1
            if asked == 2:
                os.kill(recorders[0].process_id, signal.SIGKILL)
                await asyncio.wait_for(stopped.wait(), 30)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    monkeypatch.setattr(Recorder, "open", remembered)
    monkeypatch.setattr(Runner, "stop", told)
    monkeypatch.setattr(sys.modules[__name__], "_answer", answer)
    with pytest.raises(CouldNotCheck, match=r"the run is not whole: .*SIGKILL"):
        replay(tmp_path, *(an_exchange(number) for number in range(5)), concurrency=1)
    assert "replayed 2, failed 0, skipped 3" in capsys.readouterr().err
