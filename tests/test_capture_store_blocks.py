"""Blocks: records and losses come back; a payload that lies about its size costs nothing."""

import zlib
from dataclasses import replace

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.model import Losses
from seamline.capture.store import blocks
from seamline.capture.store.blocks import BlockInfo, block_info, losses_array, losses_of, open_payload, pack_records
from seamline.capture.store.frames import BLOCK_SIZE, MAX_BLOCK, BlockHead, BlockType, Broken, parse_block_head
from seamline.capture.store.records import pack_exchange, pack_head, unpack_head
from support.captures import an_exchange

COUNTS = st.integers(0, 1 << 40)
LOSSES = st.builds(
    Losses, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.dictionaries(st.text(max_size=20), COUNTS, max_size=5)
)


def split(block: bytes) -> tuple[BlockHead, bytes]:
    return parse_block_head(block[:BLOCK_SIZE]), block[BLOCK_SIZE:]


def claiming(payload: bytes, size: int) -> BlockHead:
    """A head that fits `payload` in every way and claims `size`."""
    return BlockHead(BlockType.RECORDS, 1, len(payload), size, zlib.crc32(payload))


@given(LOSSES)
def test_losses_come_back(losses: Losses) -> None:
    assert losses_of(unpack_head(pack_head(losses_array(losses)))) == losses


def test_endless_reasons_are_bounded_and_still_counted() -> None:
    many = {f"{number:04} {'x' * 500}": 1 for number in range(5000)}
    back = losses_of(unpack_head(pack_head(losses_array(Losses(dropped=5000, reasons=many)))))
    assert sum(back.reasons.values()) == 5000
    assert len(back.reasons) <= blocks.MAX_REASONS
    assert max(map(len, back.reasons)) <= blocks.MAX_REASON


@pytest.mark.parametrize("stored", [None, (), (1, 2), (1, 2, 3, 4, 5, -6, ()), ("1", 2, 3, 4, 5, 6, ())])
def test_malformed_losses_are_broken(stored: object) -> None:
    with pytest.raises(Broken):
        losses_of(stored)


@pytest.mark.parametrize("pair", [None, ("a",), ("a", "b"), (1, 2), ("a", 1, 2)])
def test_malformed_reasons_are_broken(pair: object) -> None:
    with pytest.raises(Broken):
        losses_of((0, 0, 0, 0, 0, 0, (pair,)))


def test_a_block_gives_back_its_records_and_its_information() -> None:
    info = BlockInfo(3, 5, 100, 200, Losses(dropped=2, reasons={"queue full": 2}))
    exchanges = [an_exchange(number) for number in range(3, 6)]
    head, payload = split(pack_records(info, [pack_exchange(e) for e in exchanges]))
    content = open_payload(head, payload)
    assert block_info(content)[0] == info
    assert list(blocks.records(head, content)) == exchanges


def test_a_wrong_number_of_records_is_broken() -> None:
    head, payload = split(pack_records(BlockInfo(), [pack_exchange(an_exchange())]))
    with pytest.raises(Broken, match="1 records where"):
        list(blocks.records(replace(head, count=2), open_payload(head, payload)))


def test_a_payload_that_breaks_off_or_was_changed_is_broken() -> None:
    head, payload = split(pack_records(BlockInfo(), [pack_exchange(an_exchange())]))
    with pytest.raises(Broken, match="breaks off"):
        open_payload(head, payload[:-1])
    with pytest.raises(Broken, match="checksum"):
        open_payload(head, payload[:-1] + bytes([payload[-1] ^ 1]))


def test_a_frame_that_declares_another_size_is_broken_before_memory_is_taken() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(200 << 20))
    with pytest.raises(Broken, match="differ"):
        open_payload(claiming(bomb, MAX_BLOCK), bomb)


def test_a_frame_that_declares_no_size_is_broken() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    frame = stream.compress(bytes(1000)) + stream.flush()
    with pytest.raises(Broken, match="differ"):
        open_payload(claiming(frame, 1000), frame)


def test_a_ratio_that_no_compressor_reaches_is_broken() -> None:
    with pytest.raises(Broken, match="belief"):
        open_payload(claiming(b"x", MAX_BLOCK), b"x")


def test_zeros_as_far_as_a_record_holds_them_are_within_the_ratio() -> None:
    content = bytes(48 << 20)
    head, payload = split(blocks.pack_block(BlockType.RECORDS, 1, content))
    assert open_payload(head, payload) == content


def test_bytes_after_the_frame_are_broken() -> None:
    frame = zstandard.ZstdCompressor().compress(b"content") + b"more"
    with pytest.raises(Broken):
        open_payload(claiming(frame, 7), frame)


@given(st.binary(max_size=100))
def test_what_is_no_frame_is_broken(payload: bytes) -> None:
    with pytest.raises(Broken):
        open_payload(claiming(payload, 50), payload)


@pytest.mark.parametrize("about", [b"", b"\xc0", pack_head((1, 2)), pack_head((1, 2, 3, "4", ())), b"\x81\x01\x02"])
def test_unreadable_block_information_is_broken(about: bytes) -> None:
    with pytest.raises(Broken, match="information"):
        block_info(blocks.PREFIX.pack(len(about), 0) + about)
