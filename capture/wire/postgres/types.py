"""Values on the wire as JSON values: by type, in text and in binary.

Numbers, booleans, NULL and JSON are told as such, arrays as lists, every other type by its text form; numeric too, for
its scale would be lost. Bytes that are no text, and binary values of types that are not known, are {"b64": …}.
A decoder of a value never raises: a value that is not what its type says is {"b64": …} too. The way back is
`encode.py`.
"""

from base64 import b64encode
from collections.abc import Callable
from ipaddress import ip_address
from math import isfinite, isnan
from struct import Struct, error
from typing import Any
from uuid import UUID

import orjson

from .calendar import date_text, interval_text, time_text, timestamp_text, zone_text
from .oids import BASES, ELEMENTS

Decode = Callable[[bytes], Any]

_INT2, _INT4, _INT8, _UINT4 = Struct("!h"), Struct("!i"), Struct("!q"), Struct("!I")
_FLOAT4, _FLOAT8 = Struct("!f"), Struct("!d")
_INTERVAL, _TIMETZ, _NUMERIC, _ARRAY, _SPAN = (
    Struct("!qii"),
    Struct("!qi"),
    Struct("!hhHh"),
    Struct("!iiI"),
    Struct("!ii"),
)
_DEEPEST = 6
_MOST_NESTED = 200
_MOST_ELEMENTS = 100_000
_MOST_DIGITS = 1000
"""Digits before or after the point of a numeric that is read; a few bytes could ask for many more."""


