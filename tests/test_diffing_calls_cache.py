"""A cache that is warm on one side only."""

from typing import Any

import pytest

from seamline.diffing.calls.cache import follows, told_differently
from seamline.diffing.difference import Difference
from seamline.diffing.report.model import Surface
from support.calls import cached, put, redis, sql
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")


def many(**found: Any) -> Call:
    return redis("MGET", "a", *found, answer=found)


STATES: list[tuple[str, Call, Call, bool]] = [
    ("both found it", cached("k", "1"), cached("k", "2"), False),
    ("neither", cached("k", None), cached("k", None), False),
    ("one did", cached("k", "1"), cached("k", None), True),
    ("an empty text is something", cached("k", ""), cached("k", "x"), False),
    ("one of many", many(a="1", b="2"), many(a="1", b=None), True),
    ("as many of many", many(a="1", b="2"), many(a="3", b="4"), False),
    ("a hash", redis("HGETALL", "k", "k", answer={"a": "1"}), redis("HGETALL", "k", "k", answer={}), True),
    ("there or not", redis("EXISTS", "k", "k", answer=1), redis("EXISTS", "k", "k", answer=0), True),
    ("a write is no read", put("k", "1"), redis("SET", "k", {"k": "1"}, answer=None), False),
    ("a query is no cache", sql("SELECT a FROM x"), sql("SELECT a FROM x", rows=[{"a": 1}]), False),
    ("what is no JSON", redis("GET", "k", "k", answer=b"x"), redis("GET", "k", "k", answer=b""), True),
]


@pytest.mark.parametrize(("first", "second", "differs"), [row[1:] for row in STATES], ids=[row[0] for row in STATES])
def test_whether_a_cache_knew_more_on_one_side(first: Call, second: Call, differs: bool) -> None:
    assert told_differently([(first.exchange(ASKED, 0), second.exchange(ASKED, 0))]) is differs


@pytest.mark.parametrize(
    ("surface", "kind", "operation", "trait", "expected"),
    [
        (Surface.SQL, "extra", "SELECT a FROM x", "", True),
        (Surface.SQL, "extra_write", "UPDATE x SET a = $1", "", False),
        (Surface.SQL, "missing", "UPDATE x SET a = $1", "", False),
        (Surface.REDIS, "missing", "SET k", "", True),
        (Surface.HTTP, "extra", "GET /x", "", True),
        (Surface.HTTP, "extra", "GET /x", "security", False),
        (Surface.HTTP, "missing", "POST /x", "", False),
        (Surface.BUS, "missing", "publish t", "", False),
        (Surface.SQL, "fingerprint_changed", "SELECT a FROM x", "", True),
        (Surface.SQL, "fingerprint_changed", "SELECT a FROM x", "security", False),
        (Surface.SQL, "fingerprint_changed", "UPDATE x SET a = $1", "", False),
    ],
)
def test_what_follows_from_it(surface: Surface, kind: str, operation: str, trait: str, expected: bool) -> None:
    assert follows(Difference(surface, kind, None, None, None, "", trait, "s", operation)) is expected
