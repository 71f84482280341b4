"""The shape of a text: what may be asserted of a value that is different every time.

A shape is a short name ("uuid", "hex32", "time"). Texts without one are "text", or are told apart by their template:
the text with its generated parts (ids, times, numbers, addresses) masked.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

MAX_SHAPED = 2_000
"""Longest text that is looked at for a shape, characters."""
MAX_TEMPLATE = 20_000

_YEARS_US = int(timedelta(days=3652).total_seconds() * 1_000_000)
_EPOCH_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_RFC1123 = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]\d{4})", re.ASCII
)
_SHAPES = (
    ("uuid", re.compile(_UUID)),
    ("time", _ISO),
    ("date", re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)),
    ("rfc1123", _RFC1123),
    ("ulid", re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")),
    ("jwt", re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]*", re.ASCII)),
    ("url", re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)),
    ("email", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("address", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?", re.ASCII)),
    ("int", re.compile(r"[+-]?\d+", re.ASCII)),
    ("float", re.compile(r"[+-]?\d+\.\d+", re.ASCII)),
)
_HEX = re.compile(r"(?:[0-9a-f]{8,}|[0-9A-F]{8,})")
_STRONG = frozenset({"uuid", "time", "date", "rfc1123", "ulid", "jwt", "url", "email", "address"})
_GENERATED = frozenset({"uuid", "ulid"})
_TOKENS = re.compile(
    rf"(?P<uuid>{_UUID})|(?P<time>{_TIME})|(?P<pointer>0x[0-9a-fA-F]+)"
    r"|(?P<token>(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{12,}(?![A-Za-z0-9]))"
    r"|(?P<hex>(?<![A-Za-z0-9])(?=[a-f]*\d)[0-9a-f]{7,}(?![A-Za-z0-9]))"
    r"|(?P<number>\d+(?:\.\d+)?)",
    re.ASCII,
)


class TimeFormat(NamedTuple):
    """How a time is written: `zone` is "UTC", "+02:00" or "none"; `digits` of the fraction."""

    zone: str
    digits: int
    notation: str


def shape(text: str) -> str:
    """The shape's name; hex digits carry their count, since a digest that grows is another digest."""
    if not text or len(text) > MAX_SHAPED:
        return "text" if text else "empty"
    for name, pattern in _SHAPES:
        if pattern.fullmatch(text):
            return f"hex{len(text)}" if name == "int" and len(text) >= 8 and text[0] not in "+-" else name
    return f"hex{len(text)}" if _HEX.fullmatch(text) else "text"


def is_strong(name: str) -> bool:
    """Whether losing this shape is a change by itself."""
    return name in _STRONG or (name.startswith("hex") and int(name[3:]) >= 16)


def is_generated(name: str) -> bool:
    """Whether two runs of the same code would differ here: ids that are drawn anew each time."""
    return name in _GENERATED or (name.startswith("hex") and int(name[3:]) >= 16)


def template(text: str) -> str:
    """`text` with every generated part replaced by its name in braces."""
    return _TOKENS.sub(lambda match: "{" + str(match.lastgroup) + "}", text[:MAX_TEMPLATE])


def time_format(text: str) -> TimeFormat | None:
    """How the time in `text` is written, or None where it is none."""
    found = _ISO.fullmatch(text)
    if found:
        zone = found[6] or "none"
        written = "Z" if zone == "Z" else ("colon" if ":" in zone else "plain")
        return TimeFormat(_zone(zone), len(found[5] or ""), f"{found[2]}{written}")
    if _RFC1123.fullmatch(text):
        return TimeFormat(_zone("Z" if text.endswith("GMT") else text[-5:]), 0, "rfc1123")
    return None


def _zone(zone: str) -> str:
    if zone in {"Z", "none"}:
        return "UTC" if zone == "Z" else "none"
    digits = zone.replace(":", "")
    return "UTC" if digits[1:] == "0000" else f"{digits[:3]}:{digits[3:]}"


def instant(text: str) -> int | None:
    """The time in `text`, microseconds since the epoch; a time without a zone counts as UTC."""
    if time_format(text) is None:
        return None
    try:
        parsed = parsedate_to_datetime(text) if text[:1].isalpha() else datetime.fromisoformat(text)
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return int(aware.timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None


def epoch_unit(value: int | float, now_us: int) -> str | None:
    """The unit ("s", "ms", "us") in which `value` is a time within ten years of `now_us`, or None."""
    if now_us <= 0 or not 1e8 < value < 1e17:
        return None
    for unit, factor in _EPOCH_UNITS.items():
        if abs(value * factor - now_us) < _YEARS_US:
            return unit
    return None


def epoch_instant(value: int | float, now_us: int) -> int | None:
    """`value` as microseconds since the epoch, where it is a time."""
    unit = epoch_unit(value, now_us)
    return int(value * _EPOCH_UNITS[unit]) if unit else None
