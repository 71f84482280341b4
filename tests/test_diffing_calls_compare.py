"""Downstream calls of one request: counted by service and operation, matched by what they ask, never by their order."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.model import Link, LinkKind
from seamline.diffing.addresses import Addresses
from seamline.diffing.calls.compare import MAX_CALLS, WARM, CallComparison, CallPairs, compare_calls
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.outbound import CallIndex
from seamline.diffing.pair import pair_up
from seamline.diffing.rounds import Run
from support.calls import Wire, cached, consumed, publish, put, redis, sql
from support.traffic import Call, Turn, a_run, exchange

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def compared(*turns: tuple[Turn, Turn], comparable: bool = True) -> list[CallComparison]:
    """What each pair of turns does not share; the pairs claim uncertain calls in their order."""
    before, after = (a_run([both[side] for both in turns], "ab"[side]) for side in (0, 1))
    calls = CallPairs(
        CallIndex(before.exchanges),
        CallIndex(after.exchanges),
        Templates.learn([*before.exchanges, *after.exchanges]),
        Addresses([]),
        Addresses([]),
        comparable,
    )
    return [
        compare_calls(calls, pair, lambda _service, _operation: frozenset()) for pair in pair_up(before, after).pairs
    ]


def told(before: list[Call], after: list[Call]) -> list[tuple[str, str, str]]:
    """Each difference as ("surface.kind", operation, transition)."""
    (result,) = compared((Turn(calls=before), Turn(calls=after)))
    return [(f"{one.surface.value}.{one.kind}", one.operation or "", one.transition) for one in result.differences]


def get(number: int = 1, *, status: int = 200, at: int = 100) -> Call:
    return Call("stock", "GET", f"/stock/{number}", status=status, at_us=at)


def pay(amount: int = 5, *, status: int = 200, at: int = 100) -> Call:
    return Call("payments", "POST", "/payments", {"amount": amount}, status=status, at_us=at)


KEEP = Call("pricing", "GET", "/prices")  # The same on both sides, so that no service is new or gone as a whole.
ALL = Call("stock", "GET", "/stock?skus=1,2,3")
GETS = [get(number, at=100 * number) for number in (1, 2, 3, 4)]
STOCK, PAY, BATCH = "GET /stock/{id}", "POST /payments", "GET /stock"

# name: the baseline's calls, the candidate's calls, what is told
CASES: list[tuple[str, list[Call], list[Call], list[tuple[str, str, str]]]] = [
    ("none", [], [], []),
    ("the same", [get(), pay()], [get(), pay()], []),
    ("gone", [KEEP, pay()], [KEEP], [("http.missing", PAY, "present→missing")]),
    ("a service never called before", [KEEP], [KEEP, pay()], [("http.extra", PAY, "new service")]),
    ("new, of a known service", [get()], [get(), ALL], [("http.extra", BATCH, "missing→present")]),
    ("a write too few", [pay(1), pay(2, at=300)], [pay(1)], [("http.missing", PAY, "2→1 calls")]),
    ("a write twice", [pay()], [pay(), pay(at=300)], [("http.extra", PAY, "1→2 calls")]),
    ("a read saved", [get(1), get(2, at=300)], [get(1)], [("http.count_scaling", STOCK, "fewer calls")]),
    ("a loop", GETS[:1], GETS, [("http.count_scaling", STOCK, "×4")]),
    ("two more are no loop", GETS[:1], GETS[:3], [("http.extra", STOCK, "1→3 calls")]),
    # A batch that falls apart is one cause: a scaling, and what it replaces is gone.
    ("N+1", [KEEP, ALL], [KEEP, *GETS], [("http.missing", BATCH, "present→missing"), ("http.count_scaling", STOCK, f"one {BATCH} → a call an item")]),
    ("N+1 mended", [KEEP, *GETS], [KEEP, ALL], [("http.extra", BATCH, "missing→present"), ("http.count_scaling", STOCK, f"a call an item → one {BATCH}")]),
    # A repeat of a call that failed is a retry: luck on the candidate's side, behaviour where it is gone.
    ("a retry", [pay()], [pay(status=503), pay(at=300)], []),
    ("a retry gone", [pay(status=503), pay(at=300)], [pay(status=503)], [("http.retry_removed", PAY, "2→1 calls")]),
    ("a failure is no retry of another call", [pay(1)], [pay(1, status=503), pay(2, at=300)], [("http.extra", PAY, "1→2 calls")]),
    ("another argument", [pay(5)], [pay(500)], [("http.request_changed", PAY, "×100")]),
    ("other answers are inputs", [Call("stock", "GET", "/stock/1", answer={"qty": 1})], [Call("stock", "GET", "/stock/1", answer={"qty": 2})], []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_the_calls_of_a_request(before: list[Call], after: list[Call], expected: list[tuple[str, str, str]]) -> None:
    assert told(before, after) == expected


@settings(deadline=None)
@given(st.permutations([get(1), get(2), get(2), pay(1), pay(2), KEEP]))
def test_calls_at_one_moment_have_no_order(calls: list[Call]) -> None:
    assert told([get(1), get(2), get(2), pay(1), pay(2), KEEP], calls) == []


def test_equal_arguments_match_first_so_that_one_change_is_told_once() -> None:
    before, after = [pay(1), pay(2, at=300), pay(3, at=500)], [pay(3), pay(1, at=300), pay(70, at=500)]
    (result,) = compared((Turn(calls=before), Turn(calls=after)))
    changed = [(one.before, one.after) for one in result.differences if one.kind == "request_changed"]
    assert changed == [(2, 70)]


def test_a_new_service_is_marked_and_shown() -> None:
    (result,) = compared((Turn(calls=[KEEP]), Turn(calls=[KEEP, pay()])))
    (one,) = result.differences
    assert (one.trait, one.before, one.after, one.service) == ("security", None, "POST /payments", "payments")


def test_an_uncertain_call_goes_to_the_one_request_that_lacks_it() -> None:
    def unsure() -> Call:
        return Call("payments", "POST", "/payments", {"amount": 5}, confidence=0.5, how=LinkKind.TIME)

    filled = compared((Turn(calls=[pay()]), Turn(calls=[unsure()])))
    assert [one.differences for one in filled] == [[]]
    # Nobody lacks it: it is no evidence of a new call.
    assert compared((Turn(calls=[KEEP]), Turn(calls=[KEEP, unsure()])))[0].differences == []


def test_what_fails_downstream_on_the_candidates_side_only_is_the_context() -> None:
    (result,) = compared((Turn(calls=[get()]), Turn(calls=[get(status=503)])))
    assert result.context == f"stock {STOCK} came to 503 on the candidate's side, 200 on the baseline's"
    (both,) = compared((Turn(calls=[get(status=503)]), Turn(calls=[get(status=503)])))
    assert both.context == ""


def test_a_lost_trace_is_told_at_the_outermost_call() -> None:
    """orders calls pricing while gateway's call of orders is open: the inner hop never received the trace."""

    def side(*headers: tuple[str, str]) -> Turn:
        outer = Call("orders", "GET", "/orders", headers=headers, at_us=100, takes_us=900)
        inner = Call("pricing", "GET", "/prices", headers=headers, at_us=200, takes_us=100)
        return Turn(sent_headers=(("traceparent", TRACE),), calls=[outer, inner])

    (result,) = compared((side(("traceparent", TRACE)), side()))
    assert [(one.kind, one.service) for one in result.differences] == [("missing_header", "orders")]


