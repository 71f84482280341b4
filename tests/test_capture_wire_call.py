"""A call becomes an exchange."""

from seamline.capture.headers import Headers
from seamline.capture.model import FailureKind, Role
from seamline.capture.wire.call import ERROR, Call


def made() -> Call:
    call = Call(100, "SELECT", "users", "SELECT * FROM users WHERE id = $1")
    call.exchange_id, call.seq, call.session = "m-1", 1, "c-1"
    call.arguments = '{"id":7}'
    call.headers = Headers((("database", "shop"),))
    return call


def test_an_answered_call() -> None:
    call = made()
    call.reason = "42P01"
    call.answer(ERROR, 150, b"{}", Headers((("content-type", "application/json"),)))
    exchange = call.exchange(Role.OUTBOUND, "db", "postgres")
    assert exchange.request.operation == "SELECT * FROM users WHERE id = $1"
    assert exchange.request.arguments == '{"id":7}'
    assert (exchange.role, exchange.service, exchange.protocol, exchange.latency_us) == (
        Role.OUTBOUND,
        "db",
        "postgres",
        50,
    )
    assert exchange.response is not None
    assert (exchange.status, exchange.response.reason, exchange.response.body) == (1, "42P01", b"{}")
    assert exchange.failure is None


def test_a_failed_call_has_no_response() -> None:
    call = made()
    call.fail(FailureKind.RESET, "the server closed the connection", 130)
    exchange = call.exchange(Role.OUTBOUND, "db", "postgres")
    assert exchange.response is None
    assert exchange.failure is not None
    assert exchange.failure.kind is FailureKind.RESET


def test_a_consumed_message_is_inbound_on_whatever_tap() -> None:
    call = made()
    call.role = Role.INBOUND
    call.answer(0, 101)
    assert call.exchange(Role.OUTBOUND, "bus", "nats").role is Role.INBOUND


def test_a_message_that_a_replay_produced_names_the_recorded_one() -> None:
    call = made()
    call.answer(0, 101)
    assert call.exchange(Role.OUTBOUND, "bus", "nats").origin is None
    call.origin = "t-1"
    assert call.exchange(Role.OUTBOUND, "bus", "nats").origin == "t-1"
