"""Dates, times and intervals: numbers on the wire in binary, text in a capture.

The texts are those that PostgreSQL prints with DateStyle ISO and IntervalStyle postgres; a timestamptz is printed in
UTC. Days are counted from 2000-01-01, times in microseconds. The calendar is the proleptic Gregorian one, by the
day-number algorithm of Fliegel and Van Flandern (CACM 11, 1968), which PostgreSQL uses too (54.7 is silent on it).
"""

import re

_DAY_US = 86_400_000_000
_EPOCH_JULIAN = 2_451_545
_MOST = 1 << 63
_DATE = re.compile(r"(\d{1,7})-(\d\d?)-(\d\d?)")
_TIME = re.compile(r"(\d{1,3}):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?")
_ZONE = re.compile(r"([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?")
_UNIT = re.compile(r"([+-]?\d+) (year|mon|day)s?")
_CLOCK = re.compile(r"([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")


def date_text(days: int) -> str:
    """A date from days since 2000-01-01."""
    if days in {(1 << 31) - 1, -(1 << 31)}:
        return "infinity" if days > 0 else "-infinity"
    julian = days + _EPOCH_JULIAN + 32044
    century, left = divmod(julian * 4 + 3, 146_097)
    left //= 4
    year, left = divmod(left * 4 + 3, 1461)
    left //= 4
    month, day = divmod(left * 5 + 2, 153)
    year += 100 * century - 4800 + month // 10
    text = f"{year if year > 0 else 1 - year:04d}-{(month + 2) % 12 + 1:02d}-{day // 5 + 1:02d}"
    return text if year > 0 else f"{text} BC"


def days_of(text: str) -> int:
    """The inverse of `date_text`; ValueError where `text` is no date."""
    if text.strip() in {"infinity", "-infinity"}:
        return (1 << 31) - 1 if text.strip() == "infinity" else -(1 << 31)
    found = _DATE.match(text)
    if found is None:
        raise ValueError("no date")
    year, month, day = (int(part) for part in found.groups())
    if text.endswith(" BC"):
        year = 1 - year
    shift = (14 - month) // 12
    years, months = year + 4800 - shift, month + 12 * shift - 3
    julian = day + (153 * months + 2) // 5 + 365 * years + years // 4 - years // 100 + years // 400 - 32045
    return julian - _EPOCH_JULIAN


def time_text(us: int) -> str:
    """A time of day from microseconds since midnight."""
    seconds, fraction = divmod(us, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def time_us(text: str) -> int:
    """The inverse of `time_text`."""
    found = _TIME.search(text)
    if found is None:
        raise ValueError("no time of day")
    hours, minutes, seconds, fraction = found.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)
    return whole * 1_000_000 + int((fraction or "0").ljust(6, "0"))


def timestamp_text(us: int, zone: str = "") -> str:
    """A timestamp from microseconds since 2000-01-01 00:00; `zone` is what a timestamptz ends with ("+00")."""
    if us in {_MOST - 1, -_MOST}:
        return "infinity" if us > 0 else "-infinity"
    days, within = divmod(us, _DAY_US)
    date = date_text(days)
    if date.endswith(" BC"):
        return f"{date[:-3]} {time_text(within)}{zone} BC"
    return f"{date} {time_text(within)}{zone}"


def timestamp_us(text: str) -> int:
    """The inverse of `timestamp_text`, whatever the zone."""
    if text.strip() in {"infinity", "-infinity"}:
        return _MOST - 1 if text.strip() == "infinity" else -_MOST
    found = _DATE.match(text)
    rest = text[found.end() :] if found else ""
    days = days_of(text)
    return days * _DAY_US + (time_us(rest) if ":" in rest else 0) + zone_s(rest) * 1_000_000


def zone_s(text: str) -> int:
    """Seconds west of UTC of the zone that a time ends with, 0 without one."""
    found = _ZONE.search(text)
    if found is None:
        return 0
    sign, hours, minutes, seconds = found.groups()
    west = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return west if sign == "-" else -west


def zone_text(west_s: int) -> str:
    """A zone as a time ends with it."""
    sign, east = ("-", west_s) if west_s > 0 else ("+", -west_s)
    text = f"{sign}{east // 3600:02d}"
    if east % 3600:
        text += f":{east // 60 % 60:02d}"
    return f"{text}:{east % 60:02d}" if east % 60 else text


def interval_text(us: int, days: int, months: int) -> str:
    """An interval in IntervalStyle postgres: "1 year 2 mons 3 days 04:05:06"."""
    parts = []
    was_negative = False
    for count, unit in (
        (_towards_zero(months, 12), "year"),
        (months - 12 * _towards_zero(months, 12), "mon"),
        (days, "day"),
    ):
        if count:
            # After a negative part a positive one says so.
            sign = "+" if was_negative and count > 0 else ""
            parts.append(f"{sign}{count} {unit}{'' if count == 1 else 's'}")
            was_negative = count < 0
    if us or not parts:
        sign = "-" if us < 0 else "+" if was_negative else ""
        parts.append(sign + time_text(abs(us)))
    return " ".join(parts)


def interval_parts(text: str) -> tuple[int, int, int]:
    """The inverse of `interval_text`: microseconds, days, months."""
    counts = {"year": 0, "mon": 0, "day": 0}
    for count, unit in _UNIT.findall(text):
        counts[unit] += int(count)
    clock = _CLOCK.search(text)
    us = 0
    if clock is not None:
        sign, hours, minutes, seconds, fraction = clock.groups()
        us = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1_000_000 + int((fraction or "0").ljust(6, "0"))
        us = -us if sign == "-" else us
    return us, counts["day"], counts["year"] * 12 + counts["mon"]


def _towards_zero(number: int, by: int) -> int:
    return number // by if number >= 0 else -(-number // by)
