"""Downstream calls by their cause: a sure link is taken at its word, an uncertain one is kept apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange, Link, LinkKind, Role
from seamline.diffing.outbound import SURE, CallIndex
from support.calls import state
from support.captures import START_US, an_exchange


def call(number: int, *links: tuple[str, float], at: int = 0, service: str = "stock") -> Exchange:
    made = tuple(Link(parent, LinkKind.TIME, confidence) for parent, confidence in links)
    return an_exchange(number, role=Role.OUTBOUND, service=service, links=made, started_us=START_US + at)


def ids(calls: list[Exchange]) -> list[str]:
    return [one.id for one in calls]


# links of one call: who surely caused it, who may have, whether nobody is named
LINKS: list[tuple[str, list[tuple[str, float]], list[str], list[str], int]] = [
    ("a shared trace", [("p", 1.0)], ["p"], [], 0),
    ("just sure enough", [("p", SURE)], ["p"], [], 0),
    ("not quite", [("p", SURE - 0.01)], [], ["p"], 0),
    ("one of two", [("p", 0.5), ("q", 0.5)], [], ["p", "q"], 0),
    # The best link comes first; where it is sure, the others are no candidates any more.
    ("sure, with a rest", [("p", 0.95), ("q", 0.05)], ["p"], [], 0),
    ("no link", [], [], [], 1),
]


@pytest.mark.parametrize(("links", "sure", "maybe", "lost"), [row[1:] for row in LINKS], ids=[row[0] for row in LINKS])
def test_a_call_is_filed_by_its_links(
    links: list[tuple[str, float]], sure: list[str], maybe: list[str], lost: int
) -> None:
    index = CallIndex([call(1, *links)])
    assert [parent for parent in "pq" if index.sure_of(parent)] == sure
    assert [parent for parent in "pq" if index.maybe_of(parent)] == maybe
    assert index.unattributed == lost


def test_calls_come_in_the_order_of_their_start_then_of_their_number() -> None:
    late, early, tie = call(1, ("p", 1.0), at=50), call(3, ("p", 1.0), at=10), call(2, ("p", 1.0), at=10)
    assert ids(CallIndex([late, early, tie]).sure_of("p")) == ["t-2", "t-3", "t-1"]


def test_inbound_exchanges_are_no_calls_and_a_service_counts_even_without_a_cause() -> None:
    index = CallIndex([an_exchange(1), call(2, service="payments"), call(3, ("p", 1.0))])
    assert index.services == {"payments", "stock"}
    assert ids(index.sure_of("p")) == ["t-3"]


def test_asking_for_a_stranger_changes_nothing() -> None:
    index = CallIndex([])
    assert (index.sure_of("x"), index.maybe_of("x"), index.services, index.unattributed) == ([], [], set(), 0)


CONFIDENCES = st.lists(st.tuples(st.sampled_from("pqr"), st.floats(0, 1)), max_size=3, unique_by=lambda one: one[0])


@given(st.lists(CONFIDENCES, max_size=10))
def test_every_call_is_filed_somewhere_and_never_as_both(several: list[list[tuple[str, float]]]) -> None:
    index = CallIndex(call(number, *links) for number, links in enumerate(several))
    sure = [one for parent in "pqr" for one in ids(index.sure_of(parent))]
    maybe = {one for parent in "pqr" for one in ids(index.maybe_of(parent))}
    assert len(sure) == len(set(sure))
    assert not set(sure) & maybe
    assert len(sure) + len(maybe) + index.unattributed == len(several)


def message(name: str, cause: str, confidence: float = 1.0) -> Exchange:
    """A message that the service is given because of another exchange."""
    return an_exchange(99, id=name, links=(Link(cause, LinkKind.PROPAGATED, confidence),))


def test_what_a_message_s_handler_does_is_caused_by_who_sent_it() -> None:
    index = CallIndex([call(1, ("m2", 1.0)), message("m2", "m1"), message("m1", "p"), call(2, ("p", 1.0))])
    assert ids(index.sure_of("p")) == ["t-1", "t-2"]
    unsure = CallIndex([call(1, ("m1", 1.0)), message("m1", "p", 0.5)])
    assert (ids(unsure.sure_of("p")), ids(unsure.maybe_of("p"))) == ([], ["t-1"])


def test_messages_in_a_circle_end() -> None:
    index = CallIndex([call(1, ("m1", 1.0)), message("m1", "m2"), message("m2", "m1")])
    assert len(list(index.all())) == 1


def test_all_calls_are_those_of_nobody_too_each_once() -> None:
    index = CallIndex([call(1, ("p", 1.0)), call(2, ("p", 0.5), ("q", 0.5)), call(3)])
    assert sorted(ids(list(index.all()))) == ["t-1", "t-2", "t-3"]


def test_a_final_state_is_no_call() -> None:
    index = CallIndex([state("orders", []), call(1, ("p", 1.0))])
    assert (index.services, index.unattributed, ids(list(index.all_sure()))) == ({"stock"}, 0, ["t-1"])
