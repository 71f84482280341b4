"""Inbound exchanges that can be causes: found, read late, forgotten in time."""

from collections.abc import Iterator

from seamline.capture.linking.causes import MOST_SHARING, MOST_WITH_VALUES, Cause, Causes


def a_cause(name: str, at_us: int = 0, traces: tuple[str, ...] = (), lane: str | None = None) -> Cause:
    return Cause(name, at_us, traces, lane, "GET /")


def some(*causes: Cause, grace_us: int = 100, most: int = 100) -> Causes:
    made = Causes(grace_us, most)
    for cause in causes:
        made.add(cause)
    return made


def test_it_is_found_by_trace_and_lane_until_its_grace_is_over() -> None:
    cause = a_cause("a", 10, ("t",), "l")
    causes = some(cause, a_cause("b", 11))
    assert causes.traced
    assert (causes.by_trace("t", 20, 9), causes.by_lane("l", 20, 9)) == ([cause], [cause])
    assert (causes.by_trace("t", 5, 9), causes.by_trace("?", 20, 9)) == ([], [])
    causes.close("a", 30)
    assert causes.by_trace("t", 130, 9) == [cause]
    assert causes.by_trace("t", 131, 9) == []
    causes.close("b", 200)
    assert not causes.traced


def test_open_ones_shut_out_closed_ones() -> None:
    first, second = a_cause("a", 10, ("t",)), a_cause("b", 12, ("t",))
    causes = some(first, second)
    assert causes.by_trace("t", 20, 9) == [second, first]
    assert causes.by_trace("t", 20, 1) == [second]
    causes.close("a", 21)
    assert causes.by_trace("t", 30, 9) == [second]
    assert causes.by_trace("t", 20, 9) == [second, first], "it was open then"


def test_the_latest_event_is_at_the_end() -> None:
    first, second = a_cause("a"), a_cause("b")
    causes = some(first, second)
    causes.touch(first, 50)
    assert list(causes.open) == ["b", "a"]
    assert first.last_us == 50
    causes.close("a", 60)
    causes.touch(first, 70)
    assert list(causes.open) == ["b"]


def test_the_late_and_the_just_closed_are_newest_first() -> None:
    causes = some(*(a_cause(f"c{n}", n) for n in range(5)))
    for n in range(5):
        causes.close(f"c{n}", 100 + n)
    assert [each.id for each in causes.late(150, 3)] == ["c4", "c3", "c2"]
    assert [each.id for each in causes.just_closed(103, 9)] == ["c4", "c3"]
    assert causes.has_just_closed(104)
    assert not causes.has_just_closed(105)
    assert not list(causes.just_closed(105, 9))
    assert causes.late(1000, 9) == []


def test_values_are_read_only_when_asked_for() -> None:
    read: list[str] = []

    def values() -> Iterator[str]:
        read.append("x")
        yield "17"

    cause = a_cause("a")
    causes = some(cause)
    causes.feed(cause, values())
    assert read == []
    causes.read()
    causes.read()
    assert read == ["x"]
    assert list(causes.holders["17"]) == [cause]


def test_what_nobody_asked_for_is_forgotten_at_the_end() -> None:
    cause = a_cause("a")
    causes = some(cause)
    causes.feed(cause, iter(("17",)))
    causes.close("a", 10)
    causes.read()
    assert causes.holders == {}


def test_memory_is_bounded() -> None:
    causes = Causes(1 << 60, 50)
    for number in range(MOST_WITH_VALUES + 200):
        cause = a_cause(f"c{number}", number, (f"t{number}",), "lane")
        causes.add(cause)
        causes.learn(cause, ("common", f"v{number}"))
        if number % 2:
            causes.close(cause.id, number)
    assert len(causes.open) <= 50
    assert causes.known == MOST_WITH_VALUES
    assert len(causes.holders["common"]) <= MOST_SHARING
    assert len(causes.holders) == MOST_WITH_VALUES + 1
    assert causes.by_trace("t0", 1 << 50, 9) == []


def test_one_cause_has_so_many_values_and_no_more() -> None:
    cause = a_cause("a")
    causes = some(cause)
    for start in range(0, 10_000, 50):
        causes.learn(cause, (str(number) for number in range(start, start + 50)))
    assert len(cause.values) == 2000
