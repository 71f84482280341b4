"""Bodies of the requests and responses that make calls.

After kafka.apache.org/protocol: Produce (0) versions 0–8, Fetch (1) 0–11, OffsetCommit (8) 0–9.
"""

from collections.abc import Iterator
from typing import NamedTuple

from .apis import FIRST_FLEXIBLE_COMMIT
from .frames import Reader

Place = tuple[str, int]
"""Topic and partition."""


class Fault(NamedTuple):
    """What a broker says about a partition: an error code (0 for none), and the offset of a batch's first record."""

    code: int
    offset: int


def produced(reader: Reader, version: int) -> tuple[int, list[tuple[Place, bytes]]]:
    """A Produce request: how many brokers shall confirm it, and its batches."""
    if version >= 3:
        reader.string()
    acks = reader.i16()
    reader.i32()
    return acks, [(place, reader.data() or b"") for place in _places(reader)]


def _places(reader: Reader) -> Iterator[Place]:
    for _ in range(reader.count()):
        topic = reader.name()
        for _ in range(reader.count()):
            yield topic, reader.i32()


def produce_answers(reader: Reader, version: int) -> dict[Place, Fault]:
    """A Produce response."""
    found = {}
    for place in _places(reader):
        found[place] = Fault(reader.i16(), reader.i64())
        if version >= 2:
            reader.i64()
        if version >= 5:
            reader.i64()
        if version >= 8:
            for _ in range(reader.count()):
                reader.i32()
                reader.string()
            reader.string()
    return found


def fetch_offsets(reader: Reader, version: int) -> dict[Place, int]:
    """A Fetch request: from where on each partition is wanted."""
    reader.raw(4 + 4 + 4)
    if version >= 3:
        reader.i32()
    if version >= 4:
        reader.i8()
    if version >= 7:
        reader.raw(4 + 4)
    found = {}
    for place in _places(reader):
        if version >= 9:
            reader.i32()
        found[place] = reader.i64()
        if version >= 5:
            reader.i64()
        reader.i32()
    return found


def fetched(reader: Reader, version: int) -> Iterator[tuple[Place, bytes]]:
    """A Fetch response: each partition's batches."""
    if version >= 1:
        reader.i32()
    if version >= 7:
        reader.raw(2 + 4)
    for place in _places(reader):
        reader.raw(2 + 8)
        if version >= 4:
            reader.i64()
            if version >= 5:
                reader.i64()
            for _ in range(reader.count()):
                reader.raw(8 + 8)
        if version >= 11:
            reader.i32()
        yield place, reader.data() or b""


def committed(reader: Reader, version: int) -> tuple[str, dict[Place, int]]:
    """An OffsetCommit request: the group, and up to where each partition is done."""
    if version >= FIRST_FLEXIBLE_COMMIT:
        return _committed_flexibly(reader)
    group = reader.name()
    if version >= 1:
        reader.i32()
        reader.string()
    if version >= 7:
        reader.string()
    if 2 <= version <= 4:
        reader.i64()
    found = {}
    for place in _places(reader):
        found[place] = reader.i64()
        if version >= 6:
            reader.i32()
        if version == 1:
            reader.i64()
        reader.string()
    return group, found


def _committed_flexibly(reader: Reader) -> tuple[str, dict[Place, int]]:
    reader.tags()  # the header's
    group = reader.compact() or ""
    reader.i32()
    reader.compact()
    reader.compact()
    found = {}
    for place in _flexible_places(reader):
        found[place] = reader.i64()
        reader.i32()
        reader.compact()
        reader.tags()
    return group, found


def _flexible_places(reader: Reader) -> Iterator[Place]:
    for _ in range(reader.compact_count()):
        topic = reader.compact() or ""
        for _ in range(reader.compact_count()):
            yield topic, reader.i32()
        reader.tags()


def commit_errors(reader: Reader, version: int) -> dict[Place, int]:
    """An OffsetCommit response: an error code a partition."""
    if version >= FIRST_FLEXIBLE_COMMIT:
        reader.tags()
        reader.i32()
        found = {}
        for place in _flexible_places(reader):
            found[place] = reader.i16()
            reader.tags()
        return found
    if version >= 3:
        reader.i32()
    return {place: reader.i16() for place in _places(reader)}
