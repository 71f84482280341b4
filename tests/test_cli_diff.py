"""`seamline diff`: two captures in, a report and an exit code out."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Losses, Manifest, Request, Response, Role
from seamline.capture.store.writer import CaptureWriter
from seamline.cli.diff import reproduce_template
from seamline.cli.main import run
from seamline.diffing.report.stored import parse_report
from seamline.diffing.rounds import Run


def manifest(capture_id: str, replayed: str | None = None) -> Manifest:
    return Manifest(capture_id, 1_700_000_000_000_000, "seamline test", "tap", "orders", replayed=replayed)


def exchange(number: int, body: object, *, run_of: str | None = None) -> Exchange:
    headers = Headers([("Content-Type", "application/json")])
    return Exchange(
        id=f"{'r' if run_of else 'x'}-{number}",
        seq=number,
        role=Role.INBOUND,
        protocol="http",
        service="orders",
        session="s-1",
        started_us=1_700_000_000_000_000 + number * 10_000,
        latency_us=2_000,
        request=Request("GET", f"/orders/{number}", Headers([("Host", "127.0.0.1")])),
        response=Response(200, headers, json.dumps(body).encode()),
        origin=f"{run_of}-{number}" if run_of else None,
    )


def write(path: Path, made: Manifest, exchanges: Sequence[Exchange], *, close: bool = True) -> Path:
    writer = CaptureWriter(path, made)
    for one in exchanges:
        writer.write(one)
    writer.flush()
    if close:
        writer.close(Losses())
    return path


def bodies(total: object, count: int = 12) -> list[dict[str, object]]:
    return [{"id": number, "total": total, "status": "paid"} for number in range(count)]


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A recording, a run of it that is equal, and a run in which `total` has become text."""
    recorded = [exchange(n, body) for n, body in enumerate(bodies(1299))]
    equal = [exchange(n, body, run_of="x") for n, body in enumerate(bodies(1299))]
    changed = [exchange(n, body, run_of="x") for n, body in enumerate(bodies("1299"))]
    return (
        write(tmp_path / "orders.seam", manifest("c-1"), recorded),
        write(tmp_path / "same.seam", manifest("c-2", "c-1"), equal),
        write(tmp_path / "changed.seam", manifest("c-3", "c-1"), changed),
    )


def test_equal_captures_are_exit_0(sides: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", str(sides[0]), str(sides[1])]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("SAME  0 breaking, 0 warning, 0 info — ")
    assert captured.err == ""


def test_a_changed_type_is_exit_1_and_says_where(
    sides: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", str(sides[0]), str(sides[2]), "--format", "json"]) == 1
    report = parse_report(capsys.readouterr().out)
    (finding,) = report.findings
    assert (finding.surface.value, finding.kind, finding.severity.word) == ("response", "type_changed", "breaking")
    assert (finding.endpoint, finding.path) == ("GET /orders/{id}", "$.total")
    assert (finding.before, finding.after) == (1299, "1299")
    assert set(finding.exchanges) <= {f"x-{number}" for number in range(12)}
    assert finding.reproduce == (
        f"""seamline replay {sides[0]} --where 'id == "{finding.exchanges[0]}"' --target URL -o again.seam"""
    )


def test_two_runs_of_one_capture_compare_too(
    sides: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", str(sides[1]), str(sides[2])]) == 1
    assert "response.type_changed" in capsys.readouterr().out


def test_noise_is_one_more_capture(sides: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        ["diff", str(sides[0]), str(sides[2]), "--noise", str(sides[1]), "--noise", str(sides[0]), "--seed", "3"]
    )
    assert code == 1
    assert capsys.readouterr().out.startswith("DIVERGED")


def test_the_gate_reaches_judge_and_junit(
    sides: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "junit.xml"
    assert (
        run(["diff", str(sides[0]), str(sides[2]), "--fail-on", "breaking", "--format", "junit", "-o", str(out)]) == 1
    )
    assert capsys.readouterr().out == ""
    assert ET.parse(out).getroot().get("failures") == "1"


def test_a_capture_that_was_not_closed_is_said_and_never_a_silent_pass(
    sides: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = write(
        tmp_path / "killed.seam",
        manifest("c-4", "c-1"),
        [exchange(n, body, run_of="x") for n, body in enumerate(bodies(1299))],
        close=False,
    )
    assert run(["diff", str(sides[0]), str(killed), "--format", "json"]) in (0, 3)
    captured = capsys.readouterr()
    assert "killed.seam: was not closed; 12 exchanges" in captured.err
    report = parse_report(captured.out)
    assert report.reason or report.coverage.unverified
    assert run(["diff", str(sides[0]), str(killed), "--quiet"]) in (0, 3)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [[], ["one.seam"], ["one.seam", "two.seam", "--fail-on", "never"]])
def test_wrong_arguments_are_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_what_is_no_capture_is_exit_2(
    sides: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("not a capture")
    assert run(["diff", str(sides[0]), str(other)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "other.txt" in captured.err
    assert captured.err.count("\n") == 1


def test_the_output_is_checked_before_the_work(
    sides: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", str(sides[0]), str(sides[2]), "-o", str(tmp_path)]) == 2
    assert "is a directory" in capsys.readouterr().err


def test_the_command_names_the_capture_whose_ids_a_finding_has() -> None:
    recording, replay = Run(manifest("c-1"), ()), Run(manifest("c-2", "c-1"), ())
    other = Run(replace(replay.manifest, capture_id="c-3"), ())
    path = Path("my captures/orders.seam")
    assert reproduce_template(recording, replay, path).startswith("seamline replay 'my captures/orders.seam' --where ")
    assert reproduce_template(replay, other, path).startswith("seamline replay CAPTURE --where ")
    assert "{id}" in reproduce_template(recording, replay, path)
