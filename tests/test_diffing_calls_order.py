"""The order of two matched calls: a warning only where the second one sends what the first one's answer told."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange
from seamline.diffing.calls.key import Key, key_of
from seamline.diffing.calls.order import MAX_ORDERED, Matched, compare_events, compare_order
from seamline.diffing.causes.severity import severity_of
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.pair import Pair
from seamline.diffing.report.model import Surface
from support.calls import commit, publish, sql
from support.traffic import Call, Turn, exchange, outbound

ASKED = exchange(Turn(sent={"cart": "cart-4711"}), 0, "a")
PAIR = Pair("c-0", ASKED, ASKED)
Span = tuple[int, int]
"""When a call starts, and how long it takes, microseconds."""


def call(service: str, span: Span, body: Any = None, answer: Any = None) -> Exchange:
    return outbound(Call(service, "POST", "/do", body, answer=answer, at_us=span[0], takes_us=span[1]), ASKED, 0)


def kinds(
    old: tuple[Span, Span], new: tuple[Span, Span], *, services: str = "xy", told: Any = None, sends: Any = None
) -> list[str]:
    """The kinds of difference of two calls; the first one is answered by `told`, the second one sends `sends`."""
    firsts = [call(services[0], span[0], answer=told) for span in (old, new)]
    seconds = [call(services[1], span[1], sends) for span in (old, new)]
    matched: list[Matched] = [
        (Key(services[0], "POST /do"), firsts[0], firsts[1]),
        (Key(services[1], "POST /do"), seconds[0], seconds[1]),
    ]
    return [one.kind for one in compare_order(matched, PAIR)]


AFTER: tuple[Span, Span] = ((0, 100), (100, 100))
BEFORE: tuple[Span, Span] = ((200, 100), (0, 100))
BESIDE: tuple[Span, Span] = ((0, 100), (50, 100))
INSIDE: tuple[Span, Span] = ((0, 300), (100, 100))

# name: spans on the baseline's side, on the candidate's side, services, kinds
MOVES: list[tuple[str, tuple[Span, Span], tuple[Span, Span], str, list[str]]] = [
    ("one after the other", AFTER, ((0, 10), (900, 10)), "xy", []),
    ("the other way round", AFTER, BEFORE, "xy", ["reordered"]),
    ("now side by side", AFTER, BESIDE, "xy", ["concurrency_gained"]),
    ("no more side by side", BESIDE, AFTER, "xy", ["concurrency_lost"]),
    ("no more side by side, swapped", BESIDE, BEFORE, "xy", ["concurrency_lost"]),
    ("side by side as before", BESIDE, ((50, 100), (0, 100)), "xy", []),
    # A call inside another service's call may be that service's own: it says nothing of concurrency.
    ("an inner hop", INSIDE, AFTER, "xy", []),
    ("inside, of one service", INSIDE, AFTER, "xx", ["concurrency_lost"]),
]


@pytest.mark.parametrize(("old", "new", "services", "expected"), [row[1:] for row in MOVES], ids=[r[0] for r in MOVES])
def test_how_two_calls_move(old: tuple[Span, Span], new: tuple[Span, Span], services: str, expected: list[str]) -> None:
    assert kinds(old, new, services=services) == expected


# name: the first call's answer, what the second call sends, whether it depends on the answer
DATA: list[tuple[str, Any, Any, bool]] = [
    ("an id from the answer", {"id": "res-8812"}, {"reservation": "res-8812"}, True),
    ("deep in the answer", {"a": [{"b": ["res-8812"]}]}, {"reservation": "res-8812"}, True),
    ("a number from the answer", {"id": 8_812_000}, {"reservation": 8_812_000}, True),
    ("a short text coincides", {"id": "paid"}, {"state": "paid"}, False),
    ("a small number coincides", {"id": 42}, {"qty": 42}, False),
    ("the request told it already", {"cart": "cart-4711"}, {"cart": "cart-4711"}, False),
    ("nothing shared", {"id": "res-8812"}, {"other": "res-9999"}, False),
    ("no answer to learn from", None, {"reservation": "res-8812"}, False),
    # A number past 64 bits is not looked for; it once stood for a NUL byte, which binary bodies are full of.
    ("a huge number and a binary body", {"id": 1 << 70}, b"\x89PNG\0\0", False),
]


@pytest.mark.parametrize(("told", "sends", "depends"), [row[1:] for row in DATA], ids=[row[0] for row in DATA])
def test_a_broken_data_dependency_is_a_changed_order(told: Any, sends: Any, depends: bool) -> None:
    assert kinds(AFTER, BEFORE, told=told, sends=sends) == ["order_changed" if depends else "reordered"]
    assert kinds(AFTER, BESIDE, told=told, sends=sends) == ["order_changed" if depends else "concurrency_gained"]


def test_the_transition_names_both_calls() -> None:
    matched: list[Matched] = [
        (Key("x", "POST /do"), call("x", AFTER[0]), call("x", BEFORE[0])),
        (Key("y", "POST /do"), call("y", AFTER[1]), call("y", BEFORE[1])),
    ]
    (one,) = compare_order(matched, PAIR)
    assert one.transition == "x POST /do then y POST /do→the other way round"
    assert (one.service, one.operation, one.path) == ("y", "POST /do", None)


def test_what_each_side_draws_and_sends_before_it_is_told_comes_from_elsewhere() -> None:
    """An order's number: the answer names it, and so does the event that another service may handle first."""
    numbers = 1_000_004, 3_000_012
    firsts = [
        call("orders", span, answer={"id": number}) for span, number in zip((AFTER[0], BEFORE[0]), numbers, strict=True)
    ]
    seconds = [call("db", span, {"order": number}) for span, number in zip((AFTER[1], BEFORE[1]), numbers, strict=True)]
    matched: list[Matched] = [
        (Key("orders", "POST /do"), firsts[0], firsts[1]),
        (Key("db", "POST /do"), seconds[0], seconds[1]),
    ]
    assert [one.kind for one in compare_order(matched, PAIR)] == ["reordered"]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 200)), min_size=2, max_size=8))
