"""Where a request's time went: the parts add up, whatever overlaps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.latency.parts import MAX_CALLS, TimeParts, divide, no_parts
from seamline.diffing.outbound import CallIndex
from support.traffic import Call, Turn, a_run, exchange


def parts(takes_us: int, *calls: tuple[str, int, int]) -> dict[str, int]:
    """The parts of a request with calls (service, start, duration)."""
    turn = Turn(takes_us=takes_us)
    asked = exchange(turn, 0, "a")
    made = [Call(name, "GET", "/", at_us=at, takes_us=takes) for name, at, takes in calls]
    return divide(asked, [one.exchange(asked, place) for place, one in enumerate(made)])


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ((), {"": 1000}),
        ((("db", 100, 300),), {"": 700, "db": 300}),
        ((("db", 100, 300), ("db", 500, 100)), {"": 600, "db": 400}),
        ((("db", 100, 300), ("db", 200, 300)), {"": 600, "db": 400}),  # overlap counts once
        ((("pricing", 100, 500), ("rates", 200, 300)), {"": 500, "pricing": 200, "rates": 300}),  # an inner hop's own
        ((("db", 900, 500),), {"": 900, "db": 100}),  # outlasts the answer
        ((("db", 1500, 500),), {"": 1000}),  # begins after it
        ((("db", 0, 1000),), {"": 0, "db": 1000}),
    ],
)
def test_a_moment_belongs_to_the_call_that_began_last(
    calls: tuple[tuple[str, int, int], ...], expected: dict[str, int]
) -> None:
    assert parts(1000, *calls) == expected


CALL = st.tuples(st.sampled_from("abc"), st.integers(-50, 1200), st.integers(0, 800))


@given(st.integers(0, 1000), st.lists(CALL, max_size=12))
def test_the_parts_add_up(takes_us: int, calls: list[tuple[str, int, int]]) -> None:
    found = parts(takes_us, *sorted(calls, key=lambda one: one[1]))
    assert sum(found.values()) == takes_us
    assert min(found.values()) >= 0


def test_thousands_of_calls_are_not_divided() -> None:
    asked = exchange(Turn(), 0, "a")
    assert divide(asked, [Call("db", "GET", "/").exchange(asked, 0)] * (MAX_CALLS + 1)) == {}


def test_runs_without_calls_have_no_parts() -> None:
    seen = a_run([Turn(calls=[Call("db", "GET", "/")])], "a")
    unseen = a_run([Turn()], "b")
    times = TimeParts((one.exchanges, CallIndex(one.exchanges)) for one in (seen, unseen))
    assert times.of("a-0") == {"": 1_900, "db": 100}
    assert times.of("b-0") == times.of("nobody") == no_parts("x") == {}
