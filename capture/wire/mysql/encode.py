"""What a server says, as packets' bodies: the inverse of what the decoder reads, for a stub. PURE.

After the MySQL 8.4 source documentation, "Protocol::HandshakeV10", "OK_Packet", "Column Definition", "Text Resultset".
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Sequence
from struct import Struct
from typing import Any

import orjson

from .columns import (
    BIT,
    BLOB,
    DATE,
    DATETIME,
    DOUBLE,
    FLOAT,
    INT24,
    JSON,
    LONG,
    LONGLONG,
    NEWDECIMAL,
    NULL,
    SHORT,
    STRING,
    TIME,
    TIMESTAMP,
    TINY,
    VARSTRING,
    YEAR,
)
from .handshake import Capability
from .packets import counted, string

OFFERED = (
    Capability.LONG_PASSWORD
    | Capability.FOUND_ROWS
    | Capability.LONG_FLAG
    | Capability.CONNECT_WITH_DB
    | Capability.LOCAL_FILES
    | Capability.PROTOCOL_41
    | Capability.TRANSACTIONS
    | Capability.SECURE_CONNECTION
    | Capability.MULTI_STATEMENTS
    | Capability.MULTI_RESULTS
    | Capability.PS_MULTI_RESULTS
    | Capability.PLUGIN_AUTH
    | Capability.CONNECT_ATTRS
    | Capability.PLUGIN_AUTH_LENENC
    | Capability.DEPRECATE_EOF
)
"""What a stub's server is able to do."""

PLUGIN = b"mysql_native_password"
UTF8MB4, BINARY = 45, 63
"""Collations: utf8mb4_general_ci, and that of bytes."""

_UNSIGNED, _BINARY_FLAG = 0x20, 0x80
_KINDS = {
    "decimal": NEWDECIMAL, "tinyint": TINY, "smallint": SHORT, "int": LONG, "mediumint": INT24, "bigint": LONGLONG,
    "float": FLOAT, "double": DOUBLE, "null": NULL, "timestamp": TIMESTAMP, "date": DATE, "time": TIME,
    "datetime": DATETIME, "year": YEAR, "bit": BIT, "json": JSON, "varchar": VARSTRING, "varbinary": VARSTRING,
    "char": STRING, "binary": STRING, "enum": STRING, "set": STRING, "text": BLOB, "blob": BLOB, "geometry": 255,
}  # fmt: skip
_FLAGS = {"enum": 0x100, "set": 0x800}
_BYTES = frozenset({"varbinary", "binary", "blob", "geometry", "bit"})
_TEXTS = frozenset({"varchar", "char", "enum", "set", "text", "json"})
_INTEGERS = {TINY: 1, SHORT: 2, YEAR: 2, LONG: 4, INT24: 4, LONGLONG: 8}
_FLOATS = {FLOAT: Struct("<f"), DOUBLE: Struct("<d")}
_INSTANTS = frozenset({DATE, DATETIME, TIMESTAMP})
_MOST_DECIMALS = 6
_NOT_FIXED = 31


def greeting(version: str, thread: int, challenge: bytes, status: int, capabilities: int = OFFERED) -> bytes:
    """A greeting of protocol 10; `challenge` has 20 bytes without a zero among them."""
    low, high = capabilities & 0xFFFF, capabilities >> 16 & 0xFFFF
    return b"".join(
        (
            b"\x0a", version.encode("latin-1", "replace").replace(b"\0", b""), b"\0", thread.to_bytes(4, "little"),
            challenge[:8], b"\0", low.to_bytes(2, "little"), bytes((UTF8MB4,)), status.to_bytes(2, "little"),
            high.to_bytes(2, "little"), b"\x15", bytes(10), challenge[8:20], b"\0", PLUGIN, b"\0",
        )
    )  # fmt: skip


def auth_switch(challenge: bytes) -> bytes:
    """A request to prove oneself by mysql_native_password."""
    return b"\xfe" + PLUGIN + b"\0" + challenge + b"\0"


def ok(status: int, affected: int = 0, insert_id: int = 0, info: str = "", *, head: int = 0) -> bytes:
    """An OK packet; `head` is 0xFE where it stands for an EOF."""
    numbers = counted(affected) + counted(insert_id) + status.to_bytes(2, "little") + b"\0\0"
    return bytes((head,)) + numbers + info.encode()


def eof(status: int) -> bytes:
    """An EOF packet."""
    return b"\xfe\0\0" + status.to_bytes(2, "little")


