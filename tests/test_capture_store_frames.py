"""The fixed parts: they come back as they were, and not one changed bit goes unnoticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.store import frames
from seamline.capture.store.frames import BlockType, Broken, TooNew


def header(manifest: bytes = b"manifest") -> bytes:
    return frames.pack_file_head(manifest)


def checked(raw: bytes) -> bytes:
    length, crc = frames.parse_file_head(raw[: frames.FILE_SIZE])
    manifest = raw[frames.FILE_SIZE : frames.FILE_SIZE + length]
    frames.check_manifest(manifest, length, crc)
    return manifest


@given(st.binary(max_size=200))
def test_the_header_gives_its_manifest_back(manifest: bytes) -> None:
    assert checked(header(manifest)) == manifest


def test_no_changed_bit_of_the_header_passes() -> None:
    raw = header()
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Broken, TooNew)):
            checked(bytes(changed))


def test_a_later_version_is_told_apart_from_damage() -> None:
    raw = bytearray(header())
    raw[8] = frames.VERSION + 1
    with pytest.raises(TooNew) as caught:
        frames.parse_file_head(bytes(raw))
    assert caught.value.version == frames.VERSION + 1


def test_a_header_that_breaks_off_is_broken() -> None:
    with pytest.raises(Broken, match="breaks off"):
        frames.parse_file_head(header()[: frames.FILE_SIZE - 1])
    with pytest.raises(Broken, match="breaks off"):
        checked(header()[:-1])


def test_a_manifest_over_the_limit_is_not_written() -> None:
    with pytest.raises(Broken):
        header(bytes(frames.MAX_MANIFEST + 1))


@given(st.sampled_from(BlockType), st.integers(0, 1 << 31), st.binary(max_size=50), st.integers(0, frames.MAX_BLOCK))
def test_a_block_head_gives_back_what_it_holds(kind: BlockType, count: int, payload: bytes, size: int) -> None:
    head = frames.parse_block_head(frames.pack_block_head(kind, count, payload, size))
    assert (head.type, head.count, head.stored, head.size) == (kind, count, len(payload), size)


def test_no_changed_bit_of_a_block_head_passes() -> None:
    raw = frames.pack_block_head(BlockType.RECORDS, 7, b"payload", 70)
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Broken):
            frames.parse_block_head(bytes(changed))


def test_a_block_over_the_limit_is_not_written() -> None:
    with pytest.raises(Broken):
        frames.pack_block_head(BlockType.RECORDS, 1, b"", frames.MAX_BLOCK + 1)


@given(st.integers(0, (1 << 64) - 1))
def test_the_trailer_gives_the_offset_back(offset: int) -> None:
    assert frames.parse_trailer(frames.pack_trailer(offset)) == offset


@given(st.binary(max_size=60))
def test_other_bytes_are_no_part_of_a_capture(raw: bytes) -> None:
    with pytest.raises(Broken):
        frames.parse_file_head(raw)
    with pytest.raises(Broken):
        frames.parse_block_head(raw)
    with pytest.raises(Broken):
        frames.parse_trailer(raw)
