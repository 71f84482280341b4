"""Statuses and failures."""

from seamline.capture.model import Failure, FailureKind
from seamline.diffing.compare.status import compare_status, outcome
from support.captures import an_exchange
from support.traffic import Turn, exchange


def test_equal_statuses_are_no_difference() -> None:
    assert compare_status(an_exchange(), an_exchange()) is None


def test_a_changed_status_names_the_transition() -> None:
    one = compare_status(an_exchange(), exchange(Turn(status=500), 0, "b"))
    assert one is not None
    assert (one.transition, one.before, one.after, one.path) == ("200→500", 200, 500, None)


def test_no_answer_is_an_outcome() -> None:
    silent = an_exchange(response=None, failure=Failure(FailureKind.RESET, "peer closed"))
    one = compare_status(an_exchange(), silent)
    assert one is not None
    assert (one.transition, one.after) == ("200→reset", "peer closed")
    assert outcome(an_exchange(response=None)) == "none"
