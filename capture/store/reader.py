"""Reads a capture: EDGE. Bounded memory, one block at a time; what is damaged is said when it is reached.

Rules of this file:
- the index is a help, never a need: a capture that a killed recorder left behind is read block by block;
- a last block that breaks off is what a kill leaves: `complete` is False, the loss is counted, no error;
- damage anywhere else is `DamagedCapture` with its offset, raised when an iteration reaches it, never skipped.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ..errors import DamagedCapture, NewerCapture, UsageError
from ..model import Ask, Exchange, Losses, Manifest
from .blocks import block_info, each_record, open_payload
from .frames import (
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
    parse_trailer,
)
from .index import Index, parse_index, parse_manifest
from .records import BadRecord, decode_ask, decode_record

TORN = "capture: its last block breaks off"
DAMAGED = "capture: damaged"
UNFINISHED = "capture: never closed by its recorder"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A block's place in the file: its head and the offset of its payload."""

    offset: int
    head: BlockHead

    @property
    def payload(self) -> int:
        """Offset of the payload."""
        return self.offset + BLOCK_SIZE

    @property
    def end(self) -> int:
        """Offset after the payload."""
        return self.payload + self.head.stored


def open_capture(path: Path) -> "CaptureReader":
    """Open a capture. `UsageError` if it is none or cannot be opened, `NewerCapture` if it is of a later version,
    `DamagedCapture` if its first bytes are damaged."""
    return CaptureReader(path)


