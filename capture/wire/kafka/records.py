"""Records: batches of version 2, and message sets of versions 0 and 1.

After kafka.apache.org/documentation, "Message Format".
"""

from collections.abc import Iterator
from typing import NamedTuple

from .codings import unpacked
from .frames import Malformed, Reader

MOST_RECORDS = 100_000
_CODING, _CONTROL = 0x07, 0x20
_AFTER_LENGTH = 12
_DEEPEST = 2


class Record(NamedTuple):
    """One record; `offset` is counted within its batch for a producer."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def records(data: bytes) -> Iterator[Record]:
    """The records of a batch, or of several. A last one that is cut off is left out, as a client does."""
    reader = Reader(data)
    while len(data) - reader.at > _AFTER_LENGTH + 4:
        base = reader.i64()
        size = reader.i32()
        if size < 0:
            raise Malformed
        if reader.at + size > len(data):
            return
        batch = Reader(reader.raw(size))
        batch.i32()
        if batch.i8() == 2:
            yield from _batch(batch, base)
        else:
            yield from _message(batch.body, base, 0)


def _batch(batch: Reader, base: int) -> Iterator[Record]:
    batch.i32()  # checksum
    attributes = batch.i16()
    batch.raw(4 + 8 + 8 + 8 + 2 + 4)  # last offset, times, producer
    count = batch.i32()
    if not 0 <= count <= MOST_RECORDS:
        raise Malformed
    if attributes & _CONTROL:
        return
    inner = Reader(unpacked(attributes & _CODING, batch.body[batch.at :]))
    for _ in range(count):
        record = Reader(inner.counted() or b"")
        record.i8()
        record.varint()
        offset = record.varint()
        key, value = record.counted(), record.counted()
        headers = []
        for _ in range(_few(record.varint())):
            name = (record.counted() or b"").decode("utf-8", "backslashreplace")
            headers.append((name, record.counted()))
        yield Record(base + offset, key, value, tuple(headers))


def _few(count: int) -> int:
    if not 0 <= count <= MOST_RECORDS:
        raise Malformed
    return count


def _message(body: bytes, offset: int, depth: int) -> Iterator[Record]:
    reader = Reader(body)
    reader.i32()  # checksum
    magic, attributes = reader.i8(), reader.i8()
    if magic not in {0, 1} or depth > _DEEPEST:
        raise Malformed
    if magic:
        reader.i64()
    key, value = reader.data(), reader.data()
    if not attributes & _CODING:
        yield Record(offset, key, value, ())
        return
    inner = Reader(unpacked(attributes & _CODING, value or b""))
    found: list[Record] = []
    while not inner.is_over:
        at = inner.i64()
        found.extend(_message(inner.raw(inner.i32()), at, depth + 1))
        if len(found) > MOST_RECORDS:
            raise Malformed
    # From version 1 on the inner offsets are relative, and the outer one is the last of them.
    shift = offset - found[-1].offset if magic and found else 0
    for each in found:
        yield each._replace(offset=each.offset + shift)
