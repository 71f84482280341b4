from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.sanitize.remembered import Remembered


def test_an_answer_is_remembered() -> None:
    memory: Remembered[str, int] = Remembered(10_000)
    memory.put("a", 1, 10)
    assert (memory.get("a"), memory.get("b")) == (1, None)
    memory.clear()
    assert (memory.get("a"), memory.size) == (None, 0)


def test_the_least_recently_used_goes_first() -> None:
    memory: Remembered[str, int] = Remembered(10_000)
    for key in "abcdefghij":
        memory.put(key, 1, 500)
    memory.get("a")
    memory.put("k", 1, 500)
    memory.put("l", 1, 500)
    assert memory.get("a") == 1
    assert memory.get("b") is None


def test_what_would_take_too_much_room_is_not_kept() -> None:
    memory: Remembered[str, int] = Remembered(10_000)
    memory.put("a", 1, 5_000)
    assert memory.get("a") is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 2_000))))
def test_the_bound_holds(puts: list[tuple[int, int]]) -> None:
    memory: Remembered[int, int] = Remembered(20_000)
    for key, size in puts:
        memory.put(key, key, size)
        assert memory.size <= 20_000
