"""How the rows of one result are to be read: worked out once, and used for every row and every run of a statement."""

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct, error
from typing import Any

from ..sql import Rows, unique_names
from .messages import Column, Malformed, parse_row_description
from .oids import type_name
from .types import Decode, decoder_of

_INT4 = Struct("!i")
_CACHED = 8 << 10


class Layout:
    """Columns, and what decodes a value of each."""

    __slots__ = ("_columns", "_decoders", "_names", "_types", "oids")

    def __init__(self, columns: Sequence[Column]) -> None:
        self.oids = tuple(column.oid for column in columns)
        self._columns = [column.name for column in columns]
        self._types = [type_name(column.oid) for column in columns]
        self._names = unique_names(self._columns)
        self._decoders: list[Decode] = [decoder_of(column.oid, column.format) for column in columns]

    def rows(self) -> Rows:
        """Where the rows of a new answer go."""
        return Rows(self._columns, self._types, self._names)

    def add(self, rows: Rows, body: bytes, size: int) -> None:
        """A DataRow's body of `size` bytes, of which `body` may be the head. Malformed where it is none."""
        if not rows.keeps(size) or len(body) < size:
            rows.skip(body)
            return
        values: list[Any] = []
        at = 2
        try:
            for decode in self._decoders:
                length = _INT4.unpack_from(body, at)[0]
                at += 4
                if length < 0:
                    values.append(None)
                else:
                    end = at + length
                    values.append(decode(body[at:end]))
                    at = end
        except error as short:
            raise Malformed from short
        rows.add(values)


def layout_of(body: bytes) -> Layout:
    """The layout that a RowDescription's body tells."""
    return _cached(body) if len(body) <= _CACHED else Layout(parse_row_description(body))


@lru_cache(maxsize=512)
def _cached(body: bytes) -> Layout:
    return Layout(parse_row_description(body))


def with_formats(columns: Sequence[Column], formats: tuple[int, ...]) -> Layout:
    """The layout of a described statement once a Bind has said the formats of its results."""
    if not formats:
        return Layout(columns)
    each = formats * len(columns) if len(formats) == 1 else formats
    return Layout([Column(column.name, column.oid, format_) for column, format_ in zip(columns, each, strict=False)])


def unnamed(body: bytes) -> Layout:
    """The layout of rows that nobody described: `$1` …, text or bytes."""
    count = int.from_bytes(body[:2], "big")
    return Layout([Column(f"${index + 1}", 0, 0) for index in range(count)])
