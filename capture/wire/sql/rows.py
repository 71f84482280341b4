"""The rows of one answer: kept up to a bound, counted and hashed beyond it."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import orjson

MOST_ROWS = 200
MOST_BYTES = 256 << 10
"""Rows and wire bytes of one answer that are kept (docs/format.md)."""

HASHED_FROM = 1024
"""Bytes that are told by their hash; fewer could be guessed from it."""


def unique_names(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns' names as keys: the second `id` is `id#2`."""
    if len(set(columns)) == len(columns):
        return tuple(columns)
    seen: dict[str, int] = {}
    names = []
    for name in columns:
        seen[name] = count = seen.get(name, 0) + 1
        names.append(name if count == 1 else f"{name}#{count}")
    return tuple(names)


class Rows:
    """Rows of one answer as they come. `keeps(size)` says whether the next one, of `size` bytes on the wire, is decoded
    and given to `add`, or goes to `skip` as it is."""

    __slots__ = ("_bytes", "_columns", "_hash", "_names", "_rows", "_skipped", "_types", "count")

    def __init__(self, columns: Sequence[str], types: Sequence[str], names: tuple[str, ...] | None = None) -> None:
        self._columns = columns
        self._types = types
        self._names = names if names is not None else unique_names(columns)
        self._rows: list[Any] = []
        self._bytes = 0
        self._hash: Any = None
        self._skipped = 0
        self.count = 0

    @property
    def is_cut(self) -> bool:
        """Whether a row was not kept."""
        return self._hash is not None

    def keeps(self, size: int) -> bool:
        """Whether a row of `size` bytes still belongs to what is kept."""
        self._bytes += size
        return self._hash is None and self.count < MOST_ROWS and self._bytes <= MOST_BYTES

    def add(self, values: Sequence[Any]) -> None:
        """A row's values, JSON each."""
        self.count += 1
        self._rows.append(dict(zip(self._names, values, strict=False)))

    def skip(self, raw: bytes | memoryview) -> None:
        """A row beyond the bound, as its wire bytes."""
        self.count += 1
        if self._hash is None:
            self._hash = blake2b(digest_size=16)
        self._hash.update(raw)
        self._skipped += len(raw)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the answer's headers say about its rows."""
        count = (("content-type", "application/json"), ("rows", str(self.count)))
        if self._hash is None:
            return count
        cut = (*count, ("rows-kept", str(len(self._rows))))
        # The hash of a few bytes would tell them.
        return (*cut, ("rows-hash", self._hash.hexdigest())) if self._skipped >= HASHED_FROM else cut

    def body(self) -> bytes:
        """The answer's body, JSON."""
        return orjson.dumps({"columns": self._columns, "types": self._types, "rows": self._rows})
