"""Messages of the protocol: how bytes fall into them, and what stands in each.

Two rules hold here. A message longer than `MOST_KEPT` is never held: its head and its size are all that is told. A
reader gets one message's body and raises `Malformed` where the body is not what it says.

After PostgreSQL 18 docs, 54.7 (message formats).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

MOST_KEPT = 4 << 20
"""Bytes of one message's body that are held."""

_HEAD_KEPT = 1024
_HEAD = Struct("!BI")
_INT2 = Struct("!h")
_INT4 = Struct("!i")
_UINT4 = Struct("!I")
_FIELD = Struct("!IhIhih")

SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102


Handler = Callable[[bytes, int, int], None]
"""Body, size and microseconds of one message; the body is shorter than the size where it was not held."""


class Malformed(Exception):
    """Bytes that are no such message."""


@dataclass(frozen=True, slots=True)
class Column:
    """A result column: its name, its type's OID, and 1 where its values are sent in binary."""

    name: str
    oid: int
    format: int


class Bind(NamedTuple):
    """A Bind message: values are None for NULL; a list of formats of length 0 means text, of length 1 one for all."""

    portal: str
    statement: str
    formats: tuple[int, ...]
    values: tuple[bytes | None, ...]
    result_formats: tuple[int, ...]


class Framer:
    """Bytes of one direction in, `(kind, body, size)` out; `body` is shorter than `size` where it was not held."""

    __slots__ = ("_held", "_needed", "_parts", "_skipping")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        self._needed = 0
        self._skipping = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes, int]]:
        """The messages that `data` completes. Malformed where a length is impossible."""
        if self._skipping:
            skipped = min(self._skipping, len(data))
            self._skipping -= skipped
            data = data[skipped:]
        if self._held:
            self._parts.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return
            data = b"".join(self._parts)
            self._parts.clear()
            self._held = 0
        at, end = 0, len(data)
        needed = 5
        while end - at >= 5:
            kind, size = _HEAD.unpack_from(data, at)
            size -= 4
            if size < 0:
                raise Malformed
            stop = at + 5 + size
            if size <= MOST_KEPT:
                if stop > end:
                    needed = 5 + size
                    break
                yield kind, data[at + 5 : stop], size
                at = stop
                continue
            if end - at < 5 + _HEAD_KEPT:
                needed = 5 + _HEAD_KEPT
                break
            # Too long to be held: its head is told now, the rest passes by.
            yield kind, data[at + 5 : at + 5 + _HEAD_KEPT], size
            if stop >= end:
                self._skipping = stop - end
                return
            at = stop
        if at < end:
            self._parts.append(data[at:] if at else data)
            self._held = end - at
            self._needed = needed

    def dispatch(self, data: bytes, handlers: Mapping[int, Handler], at_us: int) -> None:
        """Give each message that `data` completes to the handler of its kind. Malformed where there is none. Most
        chunks hold whole messages: those are cut here, at the price of a call each."""
        if not self._held and not self._skipping:
            at, end = 0, len(data)
            cut = _HEAD.unpack_from
            while end - at >= 5:
                kind, size = cut(data, at)
                stop = at + 1 + size
                handler = handlers.get(kind)
                if stop > end or handler is None or not 4 <= size <= MOST_KEPT:
                    break
                handler(data[at + 5 : stop], size - 4, at_us)
                at = stop
            if at == end:
                return
            data = data[at:]
        for kind, body, size in self.feed(data):
            handler = handlers.get(kind)
            if handler is None:
                raise Malformed
            handler(body, size, at_us)


def text_until_zero(body: bytes, at: int) -> tuple[bytes, int]:
    """A zero-terminated string from `at` on, and where the next thing starts."""
    end = body.find(b"\0", at)
    if end < 0:
        raise Malformed
    return body[at:end], end + 1


def name_at(body: bytes, at: int) -> tuple[str, int]:
    """A name of a statement, portal or column; bytes that are no UTF-8 keep their identity."""
    end = body.find(b"\0", at)
    if end == at:
        # Most portals and many statements have no name.
        return "", at + 1
    if end < 0:
        raise Malformed
    return body[at:end].decode("utf-8", "backslashreplace"), end + 1


def int4_at(body: bytes, at: int) -> int:
    """A signed 32-bit integer."""
    if at + 4 > len(body):
        raise Malformed
    value: int = _INT4.unpack_from(body, at)[0]
    return value


def _uint4s(body: bytes, at: int) -> tuple[int, ...]:
    """A counted list of OIDs."""
    count, at = _count(body, at)
    if at + 4 * count > len(body):
        raise Malformed
    return tuple(_UINT4.unpack_from(body, at + 4 * index)[0] for index in range(count))


def _count(body: bytes, at: int) -> tuple[int, int]:
    if at + 2 > len(body):
        raise Malformed
    return (body[at] << 8) | body[at + 1], at + 2


def _formats(body: bytes, at: int) -> tuple[tuple[int, ...], int]:
    if body[at : at + 2] == b"\0\0":
        return (), at + 2
    count, at = _count(body, at)
    end = at + 2 * count
    if end > len(body):
        raise Malformed
    return tuple(body[at + 1 : end : 2]), end


def parse_startup(body: bytes) -> dict[str, str]:
    """The parameters of a start-up message (after its protocol number)."""
    parameters: dict[str, str] = {}
    at = 0
    while at < len(body) and body[at]:
        key, at = name_at(body, at)
        parameters[key], at = name_at(body, at)
    return parameters


def parse_parse(body: bytes) -> tuple[str, bytes, tuple[int, ...]]:
    """A Parse message: statement name, SQL text, and the parameter types that the client names (0 for none)."""
    name, at = name_at(body, 0)
    text, at = text_until_zero(body, at)
    return name, text, _uint4s(body, at)


def parse_bind(body: bytes) -> Bind:
    """A Bind message."""
    portal, at = name_at(body, 0)
    statement, at = name_at(body, at)
    formats, at = _formats(body, at)
    values, at = values_at(body, at)
    result_formats, _ = _formats(body, at)
    return Bind(portal, statement, formats, values, result_formats)


def values_at(body: bytes, at: int = 0) -> tuple[tuple[bytes | None, ...], int]:
    """A counted list of values with their lengths, as in Bind and DataRow."""
    count, at = _count(body, at)
    values: list[bytes | None] = []
    end = len(body)
    for _ in range(count):
        if at + 4 > end:
            raise Malformed
        size = _INT4.unpack_from(body, at)[0]
        at += 4
        if size < 0:
            values.append(None)
            continue
        if at + size > end:
            raise Malformed
        values.append(body[at : at + size])
        at += size
    return tuple(values), at


def parse_row_description(body: bytes) -> tuple[Column, ...]:
    """A RowDescription message."""
    count, at = _count(body, 0)
    columns = []
    for _ in range(count):
        name, at = name_at(body, at)
        if at + 18 > len(body):
            raise Malformed
        _, _, oid, _, _, format_ = _FIELD.unpack_from(body, at)
        columns.append(Column(name, oid, format_))
        at += 18
    return tuple(columns)


def parse_parameter_description(body: bytes) -> tuple[int, ...]:
    """A ParameterDescription message: the OIDs."""
    return _uint4s(body, 0)


def parse_fields(body: bytes) -> dict[str, str]:
    """An ErrorResponse or NoticeResponse: field letter to text."""
    fields: dict[str, str] = {}
    at = 0
    while at < len(body) and body[at]:
        key = chr(body[at])
        fields[key], at = name_at(body, at + 1)
    return fields
