"""One cause, one finding: what a cluster explains is absorbed by it, and only that."""

from dataclasses import replace
from typing import Any

import pytest

from seamline.diffing.causes.cluster import Cluster
from seamline.diffing.causes.merge import absorb
from seamline.diffing.difference import Difference
from seamline.diffing.identity.sequence import OUT_OF_ORDER
from seamline.diffing.report.model import Surface
from support.clusters import a_cluster, a_difference


def call(kind: str, operation: str, **changes: object) -> Difference:
    return a_difference(kind, None, surface=Surface.HTTP, service="inventory", operation=operation, **changes)


RENAMED = a_difference("field_renamed", "$.phone", transition="phone→phone_number")
SCALED = call("count_scaling", "GET /stock/{sku}", inner="GET /stock")
MOVED = a_difference("relation_changed", "$.expires_at")
BROKEN = a_difference("relation_broken", "header.location")
REMADE = a_difference("shape_changed", "$.ref")
LOCATION = a_difference("changed", "header.location", surface=Surface.HEADER)


@pytest.mark.parametrize(
    ("cause", "explained"),
    [
        pytest.param(RENAMED, a_difference("field_removed", "$.phone"), id="a renaming, the loss"),
        pytest.param(RENAMED, a_difference("field_added", "$.phone_number"), id="a renaming, the gain"),
        pytest.param(SCALED, call("missing", "GET /stock"), id="N+1, the batch it replaces"),
        pytest.param(SCALED, call("extra", "GET /stock/{sku}"), id="N+1, its own extra calls"),
        pytest.param(MOVED, a_difference("value_changed", "$.expires_at"), id="a time that moved"),
        pytest.param(BROKEN, LOCATION, id="a Location that names another id"),
        pytest.param(REMADE, a_difference("value_changed", "$.ref"), id="a token made otherwise is another"),
    ],
)
def test_what_a_cause_explains_is_absorbed_and_noted(cause: Difference, explained: Difference) -> None:
    left = absorb([a_cluster(cause), a_cluster(explained, "t-1", "t-2")])
    assert [one.example for one in left] == [cause]
    assert left[0].notes[0].startswith("explains ")
    assert left[0].notes[0].endswith("of 2 requests")


@pytest.mark.parametrize(
    ("cause", "other"),
    [
        pytest.param(RENAMED, a_difference("field_removed", "$.name"), id="another field"),
        pytest.param(SCALED, call("missing", "POST /reservations"), id="another call"),
        pytest.param(MOVED, a_difference("value_changed", "$.total"), id="another value"),
    ],
)
def test_what_it_does_not_explain_stays(cause: Difference, other: Difference) -> None:
    assert len(absorb([a_cluster(cause), a_cluster(other)])) == 2


@pytest.mark.parametrize(
    ("transition", "other", "keys", "left"),
    [
        pytest.param("201→500", call("missing", "POST /charges"), ("t-1",), 1, id="a failure makes no calls"),
        pytest.param("422→201", call("extra", "POST /charges"), ("t-1",), 1, id="a refusal that is gone makes more"),
        pytest.param("200→timeout", call("missing", "GET /stock"), ("t-1", "t-2"), 1, id="no answer"),
        pytest.param("201→200", call("missing", "POST /charges"), ("t-1",), 2, id="both were served"),
        pytest.param("201→500", call("missing", "POST /charges"), ("t-1", "t-9"), 2, id="missing elsewhere too"),
        pytest.param("201→500", call("extra", "POST /x", trait="security"), ("t-1",), 2, id="a new service"),
        pytest.param("201→500", call("extra", "POST /x", trait="failed"), ("t-1",), 2, id="a new call that fails"),
    ],
)
def test_a_refusal_explains_the_calls_at_its_own_requests(
    transition: str, other: Difference, keys: tuple[str, ...], left: int
) -> None:
    cause = a_difference("changed", None, surface=Surface.STATUS, transition=transition)
    assert len(absorb([a_cluster(other, *keys), a_cluster(cause, "t-1", "t-2")])) == left


def test_nothing_is_absorbed_across_endpoints() -> None:
    clusters = [a_cluster(RENAMED), a_cluster(a_difference("field_removed", "$.phone"), endpoint="GET /customers")]
    assert len(absorb(clusters)) == 2


