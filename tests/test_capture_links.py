"""Which inbound exchange a call is tied to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.links import LATE_CONFIDENCE, LONE_LANE_CONFIDENCE, LONE_TIME_CONFIDENCE, LinkIndex
from seamline.capture.model import Link, LinkKind

NONE = Headers()
A, B = "a" * 32, "b" * 32


def traced(trace: str, span: str = "1" * 16) -> Headers:
    return Headers([("Host", "x"), ("TraceParent", f"00-{trace}-{span}-01")])


def test_a_shared_trace_id_decides() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, traced(A))
    links.opened("in-2", 11, traced(B))
    assert links.links_for(traced(A, "2" * 16), 20) == (Link("in-1", LinkKind.PROPAGATED, 1.0),)
    assert links.links_for(traced(B.upper()), 20) == (Link("in-2", LinkKind.PROPAGATED, 1.0),)


@pytest.mark.parametrize(
    "value",
    ["", "00", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'a' * 31}-{'1' * 16}-01", f"00-{'c' * 32}-{'1' * 16}-01"],
    ids=["empty", "short", "all zero", "31 digits", "unknown"],
)
def test_a_trace_that_says_nothing_leaves_it_to_the_time(value: str) -> None:
    links = LinkIndex()
    links.opened("in-1", 10, Headers([("traceparent", value)]) if "c" not in value else traced(A))
    (link,) = links.links_for(Headers([("traceparent", value)]), 20)
    assert (link.parent, link.how, link.confidence) == ("in-1", LinkKind.TIME, LONE_TIME_CONFIDENCE)


def test_other_headers_can_carry_the_trace_but_the_strongest_wins() -> None:
    links = LinkIndex(("traceparent", "X-Flow"))
    links.opened("in-1", 10, Headers([("x-flow", "f1")]))
    links.opened("in-2", 10, traced(A))
    assert links.links_for(Headers([("X-Flow", " f1 ")]), 20)[0] == Link("in-1", LinkKind.PROPAGATED, 1.0)
    both = Headers([("X-Flow", "f1"), *traced(A).items])
    assert [link.parent for link in links.links_for(both, 20)] == ["in-2"]


def test_a_trace_shared_by_two_stays_ambiguous() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, traced(A))
    links.opened("in-2", 12, traced(A))
    assert links.links_for(traced(A), 20) == (
        Link("in-2", LinkKind.PROPAGATED, 0.5),
        Link("in-1", LinkKind.PROPAGATED, 0.5),
    )
    links.closed("in-2", 15)
    assert links.links_for(traced(A), 20) == (Link("in-1", LinkKind.PROPAGATED, 1.0),)


def test_the_lane_goes_before_the_time() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, NONE, "worker-1")
    links.opened("in-2", 10, NONE, "worker-2")
    assert links.links_for(NONE, 20, "worker-1") == (Link("in-1", LinkKind.LANE, LONE_LANE_CONFIDENCE),)
    assert {link.how for link in links.links_for(NONE, 20, "worker-3")} == {LinkKind.TIME}


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_what_is_open_shares_the_confidence(count: int) -> None:
    links = LinkIndex()
    for number in range(count):
        links.opened(f"in-{number}", number, NONE)
    found = links.links_for(NONE, 100)
    assert [link.parent for link in found] == [f"in-{number}" for number in range(count)][::-1][:4]
    assert {link.confidence for link in found} == {LONE_TIME_CONFIDENCE if count == 1 else 1 / count}


def test_what_started_later_is_no_cause() -> None:
    links = LinkIndex()
    links.opened("in-1", 10, NONE)
    links.opened("in-2", 30, NONE)
    assert [link.parent for link in links.links_for(NONE, 20)] == ["in-1"]
    assert links.links_for(NONE, 5) == ()


def test_a_late_call_finds_what_has_just_closed_with_less_confidence() -> None:
    links = LinkIndex(grace_us=1000)
    links.opened("in-1", 10, traced(A))
    links.closed("in-1", 20)
    assert links.links_for(traced(A), 900) == (Link("in-1", LinkKind.PROPAGATED, 1.0),)
    assert links.links_for(NONE, 900) == (Link("in-1", LinkKind.TIME, LATE_CONFIDENCE),)
    assert links.links_for(traced(A), 2000) == ()


def test_nothing_known_is_no_link() -> None:
    links = LinkIndex()
    links.closed("never-opened", 5)
    assert links.links_for(traced(A), 5, "lane") == ()


def test_memory_is_bounded() -> None:
    links = LinkIndex(most=10, grace_us=1 << 60)
    for number in range(100):
        links.opened(f"in-{number}", number, traced(f"{number + 1:032x}"), "lane")
        if number % 2:
            links.closed(f"in-{number}", number)
    assert links.links_for(traced(f"{1:032x}"), 1000)[0].how is LinkKind.TIME
    assert links.links_for(traced(f"{100:032x}"), 1000) == (Link("in-99", LinkKind.PROPAGATED, 1.0),)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.sampled_from((NONE, traced(A), traced(B)))), max_size=40)
)
def test_confidences_never_add_up_to_more_than_one(steps: list[tuple[bool, int, Headers]]) -> None:
    links = LinkIndex(grace_us=20)
    for at, (opens, number, headers) in enumerate(steps):
        if opens:
            links.opened(f"in-{at}", at, headers, None)
        else:
            links.closed(f"in-{number}", at)
        found = links.links_for(headers, at)
        assert sum(link.confidence for link in found) <= 1.0 + 1e-9
        assert len(found) <= 4
        assert len({link.parent for link in found}) == len(found)
