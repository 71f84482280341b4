"""`seamline verify` from outside: exit codes, streams, signals."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seamline.cli.main import run
from support.projects import write_project, write_requests


def verify(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seamline.cli", "verify", *options]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "NO_COLOR": "1"}


def test_no_change_leaves_with_0_and_says_where_the_report_is(tmp_path: Path) -> None:
    write_project(tmp_path)
    done = verify(tmp_path)
    assert (done.returncode, done.stderr.count("report: ")) == (0, 1), done.stderr
    assert done.stdout.splitlines()[0].lower().startswith("same")
    assert "round 1" not in done.stdout


def test_a_change_leaves_with_1_and_the_json_is_data_only(tmp_path: Path) -> None:
    write_project(tmp_path, '[candidate]\nenv = { MODE = "type" }\n')
    done = verify(tmp_path, "--format", "json", "--quiet")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert report["verdict"] == "diverged"
    assert {finding["path"] for finding in report["findings"]} >= {"$.price"}


@pytest.mark.slow
def test_the_command_that_reproduces_finds_it_again(tmp_path: Path) -> None:
    write_project(tmp_path, '[candidate]\nenv = { MODE = "type" }\n')
    first = json.loads(verify(tmp_path, "--format", "json").stdout)
    [finding] = [each for each in first["findings"] if each["path"] == "$.price"]
    words = finding["reproduce"].split()
    assert words[:2] == ["seamline", "verify"]
    again = verify(tmp_path, *words[2:], "--format", "json")
    assert again.returncode == 1
    assert finding["id"] in {each["id"] for each in json.loads(again.stdout)["findings"]}


@pytest.mark.slow
def test_the_gate_decides_on_the_exit_code(tmp_path: Path) -> None:
    write_project(tmp_path, '[candidate]\nenv = { MODE = "calls" }\n')
    gates = {gate: verify(tmp_path, "--fail-on", gate).returncode for gate in ("info", "breaking")}
    assert gates["info"] == 1
    severities = json.loads(verify(tmp_path, "--format", "json").stdout)["findings"]
    assert gates["breaking"] == (1 if any(each["severity"] == "breaking" for each in severities) else 0)


def test_a_side_that_does_not_start_leaves_with_3_and_its_last_words(tmp_path: Path) -> None:
    write_project(tmp_path, "[candidate]\ncommand = \"sh -c 'echo no luck; exit 5'\"\n")
    done = verify(tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("seamline: candidate exited with code 5 before it was ready")
    assert "  | no luck" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_side_that_dies_leaves_with_3(tmp_path: Path) -> None:
    write_project(tmp_path, '[candidate]\nenv = { MODE = "die" }\n')
    done = verify(tmp_path)
    assert done.returncode == 3
    assert "candidate exited with code 9 during the replay" in done.stderr


def test_a_budget_that_is_over_leaves_with_3_and_a_report(tmp_path: Path) -> None:
    write_project(tmp_path)
    done = verify(tmp_path, "--budget", "1ms", "--format", "json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["verdict"] == "inconclusive"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_everything_down(tmp_path: Path, number: int) -> None:
    write_project(tmp_path, '[candidate]\nenv = { MODE = "slow" }\n')
    write_requests(tmp_path / "quotes.seam", ["/stock"] * 500)
    command = [sys.executable, "-m", "seamline.cli", "verify"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        while len(marked(tmp_path)) < 3 and process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.send_signal(number)
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(30) == 3
    assert said == "seamline: interrupted: nothing was judged\n"
    assert marked(tmp_path) == []


def marked(folder: Path) -> list[int]:
    """The services of this test that are alive: by their script and the folder they run in."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"service.py" in words and (place / "cwd").readlink() == folder:
                found.append(int(place.name))
        except OSError:
            continue  # it has gone meanwhile
    return found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--config", "none.toml"], "none.toml: no such file"),
        (["--budget", "soon"], '--budget: "soon" is not a time'),
        (["--capture", "none.seam"], "none.seam"),
        (["--repeats", "1"], "--repeats"),
        (["--fail-on", "error"], "--fail-on"),
        (["--only", "nope"], "no such inbound exchange"),
        (["-o", "."], "is a directory"),
    ],
)
def test_a_mistake_leaves_with_2_and_one_line(
    tmp_path: Path, options: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["verify", *options]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_a_configuration_without_a_capture_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seamline.toml").write_text('[service]\nname = "x"\n')
    monkeypatch.chdir(tmp_path)
    assert run(["verify"]) == 2
    assert "no capture to verify with" in capsys.readouterr().err
