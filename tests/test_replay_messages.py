"""Which consumed messages are produced again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Link, LinkKind, Request, Role, Withheld
from seamline.replay.messages import (
    DELIVERED_AGAIN,
    MESSAGE_CUT,
    PUBLISHED_BY_SERVICE,
    Bus,
    Deliveries,
    is_message,
    read_arguments,
    session_of,
    why_not_produced,
)
from seamline.replay.plan import WRITE_NOT_ALLOWED, MessageStep, make_plan, with_effects
from support.captures import an_exchange

BUSES = {"events": Bus("nats", True)}


def consumed(number: int = 0, target: str = "orders.new", body: bytes = b"{}", **changes: object) -> Exchange:
    arguments = changes.pop("arguments", {})
    headers = Headers(changes.pop("headers", ()))  # type: ignore[arg-type]  # the table of a test
    request = Request("CONSUME", target, headers, body, "", "consume", json.dumps(arguments))
    return an_exchange(number, **{"protocol": "nats", "service": "events", "request": request, **changes})


def test_messages_are_told_from_requests() -> None:
    assert is_message(consumed())
    assert not is_message(an_exchange(request=Request("CONSUME", "/", Headers())))
    assert not is_message(an_exchange(protocol="nats"))


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (consumed(), None),
        (consumed(protocol="mqtt"), "protocol mqtt"),
        (consumed(protocol="postgres"), "protocol postgres"),
        (consumed(service="other"), "protocol nats"),
        (consumed(protocol="kafka"), "protocol kafka"),
        (consumed(target=""), "message without a destination"),
        (consumed(withheld=(Withheld("request.body", 1, "d", "unclean"),)), "request.body was withheld"),
        (consumed(withheld=(Withheld("response.body", 1, "d", "unclean"),)), None),
        (consumed(truncated=True, body=b""), MESSAGE_CUT),
        (consumed(truncated=True, headers=[("size", "9"), ("hash", "x")]), MESSAGE_CUT),
    ],
)
def test_why_a_message_is_not_produced(exchange: Exchange, reason: str | None) -> None:
    assert why_not_produced(exchange, BUSES, WRITE_NOT_ALLOWED) == reason


def test_producing_takes_leave() -> None:
    assert why_not_produced(consumed(), {"events": Bus("nats", False)}, WRITE_NOT_ALLOWED) == WRITE_NOT_ALLOWED


def test_one_destination_and_key_is_one_session() -> None:
    def session(target: str, **arguments: object) -> str:
        return session_of("events", Request("CONSUME", target, Headers()), arguments)

    assert session("a", key="x") == session("a", key="x", offset=9)
    assert len({session("a", key="x"), session("a", key="y"), session("b", key="x"), session("a")}) == 4


@pytest.mark.parametrize("text", ["", "[1]", "{", "\ud800"])
def test_unreadable_arguments_are_none(text: str) -> None:
    assert read_arguments(Request("CONSUME", "a", Headers(), arguments=text)) == {}


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        ({"stream": "S", "sequence": 1}, {"stream": "S", "sequence": 1, "delivery": 2}, True),
        ({"stream": "S", "sequence": 1}, {"stream": "S", "sequence": 2}, False),
        ({"partition": 0, "offset": 4}, {"partition": 0, "offset": 4}, True),
        ({"partition": 0, "offset": 4}, {"partition": 1, "offset": 4}, False),
        ({"subscription": "orders.*"}, {"subscription": "orders.>"}, True),
        ({"subscription": "orders.*"}, {"subscription": "orders.*"}, False),
        ({"redelivered": False}, {"redelivered": True}, True),
        ({}, {}, False),
    ],
)
def test_a_message_delivered_twice_is_one(first: dict[str, object], second: dict[str, object], again: bool) -> None:
    deliveries = Deliveries()
    assert not deliveries.is_again(consumed(1, arguments=first), first)
    assert deliveries.is_again(consumed(2, arguments=second), second) is again


def test_an_exchange_that_copies_to_two_queues_sent_one_message() -> None:
    deliveries = Deliveries()
    both = [{"exchange": "shop", "routing_key": "a", "queue": queue} for queue in ("one", "two")]
    told = [
        deliveries.is_again(consumed(n, target=str(each["queue"]), arguments=each), each) for n, each in enumerate(both)
    ]
    assert told == [False, True]


def test_a_redelivery_whose_first_delivery_was_not_seen_is_produced() -> None:
    assert not Deliveries().is_again(consumed(), {"redelivered": True})


def test_equal_messages_to_two_subscribers_stay_two() -> None:
    deliveries = Deliveries()
    subscribers: list[dict[str, object]] = [{"subscription": name} for name in ("a.*", "a.>") * 2]
    told = [deliveries.is_again(consumed(number), each) for number, each in enumerate(subscribers)]
    assert told == [False, True, False, True]


def test_a_plan_has_messages_in_order_and_counts_the_others() -> None:
    link = (Link("t-0", LinkKind.PROPAGATED, 1.0),)
    exchanges = [
        an_exchange(0),
        consumed(1, body=b"1"),
        consumed(2, body=b"2", links=link),
        consumed(3, body=b"3", arguments={"stream": "S", "sequence": 5}),
        consumed(4, body=b"3", arguments={"stream": "S", "sequence": 5, "delivery": 2}),
        consumed(5, service="elsewhere"),
    ]
    plan = make_plan(exchanges, allow_writes=False, buses=BUSES)
    assert [(step.origin, type(step) is MessageStep) for step in plan.steps] == [
        ("t-0", False), ("t-1", True), ("t-3", True),
    ]  # fmt: skip
    assert plan.left_out == {PUBLISHED_BY_SERVICE: 1, DELIVERED_AGAIN: 1}
    assert plan.skipped == {"protocol nats": 1}
    assert plan.message_buses == {"events"}
    assert plan.steps[1].session == plan.steps[2].session != plan.steps[0].session


def test_without_a_bus_nothing_is_produced() -> None:
    plan = make_plan([consumed(1), an_exchange(2)], allow_writes=True)
    assert (len(plan.steps), plan.skipped, plan.message_buses) == (1, {"protocol nats": 1}, frozenset())


def test_a_message_knows_what_it_led_to() -> None:
    call = an_exchange(
        9,
        role=Role.OUTBOUND,
        protocol="nats",
        links=(Link("t-1", LinkKind.TIME, 0.95),),
        started_us=consumed(1).started_us + 700,
    )
    exchanges = [consumed(1), call, consumed(2, body=b"2"), an_exchange(3)]
    plan = with_effects(make_plan(exchanges, allow_writes=False, buses=BUSES), exchanges)
    effects = [(step.effects.calls, step.effects.span_us) for step in plan.steps if isinstance(step, MessageStep)]
    assert effects == [(1, 700), (0, 0)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "S"]), st.integers(0, 2), st.booleans())))
def test_every_message_is_planned_or_counted(made: list[tuple[str, str, int, bool]]) -> None:
    exchanges = []
    for number, (target, stream, sequence, is_caused) in enumerate(made):
        links = (Link("x", LinkKind.VALUE, 0.9),) if is_caused else ()
        arguments = {"stream": stream, "sequence": sequence} if stream else {}
        exchanges.append(consumed(number, target=target, arguments=arguments, links=links))
    plan = make_plan(exchanges, allow_writes=False, buses=BUSES)
    assert len(plan.steps) + sum(plan.left_out.values()) + sum(plan.skipped.values()) == len(made)