def test_too_many_calls_are_said_and_runs_without_taps_say_nothing() -> None:
    many = [get(number) for number in range(MAX_CALLS + 1)]
    (result,) = compared((Turn(calls=many), Turn(calls=many[:1])))
    assert (result.differences, result.unverified) == ([], "more than 2000 downstream calls")
    (silent,) = compared((Turn(calls=[pay()]), Turn()), comparable=False)
    assert silent == CallComparison()


def cut(digest: str) -> Call:
    big = publish("orders.created", None, headers=(("hash", digest), ("size", "2000000")))
    big.payload, big.changes = b"", {"truncated": True}
    return big


def test_payloads_that_were_cut_are_told_apart_by_their_hash() -> None:
    assert told([cut("aa")], [cut("aa")]) == []
    assert told([cut("aa")], [cut("bb")]) == [
        ("bus.payload_changed", "publish orders.created", "cut body's digest differs")
    ]
    (one,) = compared((Turn(calls=[cut("aa")]), Turn(calls=[publish("orders.created", None)])))
    assert one.unverified == "a downstream call's request body was cut"


def test_a_warm_cache_excuses_reads_and_nothing_else() -> None:
    read, write = sql("SELECT a FROM x", at=300), sql("UPDATE x SET a = $1", 1, at=500)
    cold, warm = [cached("k", None), read, put("k", "1", at=700)], [cached("k", "1")]
    (one,) = compared((Turn(calls=cold), Turn(calls=warm)))
    assert ([each.kind for each in one.differences], one.unverified) == ([], WARM)
    (other,) = compared((Turn(calls=[*cold, write]), Turn(calls=warm)))
    assert [(each.kind, each.operation) for each in other.differences] == [("missing", "UPDATE x SET a = $1")]


def test_what_a_call_was_told_is_kept_for_the_final_state() -> None:
    def side(made: int) -> Turn:
        insert = sql("INSERT INTO x (a) VALUES ($1) RETURNING id", 5, rows=[{"id": made}])
        return Turn(calls=[insert, sql("UPDATE y SET x_id = $1", made, at=400)])

    (one,) = compared((side(17), side(19)))
    assert (one.differences, one.told) == ([], [(17, 19)])


TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "SELECT a FROM x WHERE b = $1",
        "COMMIT",
        "INSERT INTO x (a) VALUES ($1)",
        '["k","v"]',
        '{"a":1}',
        "[[[",
        "user:17:x",
    ]
)
WIRES = st.builds(
    lambda protocol, method, target, operation, arguments, payload, answer, at: Wire(
        "x",
        method,
        target,
        headers=(("transaction", "c.1"), ("fingerprint", operation[:4])),
        status=0,
        answer=answer,
        at_us=at,
        protocol=protocol,
        operation=operation,
        arguments=arguments,
        payload=payload,
    ),
    st.sampled_from(["postgres", "mysql", "redis", "kafka", "amqp", "nats", "grpc", "tcp", "mongodb"]),
    st.sampled_from(["SELECT", "INSERT", "COMMIT", "GET", "SET", "MGET", "PUBLISH", "POST", "SEND", ""]),
    TEXTS,
    TEXTS,
    TEXTS,
    st.binary(max_size=20),
    st.binary(max_size=20) | st.sampled_from([b'{"rows":[{"id":1}]}', b"null", b'{"k":null}', b"[[["]),
    st.integers(0, 1_000),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(WIRES, max_size=5), st.lists(WIRES, max_size=5))
def test_any_calls_are_compared_and_are_the_same_as_themselves(before: list[Wire], after: list[Wire]) -> None:
    compared((Turn(calls=before), Turn(calls=after)))
    assert told(list(before), list(before)) == []


def timed(call: Call) -> Call:
    call.confidence, call.how = 0.95, LinkKind.TIME
    return call


def count(number: int) -> Wire:
    return redis("INCRBY", f"loyalty:{number}", f"loyalty:{number}", "5")


def kinds(before: list[list[Call]], after: list[list[Call]]) -> list[list[str]]:
    turns = [(Turn(calls=old), Turn(calls=new)) for old, new in zip(before, after, strict=True)]
    return [[one.kind for one in result.differences] for result in compared(*turns)]


def test_a_call_that_time_gave_to_the_wrong_request_is_neither_missing_nor_extra() -> None:
    """A consumer in the background counts up while either request is open."""
    assert kinds([[timed(count(1))], []], [[], [timed(count(1))]]) == [[], []]
    # The run as a whole has one more: that is no matter of time.
    assert kinds([[timed(count(1))], []], [[timed(count(1))], [timed(count(1))]]) == [[], ["extra"]]
    # A link that rests on more than the time is taken at its word.
    assert kinds([[count(1)], []], [[], [count(1)]]) == [["missing"], ["extra"]]


def test_a_statement_that_took_another_s_place_is_no_scaling_where_time_mixed_requests_up() -> None:
    old, new = "SELECT a FROM x WHERE b = $1 AND c = $2", "SELECT a FROM x WHERE b = $1"

    def calls(text: str, *numbers: int) -> list[Call]:
        return [timed(sql(text, number, 5, at=100 * number)) for number in numbers]

    before = [calls(old, 1), calls(old, 2, 3), []]
    after = [calls(new, 1), calls(new, 2), calls(new, 3)]
    assert kinds(before, after) == [["fingerprint_changed"], [], []]
    # One more in all is no matter of time.
    assert kinds(before, [*after[:2], calls(new, 3, 4)])[2] == ["extra"]


def test_a_handler_s_calls_belong_to_the_request_and_have_no_order_with_its_own() -> None:
    def side(*, late: bool) -> Run:
        run = a_run([Turn(calls=[sql("UPDATE x SET a = $1", 1, at=900 if late else 100)])], "b" if late else "a")
        handler = replace(
            exchange(consumed("t", {}), 7, f"{run.manifest.capture_id}-m"),
            links=(Link(run.exchanges[0].id, LinkKind.PROPAGATED, 1.0),),
        )
        told_of = publish("u", {}, at=500).exchange(run.exchanges[0], 5)
        told_of = replace(told_of, links=(Link(handler.id, LinkKind.PROPAGATED, 1.0),))
        return replace(run, exchanges=[*run.exchanges, handler, told_of])

    before, after = side(late=False), side(late=True)
    calls = CallPairs(
        CallIndex(before.exchanges),
        CallIndex(after.exchanges),
        Templates.learn(before.exchanges),
        Addresses([]),
        Addresses([]),
    )
    (pair,) = pair_up(before, after).pairs
    assert len(calls.before.sure_of(pair.before.id)) == 2
    assert compare_calls(calls, pair, lambda _service, _operation: frozenset()).differences == []