def column(name: str, type_name: str) -> bytes:
    """A column definition; a type that MySQL does not have is a text."""
    plain, _, sign = type_name.partition(" ")
    kind = _KINDS.get(plain, VARSTRING)
    is_text = plain in _TEXTS or plain not in _KINDS
    flags = _FLAGS.get(plain, 0) | (_UNSIGNED if sign else 0) | (_BINARY_FLAG if plain in _BYTES else 0)
    raw = name.encode("utf-8", "replace")
    return b"".join(
        (
            string(b"def"), string(b""), string(b""), string(b""), string(raw), string(raw), b"\x0c",
            (UTF8MB4 if is_text else BINARY).to_bytes(2, "little"), (1024).to_bytes(4, "little"), bytes((kind,)),
            flags.to_bytes(2, "little"), bytes((_decimals(kind),)), b"\0\0",
        )
    )  # fmt: skip


def _decimals(kind: int) -> int:
    if kind in _FLOATS or kind == NEWDECIMAL:
        return _NOT_FIXED
    return _MOST_DECIMALS if kind in _INSTANTS or kind == TIME else 0


def raw_of(value: Any, type_name: str) -> bytes:
    """A JSON value in its text form, as the text protocol has it."""
    if isinstance(value, dict) and value.keys() == {"b64"}:
        try:
            return b64decode(str(value["b64"]), validate=True)
        except (Error, ValueError):
            return b""
    if type_name == "json":
        return orjson.dumps(value)
    if type_name == "bit" and isinstance(value, int):
        return (value & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")
    if isinstance(value, bool):
        return b"1" if value else b"0"
    if isinstance(value, list | dict):
        return orjson.dumps(value)
    return str(value).encode("utf-8", "replace")


def text_row(values: Sequence[Any], types: Sequence[str]) -> bytes:
    """A row of the text protocol."""
    pairs = zip(values, types, strict=True)
    return b"".join(b"\xfb" if value is None else string(raw_of(value, kind)) for value, kind in pairs)


def binary_row(values: Sequence[Any], types: Sequence[str]) -> bytes:
    """A row of the binary protocol."""
    nulls = bytearray((len(values) + 9) // 8)
    said = []
    for index, (value, type_name) in enumerate(zip(values, types, strict=True), 2):
        if value is None:
            nulls[index // 8] |= 1 << index % 8
        else:
            said.append(_binary(value, type_name))
    return b"\0" + bytes(nulls) + b"".join(said)


def _binary(value: Any, type_name: str) -> bytes:
    kind = _KINDS.get(type_name.partition(" ")[0], VARSTRING)
    size = _INTEGERS.get(kind)
    if size is not None:
        return (_integer(value) & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    if kind in _FLOATS:
        return _float(value, kind)
    if kind in _INSTANTS:
        return _instant(str(value), kind)
    if kind == TIME:
        return _time(str(value))
    return string(raw_of(value, type_name))


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def _float(value: Any, kind: int) -> bytes:
    try:
        return _FLOATS[kind].pack(float(value))
    except (TypeError, ValueError, OverflowError):
        return _FLOATS[kind].pack(0.0)


def _digits(text: str, count: int) -> list[int]:
    """The first `count` numbers in a text, 0 for those that are missing."""
    found = "".join(character if character.isascii() and character.isdigit() else " " for character in text).split()
    return [int(word[:9]) for word in found[:count]] + [0] * max(0, count - len(found))


def _micros(text: str) -> int:
    fraction = text.partition(".")[2]
    return int(fraction[:6].ljust(6, "0")) if fraction.isascii() and fraction[:6].isdigit() else 0


def _instant(text: str, kind: int) -> bytes:
    year, month, day, hour, minute, second = _digits(text, 6)
    date = (year & 0xFFFF).to_bytes(2, "little") + bytes((month & 0xFF, day & 0xFF))
    if kind == DATE:
        return b"\x04" + date
    micros = _micros(text)
    time = bytes((hour & 0xFF, minute & 0xFF, second & 0xFF))
    return b"\x0b" + date + time + micros.to_bytes(4, "little") if micros else b"\x07" + date + time


def _time(text: str) -> bytes:
    hours, minute, second = _digits(text, 3)
    days, hour = divmod(hours, 24)
    head = bytes((text.startswith("-"),)) + (days & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x0c" + head + bytes((hour, minute & 0xFF, second & 0xFF)) + _micros(text).to_bytes(4, "little")
