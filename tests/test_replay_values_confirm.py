"""What the baselines say of the links."""

from dataclasses import replace

from seamline.replay.values.confirm import confirm
from seamline.replay.values.links import Refused
from seamline.replay.values.needs import NONE, Needs
from seamline.replay.values.session import SideValues
from support.linked_values import PATH, an_order, answered


def a_side(needs: Needs, number: int, pay: int = 200, show: int = 200) -> SideValues:
    values = SideValues(needs)
    values.ended("place", answered(201, b'{"id":%d}' % number))
    values.ended("pay", answered(pay))
    values.ended("show", answered(show))
    return values


def test_links_that_are_followed_and_answered_as_recorded_are_confirmed() -> None:
    needs = an_order()
    found = confirm(needs, [a_side(needs, 400), a_side(needs, 500)])
    assert found.line() == "values: 2 links in 2 requests, 0 unconfirmed"
    assert found.notes() == []


def test_another_answer_than_the_recorded_one_is_told() -> None:
    needs = an_order()
    found = confirm(needs, [a_side(needs, 400, pay=404), a_side(needs, 500)])
    assert found.line() == "values: 2 links in 2 requests, 1 unconfirmed"
    assert found.notes() == [
        "POST /orders/{id}/pay: 1 requests with values of earlier answers were answered 404 by the baseline, 200 when recorded"
    ]


def test_a_value_that_every_baseline_answers_as_recorded_is_constant_and_not_to_blame() -> None:
    needs = an_order()
    found = confirm(needs, [a_side(needs, 17, pay=404), a_side(needs, 17)])
    assert found.line() == "values: 2 links in 2 requests, 2 constant, 0 unconfirmed"
    assert confirm(needs, [a_side(needs, 17), a_side(needs, 18)]).constant == 0


def test_a_doubtful_value_is_told_only_where_its_request_was_answered_otherwise() -> None:
    needs = replace(an_order(), slots={}, doubtful=(Refused("pay", PATH, "17", "?"), Refused("show", PATH, "17", "?")))
    [note] = confirm(needs, [a_side(needs, 400, show=404)]).notes()
    assert note == (
        "GET /orders/{id}: 1 requests whose values may be an earlier answer's were answered 404 by the baseline, "
        "200 when recorded"
    )


def test_a_request_that_was_not_answered_is_told_and_one_that_was_not_sent_is_not() -> None:
    needs = an_order()
    values = SideValues(needs)
    values.ended("place", answered(201, b'{"id":1}'))
    assert confirm(needs, [values]).notes() == []


def test_without_links_there_is_nothing_to_say() -> None:
    assert (confirm(NONE, []).line(), confirm(NONE, []).notes()) == ("", [])
