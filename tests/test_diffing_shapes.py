"""Shapes of texts: what is generated, what is a time, what a template keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.diffing.shapes import (
    TimeFormat,
    epoch_instant,
    epoch_unit,
    instant,
    is_generated,
    is_strong,
    shape,
    template,
    time_format,
)

NOW_US = 1_793_527_200_000_000  # 2026-11-01T10:00:00Z
UUID = "6f9619ff-8b86-4011-b42d-00c04fc964ff"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("PAID", "text"),
        (UUID, "uuid"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "ulid"),
        ("d41d8cd98f00b204e9800998ecf8427e", "hex32"),
        ("507f1f77bcf86cd799439011", "hex24"),
        ("1234567", "int"),
        ("12345678", "hex8"),
        ("-12345678", "int"),
        ("12.50", "float"),
        ("2026-11-01", "date"),
        ("2026-11-01T10:00:00Z", "time"),
        ("2026-11-01 10:00:00.123+02:00", "time"),
        ("Sun, 01 Nov 2026 10:00:00 GMT", "rfc1123"),
        ("eyJhbGciOiJI.eyJzdWIi.c2ln", "jwt"),
        ("https://shop.example/orders/1", "url"),
        ("ada@shop.example", "email"),
        ("10.0.0.7:8080", "address"),
        ("١٢٣", "text"),
        ("x" * 3000, "text"),
    ],
)
def test_shapes(text: str, expected: str) -> None:
    assert shape(text) == expected


def test_generated_and_strong_shapes() -> None:
    assert [is_generated(name) for name in ("uuid", "ulid", "hex32", "hex8", "text", "time")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert [is_strong(name) for name in ("uuid", "time", "hex16", "hex8", "int", "text")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"order {UUID} at 2026-11-01T10:00:00.5Z", "order {uuid} at {time}"),
        ("panic at 0x7ffd goroutine 17", "panic at {pointer} goroutine {number}"),
        ("gateway-4711", "gateway-{number}"),
        ("tok_a8sd7f6a8s7df", "tok_{token}"),
        ("took 1.25 s", "took {number} s"),
        ("no such product: tea-assam", "no such product: tea-assam"),
    ],
)
def test_a_template_masks_what_is_drawn_anew(text: str, expected: str) -> None:
    assert template(text) == expected


def test_time_formats_tell_zone_digits_and_notation() -> None:
    assert time_format("2026-11-01T10:00:00Z") == TimeFormat("UTC", 0, "TZ")
    assert time_format("2026-11-01T10:00:00.123+00:00") == TimeFormat("UTC", 3, "Tcolon")
    assert time_format("2026-11-01 12:00:00+0200") == TimeFormat("+02:00", 0, " plain")
    assert time_format("2026-11-01T10:00") == TimeFormat("none", 0, "Tplain")
    assert time_format("Sun, 01 Nov 2026 10:00:00 GMT") == TimeFormat("UTC", 0, "rfc1123")
    assert time_format("soon") is None


@pytest.mark.parametrize(
    "text",
    ["2026-11-01T10:00:00Z", "2026-11-01T12:00:00+02:00", "Sun, 01 Nov 2026 10:00:00 GMT", "2026-11-01T10:00:00"],
)
def test_one_instant_in_many_spellings(text: str) -> None:
    assert instant(text) == NOW_US


def test_an_impossible_time_is_no_instant() -> None:
    assert instant("2026-13-41T99:99:99Z") is None
    assert instant("never") is None


def test_epoch_units_are_told_by_their_nearness_to_now() -> None:
    seconds = NOW_US // 1_000_000
    assert [epoch_unit(seconds * factor, NOW_US) for factor in (1, 1_000, 1_000_000)] == ["s", "ms", "us"]
    assert epoch_unit(1299, NOW_US) is None
    assert epoch_unit(seconds, 0) is None
    assert epoch_instant(seconds, NOW_US) == NOW_US
    assert epoch_instant(5, NOW_US) is None


@given(st.text(max_size=200))
def test_any_text_has_a_shape_and_a_template(text: str) -> None:
    assert shape(text)
    assert isinstance(template(text), str)
    instant(text)


def test_a_long_run_of_separators_is_masked_in_one_pass() -> None:
    """Counted by what comes out: a pattern that backtracks over each position would not come back."""
    assert template("-" * 20_000 + "x") == "-" * 20_000
