"""What a request hands on: the relation between its own header and the call's header is compared, never a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.diffing.pair import Pair
from seamline.diffing.propagation import CLIENT, SPANS, compare_propagation, relation, trace_of
from support.calls import grpc, publish, redis, sql
from support.traffic import Call, Turn, exchange, outbound

ID, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
SENT = f"00-{ID}-00f067aa0ba902b7-01"
Pairs = tuple[tuple[str, str], ...]


def told(inbound: Pairs, before: Pairs, after: Pairs) -> list[tuple[str, str | None, str]]:
    """Each difference as ("surface.kind", path, transition)."""
    turn = Turn(sent_headers=inbound)
    pair = Pair("c-0", exchange(turn, 0, "a"), exchange(turn, 0, "b"))
    calls = [
        outbound(Call("pricing", "GET", "/prices", headers=headers), parent, 0)
        for parent, headers in ((pair.before, before), (pair.after, after))
    ]
    return [(f"{one.surface.value}.{one.kind}", one.path, one.transition) for one in compare_propagation(pair, *calls)]


# name, header, what the service received, what it sent, relation
RELATIONS: list[tuple[str, str, str | None, str | None, str]] = [
    ("not sent", "authorization", "Bearer t", None, "absent"),
    ("made", "authorization", None, "Bearer own", "own"),
    ("passed on", "authorization", "Bearer t", "Bearer t", "copied"),
    ("replaced", "authorization", "Bearer t", "Bearer own", "own"),
    ("trace continued", "traceparent", SENT, f"00-{ID}-1111111111111111-01", "same trace"),
    ("trace begun anew", "traceparent", SENT, f"00-{OTHER}-1111111111111111-01", "own"),
    ("b3 continued", "b3", f"{ID}-1-1", f"{ID}-2-1", "same trace"),
    ("two broken traces are not the same one", "traceparent", "garbage", "rubbish", "own"),
    ("a list that grew", "tracestate", "a=1,b=2", "me=7, a=1, b=2", "copied"),
    ("a list that lost a member", "tracestate", "a=1,b=2", "a=1", "own"),
    ("a span is new each time", "x-b3-spanid", "1111", "1111", "own"),
]


@pytest.mark.parametrize(
    ("name", "received", "sent", "expected"), [row[1:] for row in RELATIONS], ids=[row[0] for row in RELATIONS]
)
def test_relations(name: str, received: str | None, sent: str | None, expected: str) -> None:
    inbound, call = (Headers([(name.title(), value)] if value is not None else []) for value in (received, sent))
    assert relation(inbound, call, name) == expected


AUTH, OWN, OWN2 = (("authorization", f"Bearer {word}") for word in ("t", "own", "own2"))
TRACE, NEXT, NEW = (("traceparent", value) for value in (SENT, f"00-{ID}-1111111111111111-01", f"00-{OTHER}-1-01"))
TENANT, TENANT2 = ("X-Tenant-Id", "acme"), ("x-tenant-id", "other")

# name: the inbound headers, the call's headers on the baseline's side and on the candidate's side, what is told
CASES: list[tuple[str, Pairs, Pairs, Pairs, list[tuple[str, str, str]]]] = [
    ("handed on twice", (AUTH, TRACE), (AUTH, NEXT), (AUTH, NEXT), []),
    ("a copied trace is a continued one", (TRACE,), (TRACE,), (NEXT,), []),
    ("trace lost", (TRACE,), (NEXT,), (), [("propagation.missing_header", "header.traceparent", "handed on→missing")]),
    ("trace begun anew", (TRACE,), (NEXT,), (NEW,), [("propagation.changed", "header.traceparent", "handed on→own")]),
    ("token leaks", (AUTH,), (), (AUTH,), [("propagation.added", "header.authorization", "missing→handed on")]),
    ("token replaced", (AUTH,), (AUTH,), (OWN,), [("propagation.changed", "header.authorization", "handed on→own")]),
    ("another own token", (), (OWN,), (OWN2,), [("propagation.changed", "header.authorization", "own→another")]),
    ("another tenant", (), (TENANT,), (TENANT2,), [("propagation.changed", "header.x-tenant-id", "own→another")]),
    ("a fresh key each time", (), (("idempotency-key", "k1"),), (("idempotency-key", "k2"),), []),
    ("a fresh key is gone", (), (("idempotency-key", "k1"),), (), [("propagation.missing_header", "header.idempotency-key", "own→missing")]),
    # That any other header travels is learnt from the baseline.
    ("learnt", (("x-flag", "blue"),), (("x-flag", "blue"),), (), [("propagation.missing_header", "header.x-flag", "handed on→missing")]),
    ("the client library", (), (("user-agent", "a/1"), ("accept", "*/*")), (("user-agent", "b/2"),), []),
    # All others are arguments of the call.
    ("an argument gone", (), (("x-mode", "full"),), (), [("http.request_changed", "header.x-mode", "present→missing")]),
    ("an argument new", (), (), (("x-mode", "full"),), [("http.request_changed", "header.x-mode", "missing→present")]),
    ("an argument changed", (), (("x-mode", "full"),), (("x-mode", "part"),), [("http.request_changed", "header.x-mode", "text")]),
    ("a charset is no other type", (), (("content-type", "text/plain"),), (("content-type", "Text/Plain; charset=utf-8"),), []),
    # Repeated lines are one list: what the second line says counts.
    ("a second line gone", (), (("x-mode", "a"), ("x-mode", "b")), (("x-mode", "a"),), [("http.request_changed", "header.x-mode", "text")]),
    ("a list in two lines", (("baggage", "a=1"), ("baggage", "b=2")), (("baggage", "a=1,b=2"),), (("baggage", "a=1"), ("baggage", "b=2")), []),
    ("a member lost with its line", (("baggage", "a=1"), ("baggage", "b=2")), (("baggage", "a=1, b=2"),), (("baggage", "a=1"),), [("propagation.changed", "header.baggage", "handed on→own")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("inbound", "before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_what_is_handed_on(
    inbound: Pairs, before: Pairs, after: Pairs, expected: list[tuple[str, str | None, str]]
) -> None:
    assert told(inbound, before, after) == expected


def test_only_a_whole_trace_id_is_a_trace() -> None:
    assert trace_of("traceparent", SENT.upper()) == ID
    assert trace_of("traceparent", "00-abc-1-01") is None
    assert trace_of("b3", "0") is None
    assert trace_of("x-request-id", "a-b-c-d") is None


NAMES = st.sampled_from(["authorization", "traceparent", "baggage", "x-tenant-id", "x-mode", "cookie", *sorted(SPANS)])
LINES = st.lists(st.tuples(NAMES, st.text(max_size=8)), max_size=5).map(tuple)


@given(LINES, LINES, st.sampled_from(sorted(CLIENT)))
def test_equal_calls_hand_on_alike_whatever_the_client_says(inbound: Pairs, sent: Pairs, client: str) -> None:
    assert told(inbound, sent, ((client, "x"), *sent)) == []


@given(LINES, LINES, LINES)
def test_a_header_is_told_once_and_both_ways(inbound: Pairs, one: Pairs, other: Pairs) -> None:
    there, back = told(inbound, one, other), told(inbound, other, one)
    paths = [path for _, path, _ in there]
    assert len(paths) == len(set(paths))
    lost = {path for kind, path, _ in there if kind == "propagation.missing_header"}
    context = {path for kind, path, _ in back if kind == "propagation.added"}
    assert context <= lost


OWN_NOTES = (("database", "a"), ("fingerprint", "f"), ("transaction", "c.1"))
TRACED, UNTRACED = (("traceparent", SENT),), ()

# name: call on the baseline's side, on the candidate's, what is told
WIRES: list[tuple[str, Call, Call, list[tuple[str, str, str]]]] = [
    ("a trace in a SQL comment", sql("SELECT a FROM x", headers=TRACED), sql("SELECT a FROM x"), [("propagation.missing_header", "header.traceparent", "handed on→missing")]),
    ("a recorder's notes", sql("SELECT a FROM x", transaction="c.1"), sql("SELECT a FROM x", transaction="d.7"), []),
    ("a framework's notes in a SQL comment", sql("SELECT a FROM x", headers=(("route", "a"),)), sql("SELECT a FROM x", headers=(("route", "b"),)), []),
    ("a trace in an event", publish("t", {}, headers=TRACED), publish("t", {}), [("propagation.missing_header", "header.traceparent", "handed on→missing")]),
    ("an event's own header", publish("t", {}, headers=(("version", "one"),)), publish("t", {}, headers=(("version", "two"),)), [("bus.header_changed", "header.version", "text")]),
    ("an event's key, in a header", publish("t", {}, headers=(("partition-key", "one"),)), publish("t", {}, headers=(("partition-key", "two"),)), [("bus.key_changed", "header.partition-key", "text")]),
    ("an event's header gone", publish("t", {}, headers=(("version", "one"),)), publish("t", {}), [("bus.header_changed", "header.version", "present→missing")]),
    ("a gRPC deadline gone", grpc("a.B/C", b"", headers=(("grpc-timeout", "1S"),)), grpc("a.B/C", b""), [("propagation.missing_header", "header.grpc-timeout", "own→missing")]),
    ("a gRPC library", grpc("a.B/C", b"", headers=(("grpc-accept-encoding", "gzip"), ("user-agent", "a"))), grpc("a.B/C", b""), []),
    ("a gRPC header", grpc("a.B/C", b"", headers=(("mode", "x"),)), grpc("a.B/C", b"", headers=(("mode", "y"),)), [("grpc.request_changed", "header.mode", "text")]),
    ("another isolated database", redis("GET", "k"), redis("GET", "k"), []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in WIRES], ids=[row[0] for row in WIRES])
def test_every_protocol_hands_on(before: Call, after: Call, expected: list[tuple[str, str, str]]) -> None:
    turn = Turn(sent_headers=TRACED)
    pair = Pair("c-0", exchange(turn, 0, "a"), exchange(turn, 0, "b"))
    found = compare_propagation(pair, before.exchange(pair.before, 0), after.exchange(pair.after, 0))
    assert [(f"{one.surface.value}.{one.kind}", one.path, one.transition) for one in found] == expected
