"""How the rows of one result are to be read: worked out once, and used for every row and every run of a statement."""

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct, error
from typing import Any

from ..sql import Rows, unique_names
from ..sql.rows import MOST_BYTES
from .messages import Column, Malformed, parse_row_description
from .oids import type_name
from .types import Decode, decoder_of

_INT4 = Struct("!i")
_CACHED = 8 << 10


class LateRows(Rows):
    """Rows as they came: they are read where their JSON is asked for."""

    __slots__ = ("_layout",)

    def __init__(self, layout: "Layout") -> None:
        super().__init__(layout.columns, layout.types, layout.names)
        self._layout = layout

    @property
    def size(self) -> int:
        """Bytes of the rows that are kept, about."""
        return min(self._bytes, MOST_BYTES)

    def take(self, body: bytes, size: int) -> None:
        """A DataRow's body of `size` bytes, of which `body` may be the head. Malformed where it is none."""
        if not self.keeps(size) or len(body) < size:
            self.skip(body)
        elif size < self._layout.shortest:
            raise Malformed
        else:
            self.count += 1
            self._rows.append(body)

    def plain(self) -> tuple[str, tuple[tuple[str, int, int], ...], list[bytes]]:
        """What `rows_body` makes the body of."""
        return "postgres", self._layout.plain, self._rows

    def body(self) -> bytes:
        """The answer's body, JSON. A row that is none is left out."""
        rows = Rows(self._columns, self._types, self._names)
        for body in self._rows:
            values = self._layout.values(body)
            if values is not None:
                rows.add(values)
        return rows.body()


class Layout:
    """Columns, and what decodes a value of each."""

    __slots__ = ("_decoders", "columns", "names", "oids", "plain", "shortest", "types")

    def __init__(self, columns: Sequence[Column]) -> None:
        self.oids = tuple(column.oid for column in columns)
        self.columns = [column.name for column in columns]
        self.types = [type_name(column.oid) for column in columns]
        self.names = unique_names(self.columns)
        self.plain = tuple((column.name, column.oid, column.format) for column in columns)
        self.shortest = 2 + 4 * len(self.columns)
        self._decoders: list[Decode] = [decoder_of(column.oid, column.format) for column in columns]

    def rows(self) -> LateRows:
        """Where the rows of a new answer go."""
        return LateRows(self)

    def values(self, body: bytes) -> list[Any] | None:
        """The values of a row; None where it is none."""
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
        except error:
            return None
        return values


def rows_body(plain: tuple[tuple[str, int, int], ...], raw: Sequence[bytes]) -> bytes:
    """The body of an answer with these columns (name, type's OID, format) and rows (`LateRows.plain`)."""
    rows = _of_plain(plain).rows()
    for body in raw:
        rows.take(body, len(body))
    return rows.body()


@lru_cache(maxsize=512)
def _of_plain(plain: tuple[tuple[str, int, int], ...]) -> Layout:
    return Layout([Column(*column) for column in plain])


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
