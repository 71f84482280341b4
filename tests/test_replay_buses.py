"""Which buses may be produced at."""

import asyncio

import pytest

from seamline.capture.errors import UsageError
from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.buses import buses_of, check_buses, is_own, shared_buses
from seamline.replay.environments.spec import DownstreamSpec
from seamline.replay.messages import Bus
from seamline.replay.plan import MessageStep, Plan

AT = ("127.0.0.1", 4222)
OWN = DownstreamSpec("own", "nats", AT, env={"U": "{tap}{prefix}"}, isolate={"prefix": "auto"})
SHARED = DownstreamSpec("shared", "kafka", AT)
INNER = DownstreamSpec("inner", "amqp", None, "BUS_PORT")
NUMBERED = DownstreamSpec("cache", "redis", AT, isolate={"database": "auto"})
HTTP = DownstreamSpec("prices", "http", AT)
STUB = DownstreamSpec("cached", "redis", AT, mode="stub")


def plan_for(*names: str) -> Plan:
    request = Request("CONSUME", "a", Headers())
    return Plan(tuple(MessageStep("t", "m", 0, request, 0, name, "nats") for name in names))


def test_a_bus_is_own_by_its_prefix_or_by_who_starts_it() -> None:
    # Channels of Redis know no databases: an own one keeps no message apart.
    assert [is_own(each) for each in (OWN, SHARED, INNER, NUMBERED)] == [True, False, True, False]


@pytest.mark.parametrize("allow_writes", [False, True])
def test_what_is_shared_takes_leave(allow_writes: bool) -> None:
    found = buses_of([OWN, SHARED, INNER, NUMBERED, HTTP, STUB], allow_writes=allow_writes)
    assert found == {
        "own": Bus("nats", True),
        "shared": Bus("kafka", allow_writes),
        "inner": Bus("amqp", True),
        "cache": Bus("redis", allow_writes),
    }


def test_only_what_is_produced_at_counts_as_shared() -> None:
    assert shared_buses(plan_for("own", "shared"), [OWN, SHARED, NUMBERED]) == [SHARED]


@pytest.mark.parametrize(
    ("names", "recorded", "allowed", "said"),
    [
        (("own",), ["127.0.0.1:4222"], (), None),
        (("shared",), ["10.0.0.7:4222"], (), None),
        (("shared",), ["127.0.0.1:4222"], (), "recorded service itself"),
        (("shared",), ["127.0.0.1:4222"], ("127.0.0.1",), None),
    ],
)
def test_a_recorded_bus_is_fired_at_by_name_only(
    names: tuple[str, ...], recorded: list[str], allowed: tuple[str, ...], said: str | None
) -> None:
    checking = check_buses(plan_for(*names), [OWN, SHARED], recorded, allowed)
    if said is None:
        asyncio.run(checking)
        return
    with pytest.raises(UsageError, match=said):
        asyncio.run(checking)
