"""Dates, times and intervals, there and back."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.postgres.calendar import (
    date_text,
    days_of,
    interval_parts,
    interval_text,
    time_text,
    time_us,
    timestamp_text,
    timestamp_us,
    zone_s,
    zone_text,
)

EPOCH = datetime.date(2000, 1, 1)


@given(st.dates())
def test_dates_are_those_of_the_standard_library(date: datetime.date) -> None:
    days = (date - EPOCH).days
    assert date_text(days) == f"{date:%Y-%m-%d}".rjust(10, "0")
    assert days_of(date_text(days)) == days


@given(st.integers(-2_400_000, 100_000_000))
def test_every_day_has_its_own_text(days: int) -> None:
    assert days_of(date_text(days)) == days


@given(st.integers(-(10**17), 10**17))
def test_every_moment_has_its_own_text(us: int) -> None:
    assert timestamp_us(timestamp_text(us)) == us
    assert timestamp_us(timestamp_text(us, "+00")) == us


@given(st.integers(0, 86_400_000_000))
def test_times_of_day(us: int) -> None:
    assert time_us(time_text(us)) == us


@given(st.integers(-57_599, 57_599))
def test_zones(west_s: int) -> None:
    assert zone_s(f"12:00:00{zone_text(west_s)}") == west_s


@given(st.integers(-(10**15), 10**15), st.integers(-40_000, 40_000), st.integers(-40_000, 40_000))
def test_intervals(us: int, days: int, months: int) -> None:
    assert interval_parts(interval_text(us, days, months)) == (us, days, months)


@pytest.mark.parametrize(
    ("us", "days", "months", "text"),
    [
        (0, 0, 0, "00:00:00"),
        (3_600_000_000, 1, 14, "1 year 2 mons 1 day 01:00:00"),
        (7_200_000_000, -1, 0, "-1 days +02:00:00"),
        (0, 3, -1, "-1 mons +3 days"),
    ],
)
def test_intervals_are_written_as_postgresql_writes_them(us: int, days: int, months: int, text: str) -> None:
    assert interval_text(us, days, months) == text


def test_the_ends_of_time() -> None:
    for text in ("infinity", "-infinity"):
        assert date_text(days_of(text)) == text
        assert timestamp_text(timestamp_us(text)) == text
    assert date_text(days_of("0044-03-15 BC")) == "0044-03-15 BC"
    assert timestamp_us("2024-01-01 05:30:00+05:30") == timestamp_us("2024-01-01 00:00:00")


@pytest.mark.parametrize("read", [days_of, timestamp_us, time_us])
def test_what_is_no_date_is_a_value_error(read: object) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match="no "):
        read("nonsense")
