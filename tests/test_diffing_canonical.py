"""Canonical bodies: equal contents have equal keys, whatever their spelling; hostile ones are bounded."""

import gzip
import json
from base64 import b64encode

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.headers import Headers
from seamline.diffing.canonical import MAX_DEPTH, Body, Form, canonical, within_depth
from support.calls import framed, message


def body(raw: bytes, content_type: str = "application/json", encoding: str = "") -> Body:
    coded = [("content-encoding", encoding)] if encoding else []
    return canonical(raw, Headers([("content-type", content_type), *coded]))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_spelling_does_not_matter(value: object) -> None:
    spellings = [
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        json.dumps(value, indent=3),
        json.dumps(value, sort_keys=True, separators=(",", ":")),
    ]
    keys = {body(one.encode("utf-8", "surrogatepass")).key for one in spellings}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"10", b"10.0"),
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b"12345678901234567890123", b"12345678901234567890124"),
        (b'{"a":null}', b"{}"),
        (b'"1"', b"1"),
    ],
)
def test_what_a_reader_could_see_does_matter(one: bytes, other: bytes) -> None:
    assert body(one).key != body(other).key


def test_a_repeated_key_and_a_long_number_are_kept() -> None:
    assert body(b'{"a":1,"a":2}').value == {"a": 1, "a#2": 2}
    assert body(b"[123456789012345678901234567890]").value == [123456789012345678901234567890]
    assert body(b"[" + b"9" * 5000 + b"]").value == ["9" * 5000]


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)),
        ("br", brotli.compress(b'{"a":1}')),
        ("zstd", zstandard.ZstdCompressor().compress(b'{"a":1}')),
    ],
)
def test_content_codings_come_off(encoding: str, packed: bytes) -> None:
    assert body(packed, encoding=encoding).value == {"a": 1}


def test_a_bomb_and_a_broken_coding_are_compared_by_digest() -> None:
    bomb = body(gzip.compress(bytes(64 << 20)), encoding="gzip")
    assert bomb.form is Form.BINARY
    assert "more than" in bomb.note
    assert body(b"not gzip", encoding="gzip").note


def test_depth_is_bounded_without_recursion() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert body(deep).broken == "nested too deep"
    shallow = body(b"[" * 199 + b"1" + b"]" * 199)
    assert shallow.form is Form.JSON
    beyond = body(b"[" * 300 + b"1" + b"]" * 300)
    assert str(MAX_DEPTH) in beyond.note
    assert within_depth([[1]], 2)
    assert not within_depth([[[1]]], 2)


@pytest.mark.parametrize(
    ("raw", "content_type", "form"),
    [
        (b"", "application/json", Form.EMPTY),
        (b"{", "application/json", Form.TEXT),
        (b'{"a":1}', "text/plain", Form.JSON),
        (b"{not json}", "text/plain", Form.TEXT),
        (b"a=1&b=2", "application/x-www-form-urlencoded", Form.FORM),
        (b"<p>hi</p>", "text/html", Form.HTML),
        (b"\x89PNG", "image/png", Form.BINARY),
        (b"\0\1", "", Form.BINARY),
        (b'{"a":1}', "application/problem+json; charset=utf-8", Form.JSON),
        (b"\xef\xbb\xbf{}", "application/json", Form.JSON),
        (b"\xff\xfe\x00", "image/jpeg", Form.BINARY),
        (b"<a/>", "application/atom+xml", Form.XML),
        (b'<?xml version="1.0"?><a/>', "", Form.XML),
        (b"<a>", "text/xml", Form.TEXT),
        (b"<!DOCTYPE html><p>hi", "", Form.HTML),
        (b'{"a":1}\n{"a":2}', "application/json", Form.EVENTS),
        (b'{"a":1}\n{"a":2}', "application/x-ndjson", Form.EVENTS),
        (b'{"a":1}', "application/x-ndjson", Form.JSON),
        (b"data: 1\n\n", "text/event-stream", Form.EVENTS),
        (b"a,b\n1,2", "text/csv; header=present", Form.TABLE),
        (b"--x\r\n\r\nhi\r\n--x--", "multipart/mixed; boundary=x", Form.MULTIPART),
        (b"no parts", "multipart/mixed; boundary=x", Form.TEXT),
    ],
)
def test_forms(raw: bytes, content_type: str, form: Form) -> None:
    assert body(raw, content_type).form is form


def test_charsets_are_decoded_and_unknown_ones_survive() -> None:
    assert body('{"a":"é"}'.encode("latin-1"), "application/json; charset=latin-1").value == {"a": "é"}
    assert body("é".encode(), "text/plain; charset=utf-8").value == "é"
    assert body("é".encode("latin-1"), "text/plain; charset=wild").value == "é"


def test_form_fields_repeat() -> None:
    assert body(b"a=1&a=2&a=3&b=", "application/x-www-form-urlencoded").value == {"a": ["1", "2", "3"], "b": ""}


@given(
    st.binary(max_size=200),
    st.sampled_from(["application/json", "text/plain", "application/x-www-form-urlencoded", ""]),
)
def test_any_bytes_are_a_body(raw: bytes, content_type: str) -> None:
    assert body(raw, content_type) == body(raw, content_type)


QUOTE = message(f1="tea", f2=300)


@pytest.mark.parametrize(
    ("raw", "content_type", "value"),
    [
        (framed(QUOTE), "application/grpc", {"field_1": "tea", "field_2": 300}),
        (framed(QUOTE), "application/grpc+proto", {"field_1": "tea", "field_2": 300}),
        (QUOTE, "application/x-protobuf", {"field_1": "tea", "field_2": 300}),
        (framed(QUOTE) + framed(b""), "application/grpc", [{"field_1": "tea", "field_2": 300}, {}]),
    ],
)
def test_protobuf_is_read_by_its_fields_numbers(raw: bytes, content_type: str, value: object) -> None:
    made = body(raw, content_type)
    assert (made.form, made.value) == (Form.JSON, value)


@given(st.binary(max_size=60), st.sampled_from(["application/grpc", "application/protobuf"]))
def test_what_is_no_message_is_compared_by_digest(raw: bytes, content_type: str) -> None:
    made = body(raw, content_type)
    assert made.form is Form.JSON or (made.form is Form.EMPTY) is (not raw)
    if made.form is Form.BINARY:
        assert made.note == "protobuf that does not parse"


def test_a_grpc_web_body_says_its_status_at_its_end() -> None:
    end = b"grpc-status: 5\r\nGrpc-Message: gone\r\ndate: now\r\n"
    raw = framed(QUOTE) + b"\x80" + len(end).to_bytes(4) + end
    value = {"field_1": "tea", "field_2": 300, "trailers": {"grpc-status": "5", "grpc-message": "gone"}}
    assert body(raw, "application/grpc-web+proto").value == value
    assert (
        body(b64encode(framed(QUOTE)) + b64encode(raw[len(framed(QUOTE)) :]), "application/grpc-web-text").value
        == value
    )
    assert body(raw, "application/grpc-web-text").note


def test_digits_of_a_fraction_are_no_long_integer() -> None:
    assert body(b"[0.00021060533511106927]").value == [0.00021060533511106927]
    assert body(b"[0.00021060533511106927,12345678901234567891]").value == [
        0.00021060533511106927,
        12345678901234567891,
    ]
    assert body(b"[1.5, 12345678901234567890123]").value == [1.5, 12345678901234567890123]
