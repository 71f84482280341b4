"""Habits, learned from counts."""

from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.linking.habits import Habits


def test_an_endpoint_that_makes_a_call_is_likelier_than_one_that_never_did() -> None:
    habits = Habits()
    assert habits.next_call("a", "op", 0) == habits.next_call("b", "op", 0)
    for _ in range(20):
        habits.exposed("a", 1.0)
        habits.exposed("b", 1.0)
        habits.called("a", "op", 1.0)
        habits.ended("a", {"op": 1})
    assert habits.next_call("a", "op", 0) > habits.next_call("b", "op", 0) + 2
    assert habits.next_call("a", "op", 1) < habits.next_call("a", "op", 0) - 2, "it was never made twice"


def test_a_call_that_is_made_again_and_again_may_be_made_once_more() -> None:
    habits = Habits()
    for _ in range(20):
        habits.exposed("a", 1.0)
        habits.called("a", "op", 1.0)
        habits.ended("a", {"op": 9})
    for made in (0, 1, 3, 8):
        assert habits.next_call("a", "op", made) > -0.2


def test_a_request_that_takes_long_is_not_taken_for_the_cause_because_it_is_always_there() -> None:
    habits = Habits()
    for _ in range(50):
        habits.exposed("long", 0.9)
        habits.exposed("short", 0.1)
        habits.called("long", "op", 0.6)
        habits.called("short", "op", 0.4)
    assert habits.next_call("short", "op", 0) > habits.next_call("long", "op", 0) + 1


def test_a_connection_stays_with_its_cause_or_does_not() -> None:
    habits = Habits()
    assert habits.stays("db", 10) == 0.5
    for _ in range(50):
        habits.followed("db", 10, same=True)
        habits.followed("db", 30_000, same=False)
        habits.followed("db", -1, same=False)
    assert habits.stays("db", 500) > 0.9
    assert habits.stays("db", 100_000) < 0.1
    assert habits.stays("db", -1) < 0.1
    assert habits.stays("cache", 10) == 0.5


def test_values_are_trusted_once_they_have_come_from_requests() -> None:
    habits = Habits()
    assert (habits.trust("op"), habits.chance("op")) == (0.0, 0.0)
    for number in range(100):
        habits.told("good", held=True, others=0, possible=50)
        habits.told("bad", held=number % 2 == 0, others=10, possible=50)
    assert habits.trust("good") == 4.0
    assert habits.trust("bad") < 1
    assert (habits.chance("good"), round(habits.chance("bad"), 2)) == (0.0, 0.2)


def test_a_constant_is_a_stray() -> None:
    habits = Habits()
    for number in range(10):
        habits.seen("op", None)
        habits.stray("shipped")
        habits.stray(f"v{number}")
    assert habits.strays("shipped") > 0.8
    assert habits.strays("v3") < 0.1
    for number in range(10_000):
        habits.stray(f"w{number}")
    assert habits.strays("v3") == 0.0, "the table is bounded"


def test_what_happens_at_the_same_rate_when_nobody_asks_is_nobodys() -> None:
    habits = Habits()
    for _ in range(100):
        habits.passed(100_000, 0)
        habits.seen("poll", None)
        habits.seen("select", None)
        habits.passed(0, 120_000)
        habits.seen("poll", 60_000)
    habits.seen("select", 10_000)
    assert habits.unprompted("poll") > 0.8
    assert habits.unprompted("select") == 0.0, "a moment after an answer is no silence"
    assert habits.unprompted("?") == 0.0


def test_an_untraced_call_among_traced_ones_is_a_stray() -> None:
    habits = Habits()
    for _ in range(40):
        habits.traced("db", traced=True)
        habits.traced("cache", traced=False)
    assert habits.strays_untraced("db") == 0.9
    assert habits.strays_untraced("cache") == habits.strays_untraced("?") == 0.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 6)), max_size=60))
def test_likelihoods_are_likelihoods(steps: list[tuple[str, str, int]]) -> None:
    habits = Habits()
    for endpoint, operation, count in steps:
        habits.called(endpoint, operation, min(count, 1))
        habits.ended(endpoint, {operation: count})
        habits.told(operation, held=count > 2, others=count, possible=10)
        habits.followed(operation, count * 1000, same=count > 2)
        habits.seen(operation, count * 10_000 or None)
        habits.exposed(endpoint, count / 6)
        assert isfinite(habits.next_call(endpoint, operation, count))
        assert 0.0 <= habits.trust(operation) <= 4.0
        assert 0.0 < habits.stays(operation, count * 1000) < 1.0
        assert 0.0 <= habits.unprompted(operation) < 1.0
