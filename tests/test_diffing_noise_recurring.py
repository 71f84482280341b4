"""Whether what was seen is all there is."""

from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.noise.recurring import MAX_CHOICES, MIN_SEEN, Recurring


def seen(things: list[tuple[object, int, int]]) -> Recurring:
    made = Recurring()
    for thing, request, run in things:
        made.add(thing, f"c-{request}", run)  # type: ignore[arg-type]  # the tests' things are hashable
    return made


def test_things_that_come_back_are_all_there_are() -> None:
    found = seen([(f"v{(request + run) % 3}", request, run) for request in range(20) for run in range(3)])
    assert found.is_closed()
    assert not found.is_closed(2)
    assert "v0" in found
    assert "v9" not in found
    assert len(found) == 3


def test_what_each_process_says_for_itself_does_not_come_back() -> None:
    assert not seen([(f"pod-{run}", request, run) for request in range(40) for run in range(3)]).is_closed()


def test_what_each_request_is_told_does_not_come_back() -> None:
    assert not seen([(f"order {request}", request, run) for request in range(40) for run in range(3)]).is_closed()


def test_too_few_sights_say_nothing() -> None:
    few = [("x", request, request % 2) for request in range(MIN_SEEN - 1)]
    assert not seen(few).is_closed()
    assert seen([*few, ("x", MIN_SEEN, 0)]).is_closed()
    assert not Recurring().is_closed()


def test_a_few_singles_mean_that_there_may_be_more() -> None:
    many = [("x", request, request % 2) for request in range(100)]
    assert not seen([*many, ("once", 100, 0)]).is_closed()


def test_more_than_can_be_kept_is_never_closed() -> None:
    found = seen([(number, request, request) for number in range(MAX_CHOICES + 1) for request in range(2)])
    assert found.is_cut
    assert not found.is_closed()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 2)), max_size=80))
def test_nothing_that_is_closed_has_more_than_a_few_singles(things: list[tuple[int, int, int]]) -> None:
    ordered = sorted(things, key=lambda one: one[1])
    found = seen(list(ordered))
    alone = [
        value
        for value in {one[0] for one in things}
        if len({request for thing, request, _ in things if thing == value}) < 2
        or len({run for thing, _, run in things if thing == value}) < 2
    ]
    assert not (alone and found.is_closed() and found.total < 200)
