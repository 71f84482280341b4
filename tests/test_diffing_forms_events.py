"""Rows of events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.forms.events import looks_like_lines, parse_lines, parse_stream
from seamline.diffing.report.model import Json


def read(text: str) -> tuple[Json, str]:
    try:
        return json.loads(text), ""
    except ValueError:
        return None, "no JSON"


@pytest.mark.parametrize(
    ("text", "values", "why"),
    [
        ('{"a":1}\n{"a":2}\n', [{"a": 1}, {"a": 2}], ""),
        ('{"a":1}\r\n\r\n[2]', [{"a": 1}, [2]], ""),
        ('\x1e{"a":1}\n\x1e{"a":2}\n', [{"a": 1}, {"a": 2}], ""),
        ('{"a":1}\n{"a":', [], "line 2: no JSON"),
        ("", [], ""),
    ],
)
def test_lines(text: str, values: list[Json], why: str) -> None:
    assert parse_lines(text, read) == (values, why)


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("data: 1\n\ndata: two\n\n", [{"data": 1}, {"data": "two"}]),
        ("event: a\nid: 7\ndata: x\ndata: y\n\n", [{"event": "a", "id": "7", "data": "x\ny"}]),
        (": ping\n\n: ping\n\n", []),
        ("retry: 100\n\n", []),
        ("data: 1\r\n\r\ndata: 2", [{"data": 1}, {"data": 2}]),
        ("\ufeffdata:1\r\rdata: 2\r\r", [{"data": 1}, {"data": 2}]),
        ("data\n\n", [{"data": ""}]),
    ],
)
def test_streams(text: str, events: list[Json]) -> None:
    assert parse_stream(text, read) == (events, "")


def test_what_looks_like_lines() -> None:
    assert looks_like_lines('{"a":1}\n\n {"a":2} ')
    assert not looks_like_lines('{"a":\n1}')
    assert not looks_like_lines('{"a":1}')
    assert not looks_like_lines("")


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for values, why in (parse_lines(text, read), parse_stream(text, read)):
        assert isinstance(values, list)
        assert not (values and why)