def test_a_list_that_was_cut_and_lost_members_is_one_finding_of_all_its_requests() -> None:
    clusters: list[Cluster] = [
        a_cluster(a_difference("length_changed", "$.items"), "t-1"),
        a_cluster(a_difference("multiset_changed", "$.items"), "t-2", "t-3"),
    ]
    (one,) = absorb(clusters)
    assert one.example.kind == "multiset_changed"
    assert set(one.observations) == {"t-1", "t-2", "t-3"}


def on(surface: Surface, kind: str, operation: str, **changes: object) -> Difference:
    return a_difference(kind, None, surface=surface, service="db", operation=operation, **changes)


GET, READ = "GET user:{id}:cart", "SELECT qty FROM stock WHERE sku = $1"
NO_CACHE = on(Surface.REDIS, "missing", GET)
N_PLUS_ONE = on(Surface.SQL, "count_scaling", "SELECT a FROM x WHERE id = $1", inner="SELECT a FROM x WHERE owner = $1")
FAILED = a_difference("changed", None, surface=Surface.STATUS, transition="OK→INTERNAL")
TWICE = a_difference("multiset_changed", "$.coupons", surface=Surface.STATE, service="db")

# name: a cause, what else is told at the same requests, how many are left
CAUSES: list[tuple[str, Difference, Difference, int]] = [
    ("a cache bypassed, the reads behind it", NO_CACHE, on(Surface.SQL, "extra", READ), 1),
    ("a cache bypassed, what filled it", NO_CACHE, on(Surface.REDIS, "missing", "SET user:{id}:cart"), 1),
    ("a cache bypassed, another key", NO_CACHE, on(Surface.REDIS, "missing", "SET rates"), 2),
    ("a cache bypassed, a write", NO_CACHE, on(Surface.SQL, "extra_write", "UPDATE x SET a = $1"), 2),
    ("a cache bypassed, a query that is gone", NO_CACHE, on(Surface.SQL, "missing", READ), 2),
    ("a cache never filled bypasses nothing", on(Surface.REDIS, "missing", "SET user:{id}:cart"), on(Surface.SQL, "extra", READ), 2),
    ("N+1, a list of one", N_PLUS_ONE, on(Surface.SQL, "fingerprint_changed", "SELECT a FROM x WHERE owner = $1", inner="SELECT a FROM x WHERE id = $1"), 1),
    ("N+1, the list's query", N_PLUS_ONE, on(Surface.SQL, "missing", "SELECT a FROM x WHERE owner = $1"), 1),
    ("N+1, another query", N_PLUS_ONE, on(Surface.SQL, "fingerprint_changed", READ, inner="SELECT qty FROM y"), 2),
    ("a failure takes its transaction back", FAILED, on(Surface.SQL, "transaction_changed", "UPDATE x SET a = $1"), 1),
    ("a failure makes no writes", FAILED, on(Surface.SQL, "missing", "UPDATE x SET a = $1"), 1),
    ("a failure makes no events", FAILED, on(Surface.BUS, "missing", "publish t"), 1),
    ("a failure writes no other values", FAILED, on(Surface.SQL, "argument_changed", "UPDATE x SET a = $1"), 2),
    ("rows twice", TWICE, a_difference("row_extra", "$.coupons", surface=Surface.STATE, service="db"), 1),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "other", "left"), [row[1:] for row in CAUSES], ids=[row[0] for row in CAUSES])
def test_causes_among_calls_and_states(cause: Difference, other: Difference, left: int) -> None:
    found = absorb([a_cluster(cause), a_cluster(other)])
    assert len(found) == left
    assert found[0].example == cause


def test_a_query_at_other_requests_too_is_not_behind_the_cache() -> None:
    clusters = [a_cluster(NO_CACHE, "t-1"), a_cluster(on(Surface.SQL, "extra", READ), "t-1", "t-9")]
    assert len(absorb(clusters)) == 2


@pytest.mark.parametrize(("cause", "others", "left"), [("", 3, 1), ("", 9, 2), ("improved", 1, 2)])
def test_a_few_that_multiply_do_not_explain_what_most_show(cause: str, others: int, left: int) -> None:
    scaled = on(Surface.SQL, "count_scaling", READ, inner="SELECT a FROM x", trait=cause)
    lost = on(Surface.SQL, "fingerprint_changed", READ, inner="SELECT a FROM x", trait="security")
    keys = tuple(f"t-{place}" for place in range(others))
    assert len(absorb([a_cluster(scaled, "t-a", "t-b"), a_cluster(lost, *keys)])) == left


