"""Text made fit to be shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.text import printable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain ü 漢", "plain ü 漢"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\x07", "bell\\x07"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("carriage\rreturn", "carriage\\x0dreturn"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
    ],
)
def test_table(raw: str, shown: str) -> None:
    assert printable(raw) == shown


def test_a_cut_is_counted() -> None:
    assert printable("abcdef", 4) == "abcd… (+2)"
    assert printable("abcd", 4) == "abcd"


@given(st.text(st.characters(codec=None)))
def test_no_control_or_format_character_survives(text: str) -> None:
    left = {unicodedata.category(char) for char in printable(text) if char not in "\t\n"}
    assert "Cc" not in left
    assert "Cs" not in left
    printable(text).encode("utf-8")
