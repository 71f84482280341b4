"""Sequences by hash look-ups."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare.sequences import joined, order_of, trimmed


def test_ends_come_off() -> None:
    assert trimmed("abcd", "abxcd") == ([], [2])
    assert trimmed("abc", "abc") == ([], [])
    assert trimmed("aa", "aaa") == ([], [2])
    assert trimmed("", "a") == ([], [0])


def test_equal_keys_pair_up_in_their_order() -> None:
    assert joined("aba", "aab", [0, 1, 2], [5, 6, 7]) == [(0, 5), (1, 7), (2, 6)]
    assert joined("a", "b", [0], [0]) == []


def test_orders() -> None:
    assert [order_of(places) for places in ([], [1], [1, 2], [2, 1], [1, 3, 2])] == [
        "",
        "",
        "",
        "reversed",
        "reordered",
    ]


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_what_came_off_is_equal(before: str, after: str) -> None:
    left, right = trimmed(before, after)
    kept = [character for place, character in enumerate(before) if place not in left]
    assert kept == [character for place, character in enumerate(after) if place not in right]
