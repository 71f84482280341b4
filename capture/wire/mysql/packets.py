"""Packets: how bytes fall into them, and the integers and strings in them.

Two rules hold here. Of a packet longer than `MOST_KEPT` only the beginning is held, with its whole size. A reader
raises `Malformed` where a packet ends before what it promises.

After the MySQL 8.4 source documentation, "MySQL Packets" and "Protocol Basics: Data Types".
"""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

MOST_KEPT = 4 << 20
"""Bytes of one packet that are held."""

LONGEST_FRAME = 0xFFFFFF
"""A frame of this size is continued by the next one."""

U16, U32, U64 = Struct("<H"), Struct("<I"), Struct("<Q")


class Malformed(Exception):
    """Bytes that are no such packet."""


class Packet(NamedTuple):
    """`body` is shorter than `size` where the packet was not held as a whole; `sequence` is its first frame's."""

    sequence: int
    body: bytes
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether all of it was held."""
        return len(self.body) == self.size


class Framer:
    """Bytes of one direction in, packets out. Frames of 16 MB that continue each other are one packet."""

    __slots__ = ("_long", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._long: _Long | None = None

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that `data` completes."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        at, end = 0, len(data)
        while at < end:
            if self._long is not None:
                at = self._long.take(data, at)
                if self._long.is_over:
                    packet, self._long = self._long.packet(), None
                    yield packet
                continue
            if end - at < 4:
                break
            size = data[at] | data[at + 1] << 8 | data[at + 2] << 16
            stop = at + 4 + size
            if size < LONGEST_FRAME and stop <= end:
                yield Packet(data[at + 3], data[at + 4 : stop], size)
                at = stop
            else:
                self._long = _Long(data[at + 3])
        self._rest = data[at:]


class _Long:
    """A packet that comes in several chunks or frames."""

    __slots__ = ("_frame", "_head", "_kept", "_left", "_parts", "_sequence", "_size", "is_over")

    def __init__(self, sequence: int) -> None:
        self._sequence = sequence
        self._head = b""
        self._parts: list[bytes] = []
        self._kept = self._size = self._frame = self._left = 0
        self.is_over = False

    def take(self, data: bytes, at: int) -> int:
        """Take what is the packet's of `data` from `at` on; where the rest starts."""
        while at < len(data) and not self.is_over:
            at = self._take_body(data, at) if self._left else self._take_head(data, at)
        return at

    def _take_head(self, data: bytes, at: int) -> int:
        took = data[at : at + 4 - len(self._head)]
        self._head += took
        if len(self._head) == 4:
            self._frame = self._left = int.from_bytes(self._head[:3], "little")
            self._head = b""
            self._size += self._frame
            self.is_over = self._frame == 0
        return at + len(took)

    def _take_body(self, data: bytes, at: int) -> int:
        took = min(self._left, len(data) - at)
        keep = min(took, MOST_KEPT - self._kept)
        if keep > 0:
            self._parts.append(data[at : at + keep])
            self._kept += keep
        self._left -= took
        self.is_over = not self._left and self._frame < LONGEST_FRAME
        return at + took

    def packet(self) -> Packet:
        """What has come."""
        return Packet(self._sequence, b"".join(self._parts), self._size)


def integer_at(body: bytes, at: int, size: int) -> tuple[int, int]:
    """A little-endian unsigned integer of `size` bytes, and where the next thing starts."""
    end = at + size
    if end > len(body):
        raise Malformed
    return int.from_bytes(body[at:end], "little"), end


def counted_at(body: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer."""
    if at >= len(body):
        raise Malformed
    first = body[at]
    if first < 0xFB:
        return first, at + 1
    if first == 0xFC:
        return integer_at(body, at + 1, 2)
    if first == 0xFD:
        return integer_at(body, at + 1, 3)
    if first == 0xFE:
        return integer_at(body, at + 1, 8)
    raise Malformed


def bytes_at(body: bytes, at: int, size: int) -> tuple[bytes, int]:
    """A string of `size` bytes."""
    end = at + size
    if end > len(body):
        raise Malformed
    return body[at:end], end


def string_at(body: bytes, at: int) -> tuple[bytes, int]:
    """A length-encoded string."""
    size, at = counted_at(body, at)
    return bytes_at(body, at, size)


def zero_ended_at(body: bytes, at: int) -> tuple[bytes, int]:
    """A zero-terminated string."""
    end = body.find(b"\0", at)
    if end < 0:
        raise Malformed
    return body[at:end], end + 1


def counted(value: int) -> bytes:
    """A length-encoded integer, as bytes."""
    if value < 0xFB:
        return bytes((value,))
    if value < 1 << 16:
        return b"\xfc" + value.to_bytes(2, "little")
    if value < 1 << 24:
        return b"\xfd" + value.to_bytes(3, "little")
    return b"\xfe" + value.to_bytes(8, "little")


def string(value: bytes) -> bytes:
    """A length-encoded string, as bytes."""
    return counted(len(value)) + value


def framed(sequence: int, body: bytes) -> bytes:
    """A packet as bytes, in as many frames as it needs; `sequence` is its first."""
    frames = []
    at = 0
    while True:
        part = body[at : at + LONGEST_FRAME]
        frames.append(len(part).to_bytes(3, "little") + bytes((sequence & 0xFF,)) + part)
        at += len(part)
        sequence += 1
        if len(part) < LONGEST_FRAME:
            return b"".join(frames)
