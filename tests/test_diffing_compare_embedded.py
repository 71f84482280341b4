"""Documents inside texts."""

import json
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.compare.embedded import document_in
from seamline.diffing.report.model import Json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1}', {"a": 1}),
        (' [1,{"a":2}]', [1, {"a": 2}]),
        (b64encode(b'{"page":1}').decode(), {"page": 1}),
        (urlsafe_b64encode(b'{"q":"\xc3\xbf\xc3\xbe?"}').decode().rstrip("="), {"q": "ÿþ?"}),
        (b64encode(b'[{"a":1}]').decode(), [{"a": 1}]),
        ("{name} said", None),
        ("[draft] text", None),
        ("every word", None),
        ("Web", None),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", None),
        ("17", None),
        ("", None),
        ("[" * 300 + "]" * 300, None),
    ],
)
def test_documents(text: str, value: Json) -> None:
    assert document_in(text) == value


@given(st.text())
def test_any_text(text: str) -> None:
    assert document_in(text) is None or isinstance(document_in(text), dict | list)


@given(st.dictionaries(st.text(max_size=3), st.integers(-5, 5), min_size=1))
def test_what_was_put_in_comes_out(value: dict[str, int]) -> None:
    assert document_in(json.dumps(value)) == value
    assert document_in(b64encode(json.dumps(value).encode()).decode()) == value
