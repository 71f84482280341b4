"""The sanitizing rules that a command reads."""

from pathlib import Path

import pytest

from seamline.capture.errors import UsageError
from seamline.capture.sanitize.rules import Rules
from seamline.cli.rules import read_rules


def test_no_file_is_the_built_in_rules() -> None:
    assert read_rules(None) == Rules()


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sanitize.toml"
    path.write_text("", encoding="utf-8")
    assert read_rules(path) == Rules()


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"nonsense = ["])
def test_what_is_wrong_is_said_with_the_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sanitize.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"sanitize\.toml"):
        read_rules(path)
