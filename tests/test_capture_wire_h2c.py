from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.h2c import Opening
from seamline.capture.wire.http2 import PREFACE, Http2Error

UPGRADE = (
    b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    b"Accept: */*\r\n\r\n"
)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


def test_the_preface_opens_at_once() -> None:
    opening = Opening()
    assert opening.client(PREFACE + b"frames") == b"frames"
    assert opening.client(b"more") == b"more"
    assert opening.server(b"frames") == b"frames"
    assert opening.client_is_done and opening.server_is_done and opening.request is None


def test_a_server_may_speak_first() -> None:
    opening = Opening()
    assert opening.server(b"\x00\x00\x00") == b"\x00\x00\x00"
    assert opening.client(PREFACE) == b""


def test_a_server_that_begins_as_http_1_would_is_waited_for() -> None:
    opening = Opening()
    assert opening.server(b"HT") == b""
    assert opening.server(b"\x00more") == b"HT\x00more"


@given(st.lists(st.integers(0, len(UPGRADE + PREFACE)), max_size=8))
def test_an_upgrade_is_stream_1(cuts: list[int]) -> None:
    opening, said = Opening(), UPGRADE + PREFACE + b"frames"
    places = [0, *sorted(cuts), len(said)]
    got = b"".join(opening.client(said[a:b]) for a, b in pairwise(places))
    assert got == b"frames"
    assert opening.request is not None
    method, target, headers = opening.request
    assert (method, target, headers.items) == ("GET", "/a", (("Host", "h"), ("Accept", "*/*")))
    assert opening.server(SWITCHED[:20]) == b""
    assert not opening.server_is_done
    assert opening.server(SWITCHED[20:] + b"frames") == b"frames"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x16\x03\x01\x02\x00", "TLS, not HTTP/2 in cleartext"),
        (b"\x00\x00", "bytes that are not HTTP/2"),
        (b"PRI * HTTP/1.1", "bytes that are not HTTP/2"),
        (b"GETX / HTTP/1.1\r\n\r\n", "bytes that are not HTTP/2"),
        (b"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1, not HTTP/2"),
        (b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1, not HTTP/2"),
        (UPGRADE.replace(b"Accept: */*", b"Content-Length: 3"), "an upgrade to HTTP/2 with a body"),
        (UPGRADE.replace(b"Accept: */*", b"Transfer-Encoding: chunked"), "an upgrade to HTTP/2 with a body"),
        (UPGRADE + b"GET /b HTTP/1.1\r\n\r\n", "an upgrade without HTTP/2 behind it"),
        (b"GET /" + b"a" * 70_000, "bytes that are not HTTP/2"),
    ],
)
def test_what_a_client_says_otherwise_is_an_error(data: bytes, why: str) -> None:
    with pytest.raises(Http2Error, match=f"^{why}$"):
        Opening().client(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", "an upgrade to HTTP/2 that was refused"),
        (b"x" * 70_000, "bytes that are not HTTP/2"),
    ],
)
def test_an_upgrade_that_is_not_granted_is_an_error(data: bytes, why: str) -> None:
    opening = Opening()
    opening.client(UPGRADE)
    with pytest.raises(Http2Error, match=f"^{why}$"):
        opening.server(data)


def test_a_server_of_http_1_is_an_error() -> None:
    opening = Opening()
    opening.client(PREFACE)
    with pytest.raises(Http2Error, match=r"^HTTP/1\.1, not HTTP/2$"):
        opening.server(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_bytes_raise_anything_else(client: bytes, server: bytes) -> None:
    opening = Opening()
    try:
        opening.client(client)
        opening.server(server)
    except Http2Error:
        return
