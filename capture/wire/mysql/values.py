"""Values of rows and parameters as JSON, from their text and binary forms.

Integers, floats, NULL and JSON documents are told as such, BIT as an integer, everything else by its text; bytes that
are no UTF-8 as {"b64": …}. After the MySQL 8.4 source documentation, "Binary Protocol Value".
"""

from base64 import b64encode
from collections.abc import Callable
from struct import Struct
from typing import Any

import orjson

from .columns import (
    BIT,
    DATE,
    DATETIME,
    DOUBLE,
    FLOAT,
    INT24,
    JSON,
    LONG,
    LONGLONG,
    NULL,
    SHORT,
    TIME,
    TIMESTAMP,
    TINY,
    YEAR,
    Column,
)
from .packets import Malformed, bytes_at, integer_at, string_at

_FLOAT, _DOUBLE = Struct("<f"), Struct("<d")
_INTEGERS = {TINY: 1, SHORT: 2, YEAR: 2, LONG: 4, INT24: 4, LONGLONG: 8}
_INSTANTS = frozenset({DATE, DATETIME, TIMESTAMP})
_MOST_DECIMALS = 6
_LONGEST_INTEGER = 20
_MOST_BRACKETS = _DEEPEST = 100
_ANY_DECIMALS = 31
"""A parameter does not say how many digits its seconds have."""


def text(raw: bytes) -> Any:
    """Bytes as JSON."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"b64": b64encode(raw).decode()}


def _integer(raw: bytes) -> Any:
    try:
        value = int(raw) if len(raw) <= _LONGEST_INTEGER else None
    except ValueError:
        value = None
    return value if value is not None and -(1 << 63) <= value < 1 << 64 else text(raw)


def _number(raw: bytes) -> Any:
    try:
        value = float(raw)
    except ValueError:
        return text(raw)
    return value if abs(value) < float("inf") else text(raw)


def _bits(raw: bytes) -> Any:
    return int.from_bytes(raw[:8], "big")


def document(raw: bytes) -> Any:
    """A JSON document as it is; text where it is none, or nested deeper than MySQL allows."""
    if raw.count(b"[") + raw.count(b"{") > _MOST_BRACKETS and _depth(raw) > _DEEPEST:
        return text(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return text(raw)


def _depth(raw: bytes) -> int:
    """At least how deep a document is nested: brackets in its texts count too."""
    depth = deepest = 0
    for byte in raw:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


_FROM_TEXT: dict[int, Callable[[bytes], Any]] = {
    TINY: _integer, SHORT: _integer, LONG: _integer, LONGLONG: _integer, INT24: _integer, YEAR: _integer,
    FLOAT: _number, DOUBLE: _number, BIT: _bits, JSON: document,
}  # fmt: skip


def text_row(body: bytes, columns: tuple[Column, ...]) -> list[Any]:
    """A row of the text protocol."""
    values: list[Any] = []
    at = 0
    for column in columns:
        if body[at : at + 1] == b"\xfb":
            values.append(None)
            at += 1
            continue
        raw, at = string_at(body, at)
        values.append(_FROM_TEXT.get(column.kind, text)(raw))
    return values


def binary_row(body: bytes, columns: tuple[Column, ...]) -> list[Any]:
    """A row of the binary protocol: a zero, a bitmap of NULLs from its bit 2 on, the values."""
    nulls, at = bytes_at(body, 1, (len(columns) + 9) // 8)
    values: list[Any] = []
    for index, column in enumerate(columns, 2):
        if nulls[index // 8] >> index % 8 & 1:
            values.append(None)
        else:
            value, at = binary_value(body, at, column.kind, column.unsigned, column.decimals)
            values.append(value)
    return values


def binary_value(body: bytes, at: int, kind: int, unsigned: bool, decimals: int = _ANY_DECIMALS) -> tuple[Any, int]:
    """A value of the binary protocol, and where the next one starts."""
    size = _INTEGERS.get(kind)
    if size is not None:
        raw, at = bytes_at(body, at, size)
        return int.from_bytes(raw, "little", signed=not unsigned), at
    if kind in _INSTANTS:
        size, at = integer_at(body, at, 1)
        raw, at = bytes_at(body, at, size)
        return _instant(raw, kind, decimals), at
    if kind == TIME:
        size, at = integer_at(body, at, 1)
        raw, at = bytes_at(body, at, size)
        return _time(raw, decimals), at
    if kind == FLOAT:
        raw, at = bytes_at(body, at, 4)
        return _shortest(_FLOAT.unpack(raw)[0]), at
    if kind == DOUBLE:
        raw, at = bytes_at(body, at, 8)
        return _finite(_DOUBLE.unpack(raw)[0]), at
    if kind == NULL:
        return None, at
    raw, at = string_at(body, at)
    return (_FROM_TEXT[kind] if kind in {BIT, JSON} else text)(raw), at


def _finite(value: float) -> Any:
    return value if abs(value) < float("inf") else repr(value)


def _shortest(value: float) -> Any:
    """A number of 32 bits by its shortest decimal form, as the text protocol writes it."""
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if abs(short) < float("inf") and abs(short) < 3.4e38 and _FLOAT.unpack(_FLOAT.pack(short))[0] == value:
            return short
    return _finite(value)


def _instant(raw: bytes, kind: int, decimals: int) -> str:
    if len(raw) not in {0, 4, 7, 11}:
        raise Malformed
    raw = raw.ljust(11, b"\0")
    date = f"{int.from_bytes(raw[:2], 'little'):04d}-{raw[2]:02d}-{raw[3]:02d}"
    if kind == DATE:
        return date
    return f"{date} {raw[4]:02d}:{raw[5]:02d}:{raw[6]:02d}{_fraction(raw[7:11], decimals)}"


def _time(raw: bytes, decimals: int) -> str:
    if len(raw) not in {0, 8, 12}:
        raise Malformed
    raw = raw.ljust(12, b"\0")
    hours = int.from_bytes(raw[1:5], "little") * 24 + raw[5]
    return f"{'-' if raw[0] else ''}{hours:02d}:{raw[6]:02d}:{raw[7]:02d}{_fraction(raw[8:12], decimals)}"


def _fraction(raw: bytes, decimals: int) -> str:
    micros = int.from_bytes(raw, "little")
    if decimals <= _MOST_DECIMALS:
        return f".{micros:06d}"[: 1 + decimals] if decimals else ""
    return f".{micros:06d}" if micros else ""
