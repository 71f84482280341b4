"""Flows from head to exchange, without a proxy."""

import pytest

from seamline.capture.engines.flows import Flows, Trouble, failure_of
from seamline.capture.headers import Headers
from seamline.capture.links import LinkIndex
from seamline.capture.model import Failure, FailureKind, LinkKind, Role
from seamline.capture.sample import Sampler
from seamline.capture.wire.turn import Turn
from support.taps import MemorySink

HEADERS = Headers([("Host", "a"), ("X", "1"), ("x", "2")])
CLOSED = Trouble("server closed connection", client_open=True, server_reached=True)


def flows(sink: MemorySink, role: Role = Role.INBOUND, **options: object) -> Flows:
    chosen = {"links": LinkIndex(), "service": "svc", "body_cap": 10, **options}
    return Flows(sink, role=role, **chosen)  # type: ignore[arg-type]


def begun(sink: MemorySink, **options: object) -> Flows:
    made = flows(sink, **options)
    made.begin("f", "c-1", "POST", "/x", "2.0", HEADERS)
    return made


def test_an_answered_request_is_an_exchange() -> None:
    sink = MemorySink()
    made = begun(sink)
    assert not made.idle.is_set()
    made.request_data("f", b"he")
    made.request_data("f", b"llo")
    made.request_done("f")
    made.answer("f", 201, "Created", "1.1", Headers([("A", "b")]))
    made.answer_data("f", b"ok")
    made.answered("f")
    assert made.idle.is_set()
    (one,) = sink.exchanges
    assert (one.id, one.seq, one.session, one.service, one.role) == ("m-1", 1, "c-1", "svc", Role.INBOUND)
    assert (one.request.method, one.request.target, one.request.version) == ("POST", "/x", "2.0")
    assert (one.request.headers, one.request.body) == (HEADERS, b"hello")
    assert one.response is not None
    assert (one.response.status, one.response.reason, one.response.body) == (201, "Created", b"ok")
    assert (one.failure, one.truncated) == (None, False)
    assert one.latency_us >= 0


def test_an_answer_that_overtakes_its_request_waits_for_it() -> None:
    sink = MemorySink()
    made = begun(sink)
    made.answer("f", 200, "", "2.0", Headers())
    made.answered("f")
    assert sink.exchanges == []
    made.request_data("f", b"late")
    made.request_done("f")
    assert sink.exchanges[0].request.body == b"late"
    assert not sink.exchanges[0].truncated


def test_an_answered_request_that_never_ends_is_truncated_not_failed() -> None:
    sink = MemorySink()
    made = begun(sink)
    made.request_data("f", b"half")
    made.answer("f", 413, "", "1.1", Headers())
    made.answered("f")
    made.abandon("c-1", "gone")
    (one,) = sink.exchanges
    assert (one.truncated, one.failure, one.request.body) == (True, None, b"")
    assert one.response is not None
    assert one.response.status == 413


@pytest.mark.parametrize("side", ["request", "answer"])
def test_a_body_over_the_cap_is_left_out(side: str) -> None:
    sink = MemorySink()
    made = begun(sink)
    for _ in range(3):
        (made.request_data if side == "request" else made.answer_data)("f", b"12345")
    made.request_done("f")
    made.answer("f", 200, "", "1.1", Headers())
    made.answered("f")
    (one,) = sink.exchanges
    assert one.truncated
    assert one.response is not None
    assert (one.request.body, one.response.body) == (b"", b"")


def test_what_is_under_way_ends_with_its_connection_only() -> None:
    sink = MemorySink()
    made = begun(sink)
    made.begin("g", "c-2", "GET", "/", "1.1", HEADERS)
    made.abandon("c-1", "gone")
    assert [each.failure for each in sink.exchanges] == [Failure(FailureKind.CANCELLED, "gone")]
    made.abandon(None, "stopped")
    assert sink.exchanges[1].failure == Failure(FailureKind.CANCELLED, "stopped")
    made.abandon(None, "again")
    assert len(sink.exchanges) == 2


def test_hooks_for_unknown_flows_are_ignored() -> None:
    sink = MemorySink()
    made = flows(sink)
    made.request_data("?", b"x")
    made.request_done("?")
    made.answer("?", 200, "", "1.1", HEADERS)
    made.answer_data("?", b"x")
    made.answered("?")
    made.failed("?", CLOSED)
    assert (sink.exchanges, sink.losses) == ([], {})


def test_a_failure_tells_how_far_the_answer_came() -> None:
    sink = MemorySink()
    made = begun(sink)
    made.answer("f", 200, "", "1.1", HEADERS)
    made.answer_data("f", b"abc")
    made.failed("f", CLOSED)
    (one,) = sink.exchanges
    assert one.response is None
    assert one.failure == Failure(FailureKind.TRUNCATED, "closed after status 200 and 3 bytes of the body")


