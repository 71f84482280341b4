"""From a report to the user: exit codes, early complaints, colour only for a terminal."""

import io
import json
import sys
from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.cli.rendering import EXIT_CODES, check_output, severity, write_report
from seamline.diffing.report.model import Severity, Verdict
from support.reports import full_report


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_verdict_has_the_contracts_exit_code() -> None:
    assert EXIT_CODES == {Verdict.SAME: 0, Verdict.DIVERGED: 1, Verdict.INCONCLUSIVE: 3}


def test_a_severity_by_its_word() -> None:
    assert [severity(one.word) for one in Severity] == list(Severity)


def test_an_output_that_can_be_written_is_fine(tmp_path: Path) -> None:
    for output in (None, Path("-"), tmp_path / "new.json", tmp_path / "a" / "b" / "new.json"):
        check_output(output)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_said_early(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="is a directory"):
        check_output(tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        check_output(file / "below.json")


def test_a_terminal_gets_colour_unless_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def shown(no_color: bool = False) -> str:
        monkeypatch.setattr(sys, "stdout", Terminal())
        write_report(full_report(), "text", None, no_color=no_color)
        assert isinstance(sys.stdout, Terminal)
        return sys.stdout.getvalue()

    assert "\x1b[" in shown()
    assert "\x1b" not in shown(no_color=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown()


def test_a_pipe_and_a_file_get_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(full_report(), "text", None)
    assert "\x1b" not in capsys.readouterr().out
    write_report(full_report(), "json", tmp_path / "sub" / "report.json")
    assert json.loads((tmp_path / "sub" / "report.json").read_text(encoding="utf-8"))["verdict"] == "diverged"
    assert capsys.readouterr().out == ""
