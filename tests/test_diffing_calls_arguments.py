"""What two calls of one key are made with: each change at its name."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Exchange, Withheld
from seamline.diffing.calls.arguments import (
    MIN_CONSTANT,
    Asked,
    Constants,
    argument_key,
    arguments_of,
    array_of_text,
    compare_arguments,
)
from seamline.diffing.calls.key import key_of
from seamline.diffing.endpoints.templates import Templates
from support.calls import cached, publish, put, sql
from support.traffic import Call, Turn, exchange

ASKED = exchange(Turn(), 0, "a")
FIND = "SELECT id FROM x WHERE a = $1 AND b = $2"
TABLE = "WITH wanted AS (VALUES ($1, $2), ($3, $4)) SELECT id FROM x JOIN wanted ON x.o = wanted.column1"
INSERT = "INSERT INTO x (a) VALUES ($1), ($2)"
LIST = "SELECT id FROM x WHERE a IN ($1, $2, $3) LIMIT 5"


def made(call: Call, **changes: Any) -> Exchange:
    return replace(call.exchange(ASKED, 0), **changes)


def told(before: Exchange, after: Exchange, *constant: Exchange) -> list[tuple[str, str | None, str]]:
    """Each change as (kind, path, inner kind); `constant` are further calls of the baseline."""
    templates = Templates.learn([before, after])
    constants = Constants()
    for call in constant:
        constants.note(key_of(call, templates), call)
    found = compare_arguments(key_of(before, templates), before, after, Asked(templates, constants))
    return [(one.kind, one.path, one.inner) for one in found]


# name: two calls, what is told
CASES: list[tuple[str, Call, Call, list[tuple[str, str, str]]]] = [
    ("the same", sql(FIND, 1, 2), sql(FIND, 1, 2), []),
    ("a bind", sql(FIND, 1, 2), sql(FIND, 1, 3), [("argument_changed", "$.b", "value_changed")]),
    ("a bind's type", sql(FIND, 1, 2), sql(FIND, 1, "2"), [("argument_changed", "$.b", "type_changed")]),
    ("a limit", sql(LIST, 1, 2, 3), sql(LIST.replace("5", "50"), 1, 2, 3), [("literal_changed", "$.limit", "value_changed")]),
    ("a list's order", sql(LIST, 1, 2, 3), sql(LIST, 3, 1, 2), []),
    ("a list's member", sql(LIST, 1, 2, 3), sql(LIST, 1, 2, 4), [("argument_changed", "$.a[*]", "value_changed")]),
    ("a list's member, of texts", sql(LIST, "a", "b", "c"), sql(LIST, "a", "b", "d"), [("argument_changed", "$.a", "multiset_changed")]),
    ("a longer list", sql("SELECT id FROM x WHERE a IN ($1)", 1), sql("SELECT id FROM x WHERE a IN ($1, $2)", 1, 2), [("argument_changed", "$.a", "multiset_changed")]),
    ("an array's order", sql("SELECT id FROM x WHERE a = ANY($1)", [1, 2]), sql("SELECT id FROM x WHERE a = ANY($1)", [2, 1]), []),
    ("an array's order, sent as text", sql("SELECT id FROM x WHERE a = ANY($1)", '{a,"b c"}'), sql("SELECT id FROM x WHERE a = ANY($1)", '{"b c",a}'), []),
    ("an array and a list", sql("SELECT id FROM x WHERE a = ANY($1)", "{a,b}"), sql("SELECT id FROM x WHERE a = ANY($1)", ["b", "a"]), []),
    ("a table's order", sql(TABLE, "a", "read", "b", "write"), sql(TABLE, "b", "write", "a", "read"), []),
    ("a table's values swapped", sql(TABLE, "a", "read", "b", "write"), sql(TABLE, "a", "write", "b", "read"), [("argument_changed", "$['$1'][*]", "multiset_changed")] * 2),
    ("inserted rows in another order", sql(INSERT, 1, 2), sql(INSERT, 2, 1), [("argument_changed", "$.a", "value_changed"), ("argument_changed", "$.a", "value_changed")]),
    ("rows more", sql("INSERT INTO x (a) VALUES ($1)", 1), sql("INSERT INTO x (a) VALUES ($1), ($2)", 1, 2), [("argument_changed", "$.a", "field_added")]),
    ("a document", sql(FIND, {"x": {"y": 1}}, 2), sql(FIND, {"x": {"y": 2}}, 2), [("argument_changed", "$.a.x.y", "value_changed")]),
    ("a lifetime", put("k", "v", "EX", "300"), put("k", "v", "EX", "30"), [("arg_changed", "$.EX", "value_changed")]),
    ("a lifetime gone", put("k", "v", "EX", "300"), put("k", "v"), [("arg_changed", "$.EX", "field_removed")]),
    ("a cached document", put("k", '{"a":1,"b":2}'), put("k", '{"b":2,"a":7}'), [("arg_changed", "$.value.a", "value_changed")]),
    ("another's key", cached("u:17:c", 1), cached("u:18:c", 1), [("key_changed", "key.id", "value_changed")]),
    ("an event's key", publish("t", {}, key="a"), publish("t", {}, key="b"), [("key_changed", "$.key", "value_changed")]),
    ("an event's place", publish("t", {}, key="a"), publish("t", {}, key="a", partition=7, offset=9), []),
    ("how an event is sent", publish("t", {}, mandatory=True), publish("t", {}, mandatory=False), [("arg_changed", "$.mandatory", "value_changed")]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_changed_arguments(before: Call, after: Call, expected: list[tuple[str, str, str]]) -> None:
    assert told(made(before), made(after)) == expected


def test_what_never_varies_is_a_constant_of_the_code() -> None:
    before, after = made(sql(FIND, 1, "open")), made(sql(FIND, 1, "paid"))
    same = [made(sql(FIND, number, "open")) for number in range(MIN_CONSTANT)]
    assert told(before, after, *same) == [("literal_changed", "$.b", "value_changed")]
    assert told(before, after, *same[:-1]) == [("argument_changed", "$.b", "value_changed")]
    varied = [*same, made(sql(FIND, 5, "sent"))]
    assert told(before, after, *varied) == [("argument_changed", "$.b", "value_changed")]


def test_withheld_arguments_are_told_apart_by_their_digests() -> None:
    def kept_back(digest: str) -> Exchange:
        return made(sql(FIND), withheld=(Withheld("request.arguments", 40, digest, "too deep"),))

    assert told(kept_back("aa"), kept_back("aa")) == []
    assert told(kept_back("aa"), kept_back("bb")) == [("argument_changed", "$", "value_changed")]
    assert told(kept_back("aa"), made(sql(FIND, 1, 2))) == []


def test_calls_that_ask_the_same_have_one_argument_key() -> None:
    def key(call: Call) -> bytes:
        return argument_key(made(call))

    assert key(sql(LIST, 1, 2, 3)) == key(sql(LIST, 3, 2, 1)) != key(sql(LIST, 1, 2, 4))
    assert key(put("k", "v", "EX", "300")) == key(put("k", "v", "PX", "300000")) != key(put("j", "v", "EX", "300"))
    assert key(publish("t", {"a": 1, "b": 2})) == key(publish("t", {"b": 2, "a": 1}, offset=99))
    assert key(publish("t", {}, key="a")) != key(publish("t", {}, key="b"))


@given(st.text(max_size=80) | st.sampled_from(["[" * 2_000, '{"a":' * 300 + "1" + "}" * 300, "null", "[1]", "{"]))
def test_any_text_has_arguments(text: str) -> None:
    for call in (sql(LIST, 1, 2, 3), cached("k", 1), publish("t", {})):
        one = made(call)
        broken = replace(one, request=replace(one.request, arguments=text))
        arguments_of(broken)
        argument_key(broken)
        told(one, broken)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("{}", []), ("{a}", ["a"]), ("{a,b c,NULL}", ["a", "b c", None]), (r'{"a\"b","{,}",""}', ['a"b', "{,}", ""]),
        ("{{a},{b}}", None), ("{a", None), ("a", None), ("{a,}", None), ("{a}b}", None), ('{"a}', None),
    ],
)  # fmt: skip
def test_an_array_that_was_sent_as_text(text: str, members: list[Any] | None) -> None:
    assert array_of_text(text) == members


@given(st.lists(st.text().filter(lambda word: word != "NULL")))
def test_any_texts_come_back_out_of_an_array(words: list[str]) -> None:
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    assert array_of_text("{" + ",".join(f'"{word}"' for word in escaped) + "}") == words
