"""What a block of records holds: a line about itself, then its records, compressed. PURE.

Rules of this file:
- a payload is decompressed only to the size that its checksummed head and its zstd frame agree on, below `MAX_BLOCK`;
- the only exceptions that leave are `Broken` (the block) and `BadRecord` (one record of a sound block).
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import zstandard

from ..model import Exchange, Losses
from .frames import MAX_BLOCK, BlockHead, BlockType, Broken, pack_block_head
from .records import PREFIX, BadRecord, decode_record, pack_head, record_bounds, unpack_head

LEVEL = 3
"""zstd's default: as fast here as level 1 within noise (docs/format.md)."""

MAX_RATIO = 45_000
"""What zstd itself reaches on zeros, three bytes for a run of 128 KiB: a head that claims more is forged."""

MAX_REASONS = 1 << 10
MAX_REASON = 120
"""Reasons of losses and characters of one, so that the losses fit into the information of every block."""

_COMPRESSOR = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True, write_checksum=False)
_DECOMPRESSOR = zstandard.ZstdDecompressor()


@dataclass(frozen=True, slots=True)
class BlockInfo:
    """What a block says of its own records, and of what was lost from the capture's start up to its writing.

    Seqs are those of the records, starts microseconds since the epoch; all 0 in a block without records.
    """

    seq_min: int = 0
    seq_max: int = 0
    started_min: int = 0
    started_max: int = 0
    losses: Losses = field(default_factory=Losses)


def pack_block(kind: BlockType, count: int, content: bytes) -> bytes:
    """A whole block around `content`."""
    payload = _COMPRESSOR.compress(content)
    return pack_block_head(kind, count, payload, len(content)) + payload


def pack_records(info: BlockInfo, packed: Sequence[bytes]) -> bytes:
    """A whole block of packed records."""
    about = pack_head(
        (info.seq_min, info.seq_max, info.started_min, info.started_max, losses_array(info.losses)),
    )
    return pack_block(BlockType.RECORDS, len(packed), b"".join((PREFIX.pack(len(about), 0), about, *packed)))


def open_payload(head: BlockHead, payload: bytes) -> bytes:
    """The content of a block, checked against its head."""
    if len(payload) != head.stored:
        raise Broken("the block breaks off")
    if zlib.crc32(payload) != head.crc:
        raise Broken("the block's checksum does not match")
    if head.size > MAX_BLOCK or head.size > head.stored * MAX_RATIO:
        raise Broken("the block claims to expand beyond belief")
    try:
        # zstandard allocates what the frame declares, whatever max_output_size says: look before it does.
        if zstandard.get_frame_parameters(payload).content_size != head.size:
            raise Broken("the block's two lengths differ")
        content = _DECOMPRESSOR.decompress(payload, max_output_size=head.size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Broken(f"not a zstd frame: {error}") from error
    if len(content) != head.size:
        raise Broken("the block's two lengths differ")
    return content


def block_info(content: bytes) -> tuple[BlockInfo, int]:
    """The block's line about itself, and where its first record begins."""
    try:
        head, tail, end = record_bounds(content, 0)
        about = unpack_head(content[head:tail])
    except BadRecord as error:
        raise Broken(f"unreadable block information: {error}") from error
    if not isinstance(about, tuple) or len(about) < 5 or any(type(number) is not int for number in about[:4]):
        raise Broken("unreadable block information")
    seq_min, seq_max, started_min, started_max = about[:4]
    return BlockInfo(seq_min, seq_max, started_min, started_max, losses_of(about[4])), end


def record_places(content: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """(head, tail, end) of every record from `at` on."""
    while at < len(content):
        try:
            head, tail, at = record_bounds(content, at)
        except BadRecord as error:
            raise Broken(str(error)) from error
        yield head, tail, at


def records(head: BlockHead, content: bytes) -> Iterator[Exchange]:
    """Every exchange of a block's content; see `each_record`."""
    return each_record(head, content, decode_record)


def each_record[T](head: BlockHead, content: bytes, decode: Callable[[bytes, int, int, int], T]) -> Iterator[T]:
    """What `decode` makes of every record of a block's content.

    `BadRecord` for one that is malformed, `Broken` if their number is wrong.
    """
    _, at = block_info(content)
    count = 0
    size = len(content)
    while at < size:
        start, tail, at = record_bounds(content, at)
        yield decode(content, start, tail, at)
        count += 1
    if count != head.count:
        raise Broken(f"{count} records where the block's head says {head.count}")


def losses_array(losses: Losses) -> tuple[object, ...]:
    """Losses as stored: long reasons are cut, the rarest beyond `MAX_REASONS` become one."""
    reasons: dict[str, int] = {}
    for reason, count in sorted(losses.reasons.items(), key=lambda item: (-item[1], item[0])):
        name = reason[:MAX_REASON] if len(reasons) < MAX_REASONS - 1 else "other reasons"
        reasons[name] = reasons.get(name, 0) + count
    counts = (losses.dropped, losses.withheld, losses.truncated, losses.gaps, losses.skipped, losses.expired)
    return (*counts, tuple(reasons.items()))


def losses_of(stored: object) -> Losses:
    """Losses of their stored form, or `Broken`."""
    if not isinstance(stored, tuple) or len(stored) < 7 or not isinstance(stored[6], tuple):
        raise Broken("unreadable losses")
    if any(type(count) is not int or count < 0 for count in stored[:6]):
        raise Broken("losses are not counts")
    reasons: dict[str, int] = {}
    for pair in stored[6]:
        if not isinstance(pair, tuple) or len(pair) != 2 or type(pair[0]) is not str or type(pair[1]) is not int:
            raise Broken("reasons of losses are not counts")
        reasons[pair[0]] = pair[1]
    dropped, withheld, truncated, gaps, skipped, expired = stored[:6]
    return Losses(dropped, withheld, truncated, gaps, skipped, expired, reasons)
