"""The door: words, errors in one line, exit codes."""

import pytest

from seamline.cli import main
from seamline.cli.main import COMMANDS, run


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"seamline {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["record", "--nonsense"], ["diff"], ["replay"]])
def test_a_mistake_is_exit_2_and_no_traceback(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("seamline: ")
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "inspect", "no-such.seam"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no-such.seam" in error


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert "seamline" in capsys.readouterr().out


def test_a_mistake_of_ours_is_no_verdict(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An uncaught exception would end with exit code 1, which says "diverged"."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError("secret@example.com")

    monkeypatch.setattr(main.root, "main", broken)
    assert run(["diff"]) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "ValueError at test_cli_main.py:" in error
    assert "secret" not in error
