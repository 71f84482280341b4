"""What commands are asked with: query attributes, and the parameters of a prepared statement.

After the MySQL 8.4 source documentation, "COM_QUERY" and "COM_STMT_EXECUTE"; the MariaDB Knowledge Base,
"COM_STMT_BULK_EXECUTE".
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .handshake import Capability
from .packets import Malformed, bytes_at, counted_at, integer_at, string_at
from .values import binary_value, text

Type = tuple[int, bool]
"""A parameter's protocol type, and whether it is unsigned."""

MOST_PARAMETERS = 0xFFFF
LARGEST_LONG_DATA = 1 << 20
"""Bytes sent ahead for the parameters of one statement that are kept."""

_COUNTED = 0x08
_SENDS_TYPES = 0x80
_UNSIGNED = 0x8000
_IS_NULL, _IS_DEFAULT, _IS_IGNORED = 1, 2, 3


class Bound(NamedTuple):
    """What an execution binds: JSON values of the statement's own parameters, attributes by name, and the flags."""

    values: list[Any]
    attributes: dict[str, Any]
    flags: int


@dataclass(slots=True)
class LongData:
    """What COM_STMT_SEND_LONG_DATA has sent ahead of an execution, by parameter."""

    parts: dict[int, list[bytes]] = field(default_factory=dict)
    size: int = 0

    def add(self, index: int, data: bytes) -> None:
        """One more piece of a parameter's value."""
        self.size += len(data)
        pieces = self.parts.setdefault(index, [])
        if self.size <= LARGEST_LONG_DATA:
            pieces.append(data)

    @property
    def is_cut(self) -> bool:
        """Whether not all of it was kept."""
        return self.size > LARGEST_LONG_DATA

    def value(self, index: int) -> Any:
        """A parameter's value as JSON, None where it was not kept."""
        return None if self.is_cut else text(b"".join(self.parts[index]))


def parse_query(body: bytes, capabilities: int) -> tuple[bytes, dict[str, Any]]:
    """A COM_QUERY's text and its attributes."""
    if not capabilities & Capability.QUERY_ATTRIBUTES:
        return body[1:], {}
    count, at = counted_at(body, 1)
    sets, at = counted_at(body, at)
    if sets != 1:
        raise Malformed
    if not count:
        return body[at:], {}
    types, names, nulls, at = _types(body, at, count, named=True)
    assert types is not None
    values, at = _values(body, at, types, nulls, LongData())
    return body[at:], dict(zip(names, values, strict=True))


def parse_execute(
    body: bytes, capabilities: int, count: int, types: tuple[Type, ...] | None, long: LongData
) -> tuple[Bound, tuple[Type, ...] | None]:
    """A COM_STMT_EXECUTE of a statement with `count` parameters whose `types` an earlier execution named; what it
    binds, and the types from now on. Malformed where no types are known."""
    flags, at = integer_at(body, 5, 1)
    at += 4  # iterations: 1
    has_attributes = bool(capabilities & Capability.QUERY_ATTRIBUTES)
    total = count
    if has_attributes and flags & _COUNTED:
        total, at = counted_at(body, at)
    if not total:
        return Bound([], {}, flags), types
    sent, names, nulls, at = _types(body, at, total, named=has_attributes)
    types = sent or types
    if types is None or len(types) < total:
        raise Malformed
    values, _ = _values(body, at, types[:total], nulls, long)
    attributes = dict(zip(names[count:], values[count:], strict=False))
    return Bound(values[:count], attributes, flags), types


def parse_bulk(body: bytes, count: int, types: tuple[Type, ...] | None) -> tuple[list[Any], tuple[Type, ...]]:
    """A MariaDB COM_STMT_BULK_EXECUTE: for each parameter the list of its values."""
    flags, at = integer_at(body, 5, 2)
    if flags & _SENDS_TYPES:
        types, at = _type_list(body, at, count)
    if types is None or not count:
        raise Malformed
    lists: list[list[Any]] = [[] for _ in range(count)]
    while at < len(body):
        for index, (kind, unsigned) in enumerate(types[:count]):
            indicator, at = integer_at(body, at, 1)
            value = None
            if not indicator:
                value, at = binary_value(body, at, kind, unsigned)
            elif indicator not in {_IS_NULL, _IS_DEFAULT, _IS_IGNORED}:
                raise Malformed
            lists[index].append(value)
    return list(lists), types


def _type_list(body: bytes, at: int, count: int) -> tuple[tuple[Type, ...], int]:
    types = []
    for _ in range(count):
        kind, at = integer_at(body, at, 2)
        types.append((kind & 0xFF, bool(kind & _UNSIGNED)))
    return tuple(types), at


def _types(body: bytes, at: int, count: int, *, named: bool) -> tuple[tuple[Type, ...] | None, list[str], bytes, int]:
    """The head of a list of values: types if they are sent, names, the bitmap of NULLs, and where the values start."""
    if count > MOST_PARAMETERS:
        raise Malformed
    nulls, at = bytes_at(body, at, (count + 7) // 8)
    are_sent, at = integer_at(body, at, 1)
    if not are_sent:
        return None, [], nulls, at
    types, names = [], []
    for _ in range(count):
        kind, at = integer_at(body, at, 2)
        types.append((kind & 0xFF, bool(kind & _UNSIGNED)))
        if named:
            name, at = string_at(body, at)
            names.append(name.decode("utf-8", "backslashreplace"))
    return tuple(types), names, nulls, at


def _values(body: bytes, at: int, types: tuple[Type, ...], nulls: bytes, long: LongData) -> tuple[list[Any], int]:
    values = []
    for index, (kind, unsigned) in enumerate(types):
        value = None
        if index in long.parts:
            value = long.value(index)
        elif not nulls[index // 8] >> index % 8 & 1:
            value, at = binary_value(body, at, kind, unsigned)
        values.append(value)
    return values, at
