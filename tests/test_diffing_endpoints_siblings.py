"""Siblings in a path: names or values, by what is answered under them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.endpoints.siblings import Answer, is_route_word, skeleton_of, values_among

USER = b'{"name": "x", "age": 1}'


def got(body: bytes = USER, status: int = 200, method: str = "GET", rest: str = "") -> list[Answer]:
    return [Answer(method, rest, status, body)]


@pytest.mark.parametrize(
    ("above", "siblings", "values"),
    [
        ("users", 2, True),
        ("buckets", 2, True),
        ("stats", 2, False),
        ("address", 2, False),
        ("weather", 2, False),
        ("weather", 3, True),
        ("{}", 3, False),
        ("{}", 4, True),
        ("", 5, False),
    ],
)
def test_what_stands_above_says_how_many_it_takes(above: str, siblings: int, values: bool) -> None:
    answers = {f"{chr(97 + place)}lpha": got() for place in range(siblings)}
    assert values_among(answers, above) == (set(answers) if values else set())


def test_what_was_put_or_deleted_is_a_thing() -> None:
    answers = {name: got(b"", 204, "PUT") for name in ("ada", "bob")}
    assert values_among(answers, "buckets") == {"ada", "bob"}
    assert values_among({name: got(b"", 204, "POST") for name in ("ada", "bob")}, "buckets") == set()


def test_an_answer_of_nothing_to_tell_is_no_evidence() -> None:
    assert values_among({"alpha": got(b"{}"), "omega": got(b'{"ok": true}')}, "users") == set()
    assert values_among({"alpha": got(USER, 500), "omega": got(USER, 500)}, "users") == set()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (USER, "age,name"),
        (b"[%s]" % USER, "[]age,name"),
        (b'{"data": %s}' % USER, "dataage,name"),
        (b'{"ok": true}', ""),
        (b"[]", ""),
        (b"text", ""),
        (b"{broken", ""),
        (b"{" + b" " * 100_000, ""),
    ],
)
def test_skeletons(body: bytes, expected: str) -> None:
    assert skeleton_of(body) == expected


def test_route_words() -> None:
    assert all(map(is_route_word, ("search", "Search", "v1", "v2.1", ".well-known", "_bulk", "me")))
    assert not any(map(is_route_word, ("alice", "tea-assam", "vienna")))


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.binary(max_size=30)), st.text(max_size=6))
def test_any_answers_may_be_judged(bodies: dict[str, bytes], above: str) -> None:
    answers = {name: got(body) for name, body in bodies.items()}
    assert values_among(answers, above) <= set(answers)


def test_a_large_number_of_members_is_no_skeleton() -> None:
    assert skeleton_of(json.dumps({f"k{n}": n for n in range(200)}).encode()) == ""
