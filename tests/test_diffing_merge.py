"""One cause, one finding: what a cluster explains is absorbed by it, and only that."""

import pytest

from seamline.diffing.cluster import Cluster
from seamline.diffing.difference import Difference
from seamline.diffing.merge import absorb
from seamline.diffing.report.model import Surface
from support.clusters import a_cluster, a_difference


def call(kind: str, operation: str, **changes: object) -> Difference:
    return a_difference(kind, None, surface=Surface.HTTP, service="inventory", operation=operation, **changes)


RENAMED = a_difference("field_renamed", "$.phone", transition="phone→phone_number")
SCALED = call("count_scaling", "GET /stock/{sku}", inner="GET /stock")
MOVED = a_difference("relation_changed", "$.expires_at")
BROKEN = a_difference("relation_broken", "header.location")
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
