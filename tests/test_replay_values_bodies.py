"""Bodies of every kind: their leaves, and with some of them replaced."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.replay.values import bodies
from seamline.replay.values.bodies import Body


def _body(kind: str, data: bytes, *headers: tuple[str, str]) -> Body:
    return Body(Headers([("Content-Type", kind), *headers] if kind else headers), data)


@pytest.mark.parametrize(
    ("content_type", "data", "kind"),
    [
        ("application/json", b'{"a":1}', bodies.JSON),
        ("application/vnd.api+json; charset=utf-8", b" [1]", bodies.JSON),
        ("", b'{"a":1}', bodies.JSON),
        ("text/plain", b'{"a":1}', bodies.JSON),
        ("application/json", b"{", bodies.NONE),
        ("application/x-www-form-urlencoded", b"a=1&b=2", bodies.FORM),
        ("", b"a=1&b=2", bodies.FORM),
        ("multipart/form-data; boundary=B", b"--B--", bodies.MULTIPART),
        ("text/html", b"<p>", bodies.HTML),
        ("", b"  <!DOCTYPE html><p>", bodies.HTML),
        ("application/soap+xml", b"<a/>", bodies.XML),
        ("", b"<a/>", bodies.XML),
        ("text/plain", b"abc", bodies.TEXT),
        ("", b"abc def", bodies.TEXT),
        ("image/png", b"\x89PNG", bodies.NONE),
        ("application/octet-stream", b"abc", bodies.NONE),
        ("", b"\xff\xfe", bodies.NONE),
        ("application/json", b"", bodies.NONE),
        ("text/plain", b"a" * (bodies.LARGEST + 1), bodies.NONE),
    ],
)
def test_kinds(content_type: str, data: bytes, kind: str) -> None:
    assert _body(content_type, data).kind == kind


def test_leaves_and_their_texts() -> None:
    form = _body("application/x-www-form-urlencoded", b"a=1+2&a=%C3%A9&b")
    assert form.leaves() == [("form:a#0", "a", "1 2", "a"), ("form:a#1", "a", "é", "a")]
    assert form.at("form:a#1") == "é"
    assert form.at("form:b#1") is None
    assert _body("text/plain", b" tok \n").leaves() == [("text", "", "tok", "")]
    assert _body("text/html", b'<input name="c" value="v">').leaves() == [("markup:input[c]@value#0", "c", "v", "")]
    assert _body("application/json", b'{"a":1}').leaves() == []
    assert _body("application/json", b'{"a":1}').at("$.a") == "1"
    assert _body("application/json", b'{"a":1}').at("form:a#0") is None


def test_fields_of_multipart() -> None:
    data = (
        b'--B\r\nContent-Disposition: form-data; name="t"\r\n\r\none\r\n'
        b"--B\r\ncontent-disposition: form-data; name=u\r\nContent-Type: text/plain\r\n\r\n\r\n"
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nxx\r\n--B--\r\n'
    )
    body = _body('multipart/form-data; boundary="B"', data)
    assert body.leaves() == [("multipart:t#0", "t", "one", "t"), ("multipart:u#0", "u", "", "u")]
    assert body.with_values({"multipart:t#0": "é", "multipart:u#0": "x"}) == data.replace(b"one", "é".encode()).replace(
        b"text/plain\r\n\r\n", b"text/plain\r\n\r\nx"
    )
    assert _body("multipart/form-data", data).leaves() == []
    assert _body("multipart/form-data; boundary=B", b"--B\r\n" * 5_000).leaves() == []


def test_codings_are_taken_off_and_put_on() -> None:
    body = _body("application/json", gzip.compress(b'{"a":"x"}'), ("content-encoding", "gzip"))
    assert body.at("$.a") == "x"
    assert gzip.decompress(body.with_values({"$.a": "y"})) == b'{"a":"y"}'
    assert _body("application/json", b"broken", ("Content-Encoding", "gzip")).kind == bodies.NONE
    bomb = gzip.compress(b" " * (bodies.LARGEST + 1))
    assert _body("text/plain", bomb, ("Content-Encoding", "gzip")).kind == bodies.NONE


@given(
    st.binary(max_size=60), st.sampled_from(["", "application/json", "text/html", "multipart/form-data; boundary=B"])
)
def test_any_body_can_be_looked_at(data: bytes, kind: str) -> None:
    body = _body(kind, data)
    for path, _, text, _ in body.leaves():
        assert body.at(path) == text
