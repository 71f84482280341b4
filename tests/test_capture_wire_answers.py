"""Plain answers framed without a parser: whatever is accepted, the parser reads in the same way."""

from typing import Any

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Response
from seamline.capture.wire.answers import AnswerFramer, RawAnswer, body_size

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n"


def answer(*lines: str, status: str = "200 OK", body: bytes = b"ok") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "", "")).encode("latin-1") + body


def test_a_plain_answer_is_framed() -> None:
    framer = AnswerFramer()
    assert [framer.head_size(PLAIN + b"ok") for _ in range(2)] == [len(PLAIN)] * 2
    assert RawAnswer(PLAIN, b"ok").response() == Response(
        200,
        Headers([("Content-Type", "text/plain"), ("Content-Length", "2"), ("Connection", "keep-alive")]),
        b"ok",
        "OK",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN,
        PLAIN + b"o",
        PLAIN + b"okk",
        PLAIN[:-2] + b"ok",
        b"\r\n\r\n",
        answer("Content-Length: 2", "Content-Length: 2"),
        answer("Content-Length: 2, 2"),
        answer("Content-Length: +2"),
        answer("Content-Length:  "),
        answer("Content-Length : 2"),
        answer("X: 1"),
        answer("Content-Length: 2", "Transfer-Encoding: chunked"),
        answer("Content-Length: 2", "Connection: close"),
        answer("Content-Length: 2", "Connection: keep-alive, close"),
        answer("Content-Length: 2", "Connection: keep-alive", "Connection: close"),
        answer("Content-Length: 2", "Proxy-Connection: close"),
        answer("Content-Length: 2", "Upgrade: h2c"),
        answer("Content-Length: 2", "X: folded", " line"),
        answer("Content-Length: 2", "X: a\nb"),
        answer("Content-Length: 2", "X: a\x00b"),
        answer("Content-Length: 2", "no colon"),
        answer("Content-Length: 2", ": no name"),
        answer("Content-Length: 2", status="204 No Content"),
        answer("Content-Length: 2", status="304 Not Modified"),
        answer("Content-Length: 2", status="101 Switching Protocols"),
        answer("Content-Length: 2", status="103 Early Hints"),
        answer("Content-Length: 2", status="600 What"),
        answer("Content-Length: 2", status="2000 OK"),
        answer("Content-Length: 2").replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer("Content-Length: 2", "X: " + "x" * 5000),
    ],
)
def test_everything_else_is_left_to_the_parser(data: bytes) -> None:
    assert AnswerFramer().head_size(data) == 0


def test_other_heads_have_no_body_of_any_size() -> None:
    head = answer("Connection: close", body=b"")
    assert len(head) + body_size(head) < 0


def test_what_is_remembered_is_bounded() -> None:
    framer = AnswerFramer()
    for number in range(3000):
        data = answer("Content-Length: 2", f"X: {number}")
        assert framer.head_size(data) == len(data) - 2


class Parsed:
    """What httptools makes of an answer."""

    def __init__(self, data: bytes) -> None:
        self.headers: list[tuple[str, str]] = []
        self.reason = b""
        self.body = b""
        self.ends = 0
        self.begins = 0
        self.status = 0
        self.version = ""
        self.keeps = False
        self._parser: Any = httptools.HttpResponseParser(self)
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.begins += 1

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, chunk: bytes) -> None:
        self.body += chunk

    def on_message_complete(self) -> None:
        self.ends += 1
        self.status = self._parser.get_status_code()
        self.version = self._parser.get_http_version()
        self.keeps = self._parser.should_keep_alive()


NAMES = st.sampled_from(
    ["Content-Length", "content-length", "Connection", "Transfer-Encoding", "Upgrade", "Trailer", "Set-Cookie", "X",
     "Keep-Alive", "Date", "x-%&'*", "Content-Length ", "", "Proxy-Connection", "Content-Encoding"]
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(["2", "0", "3", "02", "keep-alive", "close", "chunked", "Keep-Alive", "upgrade", "", " ", "\t2 "]),
    st.text(st.characters(max_codepoint=255), max_size=6),
)
SPACES = st.sampled_from([" ", "", "  ", "\t"])
LINES = st.lists(st.tuples(NAMES, SPACES, VALUES), max_size=5)
STATUSES = st.one_of(
    st.sampled_from(["200 OK", "200 ", "200", "404 Not Found", "204 No Content", "500  x", "200 a\tb", "301 \xe9"]),
    st.from_regex(r"\A[0-9]{3} [ -~]{0,6}\Z"),
)


@settings(max_examples=1500)
@given(STATUSES, LINES, st.binary(max_size=4), st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/1.2"]), st.booleans())
def test_what_is_accepted_is_read_as_the_parser_reads_it(
    status: str, lines: list[tuple[str, str, str]], body: bytes, protocol: str, framed: bool
) -> None:
    named = [f"{name}:{space}{value}" for name, space, value in lines]
    if framed:
        named.append(f"Content-Length: {len(body)}")
    data = "\r\n".join((f"{protocol} {status}", *named, "", "")).encode("latin-1") + body
    size = AnswerFramer().head_size(data)
    if not size:
        return
    parsed = Parsed(data)
    assert (parsed.begins, parsed.ends, parsed.keeps) == (1, 1, True)
    headers = Headers(parsed.headers)
    expected = Response(parsed.status, headers, parsed.body, parsed.reason.decode("latin-1"), parsed.version)
    assert RawAnswer(data[:size], data[size:]).response() == expected
