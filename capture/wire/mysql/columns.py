"""Columns of an answer: their names and types. After the MySQL 8.4 source documentation, "Column Definition"."""

from dataclasses import dataclass
from functools import lru_cache

from .packets import Malformed, integer_at, string_at

DECIMAL, TINY, SHORT, LONG, FLOAT, DOUBLE, NULL, TIMESTAMP, LONGLONG, INT24, DATE, TIME, DATETIME, YEAR = range(14)
BIT, JSON, NEWDECIMAL, GEOMETRY, STRING, BLOB, VARSTRING = 16, 245, 246, 255, 254, 252, 253

_BINARY = 63
"""The collation of bytes."""

_UNSIGNED, _ENUM, _SET = 0x20, 0x100, 0x800
_NAMES = {
    DECIMAL: "decimal", TINY: "tinyint", SHORT: "smallint", LONG: "int", FLOAT: "float", DOUBLE: "double", NULL: "null",
    TIMESTAMP: "timestamp", LONGLONG: "bigint", INT24: "mediumint", DATE: "date", TIME: "time", DATETIME: "datetime",
    YEAR: "year", BIT: "bit", JSON: "json", NEWDECIMAL: "decimal", GEOMETRY: "geometry", 14: "date", 17: "timestamp",
    18: "datetime", 19: "time", 242: "vector", 247: "enum", 248: "set",
}  # fmt: skip
_TEXTS = {
    15: ("varchar", "varbinary"), VARSTRING: ("varchar", "varbinary"), STRING: ("char", "binary"),
    249: ("text", "blob"), 250: ("text", "blob"), 251: ("text", "blob"), BLOB: ("text", "blob"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer: `kind` is the protocol's number of its type, `type` the name that SQL has for it."""

    name: str
    kind: int
    type: str
    decimals: int
    unsigned: bool


@lru_cache(maxsize=4096)
def parse_column(body: bytes, extended: bool) -> Column:
    """A column definition of protocol 4.1; `extended` where MariaDB's EXTENDED_METADATA was agreed on."""
    at = 0
    for _ in range(4):  # catalog, schema, table, original table
        _, at = string_at(body, at)
    name, at = string_at(body, at)
    _, at = string_at(body, at)
    formats = b""
    if extended:
        formats, at = string_at(body, at)
    at += 1
    collation, at = integer_at(body, at, 2)
    at += 4
    kind, at = integer_at(body, at, 1)
    flags, at = integer_at(body, at, 2)
    decimals, _ = integer_at(body, at, 1)
    unsigned = bool(flags & _UNSIGNED)
    # MariaDB's JSON is a text with a format (format kind 1).
    kind = JSON if formats == b"\x01\x04json" else kind
    return Column(name.decode("utf-8", "backslashreplace"), kind, _name(kind, collation, flags), decimals, unsigned)


def _name(kind: int, collation: int, flags: int) -> str:
    if flags & _ENUM:
        return "enum"
    if flags & _SET:
        return "set"
    if kind in _TEXTS:
        return _TEXTS[kind][collation == _BINARY]
    name = _NAMES.get(kind)
    if name is None:
        raise Malformed
    unsigned = flags & _UNSIGNED and kind in {TINY, SHORT, LONG, LONGLONG, INT24}
    return f"{name} unsigned" if unsigned else name