def as_text(raw: bytes) -> Any:
    """Bytes as text, or {"b64": …}."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return as_b64(raw)


def as_b64(raw: bytes) -> Any:
    """Bytes that are no text."""
    return {"b64": b64encode(raw).decode()}


def decoder_of(oid: int, format_: int) -> Decode:
    """What decodes a value of type `oid` that is sent in `format_` (0 text, 1 binary)."""
    found = (_BINARY if format_ else _TEXT).get(oid)
    return found or (as_b64 if format_ else as_text)


def short_float4(number: float) -> float:
    """A single-precision number as the shortest double that means it: 0.1, not 0.10000000149011612."""
    for digits in range(6, 9):
        short = float(f"{number:.{digits}g}")
        if _FLOAT4.pack(short) == _FLOAT4.pack(number):
            return short
    return float(f"{number:.9g}")


def numeric_text(raw: bytes) -> str:
    """A binary numeric: digits to the base of 10,000 (src/backend/utils/adt/numeric.c)."""
    count, weight, sign, scale = _NUMERIC.unpack_from(raw)
    if sign in {0xC000, 0xD000, 0xF000}:
        return {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}[sign]
    if count < 0 or len(raw) < 8 + 2 * count or not 0 <= scale <= _MOST_DIGITS or abs(weight) > _MOST_DIGITS // 4:
        raise ValueError("no numeric")
    digits = "".join(f"{_INT2.unpack_from(raw, 8 + 2 * index)[0]:04d}" for index in range(count))
    point = 4 * (weight + 1)
    if point < 0:
        digits, point = "0" * -point + digits, 0
    whole = digits[:point].ljust(point, "0").lstrip("0") or "0"
    fraction = digits[point:].ljust(scale, "0")[:scale]
    return f"{'-' if sign == 0x4000 else ''}{whole}{'.' if scale else ''}{fraction}"


def _guarded(decode: Decode) -> Decode:
    def guarded(raw: bytes) -> Any:
        try:
            return decode(raw)
        except (ValueError, error, IndexError, OverflowError, RecursionError):
            return as_b64(raw)

    return guarded


def _or_text(decode: Decode) -> Decode:
    def guarded(raw: bytes) -> Any:
        try:
            return decode(raw)
        except (ValueError, RecursionError):
            return as_text(raw)

    return guarded


def _int_text(raw: bytes) -> Any:
    if len(raw) > 19:
        # As long as no 64-bit integer, but for one: JSON numbers end there.
        return as_text(raw)
    try:
        return int(raw)
    except ValueError:
        return as_text(raw)


def _float_text(raw: bytes) -> Any:
    return _finite(float(raw))


def _finite(number: float) -> Any:
    """JSON has no NaN and no infinity: their PostgreSQL names."""
    if isfinite(number):
        return number
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _bool_text(raw: bytes) -> Any:
    if raw in {b"t", b"f"}:
        return raw == b"t"
    return as_text(raw)


def _jsonb(raw: bytes) -> Any:
    if raw[:1] != b"\x01":
        raise ValueError("no version 1 of jsonb")
    return _or_text(_json)(raw[1:])


def _json(raw: bytes) -> Any:
    # A document nested deeper than that could not be written again.
    if raw.count(b"[") + raw.count(b"{") > _MOST_NESTED:
        return as_text(raw)
    return orjson.loads(raw)


def _inet(raw: bytes) -> str:
    _, bits, is_cidr, size = raw[:4]
    address = ip_address(raw[4 : 4 + size])
    return f"{address}" if bits == address.max_prefixlen and not is_cidr else f"{address}/{bits}"


def _interval(raw: bytes) -> str:
    us, days, months = _INTERVAL.unpack(raw)
    return interval_text(us, days, months)


def _timetz(raw: bytes) -> str:
    us, west_s = _TIMETZ.unpack(raw)
    return time_text(us) + zone_text(west_s)


def _array(raw: bytes) -> Any:
    dimensions, _, oid = _ARRAY.unpack_from(raw)
    if not 0 <= dimensions <= _DEEPEST:
        raise ValueError("too many dimensions")
    sizes = [_SPAN.unpack_from(raw, 12 + 8 * index)[0] for index in range(dimensions)]
    total = 1
    for size in sizes:
        total *= max(size, 0)
    if total > _MOST_ELEMENTS or any(size < 0 for size in sizes):
        raise ValueError("too many elements")
    values: list[Any] = []
    at = 12 + 8 * dimensions
    decode = decoder_of(oid, 1)
    for _ in range(total if dimensions else 0):
        size = _INT4.unpack_from(raw, at)[0]
        at += 4
        if size > len(raw) - at:
            raise ValueError("cut short")
        values.append(None if size < 0 else decode(raw[at : at + size]))
        at += max(size, 0)
    for size in reversed(sizes[1:]):
        values = [values[start : start + size] for start in range(0, len(values), size)] if size else []
    return values


def _array_text(element: Decode) -> Decode:
    def decode(raw: bytes) -> Any:
        if raw[:1] != b"{" or len(raw) > 1 << 20:
            # "[2:3]={…}" has bounds of its own, which a list cannot tell.
            return as_text(raw)
        values, at = _list_at(raw, 0, element, 0)
        if at != len(raw):
            raise ValueError("text after the array")
        return values

    return decode


def _list_at(raw: bytes, at: int, element: Decode, depth: int) -> tuple[list[Any], int]:
    """The list that starts at `at` with its brace, and where it ends."""
    if depth > _DEEPEST:
        raise ValueError("too deep")
    values: list[Any] = []
    at += 1
    while raw[at : at + 1] != b"}":
        if raw[at : at + 1] == b"{":
            inner, at = _list_at(raw, at, element, depth + 1)
            values.append(inner)
        else:
            word, is_quoted, at = _word_at(raw, at)
            values.append(None if not is_quoted and word == b"NULL" else element(word))
        if raw[at : at + 1] == b",":
            at += 1
        elif raw[at : at + 1] != b"}":
            raise ValueError("no array")
    return values, at + 1


def _word_at(raw: bytes, at: int) -> tuple[bytes, bool, int]:
    if raw[at : at + 1] != b'"':
        end = at
        while end < len(raw) and raw[end] not in b",}":
            end += 1
        if end == at:
            raise ValueError("no element")
        return raw[at:end], False, end
    word = bytearray()
    at += 1
    while raw[at] != 0x22:
        at += raw[at] == 0x5C
        word.append(raw[at])
        at += 1
    return bytes(word), True, at + 1


_INTS = (20, 21, 23, 26, 28)
_FLOATS = (700, 701)
_TEXT: dict[int, Decode] = {
    16: _bool_text,
    **dict.fromkeys(_INTS, _int_text),
    **dict.fromkeys(_FLOATS, _or_text(_float_text)),
    114: _or_text(_json),
    3802: _or_text(_json),
}
_TEXTUAL = (18, 19, 25, 142, 705, 1042, 1043, 2275, 2278)
_BINARY: dict[int, Decode] = {
    16: lambda raw: raw != b"\0",
    17: lambda raw: "\\x" + raw.hex(),
    20: _guarded(lambda raw: _INT8.unpack(raw)[0]),
    21: _guarded(lambda raw: _INT2.unpack(raw)[0]),
    23: _guarded(lambda raw: _INT4.unpack(raw)[0]),
    26: _guarded(lambda raw: _UINT4.unpack(raw)[0]),
    28: _guarded(lambda raw: _UINT4.unpack(raw)[0]),
    114: _or_text(_json),
    650: _guarded(_inet),
    700: _guarded(lambda raw: _finite(short_float4(_FLOAT4.unpack(raw)[0]))),
    701: _guarded(lambda raw: _finite(_FLOAT8.unpack(raw)[0])),
    869: _guarded(_inet),
    1082: _guarded(lambda raw: date_text(_INT4.unpack(raw)[0])),
    1083: _guarded(lambda raw: time_text(_INT8.unpack(raw)[0])),
    1114: _guarded(lambda raw: timestamp_text(_INT8.unpack(raw)[0])),
    1184: _guarded(lambda raw: timestamp_text(_INT8.unpack(raw)[0], "+00")),
    1186: _guarded(_interval),
    1266: _guarded(_timetz),
    1700: _guarded(numeric_text),
    2205: _guarded(lambda raw: str(_UINT4.unpack(raw)[0])),
    2206: _guarded(lambda raw: str(_UINT4.unpack(raw)[0])),
    2950: _guarded(lambda raw: str(UUID(bytes=raw))),
    3802: _guarded(_jsonb),
    **dict.fromkeys(_TEXTUAL, as_text),
}
for _array_oid, _element_oid in ELEMENTS.items():
    _TEXT[_array_oid] = _or_text(_array_text(decoder_of(_element_oid, 0)))
    _BINARY[_array_oid] = _guarded(_array)
assert set(_TEXTUAL) <= set(BASES)
