"""Errors: one line that says what, where and how to mend it; the exit code goes with the blame."""

from pathlib import Path

import pytest

from seamline.capture.errors import CouldNotCheck, DamagedCapture, NewerCapture, SeamlineError, UsageError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (DamagedCapture(Path("a.seam"), 17, "checksum"), 2),
        (NewerCapture(Path("a.seam"), 9, 1), 2),
        (CouldNotCheck("x"), 3),
    ],
)
def test_exit_codes_follow_the_contract(error: SeamlineError, code: int) -> None:
    assert error.exit_code == code
    assert "\n" not in str(error)


def test_damage_names_file_offset_and_the_way_out() -> None:
    text = str(DamagedCapture(Path("a.seam"), 17, "checksum"))
    assert "a.seam" in text
    assert "byte 17" in text
    assert "capture repair" in text


def test_hint_stands_behind_the_message() -> None:
    assert str(UsageError("no such file: x", "check the path")) == "no such file: x (check the path)"
    assert str(UsageError("no such file: x")) == "no such file: x"
