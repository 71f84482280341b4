"""Salvages what is whole in a damaged capture: EDGE.

Reads block by block like any reader, but goes on behind a damage: it searches for the next head of a block whose
own checksum matches, and counts what lay between. The result is a finished capture whose losses say what is missing.
"""

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import NewerCapture, UsageError
from ..model import Exchange, Losses, Manifest
from .blocks import block_info, open_payload, record_places
from .frames import (
    BLOCK_MAGIC,
    BLOCK_SIZE,
    FILE_MAGIC,
    FILE_SIZE,
    TRAILER_SIZE,
    VERSION,
    BlockHead,
    BlockType,
    Broken,
    TooNew,
    check_manifest,
    parse_block_head,
    parse_file_head,
)
from .index import Index, parse_index, parse_manifest
from .records import BadRecord, decode_record
from .writer import CaptureWriter

NO_MANIFEST = Manifest("unknown", 0, "unknown", "unknown", notes={"manifest": "lost"})


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of a repair: exchanges `kept`; exchanges known to be `lost`; `gaps` damaged stretches of `lost_bytes`
    in all, which may have held more; `finished` if the capture had been closed; `manifest_lost` if it could not be
    read anywhere."""

    kept: int
    lost: int
    gaps: int
    lost_bytes: int
    finished: bool
    manifest_lost: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """A block that can be read."""

    head: BlockHead
    content: bytes


@dataclass(frozen=True, slots=True)
class Hole:
    """Bytes that cannot, and the exchanges that a sound head says were in them."""

    size: int
    count: int = 0


def repair(path: Path, output: Path) -> Repaired:
    """Write what is whole in `path` to `output`. `UsageError` where nothing is, or where both are one file."""
    with _mapped(path) as data:
        if output.exists() and output.samefile(path):
            raise UsageError(f"{output}: a repair does not write over what it reads", "choose another -o/--output")
        manifest, first = _beginning(path, data)
        if manifest is None:
            manifest = _manifest_at_the_end(data)
        tally = _Tally()
        notes = {**manifest.notes, "repaired": "by seamline capture repair"}
        with CaptureWriter(output, replace(manifest, notes=notes)) as writer:
            for exchange in tally.sort(_parts(data, first)):
                writer.write(exchange)
            writer.losses = tally.losses(writer.count)
        return Repaired(
            writer.count,
            tally.lost(writer.count),
            tally.gaps,
            tally.lost_bytes,
            tally.index is not None,
            "manifest" in manifest.notes and manifest.capture_id == NO_MANIFEST.capture_id,
        )


@dataclass(slots=True)
class _Tally:
    """What was met on the way through the blocks."""

    index: Index | None = None
    known: Losses = field(default_factory=Losses)
    gaps: int = 0
    lost_bytes: int = 0
    missed: int = 0

    def sort(self, parts: Iterator[Whole | Hole]) -> Iterator[Exchange]:
        """The exchanges of whole blocks; everything else goes into the tally."""
        for part in parts:
            if isinstance(part, Hole):
                self._hole(part)
            elif part.head.type is BlockType.INDEX:
                self._index(part)
            else:
                yield from self._records(part)

    def _hole(self, hole: Hole) -> None:
        self.gaps += 1
        self.lost_bytes += hole.size
        self.missed += hole.count

    def _index(self, part: Whole) -> None:
        try:
            self.index = parse_index(part.content)
        except Broken:
            self._hole(Hole(part.head.stored))

    def _records(self, part: Whole) -> Iterator[Exchange]:
        taken = 0
        try:
            info, at = block_info(part.content)
            self.known = info.losses
            for start, tail, end in record_places(part.content, at):
                for exchange in self._record(part.content, start, tail, end):
                    taken += 1
                    yield exchange
        except Broken:
            self.gaps += 1
        self.missed += max(part.head.count - taken, 0)

    def _record(self, content: bytes, start: int, tail: int, end: int) -> Iterator[Exchange]:
        try:
            yield decode_record(content, start, tail, end)
        except BadRecord:
            self._hole(Hole(end - start))

    def lost(self, kept: int) -> int:
        """Exchanges known to be missing: by the index, which knows them all, or by the heads of damaged blocks."""
        return max(self.index.count - kept, 0) if self.index is not None else self.missed

    def losses(self, kept: int) -> Losses:
        """The repaired capture's losses."""
        unfinished = int(self.index is None)
        found = {
            "repair: damaged stretch": self.gaps,
            "repair: exchange lost": self.lost(kept),
            "repair: never closed by its recorder": unfinished,
        }
        known = self.index.losses if self.index is not None else self.known
        reasons = {reason: count for reason, count in found.items() if count}
        return known + Losses(dropped=self.lost(kept), gaps=self.gaps + unfinished, reasons=reasons)


