"""What else a text may hold."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.values import decodings
from seamline.replay.values.expanding import inner_of, keeps_meaning, scheme_of, segments, url_parts

UUID = "4f7c2f0e-91b5-4c1d-8e0a-2b6a1c9d3e55"


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ('{"a":{"id":7}}', [("json:$.a.id", "7", "id", "a")]),
        ("a%2Fb", [("percent", "a/b", "", "")]),
        ('W/"abc"', [("quoted", "abc", "", "")]),
        ("a &amp; b", [("html", "a & b", "", "")]),
        (base64.b64encode(b"Order:7").decode(), [("base64", "Order:7", "", "")]),
        ("/orders/7?after=x", [("url:path:0", "orders", "", ""), ("url:path:1", "7", "", "orders"), ("url:query:after#0", "x", "after", "")]),
        ("a=1&code=x%2B", [("percent", "a=1&code=x+", "", ""), ("pairs:a#0", "1", "a", ""), ("pairs:code#0", "x+", "code", "")]),
        ("Order:7", [("split:::1", "7", "", "Order")]),
        ("cart:7:item:9", [("split:::1", "7", "", "cart"), ("split:::3", "9", "", "item")]),
        (f"see {UUID} please do it", [("split: :1", UUID, "", "")]),
        (f"{UUID}.pdf", [("split:.:0", UUID, "", "")]),
        (UUID, []),
        ("a fine thing; ring twice, please", []),
        ("2026-11-24T10:00:03.123Z", []),
        ("1234567", []),
        ("ab", []),
        ("{broken}", []),
    ],
)  # fmt: skip
def test_one_step_below(text: str, inner: list[tuple[str, str, str, str]]) -> None:
    assert [(one.step, one.text, one.name, one.noun) for one in inner_of(text)] == inner


def test_claims_of_a_token() -> None:
    claims = base64.urlsafe_b64encode(b'{"sub":"17"}').decode().rstrip("=")
    assert [(one.step, one.text) for one in inner_of(f"eyJhbGciOiJub25lIn0.{claims}.")] == [("jwt:claims:$.sub", "17")]


def test_credentials() -> None:
    assert scheme_of("Bearer abc") == ("bearer", "abc", "", "", "")
    assert scheme_of("Token abc") == ("scheme:Token", "abc", "", "", "")
    assert scheme_of("abc") is None
    assert scheme_of("Bearer ") is None


def test_urls() -> None:
    found = url_parts("https://h.test/a/7/b?x=1#f")
    assert [(one.step, one.text, one.above) for one in found] == [
        ("url:path:0", "a", ""), ("url:path:1", "7", "/a"), ("url:path:2", "b", "/a/7"), ("url:query:x#0", "1", ""),
    ]  # fmt: skip
    assert [one.noun for one in segments("/a/7/b")] == ["", "a", ""]


def test_what_only_spells_otherwise() -> None:
    assert keeps_meaning("base64url:bare")
    assert keeps_meaning("split:.:0")
    assert not keeps_meaning("split:-:0")
    assert not keeps_meaning("json:$.a")


@given(st.text(max_size=60) | st.text(alphabet='{}[]":,/?=&%+ab1.-', max_size=60))
def test_every_step_leads_where_it_says(text: str) -> None:
    for one in inner_of(text):
        assert decodings.decoded(text, one.step) == one.text
