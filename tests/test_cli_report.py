"""`seamline report`: what was stored, shown again."""

import io
import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from seamline.cli.main import run
from seamline.diffing.report.formats import FORMATS, render
from seamline.diffing.report.stored import MAX_CHARS
from support.reports import full_report, hostile_report, inconclusive_report


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(render("json", full_report()), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_comes_out_as_if_it_were_fresh(name: str, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(stored), "--format", name]) == 0
    assert capsys.readouterr().out == render(name, full_report())


def test_it_leaves_with_0_whatever_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    path.write_text(render("json", inconclusive_report()), encoding="utf-8")
    assert run(["report", str(path)]) == 0
    assert capsys.readouterr().out.startswith("INCONCLUSIVE")


def test_it_writes_where_it_is_told(stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "new" / "page.html"
    assert run(["report", str(stored), "--format", "html", "-o", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().out == ""


def test_the_gate_says_what_fails_in_junit(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = []
    for gate in ("info", "breaking"):
        assert run(["report", str(stored), "--format", "junit", "--fail-on", gate]) == 0
        failed.append(int(ET.fromstring(capsys.readouterr().out.encode()).get("failures", "")))
    assert failed == [6, 4]


def test_standard_input_is_a_file_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO(render("json", hostile_report()).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
    assert run(["report", "-"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("DIVERGED")
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"{}", "$.format is missing"),
        (b'{"format": 7}', "$.format is 7, this Seamline reads 1"),
        (b"\x89SEAM\r\n\xff", "not a JSON report"),
        (b'{"format": 1, "verdict": "\x1b[2J"}', "not JSON"),
        (b'{"format": 1, "verdict": "\\u001b[2J"}', "$.verdict"),
        (b"[" * 200_000, "nested deeper"),
    ],
)
def test_what_is_no_report_is_one_line_and_exit_2(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    assert run(["report", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert str(path) in captured.err
    assert captured.err.count("\n") == 1
    assert "\x1b" not in captured.err


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    with path.open("wb") as file:
        file.truncate(MAX_CHARS * 4 + 2)
    assert run(["report", str(path)]) == 2
    assert "too long for a report" in capsys.readouterr().err


def test_a_missing_file_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_the_output_is_checked_before_the_report_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path / "none.json"), "-o", str(tmp_path)]) == 2
    assert "is a directory" in capsys.readouterr().err


def test_a_stored_report_stored_again_is_the_same(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(stored), "--format", "json"]) == 0
    again = capsys.readouterr().out
    assert json.loads(again) == json.loads(stored.read_text(encoding="utf-8"))
