"""When a message is done."""

import pytest

from seamline.replay.delivery import QUIET_US, SETTLED_US, Delivery
from seamline.replay.effects import NONE, Effects

DEADLINE, HARD = 5_000_000, 10_000_000


def delivered(effects: Effects = NONE, *, acks_late: bool = False) -> Delivery:
    delivery = Delivery(effects, DEADLINE, HARD, acks_late=acks_late)
    assert delivery.due_us == DEADLINE
    delivery.consumed(1000)
    return delivery


def test_until_it_is_acknowledged_it_is_awaited() -> None:
    delivery = delivered()
    assert delivery.due_us == 1000 + HARD
    delivery.answered(2000, is_acked=True)
    assert delivery.due_us == 2000 + SETTLED_US


def test_a_call_keeps_it_open_and_its_end_gives_it_a_moment() -> None:
    delivery = delivered()
    delivery.answered(2000, is_acked=True)
    delivery.call_begun("c", 3000)
    assert delivery.due_us == 1000 + HARD
    delivery.call_ended("c", 9000)
    delivery.call_ended("another's", 9500)
    assert delivery.due_us == 9500 + SETTLED_US


def test_without_an_acknowledgement_quiet_decides() -> None:
    delivery = delivered()
    delivery.answered(1000, is_acked=False)
    assert delivery.due_us == 1000 + QUIET_US


def test_as_many_calls_as_before_are_enough_fewer_take_twice_as_long() -> None:
    delivery = delivered(Effects(2, 700_000))
    delivery.answered(1000, is_acked=False)
    delivery.call_begun("a", 2000)
    delivery.call_ended("a", 3000)
    assert delivery.due_us == 1000 + 1_400_000 + QUIET_US
    delivery.call_begun("b", 4000)
    delivery.call_ended("b", 5000)
    assert delivery.due_us == 5000 + SETTLED_US


def test_where_acknowledgements_come_late_nobody_waits_for_them() -> None:
    assert delivered(acks_late=True).due_us == 1000 + QUIET_US


@pytest.mark.parametrize("is_acked", [True, False])
def test_it_is_over_in_any_case(is_acked: bool) -> None:
    delivery = delivered(Effects(1, 60_000_000))
    delivery.answered(HARD, is_acked=is_acked)
    assert delivery.due_us <= 1000 + HARD
    delivery.consumed(99_000_000)
    assert delivery.consumed_us == 1000
