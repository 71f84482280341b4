"""Clusters: what has one cause, the id it keeps, the command that shows it again."""

import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.causes.cluster import cluster_key, finding_id, reproduce_command, shown_transition, to_finding
from seamline.diffing.comparison import Observation
from seamline.diffing.report.model import Severity, Surface
from support.clusters import a_cluster, a_difference


def key(**changes: object) -> tuple[object, ...]:
    return cluster_key(Observation("t-1", "GET /x", a_difference(**changes)))  # type: ignore[arg-type]


def test_values_do_not_split_a_cause_and_do_not_change_its_id() -> None:
    one, other = a_difference(before=1, after=2), a_difference(before=7, after=9)
    assert key(before=1) == key(before=9)
    assert finding_id("GET /x", one) == finding_id("GET /x", other)


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "$.tax"},
        {"kind": "type_changed"},
        {"service": "pricing"},
        {"operation": "GET /p"},
        {"trait": "improved"},
    ],
)
def test_place_kind_and_direction_do(changes: dict[str, object]) -> None:
    assert key(**changes) != key()
    assert finding_id("GET /x", a_difference(**changes)) != finding_id("GET /x", a_difference())  # type: ignore[arg-type]


def test_statuses_are_told_apart_by_their_transition() -> None:
    statuses = [
        a_difference("changed", None, surface=Surface.STATUS, transition=text) for text in ("200→500", "200→404")
    ]
    assert len({finding_id("GET /x", one) for one in statuses}) == 2


def test_a_finding_counts_its_requests_and_shows_the_first() -> None:
    cluster = a_cluster(a_difference("type_changed", transition="int→string"), "t-2", "t-1", of=5)
    finding = to_finding(cluster, "seamline verify --only {id}", {"t-1": 0, "t-2": 1})
    assert (finding.requests, finding.of, finding.exchanges) == (2, 5, ("t-1", "t-2"))
    assert (finding.severity, finding.reproduce) == (Severity.BREAKING, "seamline verify --only t-1")


def test_one_pair_of_short_values_is_its_own_transition() -> None:
    same = a_cluster(a_difference(before="PAID", after="paid"), "t-1", "t-2")
    assert shown_transition(same) == "PAID→paid"
    same.observations["t-2"] = replace(same.observations["t-2"], difference=a_difference(before="NEW", after="new"))
    assert shown_transition(same) == "number"


@given(st.text(min_size=1, max_size=30))
def test_no_id_leaves_its_word_of_the_command(exchange: str) -> None:
    command = reproduce_command("seamline verify --only {id}", exchange)
    assert shlex.split(command) == ["seamline", "verify", "--only", exchange]


@given(st.text(min_size=1, max_size=30))
def test_a_quoting_template_is_not_opened(exchange: str) -> None:
    command = reproduce_command("""seamline replay x --where 'id == "{id}"'""", exchange)
    assert len(shlex.split(command)) == 5
