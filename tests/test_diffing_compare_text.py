"""Texts that are no JSON."""

from seamline.diffing.compare.scalars import Clocks
from seamline.diffing.compare.text import compare_text, first_difference


def test_the_first_line_that_differs_is_the_example() -> None:
    one = compare_text("<p>a</p>\n<p>b</p>\n", "<p>a</p>\n<p>c</p>\n", Clocks())
    assert one is not None
    assert (one.kind, one.path, one.before, one.after) == ("value_changed", "$", "<p>b</p>", "<p>c</p>")


def test_generated_parts_alone_are_tokens() -> None:
    one = compare_text("at 0x7f01\nok", "at 0x7f02\nok", Clocks())
    assert one is not None
    assert one.trait == "tokens"


def test_equal_and_shorter_texts() -> None:
    assert compare_text("a", "a", Clocks()) is None
    assert first_difference("a\nb", "a") == ("b", "")
    assert first_difference("a", "a") == ("", "")
