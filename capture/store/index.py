"""The index block at the end of a finished capture: where its blocks are and what they add up to. PURE."""

import struct
from dataclasses import dataclass
from typing import Any

import msgpack

from ..model import Losses, Manifest
from .blocks import BlockInfo, losses_array, losses_of, pack_block
from .frames import MAX_MANIFEST, BlockType, Broken
from .records import PREFIX, BadRecord, pack_head, record_bounds, unpack_head

MAX_INDEX = 16 << 20
"""Bytes of an index: 380,000 blocks."""

_ENTRY = struct.Struct("<QIQQqq")  # offset, count, seq from and to, start from and to


@dataclass(frozen=True, slots=True)
class Entry:
    """One block: the offset of its head in the file, its records, their seqs and starts."""

    offset: int
    count: int
    seq_min: int
    seq_max: int
    started_min: int
    started_max: int

    @classmethod
    def of(cls, offset: int, count: int, info: BlockInfo) -> "Entry":
        """The entry of a block at `offset`."""
        return cls(offset, count, info.seq_min, info.seq_max, info.started_min, info.started_max)


@dataclass(frozen=True, slots=True)
class Index:
    """All blocks in order, what was lost in all, and the manifest once more (for the day the first bytes are gone)."""

    entries: tuple[Entry, ...]
    losses: Losses
    manifest: Manifest

    @property
    def count(self) -> int:
        """Exchanges in the capture."""
        return sum(entry.count for entry in self.entries)

    @property
    def seqs(self) -> tuple[int, int] | None:
        """Lowest and highest seq, None in an empty capture."""
        full = [entry for entry in self.entries if entry.count]
        return (min(entry.seq_min for entry in full), max(entry.seq_max for entry in full)) if full else None

    @property
    def started(self) -> tuple[int, int] | None:
        """Earliest and latest start, microseconds since the epoch; None in an empty capture."""
        full = [entry for entry in self.entries if entry.count]
        return (min(entry.started_min for entry in full), max(entry.started_max for entry in full)) if full else None


def pack_index(index: Index) -> bytes:
    """The whole index block."""
    head = pack_head((losses_array(index.losses), pack_manifest(index.manifest)))
    rows = b"".join(
        _ENTRY.pack(entry.offset, entry.count, entry.seq_min, entry.seq_max, entry.started_min, entry.started_max)
        for entry in index.entries
    )
    return pack_block(BlockType.INDEX, index.count, PREFIX.pack(len(head), len(rows)) + head + rows)


def parse_index(content: bytes) -> Index:
    """The index of an index block's content, or `Broken`."""
    if len(content) > MAX_INDEX:
        raise Broken("the index is over its limit")
    try:
        head, rows, end = record_bounds(content, 0)
        stored = unpack_head(content[head:rows])
    except BadRecord as error:
        raise Broken(f"unreadable index: {error}") from error
    if not isinstance(stored, tuple) or len(stored) < 2 or (end - rows) % _ENTRY.size or end != len(content):
        raise Broken("unreadable index")
    entries = tuple(Entry(*row) for row in _ENTRY.iter_unpack(content[rows:end]))
    return Index(entries, losses_of(stored[0]), parse_manifest(stored[1]))


def pack_manifest(manifest: Manifest) -> bytes:
    """A manifest as a msgpack map with names: the one part of a capture that other tools read first."""
    named = {
        "capture_id": manifest.capture_id,
        "created_us": manifest.created_us,
        "tool": manifest.tool,
        "engine": manifest.engine,
        "service": manifest.service,
        "hosts": list(manifest.hosts),
        "key_id": manifest.key_id,
        "rules": manifest.rules,
        "replayed": manifest.replayed,
        "notes": dict(manifest.notes),
    }
    packed: bytes = msgpack.packb(named, unicode_errors="surrogatepass")
    return packed


def parse_manifest(raw: object) -> Manifest:
    """The manifest of its map, or `Broken`. Unknown names are left alone: a later Seamline may write more."""
    if not isinstance(raw, bytes) or len(raw) > MAX_MANIFEST:
        raise Broken("unreadable manifest")
    try:
        named = msgpack.unpackb(raw, unicode_errors="surrogatepass", max_ext_len=0, max_map_len=1 << 13)
    except (ValueError, OverflowError, TypeError, msgpack.UnpackException) as error:
        raise Broken(f"unreadable manifest: {error}") from error
    if not isinstance(named, dict):
        raise Broken("unreadable manifest")
    return _manifest(named)


def _manifest(named: dict[str, Any]) -> Manifest:
    hosts, notes, replayed = named.get("hosts", []), named.get("notes", {}), named.get("replayed")
    created = named.get("created_us", 0)
    if not isinstance(hosts, list) or not isinstance(notes, dict) or type(created) is not int:
        raise Broken("the manifest has a field of the wrong type")
    text = {name: named.get(name, "") for name in ("capture_id", "tool", "engine", "service", "key_id", "rules")}
    optional = [] if replayed is None else [replayed]
    if any(type(value) is not str for value in (*text.values(), *hosts, *notes, *notes.values(), *optional)):
        raise Broken("the manifest has a field of the wrong type")
    return Manifest(created_us=created, hosts=tuple(hosts), notes=notes, replayed=replayed, **text)
