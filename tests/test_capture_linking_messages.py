"""Messages on a bus as links: who published them, and how long they count as being worked on."""

from seamline.capture.headers import Headers
from seamline.capture.linking.messages import LINGER_US, Lingering
from seamline.capture.links import SURE, LinkIndex
from seamline.capture.model import Link, LinkKind, Role
from seamline.capture.wire.call import OK, Call

NONE = Headers()
TRACE = Headers((("traceparent", "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"),))
PAYLOAD = b'{"order_id":7041,"email":"ada.38@mail-provider.net"}'


def published(name: str, at_us: int, body: bytes = PAYLOAD, target: str = "orders.placed") -> Call:
    call = Call(at_us, "PUBLISH", target, "publish")
    call.exchange_id, call.body = name, body
    return call


def delivered(name: str, at_us: int, body: bytes = PAYLOAD, target: str = "orders.placed") -> Call:
    call = Call(at_us, "CONSUME", target, "consume")
    call.exchange_id, call.role, call.body = name, Role.INBOUND, body
    call.answer(OK, at_us)
    call.reason = "unacknowledged"
    return call


def command(name: str, at_us: int, key: str) -> Call:
    call = Call(at_us, "INCRBY", key, "INCRBY")
    call.exchange_id, call.arguments = name, f'["{key}","12"]'
    return call


def placed(links: LinkIndex, headers: Headers = NONE) -> None:
    """A request that publishes a message, and is answered."""
    links.opened("root", 1000, headers, endpoint="POST /orders")
    call = published("p-1", 2000)
    links.call_begun(call, "bus/c-1")
    call.answer(OK, 2000)
    links.call_ended(call, "bus/c-1")


def test_a_message_of_a_requests_own_is_linked_to_it() -> None:
    links = LinkIndex()
    placed(links)
    assert links.consumed(delivered("m-1", 2500), "bus/c-2") == (Link("root", LinkKind.VALUE, 0.95),)


def test_a_trace_id_says_so_for_sure() -> None:
    links = LinkIndex()
    placed(links, TRACE)
    message = delivered("m-1", 2500, body=b"another")
    message.headers = TRACE
    assert links.consumed(message, "bus/c-2") == (Link("root", LinkKind.PROPAGATED, 1.0),)


def test_a_message_from_outside_is_a_cause_itself() -> None:
    links = LinkIndex()
    message = delivered("m-1", 2500)
    assert links.consumed(message, "bus/c-2") == ()
    links.handled(message)
    assert links.call_begun(command("x-1", 3000, "loyalty:ada"), "cache/c-1")[0].parent == "m-1"


def test_what_its_handler_calls_belongs_to_the_request_that_published_it() -> None:
    links = LinkIndex()
    placed(links)
    message = delivered("m-1", 2500)
    links.consumed(message, "bus/c-2")
    links.handled(message)
    links.closed("root", 3000)
    call = command("x-1", 4000, "loyalty:ada.38@mail-provider.net")
    assert links.call_begun(call, "cache/c-1")[0].parent == "root"
    # Also where the next request is open by then: what the message holds decides.
    links.opened("next", 4500, NONE, endpoint="GET /products/{sku}")
    call = command("x-2", 5000, "loyalty:ada.38@mail-provider.net")
    assert links.call_begun(call, "cache/c-1")[0].parent == "root"


def test_while_a_message_is_worked_on_nobody_else_is_sure_by_time_alone() -> None:
    links = LinkIndex()
    placed(links)
    message = delivered("m-1", 2500)
    links.consumed(message, "bus/c-2")
    links.handled(message)
    links.closed("root", 3000)
    links.opened("next", 4000, NONE, endpoint="GET /products/{sku}")
    found = links.call_begun(command("x-1", 5000, "counter"), "cache/c-1")
    assert not found or found[0].confidence < SURE
    later = 4000 + LINGER_US * 2
    assert links.call_begun(command("x-2", later, "counter"), "cache/c-9")[0] == Link("next", LinkKind.TIME, 0.95)


def test_an_acknowledged_message_is_over_when_it_is_acknowledged() -> None:
    links = LinkIndex()
    message = delivered("m-1", 2500)
    links.consumed(message, "bus/c-2")
    message.reason, message.ended_us = "ack", 2600
    links.handled(message)
    links.opened("next", 4000, NONE, endpoint="GET /")
    assert links.call_begun(command("x-1", 5000, "counter"), "cache/c-1")[0].parent == "next"


def test_a_short_payload_names_a_message_only_at_its_destination() -> None:
    links = LinkIndex()
    links.opened("root", 1000, NONE)
    links.call_begun(published("p-1", 2000, b"1", "a"), "bus/c-1")
    assert links.consumed(delivered("m-1", 2500, b"1", "b"), "bus/c-2") == ()
    assert links.consumed(delivered("m-2", 2500, b"1", "a"), "bus/c-2")[0].parent == "root"


def test_an_old_publishing_is_no_evidence() -> None:
    links = LinkIndex()
    links.opened("root", 1000, NONE)
    links.call_begun(published("p-1", 2000), "bus/c-1")
    assert links.consumed(delivered("m-1", 60_000_000), "bus/c-2") == ()


def test_moments_pass_in_order() -> None:
    lingering = Lingering()
    lingering.add("a", 0)
    lingering.add("b", 10)
    assert lingering.over(LINGER_US - 1) == []
    assert lingering.over(LINGER_US + 10) == [(LINGER_US, "a"), (LINGER_US + 10, "b")]
