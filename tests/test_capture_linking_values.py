"""Values that can say where they came from, and those that cannot."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.linking.values import (
    MOST_VALUES,
    GrowingValues,
    answer_values,
    body_values,
    call_values,
    header_values,
    is_telling,
    json_values,
    pieces_values,
    raw_answer_values,
    raw_request_values,
    request_values,
    strength,
    target_values,
)
from seamline.capture.model import Request
from seamline.capture.wire.call import Call

UUID = "0b8c0cf4-53ad-4c7f-9d5e-6a1d3c1e9b10"


@pytest.mark.parametrize(
    ("value", "alone", "as_id"),
    [
        (UUID, True, True),
        ("ann@example.com", True, True),
        ("7", False, True),
        ("true", False, True),
        ("aaaaaaaaaaaaaaaa", False, True),
        ("", False, False),
        ("x" * 201, False, False),
    ],
)
def test_a_short_value_tells_something_only_where_an_id_stands(value: str, alone: bool, as_id: bool) -> None:
    assert is_telling(value, is_id=False) is alone
    assert is_telling(value, is_id=True) is as_id


def test_codes_say_more_than_numbers_and_numbers_more_than_words() -> None:
    assert strength(UUID) > strength("10482") > strength("7")
    assert strength("a8f0c2d4") > strength("shipped")


@pytest.mark.parametrize(
    ("target", "values"),
    [
        ("/orders/17", {"orders", "17"}),
        ("/a%20b/user:42?customer_id=9&page=2", {"a b", "user:42", "user", "42", "9"} - {"user"}),
        ("/search?q=table+lamp", {"search", "table lamp"}),
        ("user:17:cart", {"user:17:cart", "17"}),
        ("*", {"*"}),
        ("", set()),
    ],
)
def test_a_target_has_its_segments_and_what_its_query_says(target: str, values: set[str]) -> None:
    assert set(target_values(target)) >= values


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b'{"customer_id": 17, "quantity": 3, "note": "x"}', {"17"}),
        (b'{"sku": "sku-9", "total": 1234567}', {"sku-9", "1234567"}),
        (b'[{"id": 1}, {"id": 2}]', {"1", "2"}),
        (b'{"payload": "{\\"order_id\\": 44}"}', {"44"}),
        (b'"{\\"id\\": 44}"', {"44"}),
        (b'{"id": true, "ok": false, "nothing": null, "share": 0.5}', set()),
        (b'{"blob": {"b64": "AAAAAAAAAAAAAAAAAAAAAA"}}', set()),
        (b"customer_id=17&sku=sku-9", {"17", "sku-9"}),
        (b"\x0a\x10ann@example.com\x12\x02\x08", {"ann@example.com"}),
        (b'{"id": 17', set()),
        (b"", set()),
        (b'{"id": "' + b"x" * 70_000 + b'"}', set()),
    ],
)
def test_a_body_has_its_leaves(body: bytes, values: set[str]) -> None:
    assert set(body_values(body)) == values


def test_a_request_is_read_alike_in_every_form() -> None:
    body = b'{"sku": "sku-9"}'
    headers = Headers(
        [("Authorization", "Bearer tok-81c2a9f4"), ("Cookie", "a=1; sid=9f8e7d6c5b4a"), ("Accept", "text/html")]
    )
    request = Request("POST", "/orders/17", headers, body)
    raw = b"POST /orders/17 HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items).encode() + b"\r\n" + body
    assert (
        set(request_values(request)) == set(raw_request_values(raw)) >= {"17", "sku-9", "tok-81c2a9f4", "9f8e7d6c5b4a"}
    )
    assert set(header_values(headers)) == {"tok-81c2a9f4", "9f8e7d6c5b4a"}
    assert set(raw_answer_values(b"HTTP/1.1 200 OK\r\n\r\n" + body)) == {"sku-9"}
    assert set(pieces_values([body[:5], body[5:]])) == {"sku-9"}


class Coming:
    request_parts: list[bytes]
    request_done = False

    def __init__(self) -> None:
        self.request_parts = []


def test_a_body_that_is_still_coming_is_read_again() -> None:
    turn = Coming()
    values = GrowingValues(lambda: iter(("17",)), turn)
    assert (list(values), values.is_whole) == (["17"], False)
    turn.request_parts.append(b'{"sku": "sku-9"}')
    turn.request_done = True
    assert (list(values), values.is_whole) == (["17", "sku-9"], True)


def test_a_calls_values_are_its_arguments_and_those_that_came_back_its_rows() -> None:
    call = Call(0, "SELECT", "orders", "SELECT id FROM orders WHERE customer_id = $1 LIMIT $2")
    call.arguments = json.dumps({"customer_id": 17, "limit": 20})
    rows = {"columns": ["identifier_of_it"], "types": ["int4"], "rows": [{"id": 44, "status": "on"}]}
    call.answer(0, 1, json.dumps(rows, separators=(",", ":")).encode())
    assert set(call_values(call)) == {"orders", "17"}
    assert set(answer_values(call)) == {"44"}
    call.answer(0, 1, b'"{\\"id\\": 45}"')
    assert set(answer_values(call)) == {"45"}


def test_the_parts_of_a_key_count_by_themselves() -> None:
    assert set(json_values('["cart:17:items", {"email": "ann@example.com"}]')) >= {
        "cart:17:items",
        "17",
        "ann@example.com",
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=40,
    )
)
def test_any_json_gives_some_bounded_strings(value: Any) -> None:
    found = list(json_values(json.dumps(value)))
    assert all(isinstance(each, str) and each for each in found)
    assert len(found) <= MOST_VALUES + 20


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_a_complaint(data: bytes) -> None:
    list(body_values(data))
    list(raw_request_values(data))
    list(raw_answer_values(data))
    list(target_values(data.decode("latin-1")))


def test_deep_and_wide_json_costs_little() -> None:
    assert list(json_values("[" * 500 + "]" * 500)) == []
    assert len(list(json_values(json.dumps([{"id": n} for n in range(5_000)])))) <= MOST_VALUES