def test_equal_times_have_no_difference_and_a_kind_is_told_once(spans: list[Span]) -> None:
    calls = [call(f"s{place}", span, {"n": place}) for place, span in enumerate(spans)]
    assert compare_order([(Key(one.service, "POST /do"), one, one) for one in calls], PAIR) == []
    turned: list[Matched] = [
        (Key(one.service, "POST /do"), one, replace(one, started_us=-one.started_us - one.latency_us)) for one in calls
    ]
    found = [one.kind for one in compare_order(turned, PAIR)]
    assert set(found) <= {"reordered"}
    assert len(found) <= 1
    ordered = sorted(calls, key=lambda one: one.started_us)
    if any(one.started_us + one.latency_us < other.started_us for one, other in pairwise(ordered)):
        assert found == ["reordered"]


def test_past_the_bound_order_is_not_looked_at() -> None:
    def reversed_order(count: int) -> list[str]:
        calls = [call("x", (place * 100, 50), {"n": place}) for place in range(count)]
        matched: list[Matched] = [(Key("x", "POST /do"), *both) for both in zip(calls, reversed(calls), strict=True)]
        return [one.kind for one in compare_order(matched, PAIR)]

    assert reversed_order(MAX_ORDERED) == ["reordered"]
    assert reversed_order(MAX_ORDERED + 1) == []


WRITE, EVENT = "INSERT INTO orders (id) VALUES ($1)", {"n": 1}
Timed = dict[str, int]


