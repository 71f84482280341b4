"""What was delivered: whom it belongs to, how it ends, and that it stays bounded."""

import pytest

from seamline.capture.model import FailureKind
from seamline.capture.wire.call import Call
from seamline.capture.wire.kafka import consumed as module
from seamline.capture.wire.kafka.consumed import Consumed
from support.redis_nats import Events

HERE = ("orders", 0)


def delivered(consumed: Consumed, events: Events, *offsets: int) -> None:
    for offset in offsets:
        consumed.begin(HERE, offset, Call(1, "CONSUME", str(offset)), events, 1)


def ends(events: Events) -> list[tuple[str, str]]:
    return [(call.target, call.reason or str(call.failure and call.failure.kind)) for call in events.calls]


def test_the_connections_of_a_tap_share_one() -> None:
    class Tap(Events):
        shared: dict[str, object] = {}  # noqa: RUF012 - what all connections share is the point

    assert Consumed.of(Tap()) is Consumed.of(Tap())
    assert Consumed.of(Events()) is not Consumed.of(Events())


def test_a_commit_ends_what_is_below_it() -> None:
    consumed, events = Consumed(), Events()
    delivered(consumed, events, 1, 2, 3)
    consumed.commit(HERE, 3, 0, 9)
    consumed.commit(("elsewhere", 0), 99, 0, 9)
    assert ends(events) == [("1", "commit"), ("2", "commit")]


def test_only_without_a_group_is_the_next_fetch_an_end_and_only_of_its_own() -> None:
    consumed, one, other = Consumed(), Events(), Events()
    delivered(consumed, one, 1)
    delivered(consumed, other, 2)
    consumed.supersede(one, 9)
    assert (ends(one), ends(other)) == ([("1", "unacknowledged")], [])
    consumed.has_group = True
    consumed.supersede(other, 9)
    assert ends(other) == []
    consumed.lose(other, FailureKind.RESET, "gone", 9)
    assert ends(other) == [("2", "reset")]


def test_a_record_that_comes_again_ends_the_first() -> None:
    consumed, events = Consumed(), Events()
    delivered(consumed, events, 1, 1)
    assert (ends(events), len(events.open)) == ([("1", "unacknowledged")], 1)


def test_the_oldest_goes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 2)
    consumed, events = Consumed(), Events()
    delivered(consumed, events, 1, 2, 3)
    assert ends(events) == [("1", "unacknowledged")]
