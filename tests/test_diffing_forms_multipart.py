"""Multipart bodies by their parts' names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.forms.multipart import MultipartError, parse_multipart
from seamline.diffing.report.model import Json


def inner(body: bytes, content_type: str) -> Json:
    return f"{content_type}:{body.decode('latin-1')}"


def part(head: str, body: str) -> bytes:
    return f"--b\r\n{head}\r\n\r\n{body}\r\n".encode()


FIELD = part('Content-Disposition: form-data; name="a"', "1")
FILE = part('content-disposition: form-data; name=f; filename="x.txt"\r\nContent-Type: text/X', "2")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (FIELD + b"--b--", {"a": "text/plain:1"}),
        (FIELD + FIELD + b"--b--\r\n", {"a": ["text/plain:1", "text/plain:1"]}),
        (FILE + b"--b--", {"f": {"filename": "x.txt", "type": "text/x", "content": "text/X:2"}}),
        (part("Content-Type: a/b", "1") + part("X: y", "2") + b"--b--", ["a/b:1", "text/plain:2"]),
        ((FIELD + b"--b--").replace(b"\r\n", b"\n"), {"a": "text/plain:1"}),
        (b"preamble\r\n" + FIELD + b"--b--", {"a": "text/plain:1"}),
        (part('Content-Disposition: form-data;\r\n name="a"', "1") + b"--b--", {"a": "text/plain:1"}),
    ],
)
def test_parts(body: bytes, expected: Json) -> None:
    assert parse_multipart(body, "multipart/form-data; boundary=b", inner) == expected


def test_a_boundary_that_is_not_told_is_seen() -> None:
    assert parse_multipart(FIELD + b"--b--", "", inner) == {"a": "text/plain:1"}
    assert parse_multipart(FIELD + b"--b--", 'multipart/mixed; boundary="b"', inner) == {"a": "text/plain:1"}


@pytest.mark.parametrize("body", [b"", FIELD, b"--b\r\nno head\r\n--b--", b"text"])
def test_what_does_not_fit_its_boundary(body: bytes) -> None:
    with pytest.raises(MultipartError):
        parse_multipart(body, "multipart/mixed; boundary=b", inner)


@given(st.binary(max_size=80), st.sampled_from(["", "multipart/mixed; boundary=b"]))
def test_any_bytes(body: bytes, content_type: str) -> None:
    try:
        parse_multipart(body, content_type, inner)
    except MultipartError as error:
        assert str(error)
