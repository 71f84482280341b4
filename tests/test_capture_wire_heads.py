"""Heads as raw bytes, against httptools' own reading of them."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.heads import RawHead, split_request, split_response

HEAD = b"POST /a?x=1 HTTP/1.1\r\nHost: svc\r\nX-Empty:\r\ncookie: \t a=1 \r\nCookie: b=2\r\nX-E: \xe9\r\n\r\n"


class Heard:
    """What httptools calls out for a head."""

    def __init__(self) -> None:
        self.line = b""
        self.headers: list[tuple[str, str]] = []

    def on_url(self, url: bytes) -> None:
        self.line += url

    def on_status(self, reason: bytes) -> None:
        self.line += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "svc"),
        ("x-empty", ""),
        ("cookie", "a=1"),
        ("x-e", "é"),
        ("ost", None),
        ("svc", None),
        ("post /a?x=1", None),
    ],
)
def test_a_raw_head_answers_for_single_headers(name: str, value: str | None) -> None:
    assert RawHead(HEAD).get(name) == value


def test_a_request_is_split() -> None:
    method, target, version, headers = split_request(b"\r\n" + HEAD)
    assert (method, target, version) == ("POST", "/a?x=1", "1.1")
    assert headers.items == (("Host", "svc"), ("X-Empty", ""), ("cookie", "a=1"), ("Cookie", "b=2"), ("X-E", "é"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET  /a  HTTP/1.0", ("GET", "/a", "1.0")),
        (b"CONNECT db:5432 HTTP/1.1", ("CONNECT", "db:5432", "1.1")),
        (b"GET http://a/b HTTP/1.1", ("GET", "http://a/b", "1.1")),
        (b"GET /", ("GET", "/", "0.9")),
    ],
)
def test_odd_request_lines(line: bytes, expected: tuple[str, str, str]) -> None:
    assert split_request(line + b"\r\n\r\n")[:3] == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HTTP/1.1 200 OK", ("1.1", "OK")),
        (b"HTTP/1.0 404 Not  Found ", ("1.0", "Not  Found ")),
        (b"HTTP/1.1 200 ", ("1.1", "")),
        (b"HTTP/1.1 200", ("1.1", "")),
    ],
)
def test_odd_status_lines(line: bytes, expected: tuple[str, str]) -> None:
    version, reason, headers = split_response(line + b"\r\nA: 1\r\n\r\n")
    assert (version, reason) == expected
    assert headers.items == (("A", "1"),)


_NAME = st.text("abcXYZ0-_~!", min_size=1, max_size=8)
_VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20)


@given(headers=st.lists(st.tuples(_NAME, _VALUE), max_size=6), target=st.text("/abc?=%&;", min_size=1, max_size=9))
def test_it_reads_what_the_parser_reads(headers: list[tuple[str, str]], target: str) -> None:
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers]
    fields = b"\r\n".join([*lines, b"", b""])
    for first, parser, split in (
        (f"GET /{target} HTTP/1.1".encode(), httptools.HttpRequestParser, split_request),
        (b"HTTP/1.1 200 Fine", httptools.HttpResponseParser, split_response),
    ):
        heard = Heard()
        raw = first + b"\r\n" + fields
        try:
            parser(heard).feed_data(raw)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            continue
        # llhttp hands on the white space behind a value, which is no part of it (RFC 9110, 5.5).
        heard.headers = [(name, value.rstrip(" \t")) for name, value in heard.headers]
        assert list(split(raw)[-1]) == heard.headers
        assert split(raw)[1] == heard.line.decode()
        for name, _ in heard.headers:
            wanted = next(value for key, value in heard.headers if key.lower() == name.lower())
            assert RawHead(raw).get(name.lower()) == wanted
