"""A call as plain values, and back."""

import marshal

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, FailureKind, Link, LinkKind, Role
from seamline.capture.wire.call import ERROR, OK, Call
from seamline.capture.wire.carried import OVERHEAD, carried, exchanges_of, size_of
from seamline.capture.wire.postgres import write
from seamline.capture.wire.postgres.layout import Layout
from seamline.capture.wire.postgres.messages import Column

HEADERS = Headers((("database", "shop"), ("fingerprint", "0011223344556677")))


def made(number: int = 1) -> Call:
    call = Call(100 + number, "SELECT", "users", "SELECT * FROM users WHERE id = $1")
    call.exchange_id, call.seq, call.session = f"m-{number}", number, "c-1"
    call.arguments = '{"id":7}'
    call.headers = HEADERS
    return call


def across(*calls: Call) -> list[Exchange]:
    """By the way that they go: a batch as marshal's bytes."""
    batch = [carried(call, Role.OUTBOUND, "db", "postgres") for call in calls]
    return list(exchanges_of(marshal.loads(marshal.dumps(batch))))


def whole() -> Call:
    call = made()
    call.body, call.version, call.truncated, call.origin = b"\x00\xff", "3", True, "o-1"
    call.links = (Link("i-1", LinkKind.VALUE, 0.9), Link("i-2", LinkKind.TIME, 0.1))
    call.reason = "42P01"
    call.answer(ERROR, 150, b"{}", Headers((("content-type", "application/json"),)))
    return call


def consumed() -> Call:
    call = made()
    call.role, call.protocol = Role.INBOUND, "http"
    call.answer(OK, 150)
    return call


def failed() -> Call:
    call = made()
    call.fail(FailureKind.RESET, "the server closed the connection", 150)
    return call


def late() -> Call:
    rows = Layout((Column("id", 23, 0), Column("n", 25, 0))).rows()
    for number in (b"1", b"2"):
        body = write.data_row([number, b"x"])[5:]
        rows.take(body, len(body))
    call = made()
    call.answer(OK, 150, rows, Headers.of_pairs(rows.headers()))
    return call


@pytest.mark.parametrize("make", [whole, consumed, failed, late, made])
def test_the_exchange_is_that_of_the_call(make: object) -> None:
    assert callable(make)
    (exchange,) = across(make())
    assert exchange == make().exchange(Role.OUTBOUND, "db", "postgres")


def test_a_body_is_made_where_it_arrives_or_where_it_is_read() -> None:
    call = late()
    values = carried(call, Role.OUTBOUND, "db", "postgres")
    assert isinstance(values[17], tuple)
    assert call.response_body == late().response_body
    assert carried(call, Role.OUTBOUND, "db", "postgres")[17] == call.response_body


def test_equal_headers_are_one_object_within_bounds() -> None:
    first, second = across(made(1)), across(made(2))
    assert first[0].request.headers is second[0].request.headers
    large = made()
    large.headers = Headers((("message", "x" * 5000),))
    one, other = across(large, large)
    assert one.request.headers == other.request.headers
    assert one.request.headers is not other.request.headers


def test_the_size_bounds_what_crosses() -> None:
    call = made()
    call.headers = Headers([(f"header-{number}", "x" * 100) for number in range(50)])
    call.body = b"x" * 10_000
    call.answer(OK, 150, b"y" * 20_000)
    packed = len(marshal.dumps(carried(call, Role.OUTBOUND, "db", "postgres")))
    assert size_of(call) > 30_000 + 5_000
    assert packed <= size_of(call) + OVERHEAD
