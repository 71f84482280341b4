"""The JSON object of an exchange: the contract's fields, bodies without loss, safe to print."""

import base64
import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given

from seamline.capture.describe import describe, instant, text_body
from seamline.capture.headers import Headers
from seamline.capture.model import (
    Exchange,
    Failure,
    FailureKind,
    Link,
    LinkKind,
    Request,
    Response,
    Role,
    Withheld,
)
from support.captures import EXCHANGES, START_US, an_exchange

CONTRACT = [
    "id", "seq", "role", "protocol", "service", "parent", "session", "started", "latency_ms", "request", "response",
    "failure", "origin", "truncated",
]  # fmt: skip


def test_a_plain_exchange() -> None:
    assert describe(an_exchange(7)) == {
        "id": "t-7",
        "seq": 7,
        "role": "inbound",
        "protocol": "http",
        "service": "orders",
        "parent": None,
        "session": "s1",
        "started": "2026-11-01T10:00:00.007000Z",
        "latency_ms": 1.507,
        "request": {
            "method": "GET",
            "url": "/orders/7?page=1",
            "headers": [["Host", "orders"], ["Accept", "*/*"]],
            "body": "",
            "body_b64": None,
            "version": "1.1",
        },
        "response": {
            "status": 200,
            "headers": [["Content-Type", "application/json"]],
            "body": '{"id":7,"price":9.90}',
            "body_b64": None,
            "reason": "OK",
            "version": "1.1",
        },
        "failure": None,
        "origin": None,
        "truncated": False,
        "lateness_ms": 0.0,
        "links": [],
        "withheld": [],
    }


def test_a_failed_call_with_its_cause() -> None:
    shown = describe(
        an_exchange(
            1,
            role=Role.OUTBOUND,
            response=None,
            failure=Failure(FailureKind.RESET, "by peer"),
            links=(Link("t-0", LinkKind.TIME, 0.5), Link("t-9", LinkKind.TIME, 0.5)),
            origin="o-1",
            truncated=True,
            lateness_us=1500,
            withheld=(Withheld("request.body", 9, "ab", "not JSON"),),
        )
    )
    assert (shown["role"], shown["response"], shown["parent"], shown["origin"]) == ("outbound", None, "t-0", "o-1")
    assert shown["failure"] == {"kind": "reset", "detail": "by peer"}
    assert shown["truncated"] is True
    assert shown["lateness_ms"] == 1.5
    assert shown["links"] == [
        {"parent": "t-0", "how": "time", "confidence": 0.5},
        {"parent": "t-9", "how": "time", "confidence": 0.5},
    ]
    assert shown["withheld"] == [{"part": "request.body", "size": 9, "digest": "ab", "why": "not JSON"}]


@pytest.mark.parametrize(
    ("kind", "coding", "body", "text"),
    [
        ("application/json", None, b'{"a":"\xc3\xa9"}', '{"a":"é"}'),
        ("application/json", "identity", b"{}", "{}"),
        ("application/json", "gzip", b"{}", None),
        ("application/json", "br", b"", None),
        ("application/json", None, b"\xff{}", None),
        (None, None, b"plain", "plain"),
        (None, None, b"pla\0in", None),
        ("text/plain; charset=utf-8", None, b"x\ny", "x\ny"),
        ("image/svg+xml", None, b"<svg/>", "<svg/>"),
        ("image/png", None, b"looks like text", None),
        ("Application/Octet-Stream", None, b"abc", None),
        ("application/grpc+proto", None, b"abc", None),
        ("application/x-www-form-urlencoded", None, b"a=1&b=2", "a=1&b=2"),
    ],
)
def test_what_is_text(kind: str | None, coding: str | None, body: bytes, text: str | None) -> None:
    pairs = [("Content-Type", kind), ("Content-Encoding", coding)]
    headers = Headers((name, value) for name, value in pairs if value is not None)
    assert text_body(headers, body) == text


@given(EXCHANGES)
def test_every_exchange_is_shown_without_loss(exchange: Exchange) -> None:
    shown = describe(exchange)
    assert list(shown)[: len(CONTRACT)] == CONTRACT
    line = json.dumps(shown)
    assert line.isascii()
    assert json.loads(line) == shown
    parts: list[tuple[object, Request | Response | None]] = [
        (shown["request"], exchange.request),
        (shown["response"], exchange.response),
    ]
    for part, source in parts:
        if source is None:
            assert part is None
            continue
        assert isinstance(part, dict)
        body = part["body"].encode() if part["body"] is not None else base64.b64decode(part["body_b64"])
        assert body == source.body
        assert [tuple(pair) for pair in part["headers"]] == list(source.headers)


@given(EXCHANGES)
def test_the_start_reads_back(exchange: Exchange) -> None:
    moment = datetime.fromisoformat(instant(exchange.started_us))
    assert moment.utcoffset() is not None
    assert moment.microsecond == exchange.started_us % 1_000_000


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (START_US + 1, "2026-11-01T10:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1 << 62, "4611686018427.387695"),
    ],
)
def test_an_instant(us: int, text: str) -> None:
    assert instant(us) == text


def test_a_call_shows_operation_and_arguments() -> None:
    request = Request("GET", "price:tea", Headers(), operation="GET", arguments='["price:tea"]')
    shown = describe(replace(an_exchange(7), protocol="redis", request=request))["request"]
    assert isinstance(shown, dict)
    assert (shown["operation"], shown["arguments"]) == ("GET", ["price:tea"])
    broken = describe(replace(an_exchange(7), request=replace(request, arguments="[")))["request"]
    assert isinstance(broken, dict)
    assert broken["arguments"] == "["


def test_http_has_neither() -> None:
    shown = describe(an_exchange(7))["request"]
    assert isinstance(shown, dict)
    assert "operation" not in shown
