"""Statements and portals that a session has named, within bounds."""

from collections.abc import Sequence
from typing import Any

from ..sql import Statement, arguments
from .layout import Layout, with_formats
from .messages import Bind, Column
from .oids import type_name
from .types import Decode, decoder_of

MOST_NAMED = 4096
MOST_WEIGHT = 16 << 20
"""Names, and characters of what they stand for, that a session may hold; beyond it the oldest are forgotten."""


class Prepared:
    """A prepared statement: its text's statement, and what is known of its parameters and results."""

    __slots__ = ("_decoders", "_layouts", "columns", "fixed", "has_run", "oids", "statement")

    def __init__(self, statement: Statement, oids: tuple[int, ...]) -> None:
        self.statement = statement
        self.oids = oids
        self.columns: tuple[Column, ...] | None = None
        self.fixed: tuple[tuple[str, str], ...] | None = None
        """Headers that all its calls have; made by whoever makes the calls."""
        self.has_run = False
        self._layouts: dict[tuple[int, ...], Layout] = {}
        self._decoders: dict[tuple[int, ...], tuple[Decode, ...]] = {}

    def parameters(self, oids: tuple[int, ...]) -> None:
        """The server has said the parameters' types."""
        if oids != self.oids:
            self.oids = oids
            self.fixed = None
            self._decoders.clear()

    def types(self) -> str:
        """The parameters' types by name, "" where none is known."""
        if not any(self.oids):
            return ""
        return ",".join(type_name(oid) for oid in self.oids)

    def arguments(self, bind: Bind) -> str:
        """The statement's arguments with the values of `bind`."""
        return arguments(self.statement, self.values(bind.formats, bind.values))

    def values(self, formats: tuple[int, ...], raw: Sequence[bytes | None]) -> list[Any]:
        """Bind values as JSON values."""
        decoders = self._decoders.get(formats)
        if decoders is None or len(decoders) != len(raw):
            decoders = self._decoders[formats] = self._make_decoders(formats, len(raw))
            if len(self._decoders) > 16:
                self._decoders.clear()
        return [None if value is None else decode(value) for decode, value in zip(decoders, raw, strict=True)]

    def layout(self, formats: tuple[int, ...]) -> Layout | None:
        """How rows are read, if the statement was described."""
        if not self.columns:
            return None
        found = self._layouts.get(formats)
        if found is None:
            if len(self._layouts) > 16:
                self._layouts.clear()
            found = self._layouts[formats] = with_formats(self.columns, formats)
        return found

    def describe(self, columns: tuple[Column, ...]) -> None:
        """The server has said the results' columns."""
        if columns != self.columns:
            self.columns = columns
            self._layouts.clear()

    def _make_decoders(self, formats: tuple[int, ...], count: int) -> tuple[Decode, ...]:
        each = formats * count if len(formats) == 1 else formats + (0,) * (count - len(formats))
        oids = self.oids + (0,) * (count - len(self.oids))
        return tuple(decoder_of(oid, format_) for oid, format_, _ in zip(oids, each, range(count), strict=False))


class Portal:
    """A statement with its values bound. `fetches` counts its Executes."""

    __slots__ = ("arguments", "fetches", "layout", "prepared", "result_formats", "truncated")

    def __init__(self, prepared: Prepared, arguments: str, result_formats: tuple[int, ...], truncated: bool) -> None:
        self.prepared = prepared
        self.arguments = arguments
        self.result_formats = result_formats
        self.truncated = truncated
        self.layout: Layout | None = None
        self.fetches = 0


class Registry[Named]:
    """What a session has named."""

    __slots__ = ("_named", "_weight")

    def __init__(self) -> None:
        self._named: dict[str, tuple[Named, int]] = {}
        self._weight = 0

    def get(self, name: str) -> Named | None:
        """What `name` stands for."""
        found = self._named.get(name)
        return found[0] if found is not None else None

    def put(self, name: str, value: Named, weight: int) -> None:
        """`name` stands for `value` from here on."""
        self.drop(name)
        weight += len(name)
        self._named[name] = (value, weight)
        self._weight += weight
        while len(self._named) > MOST_NAMED or self._weight > MOST_WEIGHT:
            self.drop(next(iter(self._named)))

    def drop(self, name: str) -> None:
        """`name` stands for nothing any more."""
        found = self._named.pop(name, None)
        if found is not None:
            self._weight -= found[1]

    def clear(self) -> None:
        """No name stands for anything."""
        self._named.clear()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._named)
