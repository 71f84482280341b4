"""A request as bytes."""

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.transport.encode import Encoder

H = ("Host", "h")


@pytest.mark.parametrize(
    ("request_", "raw"),
    [
        (Request("GET", "/a?b", Headers([H])), b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"),
        (
            Request("GET", "/", Headers([("b", "2"), ("A", "\xe9"), ("b", "1"), ("hOsT", "")])),
            b"GET / HTTP/1.1\r\nb: 2\r\nA: \xe9\r\nb: 1\r\nhOsT: \r\n\r\n",
        ),
        (Request("GET", "/", Headers([("A", "1")])), b"GET / HTTP/1.1\r\nHost: t:1\r\nA: 1\r\n\r\n"),
        (Request("GET", "/", Headers(), version="1.0"), b"GET / HTTP/1.0\r\n\r\n"),
        (
            Request("PUT", "/", Headers([H, ("Content-Length", "3")]), b"a\r\n"),
            b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na\r\n",
        ),
        (
            Request("PUT", "/", Headers([H, ("transfer-encoding", "chunked")]), b"a" * 17),
            b"PUT / HTTP/1.1\r\nHost: h\r\ntransfer-encoding: chunked\r\n\r\n11\r\n" + b"a" * 17 + b"\r\n0\r\n\r\n",
        ),
        (
            Request("PUT", "/", Headers([H, ("Transfer-Encoding", "chunked")])),
            b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
    ],
)
def test_bytes(request_: Request, raw: bytes) -> None:
    encoder = Encoder("t:1")
    assert encoder.encode(request_)[0] == raw
    assert encoder.encode(request_)[0] == raw, "remembered headers change nothing"


@pytest.mark.parametrize(
    ("version", "connection", "reusable"),
    [
        ("1.1", (), True),
        ("1.1", ("keep-alive",), True),
        ("1.1", ("Close",), False),
        ("1.1", ("te", "x, close"), False),
        ("1.1", ("enclosed",), True),
        ("1.0", (), False),
        ("1.0", ("Keep-Alive",), True),
    ],
)
def test_whether_the_connection_goes_on(version: str, connection: tuple[str, ...], reusable: bool) -> None:
    headers = Headers([H, *(("Connection", value) for value in connection)])
    assert Encoder("t:1").encode(Request("GET", "/", headers, version=version))[1] is reusable


def test_many_headers_are_not_remembered_for_ever() -> None:
    encoder = Encoder("t:1")
    for number in range(10_000):
        raw, _ = encoder.encode(Request("GET", "/", Headers([H, ("N", str(number))])))
        assert raw.endswith(b"N: %d\r\n\r\n" % number)