def ids(kind: str, path: str, before: object, after: object, **changes: Any) -> Difference:
    return a_difference(kind, path, before=before, after=after, **changes)


SELF = ids("relation_broken", "$._links.self", "/orders/1000017", "/orders/3000019")
ID = ids("relation_broken", "$.id", 1_000_017, 3_000_019)
REFERENCE = ids(
    "relation_broken", "$.reference", "8d3fa2c4-0000-4000-8000-000000000001", "8d3fa2c4-0000-4000-8000-000000000002"
)


def test_an_id_that_is_another_s_is_one_cause_wherever_it_is_named() -> None:
    left = absorb([a_cluster(SELF, "t-1", "t-2"), a_cluster(ID, "t-1", "t-2")])
    assert [one.example.path for one in left] == ["$.id"]


def test_ids_out_of_order_are_one_cause_and_no_broken_ones() -> None:
    early = [
        ids("relation_changed", path, 1_000_017, 3_000_019, transition=OUT_OF_ORDER)
        for path in ("$.next.after", "$.id")
    ]
    left = absorb([*(a_cluster(one, of=1) for one in early), a_cluster(SELF, "t-9", of=1)])
    assert [one.example.path for one in left] == ["$.id", "$._links.self"]


@pytest.mark.parametrize(
    ("keys", "of", "left"),
    [(("t-1",), 10, 1), (("t-1", "t-3"), 10, 1), (("t-1",), 1, 2)],
    ids=["carried out again", "which the larger one explains", "at all requests"],
)
def test_two_ids_are_one_cause_only_where_few_requests_are_new_as_a_whole(
    keys: tuple[str, ...], of: int, left: int
) -> None:
    assert len(absorb([a_cluster(ID, "t-1", of=of), a_cluster(REFERENCE, *keys, of=of)])) == left


def test_a_request_that_is_carried_out_again_explains_its_calls() -> None:
    cause = a_cluster(ID, "t-1")
    calls = [a_cluster(call("extra", "POST /charges"), "t-1"), a_cluster(call("missing", "GET /held"), "t-1")]
    elsewhere = a_cluster(call("extra", "POST /refunds"), "t-1", "t-9")
    assert absorb([cause, *calls, elsewhere]) == [cause, elsewhere]
    cause.of = 1
    assert len(absorb([cause, *calls])) == 3


def test_a_token_that_is_made_otherwise_cannot_keep_its_relations() -> None:
    made = ids("type_changed", "$.id", "8d3fa2c4-0000-4000-8000-000000000001", 7)
    assert [one.example.kind for one in absorb([a_cluster(ID, "t-1"), a_cluster(made, "t-1", "t-2")])] == [
        "type_changed"
    ]
    assert len(absorb([a_cluster(ID, "t-1", "t-3"), a_cluster(made, "t-1")])) == 2


@pytest.mark.parametrize(("named", "left"), [("17", 1), ("18", 2)])
def test_an_id_that_is_made_otherwise_is_so_in_a_location_too(named: str, left: int) -> None:
    drawn = "8d3fa2c4-0000-4000-8000-000000000001"
    made = ids("shape_changed", "$.id", drawn, 17)
    place = ids("changed", "header.location", f"/orders/{drawn}", f"/orders/{named}", surface=Surface.HEADER)
    assert len(absorb([a_cluster(made, "t-1", "t-2"), a_cluster(place, "t-1")])) == left


@pytest.mark.parametrize(("stored", "left"), [(3_000_019, 1), (3_000_020, 2)])
def test_a_statement_that_writes_another_s_id_leaves_it_behind(stored: int, left: int) -> None:
    written = ids("argument_changed", "$.order_id", 1_000_017, 3_000_019, surface=Surface.SQL, inner="relation_broken")
    row = ids("row_changed", "$.lines.order_id", 1_000_017, stored, surface=Surface.STATE)
    rows = a_cluster(row, "state-1")
    rows.observations = {key: replace(one, request="t-1") for key, one in rows.observations.items()}
    assert len(absorb([a_cluster(written, "t-1"), rows])) == left