def _parts(data: mmap.mmap, first: int) -> Iterator[Whole | Hole]:
    """The file from `first` on, as whole blocks and the holes between them."""
    at = first
    while at < len(data):
        part, after = _part(data, at)
        yield part
        if isinstance(part, Whole) and part.head.type is BlockType.INDEX and len(data) - after <= TRAILER_SIZE:
            return
        at = after


def _part(data: mmap.mmap, at: int) -> tuple[Whole | Hole, int]:
    """What begins at `at`, and where the next begins."""
    try:
        head = parse_block_head(data[at : at + BLOCK_SIZE])
    except Broken:
        after = _next_block(data, at + 1)
        return Hole(after - at), after
    end = at + BLOCK_SIZE + head.stored
    try:
        return Whole(head, open_payload(head, data[at + BLOCK_SIZE : end])), end
    except Broken:
        # The head is sound, so the block most likely ends where it says, unless bytes are missing from its middle.
        after = end if _begins_block(data, end) else _next_block(data, at + BLOCK_SIZE)
        return Hole(after - at, head.count if head.type is BlockType.RECORDS else 0), after


def _next_block(data: mmap.mmap, at: int) -> int:
    """The offset of the next sound block head, or the end of the file."""
    while (at := data.find(BLOCK_MAGIC, at)) >= 0:
        if _begins_block(data, at):
            return at
        at += 1
    return len(data)


def _begins_block(data: mmap.mmap, at: int) -> bool:
    try:
        parse_block_head(data[at : at + BLOCK_SIZE])
    except Broken:
        return False
    return True


def _beginning(path: Path, data: mmap.mmap) -> tuple[Manifest | None, int]:
    """The manifest, if the header is sound, and where to look for the first block."""
    start = data[:FILE_SIZE]
    try:
        length, crc = parse_file_head(start)
        raw = data[FILE_SIZE : FILE_SIZE + length]
        check_manifest(raw, length, crc)
        return parse_manifest(raw), FILE_SIZE + length
    except TooNew as error:
        raise NewerCapture(path, error.version, VERSION) from error
    except Broken as error:
        first = _next_block(data, 0)
        if first == len(data):
            known = start.startswith(FILE_MAGIC)
            what = "nothing in it can be saved" if known else "not a Seamline capture"
            raise UsageError(f"{path}: {what}", "it holds neither a manifest nor a block") from error
        return None, first


def _manifest_at_the_end(data: mmap.mmap) -> Manifest:
    """The copy of the manifest in the index; `NO_MANIFEST` where that is lost, too."""
    for part in _parts(data, _next_block(data, 0)):
        if isinstance(part, Whole) and part.head.type is BlockType.INDEX:
            try:
                return parse_index(part.content).manifest
            except Broken:
                return NO_MANIFEST
    return NO_MANIFEST


def _mapped(path: Path) -> mmap.mmap:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{path}: cannot read: {error.strerror}") from error
    try:
        return mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not a Seamline capture", "it is empty or not a regular file") from error
    finally:
        os.close(fd)
