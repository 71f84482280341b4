"""What makes a recorded request fit to be sent, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.capture.model import Request
from seamline.replay.sendable import ABSOLUTE, EXPECT, FRAMING, HOST, INJECTION, LENGTH, VERSION, Fitter
from seamline.replay.transport.encode import Encoder

HOSTED = ("Host", "shop.example")


def fit(request: Request) -> Request | str:
    fitted = Fitter().fit(request)
    return fitted if isinstance(fitted, str) else fitted[0]


def notes(request: Request) -> tuple[str, ...]:
    fitted = Fitter().fit(request)
    assert not isinstance(fitted, str), fitted
    return fitted[1]


def ask(
    *headers: tuple[str, str], method: str = "POST", target: str = "/", body: bytes = b"", version: str = "1.1"
) -> Request:
    return Request(method, target, Headers(headers), body, version)


@pytest.mark.parametrize(
    "request_",
    [
        ask(HOSTED, method="GET", target="/a?b=%20c"),
        ask(("hOST", "x"), ("A", "1"), ("b", "2"), ("A", "3"), method="GET"),
        ask(HOSTED, ("Content-Length", "2"), body=b"{}"),
        ask(HOSTED, ("Content-Length", "2"), ("content-length", "2"), body=b"{}"),
        ask(HOSTED, ("Transfer-Encoding", "chunked"), body=b"abc"),
        ask(HOSTED, ("Transfer-Encoding", "gzip, chunked"), body=b"abc"),
        ask(HOSTED, ("X", "caf\xe9 \t"), target="/\xfc"),
        ask(HOSTED, version="1.0"),
    ],
    ids=repr,
)
def test_a_sound_request_stays_as_it_is(request_: Request) -> None:
    assert Fitter().fit(request_) == (request_, ())


@pytest.mark.parametrize(
    "request_",
    [
        ask(HOSTED, method="GET /x HTTP/1.1\r\nA:"),
        ask(HOSTED, method=""),
        ask(HOSTED, target="/ HTTP/1.1\r\nEvil: 1\r\n"),
        ask(HOSTED, target="/a b"),
        ask(HOSTED, target=""),
        ask(HOSTED, target="/\u20ac"),
        ask(HOSTED, ("X", "1\r\nEvil: 1")),
        ask(HOSTED, ("X", "1\nEvil: 1")),
        ask(HOSTED, ("X", "1\0")),
        ask(HOSTED, ("X", "\u20ac")),
        ask(HOSTED, ("X\r\nEvil", "1")),
        ask(HOSTED, ("X ", "1")),
        ask(HOSTED, ("X:", "1")),
        ask(HOSTED, ("", "1")),
    ],
    ids=repr,
)
def test_what_could_end_a_line_early_is_refused(request_: Request) -> None:
    assert fit(request_) == INJECTION


@pytest.mark.parametrize(
    "headers",
    [
        (("Content-Length", "2"), ("Content-Length", "3")),
        (("Content-Length", "+2"),),
        (("Content-Length", "2, 2"),),
        (("Content-Length", "2"), ("Transfer-Encoding", "chunked")),
        (("Transfer-Encoding", "identity"),),
        (("Transfer-Encoding", "chunked, chunked"),),
        (("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "gzip")),
        (("Transfer-Encoding", "xchunked"),),
    ],
    ids=repr,
)
def test_a_body_of_unclear_length_is_refused(headers: tuple[tuple[str, str], ...]) -> None:
    assert fit(ask(HOSTED, *headers, body=b"{}")) == FRAMING


def test_two_hosts_are_refused() -> None:
    assert isinstance(fit(ask(HOSTED, ("host", "other"))), str)


@pytest.mark.parametrize(
    ("request_", "target", "headers", "changes"),
    [
        (ask(HOSTED, target="http://shop.example/a?b"), "/a?b", (HOSTED,), (ABSOLUTE,)),
        (ask(HOSTED, target="HTTP://shop.example"), "/", (HOSTED,), (ABSOLUTE,)),
        (ask(HOSTED, target="https://shop.example?q=1"), "/?q=1", (HOSTED,), (ABSOLUTE,)),
        (ask(target="http://u:p@shop.example:81/"), "/", (("Host", "shop.example:81"),), (ABSOLUTE, HOST)),
        (ask(("Expect", "100-continue"), HOSTED), "/", (HOSTED,), (EXPECT,)),
        (ask(HOSTED, body=b"abc"), "/", (HOSTED, ("Content-Length", "3")), (LENGTH,)),
        (ask(("Content-Length", "9"), HOSTED, body=b"abc"), "/", (("Content-Length", "3"), HOSTED), (LENGTH,)),
        (ask((":authority", "a"), ("b", "c"), version="2"), "/", (("Host", "a"), ("b", "c")), (VERSION, HOST)),
    ],
    ids=repr,
)  # fmt: skip
def test_what_has_to_change_is_changed_and_named(
    request_: Request, target: str, headers: tuple[tuple[str, str], ...], changes: tuple[str, ...]
) -> None:
    fitted = fit(request_)
    assert isinstance(fitted, Request)
    assert (fitted.target, fitted.headers.items, notes(request_)) == (target, headers, changes)
    assert fitted.version == "1.1"


def test_an_authority_cannot_inject_either() -> None:
    assert fit(ask((":authority", "x\r\nEvil: 1"), version="2")) == INJECTION


def test_equal_headers_become_one_object() -> None:
    fitter = Fitter()
    first, second = (fitter.fit(ask(HOSTED, ("A", "1"), target=target)) for target in ("/a", "/b"))
    assert not isinstance(first, str)
    assert not isinstance(second, str)
    assert first[0].headers is second[0].headers
    assert second[0].target == "/b"


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
REQUESTS = st.builds(
    Request,
    st.sampled_from(["GET", "POST"]) | TEXT,
    st.sampled_from(["/", "/a?b", "http://h/x", "*"]) | TEXT,
    st.lists(
        st.tuples(
            st.sampled_from(["Host", "Content-Length", "Transfer-Encoding", "Expect", "X", ":authority"]) | TEXT,
            st.sampled_from(["h", "0", "3", "chunked", "a\r\nb: c"]) | TEXT,
        ),
        max_size=4,
    ).map(Headers),
    st.sampled_from([b"", b"abc", b"\r\n\r\n"]),
    st.sampled_from(["1.0", "1.1", "2"]),
)


@given(REQUESTS)
def test_what_is_sent_has_one_head_and_the_lines_it_shows(request_: Request) -> None:
    fitted = fit(request_)
    if isinstance(fitted, str):
        return
    raw, _ = Encoder("target:1").encode(fitted)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    added = "host" not in fitted.headers and fitted.version == "1.1"
    assert len(lines) == 1 + len(fitted.headers) + added
    assert lines[0].count(b" ") == 2
    length = fitted.headers.get("content-length")
    if "transfer-encoding" in fitted.headers:
        assert body.endswith(b"0\r\n\r\n")
    else:
        assert body == fitted.body
        assert int(length or 0) == len(body)
