"""deepdiff's account: for people, bounded, and never a decision."""

from seamline.diffing.explain import MAX_BYTES, MAX_LINE, MAX_LINES, explain


def test_a_changed_value_is_told_in_words() -> None:
    (line,) = explain({"total": 1}, {"total": "1"}, 20)
    assert "total" in line


def test_equal_values_need_no_words() -> None:
    assert explain({"a": [1, 2]}, {"a": [1, 2]}, 20) == ()


def test_many_changes_are_cut_and_counted() -> None:
    before, after = {str(n): n for n in range(20)}, {str(n): n + 1 for n in range(20)}
    lines = explain(before, after, 200)
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == f"and {20 - MAX_LINES} more"


def test_large_and_deep_values_are_left_alone() -> None:
    deep: object = 1
    for _ in range(60):
        deep = [deep]
    assert explain({"a": 1}, {"a": 2}, MAX_BYTES + 1) == ()
    assert explain(deep, 1, 100) == ()  # type: ignore[arg-type]  # a tower of lists


def test_a_long_line_is_cut() -> None:
    (line,) = explain({"a": "x" * 500}, {"a": "y" * 500}, 1000)
    assert len(line) == MAX_LINE + 1
