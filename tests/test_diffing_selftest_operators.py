"""Small regressions, one an operator."""

import json
from typing import Any

import pytest

from seamline.diffing.report.model import Json
from seamline.diffing.selftest.operators import (
    BODY,
    altered,
    asks_another,
    retyped,
    slower,
    with_body,
    with_status,
    with_type,
)
from support.calls import sql
from support.traffic import JSON, Call, Turn, exchange

ASKED = exchange(Turn(body={"a": 1, "list": [1, 2]}), 0, "a")


@pytest.mark.parametrize(
    ("before", "after"), [(1, 2), (1.0, 2.25), (True, False), ("x", "x?"), ("", "?"), (None, None)]
)
def test_another_value_of_the_same_type(before: Json, after: Json) -> None:
    assert altered(before) == after
    assert type(altered(before)) is type(before)


@pytest.mark.parametrize(("before", "after"), [(1, "1"), ("abc", 3), (True, [True]), (None, [None]), ({}, [{}])])
def test_another_type(before: Json, after: Json) -> None:
    assert retyped(before) == after


@pytest.mark.parametrize("operator", BODY, ids=[each.name for each in BODY])
def test_each_changes_a_body(operator: Any) -> None:
    place = ("list",) if operator.name == "last element lost" else ("a",)
    made = with_body(ASKED, place, operator.change)
    assert made is not None
    assert made.response is not None
    assert json.loads(made.response.body) != {"a": 1, "list": [1, 2]}


def test_what_cannot_be_changed_makes_no_mutant() -> None:
    assert with_body(ASKED, ("none",), altered) is None
    assert with_body(exchange(Turn(body=b"no json"), 0, "a"), ("a",), altered) is None
    packed = exchange(Turn(body={"a": 1}, headers=(JSON, ("Content-Encoding", "gzip"))), 0, "a")
    assert with_body(packed, ("a",), altered) is None
    assert with_type(exchange(Turn(headers=()), 0, "a")) is None
    assert with_status(exchange(Turn(status=0), 0, "a")) is None


def test_status_type_and_time() -> None:
    failed, plain = with_status(ASKED), with_type(ASKED)
    assert failed is not None
    assert failed.status == 500
    assert plain is not None
    assert plain.response is not None
    assert "content-type" not in plain.response.headers
    assert slower(ASKED).service_us == ASKED.service_us + 20_000


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (Call("s", "POST", "/a", body={"note": "x", "lines": [{"n": 1}]}), '{"note":"x","lines":[{"n":2}]}'),
        (sql("SELECT a FROM x WHERE b = $1", 5), '{"b":6}'),
    ],
)
def test_a_call_asks_for_another(call: Call, asked: str) -> None:
    made = asks_another(call.exchange(ASKED, 0))
    assert made is not None
    assert (made.request.arguments or made.request.body.decode()) == asked


def test_a_call_without_a_number_asks_for_no_other() -> None:
    assert asks_another(Call("s", "GET", "/a").exchange(ASKED, 0)) is None
    assert asks_another(Call("s", "POST", "/a", body={"a": "x"}).exchange(ASKED, 0)) is None
