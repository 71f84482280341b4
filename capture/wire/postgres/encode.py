"""JSON values as a server sends them: the way back from `types.py`, in text and in binary.

A value that cannot be written as its type (what the sanitizer put in a number's place, say) is a ValueError.
"""

import json
from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from ipaddress import ip_interface
from struct import Struct, error
from typing import Any
from uuid import UUID

from .calendar import days_of, interval_parts, time_us, timestamp_us, zone_s
from .oids import ELEMENTS

_INT2, _INT4, _INT8, _UINT4 = Struct("!h"), Struct("!i"), Struct("!q"), Struct("!I")
_FLOAT4, _FLOAT8 = Struct("!f"), Struct("!d")
_INTERVAL, _TIMETZ, _NUMERIC, _ARRAY, _SPAN = (
    Struct("!qii"),
    Struct("!qi"),
    Struct("!hhHh"),
    Struct("!iiI"),
    Struct("!ii"),
)
_SPECIAL = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}
_BARE = frozenset('{},"\\ \t\n\r\v\f')
_JSON, _JSONB = 114, 3802


def encode(value: Any, oid: int, format_: int) -> bytes | None:
    """`value` as the wire bytes of type `oid` in `format_` (0 text, 1 binary); None for NULL."""
    if value is None:
        # JSON's null and SQL's NULL are told apart nowhere in a capture; SQL's is by far the more frequent.
        return None
    if isinstance(value, dict) and value.keys() == {"b64"} and oid not in {_JSON, _JSONB}:
        return _bytes(value["b64"])
    if not format_:
        return _text(value, oid).encode("utf-8", "surrogatepass")
    binary = _BINARY.get(oid)
    try:
        if oid in ELEMENTS:
            return _array(value, ELEMENTS[oid])
        return binary(value) if binary is not None else _text(value, oid).encode("utf-8", "surrogatepass")
    except (error, TypeError, AttributeError, OverflowError) as wrong:
        raise ValueError("not of its type") from wrong


def _bytes(text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Error, TypeError) as wrong:
        raise ValueError("no base64") from wrong


def _text(value: Any, oid: int) -> str:
    if oid in {_JSON, _JSONB}:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return _array_text(value, ELEMENTS.get(oid, 25))
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _array_text(values: list[Any], oid: int) -> str:
    return "{" + ",".join(_element_text(value, oid) for value in values) + "}"


def _element_text(value: Any, oid: int) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list) and oid not in {_JSON, _JSONB}:
        return _array_text(value, oid)
    text = _text(value, oid)
    if text and _BARE.isdisjoint(text) and text.upper() != "NULL":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _array(value: Any, oid: int) -> bytes:
    if not isinstance(value, list):
        raise TypeError
    sizes: list[int] = []
    level = [value]
    # A JSON element may be a list itself, which is no further dimension.
    while level and isinstance(level[0], list) and (oid not in {_JSON, _JSONB} or not sizes):
        if len({len(each) for each in level if isinstance(each, list)}) != 1 or len(sizes) > 6:
            raise ValueError("ragged")
        sizes.append(len(level[0]))
        level = [element for each in level for element in each]
    if not level:
        return _ARRAY.pack(0, 0, oid)
    encoded = [encode(element, oid, 1) for element in level]
    head = _ARRAY.pack(len(sizes), int(None in encoded), oid)
    spans = b"".join(_SPAN.pack(size, 1) for size in sizes)
    return head + spans + b"".join(with_length(each) for each in encoded)


def with_length(value: bytes | None) -> bytes:
    """A value behind its length, -1 for NULL, as arrays and rows hold it."""
    return b"\xff\xff\xff\xff" if value is None else _INT4.pack(len(value)) + value


def numeric(value: Any) -> bytes:
    """A numeric's text as digits to the base of 10,000."""
    text = str(value)
    if text in _SPECIAL:
        return _NUMERIC.pack(0, 0, _SPECIAL[text], 0)
    sign = 0x4000 if text.startswith("-") else 0
    whole, _, fraction = text.lstrip("+-").partition(".")
    if not (whole + fraction).isdecimal() or not (whole + fraction).isascii():
        raise ValueError("no numeric")
    scale = len(fraction)
    whole = whole.lstrip("0")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-scale // 4) * 4, "0")
    digits = [int((whole + fraction)[at : at + 4]) for at in range(0, len(whole) + len(fraction), 4)]
    weight = len(whole) // 4 - 1
    while digits and digits[0] == 0:
        digits.pop(0)
        weight -= 1
    while digits and digits[-1] == 0:
        digits.pop()
    if not digits:
        sign = weight = 0
    return _NUMERIC.pack(len(digits), weight, sign, scale) + b"".join(_INT2.pack(digit) for digit in digits)


def _timetz(value: Any) -> bytes:
    return _TIMETZ.pack(time_us(value), zone_s(value))


def _bytea(value: Any) -> bytes:
    if not isinstance(value, str) or not value.startswith("\\x"):
        raise ValueError("no bytea")
    return bytes.fromhex(value[2:])


def _inet(value: Any, *, is_cidr: bool) -> bytes:
    interface = ip_interface(value)
    packed = interface.ip.packed
    return bytes((2 if len(packed) == 4 else 3, interface.network.prefixlen, is_cidr, len(packed))) + packed


def _flag(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise TypeError
    return b"\x01" if value else b"\x00"


_BINARY: dict[int, Callable[[Any], bytes]] = {
    16: _flag,
    17: _bytea,
    20: lambda value: _INT8.pack(int(value)),
    21: lambda value: _INT2.pack(int(value)),
    23: lambda value: _INT4.pack(int(value)),
    26: lambda value: _UINT4.pack(int(value)),
    28: lambda value: _UINT4.pack(int(value)),
    650: lambda value: _inet(value, is_cidr=True),
    700: lambda value: _FLOAT4.pack(float(value)),
    701: lambda value: _FLOAT8.pack(float(value)),
    869: lambda value: _inet(value, is_cidr=False),
    1082: lambda value: _INT4.pack(days_of(value)),
    1083: lambda value: _INT8.pack(time_us(value)),
    1114: lambda value: _INT8.pack(timestamp_us(value)),
    1184: lambda value: _INT8.pack(timestamp_us(value)),
    1186: lambda value: _INTERVAL.pack(*interval_parts(value)),
    1266: _timetz,
    1700: numeric,
    2205: lambda value: _UINT4.pack(int(value)),
    2206: lambda value: _UINT4.pack(int(value)),
    2950: lambda value: UUID(value).bytes,
    _JSONB: lambda value: b"\x01" + json.dumps(value, ensure_ascii=False).encode(),
}
