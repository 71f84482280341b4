"""`seamline verify` and `replay` with a downstream that is not there: the capture answers for it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Response, Role
from seamline.capture.store.reader import open_capture
from support.captures import START_US, an_exchange, write_capture
from support.services import write_server
from support.stubs import an_http_call

COUNT = 6
_ANSWER = """
def answer(handler):
    number, trace = handler.path.rpartition("/")[2], handler.headers.get("traceparent") or ""
    for _ in range(2 if os.environ.get("MODE") == "calls" else 1):
        status, raw = get(f"{os.environ['PRICES_URL']}/price/{number}", {"traceparent": trace})
    return 200, json.dumps({"id": number, "asked": status, "price": json.loads(raw).get("price")})
"""
_CONFIG = """
[service]
name = "quotes"
command = "{command}"
listen = {{ env = "PORT" }}
ready = {{ http = "/healthz", timeout = "20s" }}

[[downstream]]
name = "pricing"
address = "127.0.0.1:9"
mode = "{mode}"
env = {{ PRICES_URL = "http://{{tap}}" }}

[verify]
capture = ["quotes.seam"]
budget = "50s"
repeats = 2
"""


def write_project(folder: Path, more: str = "", *, mode: str = "stub", prices: int = COUNT) -> None:
    """A service whose downstream is stopped, and a capture of COUNT requests with the first `prices` calls."""
    command = write_server(folder, _ANSWER)
    exchanges = []
    for number in range(1, COUNT + 1):
        started_us = START_US + number * 10_000
        request = Request("GET", f"/quote/{number}", Headers([("Host", "quotes"), ("Accept", "*/*")]))
        answer = Response(200, Headers([("Content-Type", "application/json")]), b"{}", "OK")
        exchanges.append(
            an_exchange(number, session=f"s{number}", started_us=started_us, request=request, response=answer)
        )
        if number <= prices:
            call = an_http_call(
                100 + number,
                f"/price/{number}",
                b'{"price":%d}' % (number * 11),
                cause=f"t-{number}",
                started_us=started_us + 9,
                request=Request("GET", f"/price/{number}", Headers([("Host", "pricing"), ("User-Agent", "x")])),
            )
            exchanges.append(call)
    write_capture(folder / "quotes.seam", exchanges)
    (folder / "seamline.toml").write_text(_CONFIG.format(command=command, mode=mode) + more, encoding="utf-8")


def seamline(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(path for path in sys.path if path)
    env = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "SEAMLINE_KEY": "0123456789abcdef"}
    command = [sys.executable, "-m", "seamline.cli", *args]
    return subprocess.run(command, check=False, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def report(folder: Path, *args: str) -> tuple[int, dict[str, Any]]:
    done = seamline(folder, "verify", "--format", "json", *args)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def calls(run: Path) -> list[tuple[str, int | None, str | None]]:
    """Target, status and step of each downstream call of a run."""
    with open_capture(run) as capture:
        # What the sides hold in memory is noted among the outbound exchanges, and is no call.
        made = [each for each in capture if each.role is Role.OUTBOUND and each.request.method != "STATE"]
    outbound = sorted(made, key=lambda each: each.seq)
    return [
        (each.request.target, each.status, each.response.headers.get("seamline-stub") if each.response else None)
        for each in outbound
    ]


def test_both_sides_are_answered_from_the_capture(tmp_path: Path) -> None:
    write_project(tmp_path)
    code, told = report(tmp_path)
    assert (code, told["verdict"]) == (0, "same"), told
    [folder] = (tmp_path / ".seamline" / "runs").iterdir()
    for side in ("baseline", "noise", "candidate"):
        assert calls(folder / f"{side}-1.seam") == [(f"/price/{n}", 200, "exact") for n in range(1, COUNT + 1)]
    with open_capture(folder / "candidate-1.seam") as run:
        inbound = [each for each in run if each.role is Role.INBOUND and each.response is not None]
    prices = {each.request.target: json.loads(each.response.body)["price"] for each in inbound if each.response}
    assert prices == {f"/quote/{number}": number * 11 for number in range(1, COUNT + 1)}


@pytest.mark.slow
def test_a_change_is_found_without_the_downstream(tmp_path: Path) -> None:
    write_project(tmp_path, '[candidate]\nenv = { MODE = "calls" }\n')
    code, told = report(tmp_path, "--fail-on", "info")
    assert (code, told["verdict"]) == (1, "diverged")
    assert any(finding["service"] == "pricing" for finding in told["findings"])


def test_what_found_no_answer_is_said_and_shows(tmp_path: Path) -> None:
    write_project(tmp_path, prices=0)
    done = seamline(tmp_path, "verify", "--format", "json")
    # Both sides met the same error: that they agree on it says nothing.
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "inconclusive"
    unverified = "\n".join(told["coverage"]["unverified"])
    assert f'candidate: {COUNT} calls to the stub of "pricing" found no recorded answer' in unverified


def test_a_fault_hits_stubs_of_both_sides(tmp_path: Path) -> None:
    write_project(tmp_path)
    report(tmp_path, "--fault", "pricing=status:503 every 2")
    [folder] = (tmp_path / ".seamline" / "runs").iterdir()
    for side in ("baseline", "candidate"):
        told = [status for _, status, _ in calls(folder / f"{side}-1.seam")]
        assert told == [200, 503] * (COUNT // 2)


def test_a_replay_says_how_its_stubs_did(tmp_path: Path) -> None:
    write_project(tmp_path, prices=COUNT - 1)
    done = seamline(
        tmp_path, "replay", "quotes.seam", "--config", "seamline.toml", "--pace", "max", "--concurrency", "1",
        "--fault", "pricing=latency:+1ms", "-o", "run.seam",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"stubs answered {COUNT}: exact {COUNT - 1}, missed 1" in done.stderr
    assert f"{COUNT} hit by a fault" in done.stderr
    assert calls(tmp_path / "run.seam")[-1] == (f"/price/{COUNT}", 502, "missed")


def test_a_fault_at_an_unknown_downstream_is_a_mistake(tmp_path: Path) -> None:
    write_project(tmp_path)
    done = seamline(tmp_path, "verify", "--fault", "prices=reset")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'there is no downstream "prices"' in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_real_downstream_that_is_not_there_is_still_missed(tmp_path: Path) -> None:
    write_project(tmp_path, mode="real")
    assert seamline(tmp_path, "verify").returncode == 3
