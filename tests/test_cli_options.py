"""Shared options and where output goes."""

from pathlib import Path

import pytest

from seamline.cli.options import message_console, write_output


@pytest.mark.parametrize("output", [None, Path("-")])
def test_data_goes_to_standard_output(output: Path | None, capsys: pytest.CaptureFixture[str]) -> None:
    write_output("data\n", output)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("data\n", "")


def test_data_goes_to_a_file_and_its_folder_is_made(tmp_path: Path) -> None:
    write_output("dåta\n", tmp_path / "a" / "b.txt")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "dåta\n"


def test_messages_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    message_console().print("hello")
    message_console(quiet=True).print("silence")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "hello\n"
