"""One side's values: read from answers, put into requests, or the reason why not."""

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.plan import make_plan
from seamline.replay.values.links import ValueLink, ValueLinks
from seamline.replay.values.needs import NONE, Needs, restricted
from seamline.replay.values.place import Place
from seamline.replay.values.session import LONGEST_VALUE, MOST_REASONS, SideValues, Unsent
from support.linked_values import ID, NUMBER, PATH, an_order, answered, asked, link, order_exchanges, unanswered

PAY = Request("POST", "/orders/17/pay", Headers([("Host", "h")]))


def filled(values: SideValues, origin: str = "pay", request: Request = PAY) -> Request:
    assert values.lack(origin) is None
    made = values.filled(origin, request)
    assert isinstance(made, Request)
    return made


def test_what_a_side_answered_takes_the_recordings_place() -> None:
    values = SideValues(an_order())
    values.ended("place", answered(201, b'{"id":400}'))
    assert filled(values).target == "/orders/400/pay"
    assert values.replaced == 1


def test_the_recorded_value_changes_nothing_at_all() -> None:
    values = SideValues(an_order())
    values.ended("place", answered(201, b'{"id":17}'))
    assert filled(values) is PAY
    assert values.replaced == 0
    other = Request("GET", "/", Headers())
    assert values.filled("of no link", other) is other


def test_the_first_source_that_gave_a_value_counts() -> None:
    first = link("place", "show")
    needs = an_order(others={first: (link("place", "show", NUMBER), link("pay", "show", NUMBER))})
    show = Request("GET", "/orders/17", Headers([("Host", "h")]))
    values = SideValues(needs)
    values.ended("place", answered(201, b'{"number":7}'))
    assert filled(values, "show", show).target == "/orders/7"
    later = SideValues(needs)
    later.ended("place", answered(201, b"{}"))
    later.ended("pay", answered(200, b'{"number":8}'))
    assert filled(later, "show", show).target == "/orders/8"


@pytest.mark.parametrize(
    ("outcome", "did"),
    [
        (answered(201, b'{"number":17}'), "gave no $.id"),
        (answered(201, b"not json"), "gave no $.id"),
        (answered(201, b'{"id":"%s"}' % (b"x" * (LONGEST_VALUE + 1))), "gave no $.id"),
        (answered(500, b'{"id":17}'), "was answered 500 where the recording has 201"),
        (unanswered(), "was not answered (timeout)"),
    ],
)
def test_a_producer_that_gave_nothing_is_the_reason(outcome: object, did: str) -> None:
    values = SideValues(an_order(), "candidate")
    values.ended("place", outcome)  # type: ignore[arg-type]  # the table's outcomes lose their type
    why = values.lack("pay")
    assert why == Unsent("place", "POST /orders", did, "candidate")
    assert values.skip("pay", why) == f"POST /orders/{{id}}/pay, because POST /orders {did} (candidate)"
    assert values.lack("place") is None


def test_an_error_that_was_recorded_gives_values_like_any_answer() -> None:
    exchanges = [asked("place", "POST", "/orders", 0, status=409), asked("show", "GET", "/orders/17", 1)]
    plan = make_plan(exchanges, allow_writes=True)
    values = SideValues(restricted(plan, exchanges, ValueLinks({"show": (link("place", "show"),)})))
    values.ended("place", answered(409, b'{"id":5}'))
    assert filled(values, "show", Request("GET", "/orders/17", Headers([("Host", "h")]))).target == "/orders/5"


def test_of_a_chain_the_first_cause_is_told() -> None:
    values = SideValues(an_order(link("pay", "show", NUMBER)))
    values.ended("place", answered(500))
    why = values.lack("pay")
    assert why is not None
    values.skip("pay", why)
    assert values.lack("show") == why


def test_a_request_waits_for_its_producer_until_that_has_ended_one_way_or_the_other() -> None:
    values = SideValues(an_order())
    assert (values.awaited("pay"), values.awaited("place"), values.awaited("unknown")) == ("place", None, None)
    values.ended("place", unanswered())
    assert values.awaited("pay") is None
    skipped = SideValues(an_order())
    skipped.skip("place", Unsent("x", "GET /", "gave no $.id"))
    assert skipped.awaited("pay") is None


