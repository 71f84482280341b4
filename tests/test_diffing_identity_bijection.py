"""Two runs are the same up to the names of their ids: what is learnt of that, and what contradicts it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.diffing.identity.bijection import Domains, contradictions, established, hold_against
from seamline.diffing.identity.nouns import noun_of
from seamline.diffing.identity.sights import Sight, Spot, Trust

BODY = Spot("POST /orders", ("response", "$.id", "", ""))
LOCATION = Spot("POST /orders", ("header", "header.location", "", ""), "orders")
INSERTED = Spot("POST /orders", ("sql", "$.order_id", "db", "INSERT INTO order_lines (order_id) VALUES ($1)"))
CUSTOMER = Spot("POST /orders", ("response", "$.customer_id", "", ""))
LIST = Spot("GET /orders", ("response", "$.orders[*].id", "", ""))
QTY = Spot("POST /orders", ("response", "$.qty", "", ""))


def see(key: str, spot: Spot, before: object, after: object, trust: Trust = Trust.ANSWERED) -> Sight:
    old, new = str(before), str(after)
    return Sight(key, spot, old, new, trust, old.isdecimal(), noun_of(*spot))


def orders(numbers: range, far: int, *spots: Spot) -> list[Sight]:
    """An order a request, seen at each spot."""
    return [see(f"c-{n}", spot, 1_000_000 + n, 1_000_000 + far + n) for n in numbers for spot in spots]


def told(sights: list[Sight], domains: Domains) -> list[tuple[str, Spot, str, bool]]:
    return [(one.sight.key, one.sight.spot, one.expected, one.reused) for one in contradictions(sights, domains.spots)]


BASELINE = Domains([orders(range(5), 500_000, BODY, LOCATION, INSERTED)])


def test_places_that_call_the_same_ids_alike_are_one_domain() -> None:
    assert set(BASELINE.spots) == {BODY, LOCATION, INSERTED}
    assert len(set(BASELINE.spots.values())) == 1
    assert told(orders(range(5), 700_000, BODY, LOCATION, INSERTED), BASELINE) == []


def test_the_place_that_says_otherwise_is_the_broken_one() -> None:
    sights = orders(range(5), 700_000, BODY, LOCATION, INSERTED)
    sights[3] = see("c-1", BODY, 1_000_001, 1_700_004)
    assert told(sights, BASELINE) == [("c-1", BODY, "1700001", False)]


def test_what_a_store_says_outweighs_what_is_answered() -> None:
    sights = [
        see("c-0", BODY, 1_000_000, 1_700_009),
        see("c-0", LOCATION, 1_000_000, 1_700_009),
        see("c-0", INSERTED, 1_000_000, 1_700_000, Trust.STORED),
    ]
    assert [(spot, expected) for _, spot, expected, _ in told(sights, BASELINE)] == [
        (BODY, "1700000"),
        (LOCATION, "1700000"),
    ]


def test_a_retry_that_is_given_another_id_is_broken_where_it_answers() -> None:
    sights = [*orders(range(3), 700_000, BODY), see("c-7", BODY, 1_000_001, 1_700_009)]
    assert told(sights, BASELINE) == [("c-7", BODY, "1700001", False)]


def test_two_ids_with_one_name_are_broken_at_the_second() -> None:
    sights = [*orders(range(3), 700_000, BODY), see("c-7", BODY, 1_000_009, 1_700_001)]
    assert told(sights, BASELINE) == [("c-7", BODY, "1000001", True)]


def test_in_a_list_the_ids_only_have_to_be_there() -> None:
    domains = Domains(
        [[*orders(range(5), 500_000, BODY), *(see("c-9", LIST, 1_000_000 + n, 1_500_000 + n) for n in range(5))]]
    )
    names = orders(range(5), 700_000, BODY)
    shuffled = [see("c-9", LIST, 1_000_000 + n, 1_700_000 + (n + 1) % 5) for n in range(5)]
    assert told([*names, *shuffled], domains) == []
    foreign = [*shuffled[:4], see("c-9", LIST, 1_000_004, 1_700_009)]
    assert told([*names, *foreign], domains) != []


def test_a_place_that_contradicts_itself_in_the_baseline_asserts_nothing() -> None:
    unsteady = [see(f"c-{n}", CUSTOMER, 2_000_000 + n % 2, 2_500_000 + n) for n in range(6)]
    assert CUSTOMER not in Domains([[*orders(range(5), 500_000, BODY, LOCATION), *unsteady]]).spots


@pytest.mark.parametrize("far", [1, 4, 2_000])
def test_a_quantity_is_no_id_however_its_numbers_differ(far: int) -> None:
    sights = [see(f"c-{n}", QTY, n % 4, n % 4 + far) for n in range(20)]
    assert Domains([sights]).spots == {}


def test_a_number_far_from_the_other_side_s_always_by_the_same_is_an_id_without_a_name() -> None:
    ticket = Spot("POST /orders", ("response", "$.ticket", "", ""))
    sights = [see(f"c-{n}", ticket, n // 2, n // 2 + 1_000_003) for n in range(20)]
    assert ticket in Domains([sights]).spots


def test_two_counters_in_step_are_two_domains() -> None:
    """Both begin at one number on each side: only their names tell orders from customers."""
    domains = Domains([orders(range(5), 500_000, BODY, LOCATION, CUSTOMER)])
    assert domains.spots[BODY] == domains.spots[LOCATION]
    assert domains.spots.get(CUSTOMER) != domains.spots[BODY]
    candidate = [*orders(range(5), 700_000, BODY, LOCATION), *orders(range(5), 700_001, CUSTOMER)]
    assert told(candidate, domains) == []


def test_a_side_s_own_name_is_no_id() -> None:
    pod = Spot("POST /orders", ("response", "$.pod", "", ""))
    assert Domains([[see(f"c-{n}", pod, "pod-55b76bfd", "pod-59e01472") for n in range(20)]]).spots == {}


def test_nothing_is_learnt_from_nothing() -> None:
    assert Domains([]).spots == {}
    assert Domains([[]]).spots == {}
    assert contradictions([], {}) == []


def test_what_is_established_is_so_both_ways() -> None:
    sights = [*orders(range(3), 700_000, BODY), see("c-7", BODY, 1_000_009, 1_700_001)]
    assert established(BASELINE.names(sights)) == {(str(1_000_000 + n), str(1_700_000 + n)) for n in range(3)}


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=30))
def test_any_renaming_that_is_one_contradicts_nothing(names: list[int], later: list[int]) -> None:
    domains = Domains([orders(range(12), 500_000, BODY, LOCATION, INSERTED)])
    pairs = [*enumerate(names), *((n, names[n]) for n in later)]
    sights = [
        see(f"c-{place}", spot, 1_000_000 + before, 1_700_000 + after)
        for place, (before, after) in enumerate(pairs)
        for spot in (BODY, INSERTED)
    ]
    held = hold_against(sights, domains.spots)
    assert held.broken == []
    assert len(held.consistent) == len(sights)
