"""The fixed parts of a .seam file: its header, the head of a block, its trailer. PURE: bytes in, values out.

Rules of this file:
- nothing is believed before its own checksum matches, so a damaged length never steers a reader;
- every length is bounded here, before anyone takes memory for it;
- the only exceptions that leave are `Broken` and `TooNew`.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

FILE_MAGIC = b"\x89SEAM\r\n\x1a"
"""Like PNG's: not text, and a transfer that mends line ends breaks it at once."""
VERSION = 1
BLOCK_MAGIC = b"\xf5SB\xc1"
"""Starts every block; a search resynchronises on it. Text in UTF-8 holds neither 0xf5 nor 0xc1."""
TRAILER_MAGIC = b"SEAMEND\n"

MAX_MANIFEST = 1 << 19
MAX_BLOCK = 64 << 20
"""Bytes of one block, compressed or not."""

_FILE = struct.Struct("<8sHHII")  # magic, version, 0, manifest's length, CRC-32 of version, length and manifest
_BLOCK = struct.Struct(
    "<4sBxxxIIIII"
)  # magic, type, count, stored, size, CRC-32 of payload, CRC-32 of the 24 bytes before
_TRAILER = struct.Struct("<QI8s")  # the index block's offset, CRC-32 of the offset, magic
FILE_SIZE, BLOCK_SIZE, TRAILER_SIZE = _FILE.size, _BLOCK.size, _TRAILER.size


class Broken(ValueError):
    """Bytes that are not what should stand there; says why in a few words."""


class TooNew(ValueError):
    """A file of a later format version."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version


class BlockType(IntEnum):
    """What a block holds. Another type needs another version of the format."""

    RECORDS = 1
    INDEX = 2


@dataclass(frozen=True, slots=True)
class BlockHead:
    """The head of a block: `count` records, `stored` bytes of payload in the file, `size` bytes once decompressed,
    `crc` the CRC-32 of the stored bytes."""

    type: BlockType
    count: int
    stored: int
    size: int
    crc: int


def pack_file_head(manifest: bytes) -> bytes:
    """The file's header and the manifest behind it."""
    if len(manifest) > MAX_MANIFEST:
        raise Broken(f"manifest of {len(manifest)} bytes, {MAX_MANIFEST} are allowed")
    return _FILE.pack(FILE_MAGIC, VERSION, 0, len(manifest), _file_crc(VERSION, manifest)) + manifest


def parse_file_head(raw: bytes) -> tuple[int, int]:
    """Length and checksum of the manifest that follows these `FILE_SIZE` bytes."""
    if len(raw) < FILE_SIZE:
        raise Broken("the header breaks off")
    magic, version, reserved, length, crc = _FILE.unpack(raw[:FILE_SIZE])
    if magic != FILE_MAGIC:
        raise Broken("not a capture's first bytes")
    if version > VERSION:
        raise TooNew(version)
    if version < 1 or reserved or length > MAX_MANIFEST:
        raise Broken("impossible values in the header")
    return length, crc


def check_manifest(manifest: bytes, length: int, crc: int) -> None:
    """`Broken` unless `manifest` is whole and matches the header's checksum."""
    if len(manifest) != length:
        raise Broken("the manifest breaks off")
    if _file_crc(VERSION, manifest) != crc:
        raise Broken("the manifest's checksum does not match")


def _file_crc(version: int, manifest: bytes) -> int:
    return zlib.crc32(manifest, zlib.crc32(struct.pack("<HI", version, len(manifest))))


def pack_block_head(kind: BlockType, count: int, payload: bytes, size: int) -> bytes:
    """The head of a block whose compressed `payload` holds `size` bytes and `count` records."""
    if len(payload) > MAX_BLOCK or size > MAX_BLOCK:
        raise Broken(f"block of {size} bytes, {MAX_BLOCK} are allowed")
    start = _BLOCK.pack(BLOCK_MAGIC, kind, count, len(payload), size, zlib.crc32(payload), 0)[:-4]
    return start + struct.pack("<I", zlib.crc32(start))


def parse_block_head(raw: bytes) -> BlockHead:
    """The block head in these `BLOCK_SIZE` bytes."""
    if len(raw) < BLOCK_SIZE:
        raise Broken("a block's head breaks off")
    magic, kind, count, stored, size, crc, own = _BLOCK.unpack(raw[:BLOCK_SIZE])
    if magic != BLOCK_MAGIC:
        raise Broken("no block begins here")
    if zlib.crc32(raw[: BLOCK_SIZE - 4]) != own:
        raise Broken("the block head's checksum does not match")
    if kind not in (BlockType.RECORDS, BlockType.INDEX) or stored > MAX_BLOCK or size > MAX_BLOCK:
        raise Broken("unknown block type or impossible length")
    return BlockHead(BlockType(kind), count, stored, size, crc)


def pack_trailer(index_offset: int) -> bytes:
    """The file's last bytes."""
    return _TRAILER.pack(index_offset, zlib.crc32(struct.pack("<Q", index_offset)), TRAILER_MAGIC)


def parse_trailer(raw: bytes) -> int:
    """The index block's offset."""
    if len(raw) != TRAILER_SIZE:
        raise Broken("no trailer")
    offset, crc, magic = _TRAILER.unpack(raw)
    if magic != TRAILER_MAGIC or crc != zlib.crc32(raw[:8]):
        raise Broken("no trailer")
    return int(offset)
