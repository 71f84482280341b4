"""Which links a plan can follow."""

from dataclasses import replace

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Role
from seamline.replay.plan import Plan, Step, make_plan
from seamline.replay.values.links import Refused, ValueLinks
from seamline.replay.values.needs import NONE, http_in_order, is_worth_it, needs_of, restricted
from support.captures import an_exchange
from support.linked_values import ID, NUMBER, PATH, an_order, link, order_exchanges


def test_a_plan_knows_what_to_read_and_where_to_put_it() -> None:
    needs = an_order()
    assert needs.slots.keys() == {"pay", "show"}
    assert needs.places == {"place": (ID,)}
    assert needs.names == {"place": "POST /orders", "pay": "POST /orders/{id}/pay", "show": "GET /orders/{id}"}
    assert needs.statuses == {"place": 201, "pay": 200, "show": 200}
    assert (needs.links, needs.producers("pay"), needs.producers("place")) == (2, {"place"}, frozenset())


def test_without_its_producer_in_the_plan_a_value_stays_as_it_is() -> None:
    exchanges = order_exchanges()
    plan = make_plan(exchanges, allow_writes=False)
    links = ValueLinks({"show": (link("place", "show"),)})
    assert restricted(plan, exchanges, links).slots == {}


def test_another_source_takes_the_place_of_one_that_is_not_replayed() -> None:
    exchanges = order_exchanges()
    plan = make_plan(exchanges, allow_writes=True, where=lambda each: each.id != "place")
    first, second = link("place", "show"), link("pay", "show")
    needs = restricted(plan, exchanges, ValueLinks({"show": (first,)}, others={first: (second,)}))
    [slot] = needs.slots["show"]
    assert (slot.link, slot.sources) == (first, (second,))


def test_nobody_waits_for_what_comes_later() -> None:
    exchanges = order_exchanges()
    plan = make_plan(exchanges, allow_writes=True)
    assert restricted(plan, exchanges, ValueLinks({"place": (link("show", "place"),)})).slots == {}


def test_doubtful_values_are_kept_of_planned_requests_only() -> None:
    exchanges = order_exchanges()
    plan = make_plan(exchanges, allow_writes=False)
    doubts = tuple(Refused(name, PATH, "17", "two answers") for name in ("pay", "show"))
    needs = restricted(plan, exchanges, ValueLinks({}, doubts))
    assert needs.doubtful == doubts[1:]
    assert needs.statuses == {"show": 200}


def test_links_are_found_in_a_capture_in_any_order() -> None:
    exchanges = order_exchanges()
    calls = an_exchange(9, role=Role.OUTBOUND)
    backwards = [*exchanges[::-1], calls]
    assert http_in_order(backwards) == exchanges
    needs = needs_of(make_plan(backwards, allow_writes=True), backwards)
    assert needs.slots.keys() <= {"pay", "show"}
    assert needs_of(Plan(()), []) == NONE


def test_a_long_replay_that_only_reads_is_not_searched() -> None:
    step = Step("a", "s", 0, Request("GET", "/", Headers()))
    write = replace(step, request=Request("POST", "/", Headers()))
    assert is_worth_it(Plan((step,)))
    assert not is_worth_it(Plan((step,) * 1_001))
    assert is_worth_it(Plan((*(step,) * 1_001, write)))
    assert not is_worth_it(Plan((write,) * 50_001))


def test_a_place_is_read_once_for_all_who_need_it() -> None:
    assert an_order(link("place", "show", NUMBER), link("place", "pay", NUMBER)).places == {"place": (ID, NUMBER)}
