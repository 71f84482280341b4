"""Spans that say whose call a call was."""

from seamline.capture.headers import Headers
from seamline.capture.linking.asked import Asked
from seamline.capture.linking.causes import Cause, Causes
from seamline.capture.linking.spans import CLIENT, SERVER, Span
from seamline.capture.linking.witness import CONFIDENCE, LINGER_US, Witness
from seamline.capture.links import LinkIndex
from seamline.capture.model import Link, LinkKind

A, B = "a" * 32, "b" * 32
SQL = "SELECT * FROM orders WHERE id = $1"


class Court:
    """Two requests that brought their traces, one that did not, and a witness."""

    def __init__(self) -> None:
        self.causes = Causes(5_000_000, 100)
        self.by_name = {
            "a": Cause("a", 1_000, (f"trace:{A}",), None, "GET /orders/{}"),
            "b": Cause("b", 1_000, (f"trace:{B}",), None, "GET /orders/{}"),
            "c": Cause("c", 1_000, (), None, "POST /carts"),
        }
        for cause in self.by_name.values():
            self.causes.add(cause)
        self.witness = Witness(self.causes)

    def call(self, name: str, start: int, end: int, text: str = SQL) -> Asked:
        asked = Asked(name, start, "db", text)
        asked.ended_us = end
        self.witness.ended(asked)
        return asked

    def said(self, *spans: Span) -> dict[str, str]:
        return {asked.id: cause.id for asked, cause in self.witness.testify(spans)}


def client(trace: str, start: int, end: int, what: str = "select * from orders where id = %s") -> Span:
    return Span(trace, CLIENT, start, end, "", what)


def test_a_span_that_covers_one_call_names_its_cause() -> None:
    court = Court()
    court.call("x", 10_000, 11_000)
    court.call("y", 50_000, 51_000)
    assert court.said(client(A, 49_900, 51_100), client(B, 9_900, 11_100)) == {"x": "b", "y": "a"}


def test_two_calls_under_one_span_are_left_open() -> None:
    court = Court()
    court.call("x", 10_000, 11_000)
    court.call("y", 10_500, 11_000)
    assert court.said(client(A, 9_000, 12_000)) == {}


def test_a_span_of_something_else_says_nothing() -> None:
    court = Court()
    court.call("x", 10_000, 11_000)
    assert court.said(client(A, 9_000, 12_000, "INSERT INTO carts VALUES (%s)")) == {}
    assert court.said(client(A, 10_000, 8_000)) == {}
    assert court.said(client("c" * 32, 9_900, 11_100)) == {}, "a trace that nobody knows"


def test_a_servers_span_says_whose_trace_it_is_and_may_come_later() -> None:
    court = Court()
    court.call("x", 10_000, 11_000, "INSERT INTO carts (id) VALUES ($1)")
    trace = "c" * 32
    assert court.said(client(trace, 9_900, 11_100, "INSERT INTO carts (id) VALUES (%s)")) == {}
    assert court.said(Span(trace, SERVER, 1_500, 60_000, "POST", "/carts")) == {"x": "c"}


def test_a_servers_span_that_fits_two_is_nobodys() -> None:
    court = Court()
    court.call("x", 10_000, 11_000)
    trace = "d" * 32
    assert court.said(Span(trace, SERVER, 1_500, 60_000, "GET", "/orders/7"), client(trace, 9_900, 11_100)) == {}


def test_the_index_has_a_call_wait_for_its_span() -> None:
    links = LinkIndex()
    links.expect_spans()
    links.expect_spans()
    told: dict[str, tuple[Link, ...]] = {}
    for name, trace in (("in-1", A), ("in-2", B)):
        links.opened(name, 1_000, Headers([("traceparent", f"00-{trace}-{'1' * 16}-01")]))
    for name, at in (("x", 10_000), ("y", 30_000)):
        links.begin(name, at, Headers(), "db/c-1", operation="db select", text=SQL)
        links.end(name, at + 1_000)
        links.settle(name, lambda found, name=name: told.update({name: found}))
    for name in ("in-1", "in-2"):
        links.closed(name, 60_000)
    assert told == {}, "the candidates have ended, the spans have not come"
    links.testify([client(B, 9_900, 11_100)])
    assert told == {"x": (Link("in-2", LinkKind.PROPAGATED, CONFIDENCE),)}
    links.opened("in-3", 100_000, Headers())
    links.closed("in-3", 31_001 + LINGER_US)
    assert told["y"][0].confidence < 0.9


def test_nobody_who_expects_no_spans_is_told_of_any() -> None:
    links = LinkIndex()
    links.testify([client(A, 1, 2)])
    assert links.links_for(Headers(), 5) == ()


def test_a_command_whose_arguments_the_span_masks_is_meant_by_its_name() -> None:
    court = Court()
    court.call("x", 10_000, 11_000, "INCRBY numbers")
    court.call("y", 10_000, 11_000, "GET numbers")
    assert court.said(client(A, 9_900, 11_100, "INCRBY ? ?")) == {"x": "a"}
    assert court.said(client(A, 9_900, 11_100, "? ?")) == {}
