from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.splice import Spans, spliced


def test_edits_are_put_in() -> None:
    assert spliced("hello world", [(0, 5, "bye"), (6, 11, "moon")]) == "bye moon"


def test_without_edits_the_text_is_the_same_object() -> None:
    text = "".join(["a", "b"])
    assert spliced(text, []) is text


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_claimed_stretches_never_meet(stretches: list[tuple[int, int]]) -> None:
    spans, claimed = Spans(), []
    for start, end in stretches:
        free = start < end and all(end <= a or b <= start for a, b in claimed)
        assert spans.claim(start, end) is free
        if free:
            claimed.append((start, end))
