from typing import Any

import pytest

from seamline.capture.model import Role
from seamline.capture.wire.redis.pubsub import (
    Subscriptions,
    confirmation,
    consumed,
    consumed_cut,
    is_delivery,
)
from seamline.capture.wire.redis.values import Cut


def test_a_subscription_is_confirmed_channel_by_channel() -> None:
    subscriptions = Subscriptions()
    assert not subscriptions.any
    assert not subscriptions.confirmed([b"SUBSCRIBE", b"a", b"b"], b"subscribe", 1)
    assert subscriptions.confirmed([b"SUBSCRIBE", b"a", b"b"], b"subscribe", 2)
    assert subscriptions.confirmed([b"PSUBSCRIBE", b"p"], b"psubscribe", 3)
    assert subscriptions.confirmed([b"SSUBSCRIBE", b"s"], b"ssubscribe", 1)
    assert subscriptions.any


def test_unsubscribing_from_all_is_confirmed_as_often_as_was_subscribed() -> None:
    subscriptions = Subscriptions()
    for total, channel in enumerate((b"a", b"b", b"c"), 1):
        assert subscriptions.confirmed([b"SUBSCRIBE", channel], b"subscribe", total)
    assert subscriptions.confirmed([b"PSUBSCRIBE", b"p"], b"psubscribe", 4)
    assert [subscriptions.confirmed([b"UNSUBSCRIBE"], b"unsubscribe", left) for left in (3, 2, 1)] == [
        False, False, True,
    ]  # fmt: skip
    assert subscriptions.confirmed([b"PUNSUBSCRIBE"], b"punsubscribe", 0)
    assert not subscriptions.any
    assert subscriptions.confirmed([b"UNSUBSCRIBE"], b"unsubscribe", 0)


@pytest.mark.parametrize(
    ("value", "delivery", "confirmed"),
    [
        ([b"message", b"ch", b"x"], True, None),
        ([b"pmessage", b"p*", b"ch", b"x"], True, None),
        ([b"smessage", b"ch", b"x"], True, None),
        ([b"message", b"ch"], False, None),
        ([b"subscribe", b"ch", 1], False, (b"subscribe", 1)),
        ([b"subscribe", b"ch", b"1"], False, None),
        ([b"pong", b""], False, None),
        ([], False, None),
        ([1, 2, 3], False, None),
    ],
)
def test_what_belongs_to_a_subscription(value: list[Any], delivery: bool, confirmed: object) -> None:
    assert is_delivery(value) is delivery
    assert confirmation(value) == confirmed


def test_a_message_is_an_inbound_call() -> None:
    call = consumed([b"pmessage", b"p*", b"pp", b"\xff"], 7)
    assert (call.role, call.method, call.target, call.operation, call.arguments, call.body, call.reason) == (
        Role.INBOUND, "CONSUME", "pp", "consume", '{"pattern":"p*"}', b"\xff", "unacknowledged",
    )  # fmt: skip
    assert consumed([b"message", b"ch", b"x"], 7).arguments == "{}"
    assert consumed([b"message", None, [1]], 7).body == b""


def test_a_message_that_was_cut() -> None:
    call = consumed_cut(Cut(9, "abc", "push"), 7)
    assert call.truncated
    assert call.headers.get("hash") == "abc"
