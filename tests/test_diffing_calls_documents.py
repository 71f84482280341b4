"""MongoDB's commands, of which a condition is a member of a document."""

import json
from dataclasses import replace
from typing import Any

import pytest

from seamline.capture.model import Exchange
from seamline.diffing.calls.arguments import Asked, Constants, argument_key, compare_arguments
from seamline.diffing.calls.documents import without_order
from seamline.diffing.calls.key import counts, key_of
from seamline.diffing.causes.severity import severity_of
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.report.model import Severity, Surface
from support.calls import Wire
from support.traffic import Turn, exchange

ASKED = exchange(Turn(), 0, "a")
BREAKING, WARNING = Severity.BREAKING, Severity.WARNING


def command(name: str, collection: str, **arguments: Any) -> Exchange:
    wire = Wire(
        "docs", name.upper(), collection, protocol="mongodb", operation=f"{name} {collection}",
        arguments=json.dumps(arguments), answer={"rows": []}, status=0,
    )  # fmt: skip
    return wire.exchange(ASKED, 0)


def told(before: Exchange, after: Exchange, *others: Exchange) -> list[tuple[str, str | None, str, Severity]]:
    templates = Templates.learn([before, after])
    constants = Constants()
    for call in others:
        constants.note(key_of(call, templates), call)
    key = key_of(before, templates)
    found = compare_arguments(key, before, after, Asked(templates, constants))
    at = [replace(one, service=key.service, operation=key.operation) for one in found]
    return [(one.kind, one.path, one.transition, severity_of(one)) for one in at]


CASES = [
    ("the same", command("find", "users", filter={"a": 1}), command("find", "users", filter={"a": 1}), []),
    ("members in another order", command("find", "users", filter={"a": 1, "b": 2}), command("find", "users", filter={"b": 2, "a": 1}), []),
    ("a set in another order", command("find", "users", filter={"a": {"$in": [2, 1]}}), command("find", "users", filter={"a": {"$in": [1, 2]}}), []),
    ("a set's member", command("find", "users", filter={"a": {"$in": ["x", "y"]}}), command("find", "users", filter={"a": {"$in": ["x", "z"]}}),
        [("argument_changed", "$.filter.a['$in']", "other members", WARNING)]),
    ("a value", command("find", "users", filter={"a": 1}), command("find", "users", filter={"a": 2}), [("argument_changed", "$.filter.a", "number", WARNING)]),
    ("a lost condition", command("find", "users", filter={"a": 1, "tenant": "t"}), command("find", "users", filter={"a": 1}),
        [("fingerprint_changed", "$.filter.tenant", "condition on tenant→missing", BREAKING)]),
    ("a condition in a pipeline", command("aggregate", "users", pipeline=[{"$match": {"tenant": "t"}}]), command("aggregate", "users", pipeline=[{"$match": {}}]),
        [("fingerprint_changed", "$.pipeline[*]['$match'].tenant", "condition on tenant→missing", BREAKING)]),
    ("a limit", command("find", "users", filter={}, limit=20), command("find", "users", filter={}, limit=200), [("literal_changed", "$.limit", "×10", WARNING)]),
    ("a written value", command("update", "users", updates=[{"q": {"_id": 1}, "u": {"$set": {"n": 1}}}]), command("update", "users", updates=[{"q": {"_id": 1}, "u": {"$set": {"n": "1"}}}]),
        [("argument_changed", "$.updates[*].u['$set'].n", "int→string", BREAKING)]),
    ("a condition of a write", command("delete", "users", deletes=[{"q": {"_id": 1, "org": 2}, "limit": 1}]), command("delete", "users", deletes=[{"q": {"_id": 1}, "limit": 1}]),
        [("fingerprint_changed", "$.deletes[*].q.org", "condition on org→missing", BREAKING)]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_change_at_its_name(before: Exchange, after: Exchange, expected: list[Any]) -> None:
    assert told(before, after) == expected
    assert (argument_key(before) == argument_key(after)) is (not expected)


def test_what_the_code_holds_itself_is_a_literal() -> None:
    one = command("find", "users", filter={"a": 1}, sort={"n": 1})
    other = command("find", "users", filter={"a": 1}, sort={"n": -1})
    again = [command("find", "users", filter={"a": number}, sort={"n": 1}) for number in range(3)]
    assert [found[:2] for found in told(one, other, *again)] == [("literal_changed", "$.sort.n")]


@pytest.mark.parametrize(("name", "is_call", "is_write"), [
    ("find", True, False), ("aggregate", True, False), ("count", True, False), ("insert", True, True), ("update", True, True),
    ("findAndModify", True, True), ("createIndexes", True, True), ("drop", True, True), ("getMore", False, False), ("commitTransaction", False, False),
])  # fmt: skip
def test_what_counts_and_what_writes(name: str, is_call: bool, is_write: bool) -> None:
    call = command(name, "users")
    assert counts(call) is is_call
    key = key_of(call, Templates())
    assert key.surface is Surface.SQL
    assert key.is_write is is_write


def test_lists_that_are_no_sets_keep_their_order() -> None:
    assert without_order({"a": [2, 1], "b": {"$in": [2, 1]}}) == {"a": [2, 1], "b": {"$in": [1, 2]}}
