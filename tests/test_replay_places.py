"""Where a recorded message belongs on a side's bus."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.call import Call
from seamline.replay.places import Places

OWN = "seamline-0abc-candidate-3"


def said(method: str, target: str = "", arguments: str = "{}", body: bytes = b"", operation: str = "") -> Call:
    call = Call(0, method, target, operation or method.lower())
    call.arguments = arguments
    call.body = body
    return call


def places(*calls: Call, protocol: str = "nats", prefix: str | None = OWN) -> Places:
    made = Places(protocol, prefix)
    for call in calls:
        made.heard(call)
    return made


def test_without_a_prefix_a_place_is_the_recorded_one() -> None:
    assert places(prefix=None).of("orders.new") == "orders.new"
    assert places(prefix=None).of("{prefix}.orders.new") is None


def test_a_recorded_prefix_is_replaced() -> None:
    assert places().of("{prefix}.orders.new") == f"{OWN}.orders.new"


def test_nothing_is_known_before_the_service_has_named_a_place() -> None:
    assert places().of("live.orders.new") is None
    assert places(said("PUBLISH", f"{OWN}.orders.new")).of("live.orders.new") is None


@pytest.mark.parametrize(
    ("named", "recorded", "place"),
    [
        (f"{OWN}.orders.new", "live.orders.new", f"{OWN}.orders.new"),
        (f"{OWN}.orders.new", "orders.new", f"{OWN}.orders.new"),
        (f"{OWN}-orders", "prod-orders", f"{OWN}-orders"),
        (f"{OWN}-orders", "orders", f"{OWN}-orders"),
        (f"eu.{OWN}.orders.*", "eu.live.orders.new", f"eu.{OWN}.orders.new"),
        (f"{OWN}.orders.>", "live.orders.a.b", f"{OWN}.orders.a.b"),
        (f"{OWN}.orders.*", "live.orders.a.b", None),
        (f"{OWN}.orders.new", "live.reorders.new", None),
        (f"{OWN}.orders.new", "preorders.new", None),
        (f"{OWN}.mail", "live.orders.new", None),
        (OWN, "live.orders.new", None),
    ],
)
def test_the_rest_of_a_named_place_finds_the_recorded_one(named: str, recorded: str, place: str | None) -> None:
    assert places(said("SUBSCRIBE", named)).of(recorded) == place


def test_the_place_that_says_most_is_taken() -> None:
    made = places(said("SUBSCRIBE", f"{OWN}.*.new"), said("SUBSCRIBE", f"x.{OWN}.orders.new"))
    assert made.of("live.orders.new") == f"x.{OWN}.orders.new"


def test_a_place_may_stand_in_arguments_and_bodies() -> None:
    stream = said("REQUEST", "S", body=b'{"name":"S","subjects":["%s.orders.*"]}' % OWN.encode())
    assert places(stream).of("live.orders.new") == f"{OWN}.orders.new"
    queue = said("DECLARE", f"{OWN}.q", f'{{"queue":"{OWN}.q"}}', operation="queue.declare")
    assert places(queue, protocol="amqp").of("live.q") == f"{OWN}.q"


def test_redis_channels_and_patterns() -> None:
    made = places(said("PSUBSCRIBE", f"{OWN}:a*", f'["{OWN}:a*","{OWN}:b"]'), protocol="redis")
    assert made.of("live:abc") == f"{OWN}:abc"
    assert made.is_listened_to(f"{OWN}:b")
    assert not made.is_listened_to(f"{OWN}:c")


def test_what_is_named_is_not_yet_listened_to() -> None:
    made = places(said("REQUEST", f"{OWN}.a"), said("SUBSCRIBE", "orders.*"))
    assert made.of("live.a") == f"{OWN}.a"
    assert not made.is_listened_to(f"{OWN}.a")
    assert made.is_listened_to("orders.new")
    assert not made.is_listened_to("orders.new.more")


def test_a_broker_may_say_what_there_is() -> None:
    made = places(protocol="kafka")
    made.known(["live-orders", f"{OWN}-orders"])
    assert made.of("live-orders") == f"{OWN}-orders"
    shared = places(protocol="kafka", prefix=None)
    shared.known(["orders"])
    assert shared.of("orders") == "orders"


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["nats", "redis"]))
def test_whatever_is_named_the_own_prefix_is_never_left(named: str, recorded: str, protocol: str) -> None:
    made = places(said("SUBSCRIBE", f"{named}{OWN}{recorded}"), said("SUBSCRIBE", named), protocol=protocol)
    place = made.of(recorded)
    assert place is None or OWN in place
    made.is_listened_to(recorded)
