"""Writes a capture: EDGE.

Rules of this file:
- the file has its final name from the start and can be read while it grows: whole blocks, one write each;
- nothing that was handed in is lost silently: what does not fit is counted in the capture's losses;
- after a failed write nothing more is appended, so damage stays at the end.
"""

import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType

from ..errors import CouldNotCheck, SeamlineError, UsageError
from ..model import Exchange, Losses, Manifest
from .blocks import BlockInfo, pack_records
from .frames import FILE_MAGIC, Broken, pack_file_head, pack_trailer
from .index import Entry, Index, pack_index, pack_manifest
from .records import BadRecord, pack_exchange

BLOCK_TARGET = 256 << 10
"""Uncompressed bytes after which a block is cut: what a kill costs at most, and what a reader holds at once."""
BLOCKS_BEFORE_DOUBLING = 1 << 16
"""Very long captures get larger blocks (up to 8 MiB), so that their index stays within what a reader accepts."""


class CaptureWriter:
    """An open capture. `losses` is what has been lost up to now; whoever knows keeps it up to date, because each
    block carries it and a killed recorder's capture then still tells.

    Leaving the context manager closes with those losses; after an exception the file stays open-ended, which a
    reader shows as `complete=False`.
    """

    def __init__(self, path: Path, manifest: Manifest, *, block_target: int = BLOCK_TARGET) -> None:
        self.path = path
        self.losses = Losses()
        self.count = 0
        self._manifest = manifest
        self._target = block_target
        self._refused = Losses()
        self._told = Losses()
        self._entries: list[Entry] = []
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._spans = (0, 0, 0, 0)
        self._offset = 0
        try:
            head = pack_file_head(pack_manifest(manifest))
        except Broken as error:
            raise UsageError(f"{path}: {error}") from error
        self._fd: int | None = _create(path)
        self._append(head)

    @property
    def total(self) -> Losses:
        """What the capture lacks: `losses` and what the writer itself had to refuse."""
        return self.losses + self._refused if self._refused.dropped else self.losses

    def write(self, exchange: Exchange) -> bool:
        """Add an exchange; False where it is beyond the format's bounds and was counted as dropped instead."""
        try:
            raw = pack_exchange(exchange)
        except BadRecord as error:
            self._refused += Losses(dropped=1, reasons={f"store: {error}": 1})
            return False
        self.write_packed(raw, exchange.seq, exchange.started_us)
        return True

    def write_packed(self, raw: bytes, seq: int, started_us: int) -> None:
        """Add an exchange that `pack_exchange` has packed already."""
        if self._pending:
            seq_min, seq_max, first_us, last_us = self._spans
            self._spans = (
                seq if seq < seq_min else seq_min,
                seq if seq > seq_max else seq_max,
                started_us if started_us < first_us else first_us,
                started_us if started_us > last_us else last_us,
            )
        else:
            self._spans = (seq, seq, started_us, started_us)
        self._pending.append(raw)
        self._pending_bytes += len(raw)
        self.count += 1
        if self._pending_bytes >= self._target:
            self._cut()

    def flush(self, losses: Losses | None = None) -> None:
        """Put everything handed in so far into the file, with the losses up to now."""
        if losses is not None:
            self.losses = losses
        if self._pending or self.total != self._told:
            self._cut()

    def close(self, losses: Losses | None = None) -> None:
        """Finish the capture with its final losses: index, trailer, fsync. A second call does nothing."""
        if self._fd is None:
            return
        if losses is not None:
            self.losses = losses
        try:
            if self._pending:
                self._cut()
            at = self._offset
            index = Index(tuple(self._entries), self.total, self._manifest)
            self._append(pack_index(index) + pack_trailer(at))
            self._sync()
        finally:
            self._release()

    def abandon(self) -> None:
        """Let go of the file without finishing it. What was flushed stays readable."""
        self._release()

    def __enter__(self) -> "CaptureWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def _cut(self) -> None:
        """Write the pending records as one block."""
        packed, total = self._pending, self.total
        info = BlockInfo(*self._spans, total)
        block = pack_records(info, packed)
        entry = Entry.of(self._offset, len(packed), info)
        self._pending, self._pending_bytes, self._spans = [], 0, (0, 0, 0, 0)
        self._append(block)
        self._entries.append(entry)
        self._told = total
        if len(self._entries) % BLOCKS_BEFORE_DOUBLING == 0:
            self._target = min(self._target * 2, 8 << 20)

    def _append(self, data: bytes) -> None:
        if self._fd is None:
            raise UsageError(f"{self.path}: the capture is closed already")
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            self._release()
            raise CouldNotCheck(
                f"{self.path}: cannot write: {error.strerror}", "what was written before stays readable"
            ) from error
        self._offset += len(data)

    def _sync(self) -> None:
        if self._fd is not None and stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.fsync(self._fd)

    def _release(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def _create(path: Path) -> int:
    """Open `path` for writing, readable by its owner alone, locked against a second writer, emptied."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"{path}: cannot write: {error.strerror}", "choose another -o/--output") from error
    try:
        _take(fd, path)
    except OSError as error:
        os.close(fd)
        raise UsageError(f"{path}: cannot write: {error.strerror}", "choose another -o/--output") from error
    except SeamlineError:
        os.close(fd)
        raise
    return fd


def _take(fd: int, path: Path) -> None:
    """Make the open file ours. What is no capture is not overwritten: `-o app.py` is a slip, a second run is not."""
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"{path}: another process is writing this capture", "wait for it or choose another") from error
    present = os.pread(fd, len(FILE_MAGIC), 0)
    if present and present != FILE_MAGIC:
        raise UsageError(f"{path}: exists and is not a capture", "choose another name or remove it")
    os.fchmod(fd, 0o600)
    os.ftruncate(fd, 0)