class CaptureReader:
    """An open capture: iterate it as often as needed, each time from the start.

    `complete` is False where the capture was never finished; `losses` then are those that its last whole block
    knows, and one gap more. `count` is the number of exchanges, None where only reading all of it would tell.
    The size is taken when it is opened: what a recorder adds later is not seen.
    """

    manifest: Manifest
    losses: Losses
    complete: bool
    count: int | None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = _open(path)
        try:
            self._size = os.fstat(self._fd).st_size
            self.manifest, self._first = self._header()
            self.index = self._find_index()
            self._damage: DamagedCapture | None = None
            if self.index is None:
                self._survey()
            else:
                self._finished(self.index)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "CaptureReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Exchange]:
        return self._each(decode_record)

    def asks(self) -> Iterator[Ask]:
        """Iterate it without the answers."""
        return self._each(decode_ask)

    def _each[T](self, decode: Callable[[bytes, int, int, int], T]) -> Iterator[T]:
        seen: list[tuple[int, int]] = []
        at = self._first
        while at < self._end:
            stretch = self._stretch(at, self._end)
            seen.append((at, stretch.head.count))
            yield from self._records(stretch, decode)
            at = stretch.end
        if self._damage is not None:
            raise self._damage
        if self.index is not None and [(entry.offset, entry.count) for entry in self.index.entries] != seen:
            raise DamagedCapture(self.path, self._end, "its blocks are not those that its index names")

    def _records[T](self, stretch: Stretch, decode: Callable[[bytes, int, int, int], T]) -> Iterator[T]:
        if stretch.head.type is not BlockType.RECORDS:
            raise DamagedCapture(self.path, stretch.offset, "an index before the capture's end")
        try:
            yield from each_record(stretch.head, self._content(stretch), decode)
        except (Broken, BadRecord) as error:
            raise DamagedCapture(self.path, stretch.offset, str(error)) from error

    def _header(self) -> tuple[Manifest, int]:
        """The manifest, and the offset of the first block."""
        start = self._read(0, FILE_SIZE)
        if start[: len(FILE_MAGIC)] != FILE_MAGIC:
            raise UsageError(
                f"{self.path}: not a Seamline capture" + ("" if start else " (empty)"),
                "`seamline record` or `seamline capture import` writes one",
            )
        try:
            length, crc = parse_file_head(start)
            raw = self._read(FILE_SIZE, length)
            check_manifest(raw, length, crc)
            return parse_manifest(raw), FILE_SIZE + length
        except TooNew as error:
            raise NewerCapture(self.path, error.version, VERSION) from error
        except Broken as error:
            raise DamagedCapture(self.path, 0, str(error)) from error

    def _find_index(self) -> Index | None:
        """The index by way of the trailer; None where either is missing or damaged."""
        at = self._size - TRAILER_SIZE
        try:
            offset = parse_trailer(self._read(max(at, 0), TRAILER_SIZE))
            if not self._first <= offset < at:
                return None
            head = parse_block_head(self._read(offset, BLOCK_SIZE))
            stretch = Stretch(offset, head)
            if head.type is not BlockType.INDEX or stretch.end != at:
                return None
            index = parse_index(self._content(stretch))
        except Broken:
            # Told by _survey, which reads the blocks themselves and says how far they go.
            return None
        self._end = offset
        return index

    def _finished(self, index: Index) -> None:
        self.losses, self.complete, self.count = index.losses, True, index.count

    def _survey(self) -> None:
        """Find out, from the heads of the blocks alone, how far a capture without a trailer goes and what it lost."""
        at, count, last, why = self._first, 0, None, UNFINISHED
        while at < self._size:
            try:
                stretch = self._stretch(at, self._size)
            except DamagedCapture as damage:
                why = self._broken_off(at, damage)
                break
            if stretch.head.type is BlockType.INDEX:
                if self._adopt(stretch):
                    return
                why = self._broken_off(at, DamagedCapture(self.path, at, "unreadable index, or more behind it"))
                break
            if stretch.end == self._size and not self._whole(stretch):
                # A file system that lost power may have the length of a block and not its bytes.
                why = TORN
                break
            at, count, last = stretch.end, count + stretch.head.count, stretch
        self._end, self.complete = at, False
        self.count = count if self._damage is None else None
        self.losses = (self._losses_in(last) if last else Losses()) + Losses(gaps=1, reasons={why: 1})

    def _broken_off(self, at: int, damage: DamagedCapture) -> str:
        """Why the capture ends at `at`: torn, or with a damage to raise when an iteration comes there."""
        if self._torn(at):
            return TORN
        self._damage = damage
        return DAMAGED

    def _adopt(self, stretch: Stretch) -> bool:
        """Take an index that no whole trailer points to, if it is whole and the file's end."""
        if self._size - stretch.end > TRAILER_SIZE:
            return False
        try:
            self.index = parse_index(self._content(stretch))
        except Broken:
            return False
        self._end = stretch.offset
        self._finished(self.index)
        return True

    def _stretch(self, at: int, limit: int) -> Stretch:
        """The block at `at`, by its head; `DamagedCapture` where none begins or it does not end before `limit`."""
        try:
            stretch = Stretch(at, parse_block_head(self._read(at, BLOCK_SIZE)))
        except Broken as error:
            raise DamagedCapture(self.path, at, str(error)) from error
        if stretch.end > limit:
            raise DamagedCapture(self.path, at, "the block breaks off")
        return stretch

    def _torn(self, at: int) -> bool:
        """Whether the bytes from `at` on are what a kill or a power cut leaves: a block's beginning, or zeros."""
        start = self._read(at, BLOCK_SIZE)
        if len(start) < BLOCK_SIZE:
            return True
        try:
            return Stretch(at, parse_block_head(start)).end >= self._size
        except Broken:
            return self._zeros(at)

    def _zeros(self, at: int) -> bool:
        while at < self._size:
            piece = self._read(at, 1 << 16)
            if piece.strip(b"\0"):
                return False
            at += len(piece) or self._size
        return True

    def _whole(self, stretch: Stretch) -> bool:
        try:
            self._content(stretch)
        except Broken:
            return False
        return True

    def _losses_in(self, stretch: Stretch) -> Losses:
        try:
            return block_info(self._content(stretch))[0].losses
        except Broken:
            # The iteration will stop at this block and say so.
            return Losses()

    def _content(self, stretch: Stretch) -> bytes:
        return open_payload(stretch.head, self._read(stretch.payload, stretch.head.stored))

    def _read(self, at: int, length: int) -> bytes:
        """Up to `length` bytes at `at`, fewer at the end of the file."""
        try:
            return os.pread(self._fd, max(0, min(length, self._size - at)), at)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot read: {error.strerror}") from error


def _open(path: Path) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such capture") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise UsageError(f"{path}: not a file", "a capture is read from a regular file")
    return fd
