"""Values: text and binary forms of every type, as JSON."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.mysql.columns import parse_column
from seamline.capture.wire.mysql.encode import binary_row, column, text_row
from seamline.capture.wire.mysql.packets import Malformed
from seamline.capture.wire.mysql.values import binary_row as read_binary
from seamline.capture.wire.mysql.values import binary_value, document
from seamline.capture.wire.mysql.values import text_row as read_text

VALUES: list[tuple[str, Any]] = [
    ("int", -5),
    ("bigint unsigned", (1 << 64) - 1),
    ("tinyint", None),
    ("double", 1.25),
    ("float", 0.1),
    ("decimal", "12.50"),
    ("varchar", "é"),
    ("blob", {"b64": "/wA="}),
    ("json", {"a": [1, None]}),
    ("date", "2026-11-24"),
    ("datetime", "2026-11-24 01:02:03.000004"),
    ("time", "-838:59:59.000000"),
    ("year", 2026),
    ("bit", 5),
    ("enum", "small"),
]
TYPES = [kind for kind, _ in VALUES]
COLUMNS = tuple(parse_column(column(kind, kind), False) for kind in TYPES)
EXPECTED = [value for _, value in VALUES]


def test_both_forms_say_the_same() -> None:
    assert read_text(text_row(EXPECTED, TYPES), COLUMNS) == EXPECTED
    assert read_binary(binary_row(EXPECTED, TYPES), COLUMNS) == EXPECTED


def test_a_zero_date_and_a_date_at_midnight() -> None:
    assert binary_value(b"\0", 0, 12, False) == ("0000-00-00 00:00:00", 1)
    assert binary_value(b"\x04\xea\x07\x01\x02", 0, 12, False) == ("2026-01-02 00:00:00", 5)
    assert binary_value(b"\0", 0, 11, False, 0) == ("00:00:00", 1)


@pytest.mark.parametrize("kind", [10, 11])
def test_a_time_of_an_impossible_length_is_malformed(kind: int) -> None:
    with pytest.raises(Malformed):
        binary_value(b"\x03abc", 0, kind, False)


@pytest.mark.parametrize("raw", [b"[" * 300 + b"]" * 300, b"{oops", b"\xff"])
def test_what_is_no_document_is_a_text(raw: bytes) -> None:
    assert isinstance(document(raw), str | dict)


@given(st.binary(max_size=80))
def test_hostile_rows_are_malformed_or_json(body: bytes) -> None:
    for read in (read_text, read_binary):
        try:
            values = read(body, COLUMNS)
        except Malformed:
            continue
        orjson.dumps(values)
