"""A turn and its budget."""

import marshal

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Failure, FailureKind, Link, LinkKind, Role
from seamline.capture.wire.turn import Budget, RawTurn, Turn, exchange_of_raw


def turn() -> Turn:
    made = Turn(100, "POST", "/a", "1.1", Headers([("A", "1")]))
    made.exchange_id, made.seq, made.session = "e-1", 1, "s-1"
    return made


def test_an_answered_turn_is_an_exchange() -> None:
    made, budget = turn(), Budget(100)
    made.add_request_body(b"ab", 10, budget)
    made.add_request_body(b"cd", 10, budget)
    made.request_done = True
    made.status, made.reason, made.response_done, made.ended_us = 201, "Created", True, 150
    made.add_response_body(b"ef", 10, budget)
    made.links = (Link("in-1", LinkKind.TIME, 0.95),)
    assert budget.left == 94
    exchange = made.exchange(Role.OUTBOUND, "svc")
    assert (exchange.request.body, exchange.latency_us, exchange.parent) == (b"abcd", 50, "in-1")
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (201, b"ef")
    made.release(budget)
    assert budget.left == 100


def test_a_part_of_an_answer_is_none() -> None:
    made = turn()
    made.status = 200
    made.failure = Failure(FailureKind.RESET, "reset")
    exchange = made.exchange(Role.INBOUND, "svc")
    assert exchange.response is None
    assert exchange.failure == Failure(FailureKind.RESET, "reset")


def test_a_body_over_the_cap_or_the_budget_is_left_out_for_good() -> None:
    for cap, left in ((5, 100), (100, 5)):
        made, budget = turn(), Budget(left)
        for chunk in (b"abc", b"def", b"g", b"h"):
            made.add_request_body(chunk, cap, budget)
            made.add_response_body(chunk, cap, budget)
        made.request_done = made.response_done = True
        exchange = made.exchange(Role.INBOUND, "svc")
        assert exchange.truncated
        assert exchange.request.body == b""
        made.release(budget)
        assert budget.left == left


def test_a_request_that_never_became_whole_loses_its_body() -> None:
    made, budget = turn(), Budget(100)
    made.add_request_body(b"half", 10, budget)
    made.release(budget)
    assert made.exchange(Role.INBOUND, "svc").request.body == b""
    assert made.truncated
    assert budget.left == 100


HEAD = b"POST /a HTTP/1.1\r\nA: 1\r\n\r\n"
ANSWER = b"HTTP/1.1 201 Created\r\nB: 2\r\n\r\n"


def raw_turn(*, answered: bool) -> RawTurn:
    made, budget = RawTurn(100, "POST", HEAD), Budget(100)
    made.exchange_id, made.seq, made.session, made.ended_us = "e-1", 1, "s-1", 150
    made.add_request_body(b"ab", 10, budget)
    made.request_done = True
    made.links = (Link("in-1", LinkKind.TIME, 0.95),)
    if answered:
        made.status, made.response_head, made.response_done = 201, ANSWER, True
        made.add_response_body(b"cd", 10, budget)
    else:
        made.status = 201
        made.failure = Failure(FailureKind.RESET, "reset")
    return made


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("role", Role)
def test_a_raw_turn_is_the_same_exchange_decoded_here_or_there(answered: bool, role: Role) -> None:
    there = exchange_of_raw(marshal.loads(marshal.dumps(raw_turn(answered=answered).raw(role, "svc"))))
    assert there == raw_turn(answered=answered).exchange(role, "svc")
    assert (there.request.method, there.request.target, there.request.body) == ("POST", "/a", b"ab")
    assert there.request.headers.items == (("A", "1"),)
    assert (there.response is None) is not answered
    assert (there.failure is None) is answered
    if there.response is not None:
        assert (there.response.status, there.response.reason, there.response.body) == (201, "Created", b"cd")
