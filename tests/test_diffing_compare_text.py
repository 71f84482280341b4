"""Texts that are no JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare.scalars import Clocks
from seamline.diffing.compare.text import LINES, compare_lines, compare_text, first_difference


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


METRICS = """# TYPE hits counter
hits{code="200"} 17
hits{code="500"} 1
up 1
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (METRICS, METRICS.replace("17", "18"), [("value_changed", "$.hits")]),
        ("Name: Ada\nTotal: 12\n", "Name: Ada\nTotal: 12.0\n", [("numeric_repr", "$.Total")]),
        ("a\nb\nc", "a\nx\nc", [("value_changed", LINES)]),
        ("a\nb\nc", "a\nc", [("multiset_changed", "$")]),
        ("b\nc", "a\nb\nc", [("multiset_changed", "$")]),
        ("a\nb\nc", "c\nb\na", [("order_changed", "$")]),
        ("id 7\nb", "id 8\nb", [("value_changed", "$.id")]),
        ("one line", "another line", [("value_changed", "$")]),
    ],
)
def test_a_changed_line_is_named_and_the_others_are_not(
    before: str, after: str, expected: list[tuple[str, str]]
) -> None:
    assert [(one.kind, one.path) for one in compare_lines(before, after, Clocks())] == expected


def test_a_time_in_a_line_is_a_token_and_the_words_beside_it_are_not() -> None:
    log = "12:00:01 start pid=17\n12:00:02 done\n"
    assert [one.trait for one in compare_lines(log, log.replace("12:00", "13:10"), Clocks())] == ["tokens"]
    assert [one.trait for one in compare_lines(log, log.replace("done", "failed"), Clocks())] == [""]


def test_many_lines_are_compared_in_one_pass_and_few_differences_kept() -> None:
    before = "\n".join(f"row {number} x" for number in range(19_000))
    after = "\n".join(f"row {number} y" for number in range(18_999, -1, -1))
    assert {one.kind for one in compare_lines(before, after, Clocks())} <= {"value_changed", "order_changed"}


@given(st.text("ab1:\n ", max_size=30), st.text("ab1:\n ", max_size=30))
def test_equal_texts_and_only_they_have_no_difference(before: str, after: str) -> None:
    assert bool(compare_lines(before, after, Clocks())) == (before != after)
