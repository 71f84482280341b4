"""Calls on their connections."""

from seamline.capture.linking.asked import Asked, Lines
from seamline.capture.linking.causes import Cause


def a_call(name: str, at_us: int, ended_us: int | None = None) -> Asked:
    asked = Asked(name, at_us, "db", "op")
    asked.ended_us = ended_us
    return asked


def test_neighbours_on_a_connection_know_each_other() -> None:
    lines = Lines()
    first, second, third, elsewhere = a_call("1", 0, 10), a_call("2", 25), a_call("3", 30), a_call("4", 30)
    for asked, connection in ((first, "db/c-1"), (second, "db/c-1"), (third, "db/c-1"), (elsewhere, "db/c-2")):
        lines.place(asked, connection, None)
    assert (second.before, first.after, second.after) == (first, second, third)
    assert (second.gap_us, third.gap_us) == (15, -1), "the third did not wait for the second"
    assert elsewhere.before is None


def test_only_the_first_call_asks_when_its_connection_was_opened() -> None:
    lines = Lines()
    lines.of("db/c-1").opened_us = 7
    assert lines.place(a_call("1", 10), "db/c-1", None).opened_us == 7
    assert lines.place(a_call("2", 20), "db/c-1", None).opened_us is None


def test_a_lane_is_one_connections() -> None:
    lines = Lines()
    calls = [a_call(str(number), number) for number in range(4)]
    for asked, connection, lane in zip(calls, ("a", "a", "b", "a"), ("t", "t", "t", None), strict=True):
        lines.place(asked, connection, lane)
    assert calls[0].lane is calls[1].lane
    assert calls[2].lane is not calls[0].lane
    assert calls[3].lane is None
    assert calls[0].lane is not None
    assert calls[0].lane.calls == calls[:2]


def test_memory_is_bounded() -> None:
    lines = Lines()
    for number in range(200):
        line = lines.place(a_call(str(number), number), "a", f"t{number}")
    assert len(line.lanes) == 64
    for number in range(300):
        lines.place(a_call(str(number), number), "b", "t")
    lane = lines.of("b").lanes["t"]
    assert len(lane.calls) == 64


def test_the_best_cause_has_the_largest_share() -> None:
    asked, some, other = a_call("1", 0), Cause("a", 0, (), None, ""), Cause("b", 0, (), None, "")
    assert asked.best is None
    asked.shares = {some: 0.3, other: 0.6}
    assert asked.best is other
