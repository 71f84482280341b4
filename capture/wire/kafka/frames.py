"""Frames and the primitives in them.

Two rules hold here. A frame longer than `MOST_KEPT` is told by its head alone. A reader raises `Malformed` where a
frame ends before what it promises.

After kafka.apache.org/protocol, "Protocol Primitive Types" and "Request Header".
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

MOST_KEPT = 16 << 20
"""Bytes of one frame that are held; brokers take messages of 1 MB unless they are told otherwise."""

LONGEST_FRAME = 1 << 30
HEAD_KEPT = 512
MOST_ITEMS = 100_000
_I8, _I16, _I32, _I64, _U32 = Struct(">b"), Struct(">h"), Struct(">i"), Struct(">q"), Struct(">I")


class Malformed(Exception):
    """Bytes that are no such frame."""


class Frame(NamedTuple):
    """`body` is shorter than `size` where the frame was not held as a whole."""

    body: bytes
    size: int


class Framer:
    """Bytes of one direction in, frames out."""

    __slots__ = ("_rest", "_skipping")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes."""
        if self._skipping:
            skipped = min(self._skipping, len(data))
            self._skipping -= skipped
            data = data[skipped:]
        self._rest += data
        at, held = 0, self._rest
        try:
            while len(held) - at >= 4:
                size = _U32.unpack_from(held, at)[0]
                if size > LONGEST_FRAME:
                    raise Malformed
                stop = at + 4 + size
                if stop > len(held):
                    if size > MOST_KEPT and len(held) - at >= 4 + HEAD_KEPT:
                        yield Frame(bytes(held[at + 4 : at + 4 + HEAD_KEPT]), size)
                        self._skipping = stop - len(held)
                        at = len(held)
                    return
                yield Frame(bytes(held[at + 4 : stop]), size)
                at = stop
        finally:
            del held[:at]


class Reader:
    """A frame's body, read from front to back. `at` is where the next thing starts."""

    __slots__ = ("at", "body")

    def __init__(self, body: bytes, at: int = 0) -> None:
        self.body = body
        self.at = at

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.body)

    def _number(self, form: Struct) -> int:
        at, self.at = self.at, self.at + form.size
        if self.at > len(self.body):
            raise Malformed
        value: int = form.unpack_from(self.body, at)[0]
        return value

    def i8(self) -> int:
        """INT8"""
        return self._number(_I8)

    def i16(self) -> int:
        """INT16"""
        return self._number(_I16)

    def i32(self) -> int:
        """INT32"""
        return self._number(_I32)

    def i64(self) -> int:
        """INT64"""
        return self._number(_I64)

    def raw(self, size: int) -> bytes:
        """`size` bytes."""
        at, self.at = self.at, self.at + size
        if size < 0 or self.at > len(self.body):
            raise Malformed
        return self.body[at : self.at]

    def data(self) -> bytes | None:
        """NULLABLE_BYTES"""
        size = self.i32()
        return None if size < 0 else self.raw(size)

    def string(self) -> str | None:
        """NULLABLE_STRING"""
        size = self.i16()
        return None if size < 0 else self.raw(size).decode("utf-8", "backslashreplace")

    def name(self) -> str:
        """STRING"""
        return self.string() or ""

    def count(self) -> int:
        """How many elements an ARRAY has; 0 for none."""
        count = self.i32()
        if count > MOST_ITEMS:
            raise Malformed
        return max(count, 0)

    def unsigned(self) -> int:
        """UNSIGNED_VARINT"""
        value = shift = 0
        while True:
            byte = self.i8() & 0xFF
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise Malformed

    def compact(self) -> str | None:
        """COMPACT_NULLABLE_STRING"""
        size = self.unsigned() - 1
        return None if size < 0 else self.raw(size).decode("utf-8", "backslashreplace")

    def compact_count(self) -> int:
        """How many elements a COMPACT_ARRAY has; 0 for none."""
        count = self.unsigned() - 1
        if count > MOST_ITEMS:
            raise Malformed
        return max(count, 0)

    def varint(self) -> int:
        """VARINT and VARLONG"""
        value = self.unsigned()
        return (value >> 1) ^ -(value & 1)

    def counted(self) -> bytes | None:
        """Bytes after a VARINT of their size, as in records."""
        size = self.varint()
        return None if size < 0 else self.raw(size)

    def tags(self) -> None:
        """TAG_BUFFER, stepped over."""
        count = self.unsigned()
        if count > MOST_ITEMS:
            raise Malformed
        for _ in range(count):
            self.unsigned()
            self.raw(self.unsigned())


class Asked(NamedTuple):
    """A request's header; `at` is where its body starts, for those whose header is not flexible."""

    api: int
    version: int
    correlation: int
    at: int


def parse_request(body: bytes) -> Asked:
    """A request's header of version 1."""
    reader = Reader(body)
    api, version, correlation = reader.i16(), reader.i16(), reader.i32()
    if not 0 <= api <= 200 or not 0 <= version <= 40:
        raise Malformed
    reader.string()
    return Asked(api, version, correlation, reader.at)