def test_a_value_that_would_end_a_header_early_is_never_sent() -> None:
    sink = Place("header", "authorization", ("bearer",))
    use = ValueLink("place", ID, "show", sink, "17", "by hand")
    exchanges = order_exchanges()
    plan = make_plan(exchanges, allow_writes=True)
    values = SideValues(restricted(plan, exchanges, ValueLinks({"show": (use,)})))
    values.ended("place", answered(201, b'{"id":"a\\r\\nX-Admin: 1"}'))
    made = values.filled("show", Request("GET", "/", Headers([("Host", "h"), ("Authorization", "Bearer 17")])))
    if isinstance(made, Request):
        assert not any("\r" in value or "\n" in value for _, value in made.headers.items)
    else:
        assert "cannot be sent" in made.did


def test_a_body_that_grew_has_its_length_told() -> None:
    sink = Place("body", "$.order")
    use = ValueLink("place", ID, "pay", sink, "17", "by hand")
    exchanges = order_exchanges()
    plan = make_plan(exchanges, allow_writes=True)
    values = SideValues(restricted(plan, exchanges, ValueLinks({"pay": (use,)})))
    values.ended("place", answered(201, b'{"id":40001}'))
    headers = Headers([("Host", "h"), ("Content-Type", "application/json"), ("Content-Length", "13")])
    made = filled(values, "pay", Request("POST", "/pay", headers, b'{"order": 17}'))
    assert (made.body, made.headers.get("content-length")) == (b'{"order": 40001}', "16")


def a_pick(*, was_there: bool) -> Needs:
    """The order that is shown was picked out of a list."""
    pick = ValueLink("place", ID, "show", PATH, "17", "by hand", was_there)
    exchanges = order_exchanges()
    return restricted(make_plan(exchanges, allow_writes=True), exchanges, ValueLinks({"show": (pick,)}))


SHOW = Request("GET", "/orders/17", Headers([("Host", "h")]))


def sides(needs: Needs, baseline: bytes, candidate: bytes) -> tuple[SideValues, SideValues]:
    first, second = SideValues(needs, "baseline"), SideValues(needs, "candidate")
    first.references = second.references = (first,)
    first.ended("place", answered(201, baseline))
    second.ended("place", answered(201, candidate))
    return first, second


def test_what_nobody_draws_is_asked_for_as_recorded_whatever_the_candidate_tells() -> None:
    for told in (b'{"id":18}', b"{}"):
        for side in sides(a_pick(was_there=True), b'{"id":17}', told):
            assert filled(side, "show", SHOW) is SHOW


def test_what_the_baseline_draws_is_each_sides_own() -> None:
    first, second = sides(a_pick(was_there=True), b'{"id":400}', b'{"id":500}')
    assert (filled(first, "show", SHOW).target, filled(second, "show", SHOW).target) == ("/orders/400", "/orders/500")


def test_what_was_made_is_followed_even_where_the_baseline_makes_the_recorded_value() -> None:
    first, second = sides(a_pick(was_there=False), b'{"id":17}', b'{"id":18}')
    assert filled(first, "show", SHOW) is SHOW
    assert filled(second, "show", SHOW).target == "/orders/18"
    _, without = sides(a_pick(was_there=False), b'{"id":17}', b"{}")
    assert without.lack("show") is not None


def test_a_word_that_the_baseline_has_told_as_recorded_elsewhere_is_nobodys() -> None:
    pick = ValueLink("place", NUMBER, "show", PATH, "17", "by hand", was_there=True)
    other = ValueLink("place", ID, "pay", PATH, "17", "by hand", was_there=True)
    exchanges = order_exchanges()
    plan = make_plan(exchanges, allow_writes=True)
    needs = restricted(plan, exchanges, ValueLinks({"show": (pick,), "pay": (other,)}))
    first, second = sides(needs, b'{"id":17}', b"{}")
    assert (first.lack("show"), second.lack("show")) == (None, None)
    assert filled(second, "show", SHOW) is SHOW
    nowhere, _ = sides(needs, b"{}", b"{}")
    # Told by nobody: the link was none, and the word is the caller's own.
    assert nowhere.lack("show") is None


def test_there_are_not_many_different_reasons() -> None:
    values = SideValues(NONE)
    reasons = {values.skip(f"x{at}", Unsent("p", f"GET /{at}", "gave no $.id")) for at in range(MOST_REASONS + 50)}
    assert len(reasons) == MOST_REASONS + 1


def test_nothing_is_kept_of_requests_that_nobody_needs() -> None:
    values = SideValues(Needs())
    values.ended("any", answered(200, b'{"id":1}'))
    assert (values.statuses, values.given("any", ID)) == ({}, None)