def test_a_call_is_tied_to_the_request_that_caused_it() -> None:
    sink = MemorySink()
    links = LinkIndex()
    trace = Headers([("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")])
    inbound, outbound = flows(sink, links=links), flows(sink, Role.OUTBOUND, links=links)
    inbound.begin("i", "c-1", "GET", "/", "1.1", trace)
    outbound.begin("o", "c-1", "GET", "http://b/", "1.1", trace)
    for made, name in ((outbound, "o"), (inbound, "i")):
        made.request_done(name)
        made.answer(name, 200, "", "1.1", HEADERS)
        made.answered(name)
    call, request = sink.exchanges
    assert [(link.parent, link.how) for link in call.links] == [(request.id, LinkKind.PROPAGATED)]
    assert (call.role, request.role, request.links) == (Role.OUTBOUND, Role.INBOUND, ())


def test_without_a_trace_a_value_ties_it_and_what_is_not_sure_waits() -> None:
    sink = MemorySink()
    links = LinkIndex()
    inbound, outbound = flows(sink, links=links, body_cap=100), flows(sink, Role.OUTBOUND, links=links)
    for name in "ij":
        inbound.begin(name, f"c-{name}", "POST", "/orders", "1.1", HEADERS)
    inbound.request_data("i", b'{"sku": "sku-000777"}')
    for name, target in (("sure", "/prices/sku-000777"), ("unsure", "/time")):
        outbound.begin(name, "c-1", "GET", target, "1.1", HEADERS)
        outbound.request_done(name)
        outbound.answer(name, 200, "", "1.1", HEADERS)
        outbound.answered(name)
    (call,) = sink.exchanges
    assert [(link.parent, link.how) for link in call.links[:1]] == [("m-1", LinkKind.VALUE)]
    outbound.settle()
    assert {link.parent for link in sink.exchanges[1].links} == {"m-1", "m-2"}


def test_what_is_not_in_the_sample_is_counted() -> None:
    sink = MemorySink()
    made = flows(sink, sampler=Sampler(0.000001, "salt"))
    made.begin("f", "c-1", "GET", "/", "1.1", HEADERS)
    made.failed("f", CLOSED)
    assert (sink.exchanges, sink.losses) == ([], {("skipped", "not in the sample"): 1})


REACHED = {"client_open": True, "server_reached": True}


@pytest.mark.parametrize(
    ("message", "told", "status", "kind", "detail"),
    [
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", {}, 0, FailureKind.CONNECT, "connection refused"),
        ("[Errno -2] Name or service not known", {}, 0, FailureKind.CONNECT, "the name does not resolve"),
        ("[Errno 113] No route to host", {}, 0, FailureKind.CONNECT, "unreachable"),
        ("[Errno 110] Connection timed out", {}, 0, FailureKind.TIMEOUT, "connecting timed out"),
        ("something new", {}, 0, FailureKind.CONNECT, "the upstream cannot be reached"),
        (
            "Certificate verify failed: self-signed certificate in certificate chain",
            {},
            0,
            FailureKind.CONNECT,
            "the upstream's certificate was refused: self-signed certificate in certificate chain",
        ),
        ("The remote server does not speak TLS.", {}, 0, FailureKind.CONNECT, "no TLS connection with the upstream"),
        ("server closed connection", REACHED, 0, FailureKind.RESET, "closed without an answer"),
        ("server closed connection", REACHED, 200, FailureKind.TRUNCATED, "closed"),
        (
            "HTTP/1 protocol error: peer closed connection without sending complete message body (received 1 bytes)",
            REACHED,
            200,
            FailureKind.TRUNCATED,
            "closed",
        ),
        ("Client disconnected.", {"client_open": False}, 0, FailureKind.CANCELLED, "the client closed its connection"),
        ("HTTP/1 protocol error: bad chunk 'secret'", REACHED, 200, FailureKind.PROTOCOL, "not valid HTTP"),
        ("unexpected server response: b'secret'", REACHED, 0, FailureKind.PROTOCOL, "not valid HTTP"),
        ("Received secret from client, refusing to prevent", {}, 0, FailureKind.PROTOCOL, "not valid HTTP"),
        (
            "stream reset by client (CANCEL)",
            {**REACHED, "client_resettable": True, "server_resettable": True},
            0,
            FailureKind.CANCELLED,
            "stream reset (CANCEL)",
        ),
        (
            "stream reset by client (INTERNAL_ERROR)",
            {**REACHED, "client_resettable": True, "server_resettable": True},
            0,
            FailureKind.RESET,
            "stream reset (INTERNAL_ERROR)",
        ),
        (
            "stream reset by client (CANCEL)",
            {**REACHED, "server_resettable": True},
            0,
            FailureKind.RESET,
            "stream reset (CANCEL)",
        ),
    ],
)
def test_troubles_have_their_kind_and_quote_nothing(
    message: str, told: dict[str, bool], status: int, kind: FailureKind, detail: str
) -> None:
    turn = Turn(0, "GET", "/", "1.1", HEADERS)
    turn.status = status
    trouble = Trouble(message, **{"client_open": True, "server_reached": False, **told})
    assert failure_of(trouble, turn) == Failure(kind, detail)