def side(times: Timed) -> dict[str, Exchange]:
    """A write, its commit, an event and a call elsewhere, each at its time."""
    calls: dict[str, Call] = {
        "write": sql(WRITE, 1, transaction="c.1"),
        "commit": commit("c.1"),
        "event": publish("orders.created", EVENT, key="k"),
        "elsewhere": Call("mail", "POST", "/mails"),
    }
    return {name: replace(calls[name], at_us=at).exchange(ASKED, 0) for name, at in times.items()}


def moved(before: Timed, after: Timed) -> list[tuple[str, str, str]]:
    """Each difference as (kind, operation, severity) where calls stand at these times, each taking 100 µs."""
    old, new = side(before), side(after)
    templates = Templates.learn([*old.values(), *new.values()])
    keys = {name: key_of(call, templates) for name, call in old.items() if name != "commit"}
    keys["commit"] = Key("db", "COMMIT", Surface.SQL)
    found = compare_order([(keys[name], old[name], new[name]) for name in old], PAIR)
    return [(one.kind, one.operation or "", severity_of(one).word) for one in found]


COMMITS: list[tuple[str, Timed, Timed, list[tuple[str, str, str]]]] = [
    ("D20", {"commit": 100, "event": 300}, {"commit": 300, "event": 100}, [("order_changed", "publish orders.created", "breaking")]),
    ("D20 at once", {"commit": 100, "event": 300}, {"commit": 100, "event": 150}, [("order_changed", "publish orders.created", "breaking")]),
    ("an event moves behind the commit", {"event": 100, "commit": 300}, {"event": 300, "commit": 100}, [("reordered", "COMMIT", "info")]),
    ("a write leaves its transaction", {"write": 100, "commit": 300}, {"write": 300, "commit": 100}, [("order_changed", "COMMIT", "breaking")]),
    ("an event before its row", {"write": 100, "event": 300}, {"write": 300, "event": 100}, [("order_changed", "publish orders.created", "breaking")]),
    ("a call elsewhere", {"commit": 100, "elsewhere": 300}, {"commit": 300, "elsewhere": 100}, [("reordered", "POST /mails", "info")]),
    ("a mail and an event", {"elsewhere": 100, "event": 300}, {"elsewhere": 300, "event": 100}, [("reordered", "publish orders.created", "info")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in COMMITS], ids=[row[0] for row in COMMITS])
def test_what_a_commit_stands_between(before: Timed, after: Timed, expected: list[tuple[str, str, str]]) -> None:
    assert moved(before, after) == expected


def test_of_too_many_calls_those_that_change_something_are_looked_at() -> None:
    reads: list[Matched] = [
        (Key("x", f"GET /{place}"), call("x", (place, 1)), call("x", (place, 1))) for place in range(MAX_ORDERED)
    ]
    old, new = side({"commit": 100, "event": 300}), side({"commit": 300, "event": 100})
    ends: list[Matched] = [
        (Key("db", "COMMIT", Surface.SQL), old["commit"], new["commit"]),
        (Key("bus", "publish orders.created", Surface.BUS), old["event"], new["event"]),
    ]
    assert [one.kind for one in compare_order([*reads, *ends], PAIR)] == ["order_changed"]


def events(*order: tuple[str, int]) -> list[Exchange]:
    """Events of a key each, in this order."""
    return [
        publish("t", {"n": number}, key=key, at=100 * place).exchange(ASKED, place)
        for place, (key, number) in enumerate(order)
    ]


def test_events_of_one_key_keep_their_order() -> None:
    def reordered(before: list[Exchange], after: list[Exchange]) -> list[str]:
        by_body = {one.request.body: one for one in after}
        key = Key("bus", "publish t", Surface.BUS)
        return [one.kind for one in compare_events([(key, one, by_body[one.request.body]) for one in before])]

    one_key = events(("a", 1), ("a", 2))
    assert reordered(one_key, events(("a", 2), ("a", 1))) == ["reordered"]
    assert reordered(one_key, events(("a", 1), ("a", 2))) == []
    assert reordered(events(("a", 1), ("b", 2)), events(("b", 2), ("a", 1))) == []
