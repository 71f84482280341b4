"""What a call asks: what counts as an argument, and what is the same operation."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Withheld
from seamline.replay.stubs.asked import MOST_LEAVES, Asked, asked, asked_answer

JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def http(method: str, target: str, body: bytes = b"", *headers: tuple[str, str]) -> Asked:
    return asked("http", Request(method, target, Headers(headers), body))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            http("GET", "/a", b"", ("Host", "x"), ("Traceparent", "00-1"), ("User-Agent", "a/1"), ("Date", "now")),
            http("GET", "/a", b"", ("Host", "y"), ("Content-Length", "0"), ("User-Agent", "a/2")),
            id="what one sending is about",
        ),
        pytest.param(http("GET", "/a?x=1&y=2"), http("GET", "/a?y=2&x=1"), id="the order of parameters"),
        pytest.param(http("GET", "/a?x=a%20b"), http("GET", "/a?x=a+b"), id="the spelling of parameters"),
        pytest.param(http("GET", "/a?x=1"), http("GET", "http://h:1/a?x=1"), id="absolute form"),
        pytest.param(
            http("POST", "/a", b'{"a": 1, "b": [1, null]}', JSON), http("POST", "/a", b'{"b":[1,null],"a":1.0}', JSON),
            id="JSON's own freedom",
        ),
        pytest.param(
            http("POST", "/a", gzip.compress(b'{"a":1}'), JSON, ("Content-Encoding", "gzip")),
            http("POST", "/a", b'{"a":1}', JSON), id="a coding",
        ),
        pytest.param(http("POST", "/a", b"x=1&y=2", FORM), http("POST", "/a", b"y=2&x=1", FORM), id="a form's order"),
        pytest.param(
            http("POST", "/a", b"--b1\r\nA: b\r\n\r\nx\r\n--b1--\r\n", ("Content-Type", "multipart/form-data; boundary=b1")),
            http("POST", "/a", b"--b2\r\nA: b\r\n\r\nx\r\n--b2--\r\n", ("Content-Type", "multipart/form-data; boundary=b2")),
            id="a boundary",
        ),
        pytest.param(http("GET", "/a", b"", ("X-A", "1"), ("X-B", "2")), http("GET", "/a", b"", ("x-b", "2"), ("x-a", "1")), id="the order of headers"),
    ],
)  # fmt: skip
def test_what_makes_no_difference(one: Asked, other: Asked) -> None:
    assert one.exact == other.exact


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(http("GET", "/a"), http("POST", "/a"), id="method"),
        pytest.param(http("GET", "/a/1"), http("GET", "/a/2"), id="path"),
        pytest.param(http("GET", "/a?x=1"), http("GET", "/a?x=2"), id="parameter"),
        pytest.param(http("GET", "/a?x=1&x=2"), http("GET", "/a?x=2&x=1"), id="the order of one parameter's values"),
        pytest.param(http("GET", "/a", b"", ("X-Tenant", "1")), http("GET", "/a", b"", ("X-Tenant", "2")), id="header"),
        pytest.param(http("POST", "/a", b"[1]", JSON), http("POST", "/a", b'["1"]', JSON), id="type"),
        pytest.param(http("POST", "/a", b"[true]", JSON), http("POST", "/a", b"[1]", JSON), id="true is not one"),
        pytest.param(http("POST", "/a", b"[{}]", JSON), http("POST", "/a", b"[[]]", JSON), id="empty containers"),
        pytest.param(http("POST", "/a", b"x"), http("POST", "/a", b"y"), id="text"),
        pytest.param(http("POST", "/a", b"\xff\x00"), http("POST", "/a", b"\xff\x01"), id="bytes"),
    ],
)
def test_what_makes_one(one: Asked, other: Asked) -> None:
    assert one.exact != other.exact


@pytest.mark.parametrize(
    ("target", "operation"),
    [
        ("/stock/7", "GET /stock/{}"),
        ("/stock/tea-assam-250", "GET /stock/{}"),
        ("/v1/users/3fa85f64-5717-4562-b3fc-2c963f66afa6/orders", "GET /v1/users/{}/orders"),
        ("/users/a@b.example", "GET /users/{}"),
        ("/health", "GET /health"),
        ("*", "GET *"),
    ],
)
def test_ids_in_a_path_are_arguments(target: str, operation: str) -> None:
    assert http("GET", target).operation == operation


def test_the_same_names_and_types_are_one_shape_whatever_the_length_of_a_list() -> None:
    one = http("POST", "/a/1", b'{"ids":[1,2,3],"at":"x"}', JSON)
    assert one.shape == http("POST", "/a/2", b'{"ids":[7],"at":"y"}', JSON).shape
    assert one.shape != http("POST", "/a/1", b'{"ids":["1"],"at":"x"}', JSON).shape
    assert one.shape != http("POST", "/a/1", b'{"ids":[1],"at":"x","more":1}', JSON).shape


def call(protocol: str, **fields: str) -> Asked:
    headers = Headers([(name, fields.pop(name)) for name in ("fingerprint", "transaction") if name in fields])
    return asked(protocol, Request(fields.pop("method"), fields.pop("target", ""), headers, **fields))  # type: ignore[arg-type]  # the names are Request's


def test_sql_is_told_by_its_fingerprint_and_its_arguments() -> None:
    one = call("postgres", method="SELECT", target="users", operation="SELECT $1", arguments='{"id":1}', fingerprint="f1", transaction="c-1.1")  # fmt: skip
    other = call("postgres", method="SELECT", target="users", operation="select $1", arguments='{"id": 1}', fingerprint="f1", transaction="c-9.4")  # fmt: skip
    assert one.exact == other.exact
    more = call("postgres", method="SELECT", target="users", operation="select $1", arguments='{"id":2}', fingerprint="f1")  # fmt: skip
    assert more.shape == one.shape
    assert more.exact != one.exact
    listed = call("postgres", method="SELECT", operation="x", arguments='{"id":1,"id#2":2}', fingerprint="f1")
    assert listed.shape == one.shape


def test_a_redis_key_has_its_ids_left_open() -> None:
    one = call("redis", method="GET", target="user:17:cart", operation="GET", arguments='["user:17:cart"]')
    other = call("redis", method="GET", target="user:18:cart", operation="GET", arguments='["user:18:cart"]')
    assert (one.operation, one.shape) == (other.operation, other.shape)
    assert one.exact != other.exact
    assert (
        call("redis", method="GET", target="stock:17", operation="GET", arguments='["stock:17"]').family != one.family
    )


def test_what_was_withheld_is_told_by_its_digest() -> None:
    request = Request("POST", "/a", Headers())
    one, same, other = (
        asked("http", request, [Withheld("request.body", 9, digest, "why")]) for digest in ("d1", "d1", "d2")
    )
    assert one.exact == same.exact
    assert one.exact != other.exact
    assert asked("http", request, [Withheld("response.body", 9, "d1", "why")]).exact == asked("http", request).exact


def test_a_large_body_is_one_leaf_that_still_tells_it_apart() -> None:
    bodies = [b"[%s]" % b",".join([b"%d" % (number + first) for number in range(MOST_LEAVES + 5)]) for first in (0, 1)]
    one, other = (http("POST", "/a", body, JSON) for body in bodies)
    assert len(one.leaves) == 1
    assert one.exact != other.exact


@given(st.binary(max_size=200), st.text(max_size=60), st.sampled_from(["http", "grpc", "postgres", "redis"]))
def test_nothing_makes_it_raise(body: bytes, text: str, protocol: str) -> None:
    headers = Headers([JSON, ("Content-Encoding", text[:4])])
    found = asked(protocol, Request("POST", text, headers, body, "1.1", text, text))
    assert hash(found.exact) == hash(asked(protocol, Request("POST", text, headers, body, "1.1", text, text)).exact)
    asked_answer(body)


def test_a_deep_body_is_walked_without_recursion() -> None:
    asked_answer(b"[" * 900 + b"]" * 900)
    asked_answer(b"[" * 90_000 + b"]" * 90_000)
