"""Two requests of one downstream operation: path values, query and body, each change at its place."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange, Withheld
from seamline.diffing.addresses import Addresses
from seamline.diffing.calls.arguments import argument_key
from seamline.diffing.calls.request import compare_requests, unread_body
from seamline.diffing.difference import Difference
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.report.model import Surface
from support.traffic import Call, Turn, exchange, outbound

LEFT, RIGHT = Addresses(["127.0.0.1:41001"]), Addresses(["127.0.0.1:52002"])


def call(target: str = "/stock", body: Any = None, headers: tuple[tuple[str, str], ...] = ()) -> Exchange:
    return outbound(Call("stock", "POST", target, body, headers), exchange(Turn(), 0, "a"), 0)


def compared(before: Exchange, after: Exchange, *unordered: str) -> list[Difference]:
    return compare_requests(before, after, Templates.learn([before, after]), frozenset(unordered), LEFT, RIGHT)


def told(before: Exchange, after: Exchange, *unordered: str) -> list[tuple[str, str | None]]:
    """Each change as (its inner kind, its path)."""
    return [(one.inner, one.path) for one in compared(before, after, *unordered)]


FORM = (("content-type", "application/x-www-form-urlencoded"),)
# name: two calls, what is told
CASES: list[tuple[str, Exchange, Exchange, list[tuple[str, str]]]] = [
    ("the same", call("/stock/1?a=1", {"qty": 1}), call("/stock/1?a=1", {"qty": 1}), []),
    ("another id", call("/stock/1"), call("/stock/2"), [("value_changed", "path.id")]),
    ("two ids", call("/a/1/b/2"), call("/a/3/b/4"), [("value_changed", "path.id")] * 2),
    ("an id in another spelling", call("/stock/sku%2D4711"), call("/stock/sku-4711"), []),
    ("a parameter", call("/stock?size=20"), call("/stock?size=50"), [("value_changed", "query.size")]),
    ("a parameter gone", call("/stock?size=20"), call("/stock"), [("field_removed", "query.size")]),
    ("a parameter new", call("/stock"), call("/stock?debug="), [("field_added", "query.debug")]),
    ("parameters have no order", call("/stock?a=1&b=2"), call("/stock?b=2&a=1"), []),
    ("one parameter's values have one", call("/stock?a=1&a=2"), call("/stock?a=2&a=1"), [("order_changed", "query.a")]),
    ("a value more", call("/stock?a=1&a=2"), call("/stock?a=1&a=2&a=2"), [("multiset_changed", "query.a")]),
    ("a body field", call(body={"qty": 1, "sku": "a"}), call(body={"qty": 2, "sku": "a"}), [("value_changed", "$.qty")]),
    ("a body field gone", call(body={"qty": 1, "sku": "a"}), call(body={"sku": "a"}), [("field_removed", "$.qty")]),
    ("another spelling of a body", call(body=b'{"a":1,"b":2}'), call(body=b'{ "b": 2, "a": 1 }'), []),
    ("a form's field", call(body=b"qty=1", headers=FORM), call(body=b"qty=2", headers=FORM), [("value_changed", "$.qty")]),
    ("another form of body", call(body=b'{"qty":1}'), call(body=b"qty=1", headers=FORM), [("type_changed", "$")]),
    ("a body where none was", call(), call(body={"qty": 1}), [("type_changed", "$")]),
    ("each side names its own address", call("/stock?back=http://127.0.0.1:41001/x"), call("/stock?back=http://127.0.0.1:52002/x"), []),
    ("each side names the other's", call("/stock?back=http://127.0.0.1:52002/x"), call("/stock?back=http://127.0.0.1:41001/x"), [("value_changed", "query.back")]),
    ("too many parameters to tell apart", call(f"/stock?{'&a' * 1001}"), call(f"/stock?{'&a' * 1002}"), [("value_changed", "query.")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_each_change_is_told_at_its_place(
    before: Exchange, after: Exchange, expected: list[tuple[str, str | None]]
) -> None:
    found = compared(before, after)
    assert [(one.inner, one.path) for one in found] == expected
    assert {(one.surface, one.kind) for one in found} <= {(Surface.HTTP, "request_changed")}


def test_an_array_that_has_no_order_of_its_own_is_a_set() -> None:
    before, after = call(body={"sizes": [1, 2, 3]}), call(body={"sizes": [1, 9, 3]})
    assert told(before, after) == [("value_changed", "$.sizes[*]")]
    assert told(before, after, "$.sizes") == [("multiset_changed", "$.sizes")]


def test_bodies_that_were_kept_back_are_compared_by_digest() -> None:
    def kept(digest: str) -> Exchange:
        return replace(call(), withheld=(Withheld("request.body", 10, digest, "no parser"),))

    assert told(kept("aa"), kept("aa")) == []
    assert told(kept("aa"), kept("bb")) == [("value_changed", "$")]
    assert told(replace(call(body={"a": 1}), truncated=True), call(body={"a": 2})) == []


def test_calls_that_ask_the_same_have_one_key() -> None:
    plain = call("/stock", b'{"a":1,"b":[2]}')
    assert argument_key(plain) == argument_key(call("/stock", b'{"b": [2], "a": 1}'))
    others = [call("/stock", b'{"a":1,"b":[3]}'), call("/stock?x", b'{"a":1,"b":[2]}'), call("/stock")]
    assert argument_key(plain) not in {argument_key(one) for one in others}


PARAMETERS = st.dictionaries(st.text(max_size=5), st.text(max_size=8), max_size=6)


@given(PARAMETERS, PARAMETERS, st.randoms(use_true_random=False))
def test_a_query_is_a_map(old: dict[str, str], new: dict[str, str], luck: Any) -> None:
    def target(values: dict[str, str]) -> str:
        pairs = list(values.items())
        luck.shuffle(pairs)
        return f"/stock?{urlencode(pairs)}"

    assert told(call(target(old)), call(target(old))) == []
    expected = {f"query.{name}" for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    assert {path for _, path in told(call(target(old)), call(target(new)))} == expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_targets_are_compared(old: str, new: str) -> None:
    there, back = told(call(f"/stock?{old}"), call(f"/stock?{new}")), told(call(f"/stock?{new}"), call(f"/stock?{old}"))
    assert sorted(str(path) for _, path in there) == sorted(str(path) for _, path in back)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        pytest.param({"truncated": True}, {}, "was cut", id="cut"),
        pytest.param(
            {"withheld": (Withheld("request.body", 9, "ab", "not JSON"),)}, {}, "on one side", id="withheld once"
        ),
        pytest.param({}, {}, "", id="both there"),
    ],
)
def test_a_body_that_could_not_be_compared_is_told(
    before: dict[str, object], after: dict[str, object], why: str
) -> None:
    """It was passed over in silence: neither a difference nor unverified."""
    bare = replace(call(body=None), **before) if before else call(body={"a": 1})  # type: ignore[arg-type]  # fields of an exchange
    said = unread_body(bare, replace(call(body={"a": 1}), **after))  # type: ignore[arg-type]  # likewise
    assert (why in said) if why else said == ""
