"""What one request caused, as a tree."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Link, LinkKind, Request, Role
from seamline.capture.tree import by_cause, tree_of


def exchange(
    name: str,
    start: int,
    end: int,
    service: str,
    protocol: str = "http",
    *,
    role: Role = Role.OUTBOUND,
    target: str = "/",
    body: bytes = b"",
) -> Exchange:
    links = () if name == "root" else (Link("root", LinkKind.PROPAGATED, 1.0),)
    request = Request("GET", target, Headers(), body)
    return Exchange(name, start, role, protocol, service, "s", start, end - start, request, links=links)


ROOT = exchange("root", 0, 100, "shop", role=Role.INBOUND)


def outline(*caused: Exchange) -> list[tuple[int, str]]:
    return [(depth, one.id) for depth, one in tree_of(ROOT, by_cause(caused)).walk()]


def test_a_call_within_a_call_to_another_service_was_made_by_it() -> None:
    orders = exchange("orders", 10, 90, "orders")
    pricing = exchange("pricing", 20, 40, "pricing")
    cache = exchange("cache", 25, 30, "cache", "redis")
    insert = exchange("insert", 50, 60, "db", "postgres")
    assert outline(insert, cache, pricing, orders) == [
        (0, "root"),
        (1, "orders"),
        (2, "pricing"),
        (3, "cache"),
        (2, "insert"),
    ]


def test_a_database_calls_nobody() -> None:
    long = exchange("long", 10, 90, "db", "postgres")
    get = exchange("get", 20, 30, "cache", "redis")
    assert outline(long, get) == [(0, "root"), (1, "long"), (1, "get")]


def test_a_delivered_message_grows_on_its_publishing() -> None:
    published = exchange("published", 10, 11, "bus", "nats", target="orders.placed", body=b"1")
    other = exchange("other", 12, 13, "bus", "nats", target="orders.placed", body=b"2")
    consumed = exchange("consumed", 15, 15, "bus", "nats", role=Role.INBOUND, target="orders.placed", body=b"1")
    assert outline(published, other, consumed) == [(0, "root"), (1, "published"), (2, "consumed"), (1, "other")]


def test_what_outlives_the_call_was_not_made_by_it() -> None:
    assert outline(exchange("a", 10, 50, "a"), exchange("b", 20, 60, "b")) == [(0, "root"), (1, "a"), (1, "b")]


def test_exchanges_by_their_cause() -> None:
    call = exchange("a", 10, 50, "a")
    assert by_cause([ROOT, call]) == {"root": [call]}
    assert by_cause([ROOT, call], "root") == {"root": [call]}
    assert by_cause([ROOT, call], "other") == {}


def test_a_consumed_message_has_a_tree_of_its_own() -> None:
    consumed = exchange("consumed", 15, 20, "bus", "amqp", role=Role.INBOUND, target="orders")
    insert = replace(exchange("insert", 16, 17, "db", "postgres"), links=(Link("consumed", LinkKind.LANE, 0.98),))
    assert outline(consumed, insert) == [(0, "root"), (1, "consumed"), (2, "insert")]
    assert by_cause([insert, consumed], "root") == {"root": [consumed], "consumed": [insert]}


def test_a_circle_ends() -> None:
    one = replace(exchange("one", 1, 2, "bus", role=Role.INBOUND), links=(Link("two", LinkKind.TIME, 0.5),))
    two = replace(exchange("two", 1, 2, "bus", role=Role.INBOUND), links=(Link("one", LinkKind.TIME, 0.5),))
    assert by_cause([one, two], "one") == {"one": [two], "two": [one]}
    assert [(depth, each.id) for depth, each in tree_of(one, by_cause([one, two])).walk()] == [(0, "one"), (1, "two")]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from("abc"), st.sampled_from(["http", "redis"]))
    )
)
def test_every_exchange_stands_in_the_tree_once(calls: list[tuple[int, int, str, str]]) -> None:
    caused = [
        exchange(f"x-{number}", start, start + span, service, protocol)
        for number, (start, span, service, protocol) in enumerate(calls)
    ]
    assert sorted(name for _, name in outline(*caused)) == sorted(["root", *(one.id for one in caused)])
