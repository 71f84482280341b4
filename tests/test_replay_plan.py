"""What is planned, what is skipped, and in which order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Ask, Exchange, Request, Response, Role, Withheld
from seamline.replay.plan import (
    BODY_CUT,
    NOT_SELECTED,
    OTHER_SHARD,
    UPGRADE,
    WRITE_NOT_ALLOWED,
    Plan,
    make_plan,
)
from seamline.replay.sendable import EXPECT, INJECTION
from seamline.replay.shard import Shard

HOST = ("Host", "h")


def recorded(name: str, **given_: Any) -> Exchange:
    """An inbound GET of the session "s", unless something else is given."""
    request = Request(
        given_.pop("method", "GET"),
        given_.pop("target", "/"),
        Headers([HOST, *given_.pop("headers", ())]),
        given_.pop("body", b""),
    )
    values: dict[str, Any] = {
        "id": name, "seq": 1, "role": Role.INBOUND, "protocol": "http", "service": "shop", "session": "s",
        "started_us": 1000, "latency_us": 5, "request": request, "response": Response(200, Headers()),
    }  # fmt: skip
    return Exchange(**{**values, **given_})


def origins(plan: Plan) -> list[str]:
    return [step.origin for step in plan.steps]


def test_steps_are_in_recorded_order_whatever_the_order_in_the_file() -> None:
    exchanges = [
        recorded("c", started_us=3000, seq=1),
        recorded("b2", started_us=2000, seq=5),
        recorded("b1", started_us=2000, seq=4),
        recorded("a", started_us=1000, seq=9),
    ]
    plan = make_plan(exchanges, allow_writes=False)
    assert origins(plan) == ["a", "b1", "b2", "c"]
    assert [(step.at_us, step.position) for step in plan.steps] == [(0, 0), (1000, 1), (1000, 2), (2000, 3)]


def test_a_step_is_its_request_in_its_session() -> None:
    exchange = recorded("a", session="x", target="/a?b", headers=[("A", "1")])
    (step,) = make_plan([exchange], allow_writes=False).steps
    assert (step.origin, step.session, step.service, step.request) == ("a", "x", "shop", exchange.request)


def test_only_inbound_exchanges_are_fired() -> None:
    plan = make_plan([recorded("a", role=Role.OUTBOUND), recorded("b")], allow_writes=False)
    assert (origins(plan), plan.skipped, plan.left_out) == (["b"], {}, {})


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        (recorded("a", method="POST"), WRITE_NOT_ALLOWED),
        (recorded("a", method="DELETE"), WRITE_NOT_ALLOWED),
        (recorded("a", headers=[("X-HTTP-Method-Override", "DELETE")]), WRITE_NOT_ALLOWED),
        (recorded("a", protocol="grpc"), "protocol grpc"),
        (recorded("a", method="CONNECT", target="h:443"), UPGRADE),
        (recorded("a", headers=[("Upgrade", "websocket")]), UPGRADE),
        (recorded("a", response=Response(101, Headers())), UPGRADE),
        (recorded("a", withheld=(Withheld("request.body", 9, "d", "unclean"),)), "request.body was withheld"),
        (recorded("a", truncated=True, headers=[("Content-Length", "9")]), BODY_CUT),
        (recorded("a", truncated=True, headers=[("Transfer-Encoding", "chunked")]), BODY_CUT),
        (recorded("a", target="/\r\nEvil: 1"), INJECTION),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_skipped_is_counted_with_its_reason(exchange: Exchange, reason: str) -> None:
    plan = make_plan([exchange, recorded("b")], allow_writes=False)
    assert (origins(plan), plan.skipped) == (["b"], {reason: 1})


@pytest.mark.parametrize(
    "exchange",
    [
        recorded("a", method="POST"),
        recorded("a", truncated=True),
        recorded("a", truncated=True, headers=[("Content-Length", "0")]),
        recorded("a", truncated=True, headers=[("Content-Length", "2")], body=b"{}"),
        recorded("a", withheld=(Withheld("response.body", 9, "d", "unclean"),)),
        recorded("a", response=None),
        recorded("a", headers=[("Upgrade", "h2c"), ("Connection", "upgrade")]),
    ],
)
def test_a_request_that_is_whole_is_sent_whatever_became_of_its_answer(exchange: Exchange) -> None:
    assert origins(make_plan([exchange], allow_writes=True)) == ["a"]


def test_changes_are_counted() -> None:
    plan = make_plan([recorded("a", headers=[("Expect", "100-continue")]), recorded("b")], allow_writes=False)
    assert plan.changed == {EXPECT: 1}
    assert "expect" not in plan.steps[0].request.headers


def test_where_chooses_and_sets_the_zero() -> None:
    exchanges = [recorded(name, started_us=1000 * number) for number, name in enumerate("abc")]
    plan = make_plan(exchanges, allow_writes=False, where=lambda exchange: exchange.id != "a")
    assert (origins(plan), plan.left_out) == (["b", "c"], {NOT_SELECTED: 1})
    assert [step.at_us for step in plan.steps] == [0, 1000]


def test_shards_share_positions_and_zero() -> None:
    exchanges = [recorded(f"n{n}", session=f"s{n % 7}", started_us=100 * n) for n in range(40)]
    whole = make_plan(exchanges, allow_writes=False)
    parts = [make_plan(exchanges, allow_writes=False, shard=Shard(index, 3)) for index in (1, 2, 3)]
    assert sorted((step for part in parts for step in part.steps), key=lambda step: step.position) == list(whole.steps)
    assert sum(part.left_out.get(OTHER_SHARD, 0) for part in parts) == 80


def test_no_exchanges_no_plan() -> None:
    assert make_plan([], allow_writes=True) == Plan((), {}, {}, {})


EXCHANGES = st.lists(
    st.builds(
        lambda number, session, started_us, method, target, role, truncated, protocol: recorded(
            f"n{number}", session=session, started_us=started_us, seq=number, method=method, target=target, role=role,
            truncated=truncated, protocol=protocol,
        ),
        st.integers(0, 10**6),
        st.sampled_from(["s", "t", "u"]),
        st.integers(0, 50),
        st.sampled_from(["GET", "POST", "CONNECT", "G\nET"]),
        st.sampled_from(["/", "http://h/x", "/ x"]),
        st.sampled_from(list(Role)),
        st.booleans(),
        st.sampled_from(["http", "redis"]),
    ),
    max_size=30,
    unique_by=lambda exchange: exchange.id,
)  # fmt: skip


@given(EXCHANGES, st.booleans(), st.sampled_from([Shard(1, 1), Shard(1, 2), Shard(2, 2)]), st.booleans())
def test_every_inbound_exchange_is_planned_or_counted(
    exchanges: list[Exchange], allow_writes: bool, shard: Shard, choose: bool
) -> None:
    where = (lambda exchange: exchange.seq % 2 == 0) if choose else None
    plan = make_plan(exchanges, allow_writes=allow_writes, shard=shard, where=where)
    counted = sum(plan.skipped.values()) + sum(plan.left_out.values())
    assert len(plan.steps) + counted == sum(exchange.role is Role.INBOUND for exchange in exchanges)
    known = {exchange.id: exchange for exchange in exchanges}
    for steps in plan.sessions().values():
        assert len({step.session for step in steps}) == 1
        order = [(known[step.origin].started_us, known[step.origin].seq) for step in steps]
        assert order == sorted(order)
    assert sorted(step.position for each in plan.sessions().values() for step in each) == [
        step.position for step in plan.steps
    ]


@given(EXCHANGES, st.booleans())
def test_asks_make_the_same_plan(exchanges: list[Exchange], allow_writes: bool) -> None:
    asks = [
        Ask(
            e.id, e.seq, e.role, e.protocol, e.service, e.session, e.started_us, e.request, e.status, e.truncated,
            e.withheld, e.links,
        )
        for e in exchanges
    ]  # fmt: skip
    assert make_plan(asks, allow_writes=allow_writes) == make_plan(exchanges, allow_writes=allow_writes)
