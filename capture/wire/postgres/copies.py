"""The data of a COPY: rows where they are few and plain, else their count, size and hash.

After PostgreSQL 18 docs, COPY (file formats). Only the text format with its defaults is read as rows; CSV has too many
options, and binary rows do not name their types.
"""

import re
from hashlib import blake2b
from typing import Any

import orjson

from ..sql.rows import HASHED_FROM, MOST_BYTES, MOST_ROWS
from ..sql.shape import UNNAMED
from .types import as_text

_COLUMNS = re.compile(r"COPY\s+[^\s(]+\s*\(([^()]*)\)\s+(?:FROM|TO)\b", re.IGNORECASE)
_PLAIN = re.compile(r"\b(?:FROM|TO)\s+(?:STDIN|STDOUT)\s*\Z", re.IGNORECASE)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_OCTAL = frozenset(b"%d" % digit for digit in range(8))
"""An 8 or a 9 behind a backslash is itself."""
_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class CopyRows:
    """What one COPY carries, in its chunks."""

    __slots__ = ("_columns", "_hash", "_held", "_is_plain", "_lines", "_parts", "_size", "is_cut", "is_inward")

    def __init__(self, operation: str, is_inward: bool) -> None:
        found = _COLUMNS.match(operation)
        self._columns = [name.strip().strip('"') for name in found.group(1).split(",")] if found else []
        self._is_plain = _PLAIN.search(operation) is not None
        self._parts: list[bytes] = []
        self._hash = blake2b(digest_size=16)
        self._held = 0
        self._lines = 0
        self._size = 0
        self.is_inward = is_inward
        self.is_cut = False

    def add(self, data: bytes, size: int) -> None:
        """A CopyData message's `size` bytes, of which `data` may be the head."""
        self._size += size
        self._lines += data.count(b"\n")
        self._hash.update(data)
        if self.is_cut:
            return
        self._held += size
        self._parts.append(data)
        if self._held > MOST_BYTES or self._lines > MOST_ROWS or len(data) < size or not self._is_plain:
            self.is_cut = True
            self._parts.clear()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the headers say of it."""
        said: tuple[tuple[str, str], ...] = (("copied-bytes", str(self._size)),)
        if not self.is_cut:
            said = (("content-type", "application/json"), *said)
        if self._is_plain:
            said = (*said, ("rows", str(self._lines)))
        # The hash of a few bytes would tell them.
        return (*said, ("copied-hash", self._hash.hexdigest())) if self.is_cut and self._size >= HASHED_FROM else said

    def body(self) -> bytes:
        """The rows as JSON, or nothing."""
        if self.is_cut:
            return b""
        lines = b"".join(self._parts).split(b"\n")
        rows = [self._row(line) for line in lines if line not in {b"", b"\\."}]
        columns = self._columns or list(rows[0] if rows else ())
        return orjson.dumps({"columns": columns, "types": ["text"] * len(columns), "rows": rows})

    def _row(self, line: bytes) -> dict[str, Any]:
        fields = line.split(b"\t")
        names = (
            self._columns if len(self._columns) == len(fields) else [f"{UNNAMED}{at + 1}" for at in range(len(fields))]
        )
        return {name: _value(field) for name, field in zip(names, fields, strict=True)}


def _value(field: bytes) -> Any:
    if field == b"\\N":
        return None
    return as_text(_ESCAPE.sub(_unescaped, field) if b"\\" in field else field)


def _unescaped(found: re.Match[bytes]) -> bytes:
    told = found.group(1)
    if told[:1] in _OCTAL:
        return bytes((int(told, 8) & 0xFF,))
    if told[:1] == b"x" and len(told) > 1:
        return bytes((int(told[1:], 16),))
    return _ESCAPES.get(told, told)
