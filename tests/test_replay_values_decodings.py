"""Steps from a text to a value in it, and back."""

import base64
import gzip
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.values import decodings
from seamline.replay.values.decodings import decoded, followed, put
from seamline.replay.values.urls import Irreversible

JWT = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJ1LTE3IiwiaWF0IjoxfQ.c2ln"
PACKED = base64.b64encode(gzip.compress(b'{"id":"x7"}', mtime=0)).decode()


@pytest.mark.parametrize(
    ("text", "chain", "value", "other", "made"),
    [
        ("a%2Fb", ("percent",), "a/b", "c/d", "c%2Fd"),
        ("a%2fb", ("percent",), "a/b", "c/d", "c%2fd"),
        ("a+b", ("plus",), "a b", "c d&", "c+d%26"),
        ('W/"1a"', ("quoted",), "1a", "2b", 'W/"2b"'),
        ("Bearer  abc", ("bearer",), "abc", "xyz", "Bearer  xyz"),
        ("Token abc", ("scheme:Token",), "abc", "xyz", "Token xyz"),
        ("YWJjZA==", ("base64",), "abcd", "wxyz", "d3h5eg=="),
        ("YWJjZA", ("base64:bare",), "abcd", "wxyz", "d3h5eg"),
        ("Pz8_", ("base64url",), "???", "~~~", "fn5-"),
        ("a &amp; b", ("html",), "a & b", "<c>", "&lt;c&gt;"),
        ('{"a": [1, "x"]}', ("json:$.a[1]",), "x", 'q"', '{"a": [1, "q\\""]}'),
        ("https://h.test/a/7?x=1#f", ("url:path:1",), "7", "a/b", "https://h.test/a/a%2Fb?x=1#f"),
        ("/a/7#f", ("url:path:1",), "7", "8", "/a/8#f"),
        ("/a?x=1&y=2&x=3", ("url:query:x#1",), "3", "a b", "/a?x=1&y=2&x=a+b"),
        ("a=1&code=x%2B", ("pairs:code#0",), "x+", "y z", "a=1&code=y+z"),
        ("order:7, b", ("split:::1", "split:,:0"), "7", "8", "order:8, b"),
        ("a, b ,c", ("split:,:1",), "b", "d", "a, d ,c"),
        (PACKED, ("base64+gzip", "json:$.id"), "x7", "x7", None),
        (quote(base64.b64encode(b'{"id":7}').decode()), ("percent", "base64", "json:$.id"), "7", "8", "eyJpZCI6OH0%3D"),
    ],
)
def test_there_and_back(text: str, chain: tuple[str, ...], value: str, other: str, made: str | None) -> None:
    assert followed(text, chain) == value
    again = put(text, chain, other)
    assert followed(again, chain) == other
    if made is not None:
        assert again == made


def test_claims_can_be_read_and_not_made() -> None:
    assert decoded(JWT, "jwt:claims:$.sub") == "u-17"
    assert decoded(JWT, "jwt:header:$.kid") == "k1"
    with pytest.raises(Irreversible):
        put(JWT, ("jwt:claims:$.sub",), "u-18")


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("abc", "quoted"),
        ("abc", "bearer"),
        ("Basic abc", "bearer"),
        ("%FF", "percent"),
        ("a:b", "split:::7"),
        ("a:b", "split:::x"),
        ("{", "json:$.a"),
        ("{}", "json:a"),
        ("/a", "url:path:9"),
        ("/a?x=1", "url:query:y#0"),
        ("a.b.c", "jwt:claims:$.sub"),
        ("!!!!", "base64"),
        ("/w==", "base64"),
        ("H4sIAAAA", "base64+gzip"),
        ("abc", "unknown"),
        ("x" * (decodings.LARGEST + 1), "percent"),
    ],
)
def test_a_step_that_does_not_apply(text: str, step: str) -> None:
    assert decoded(text, step) is None
    with pytest.raises((Irreversible, ValueError)):
        put(text, (step,), "value")


def test_a_bomb_is_no_value() -> None:
    bomb = base64.b64encode(gzip.compress(b"0" * (2 << 20))).decode()
    assert decoded(bomb, "base64+gzip") is None
    assert decodings.base64_step(bomb) is None


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("eyJpZCI6NywiYSI6ImIifQ==", "base64"),
        ("eyJpZCI6NywiYSI6ImIifQ", "base64:bare"),
        (base64.urlsafe_b64encode(b"{?>?>?>}").decode(), "base64url"),
        (PACKED, "base64+gzip"),
        ("abcdefgh", None),
        ("short", None),
        ("not base64!", None),
    ],
)
def test_what_looks_like_base64_of_a_text(text: str, step: str | None) -> None:
    assert decodings.base64_step(text) == step


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=20))
def test_json_in_base64_in_percent(value: str) -> None:
    text = quote(base64.b64encode(json.dumps({"a": 1, "b": {"c": "old"}}).encode()).decode())
    chain = ("percent", "base64", "json:$.b.c")
    assert followed(put(text, chain, value), chain) == value
