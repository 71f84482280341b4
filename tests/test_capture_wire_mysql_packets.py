"""Packets: frames, chunks, and lengths that lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.mysql.packets import (
    LONGEST_FRAME,
    MOST_KEPT,
    Framer,
    Malformed,
    counted,
    counted_at,
    framed,
    string,
    string_at,
    zero_ended_at,
)


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 50))
def test_chunks_make_no_difference(bodies: list[bytes], step: int) -> None:
    data = b"".join(framed(number, body) for number, body in enumerate(bodies))
    framer = Framer()
    found = [packet for at in range(0, len(data), step) for packet in framer.feed(data[at : at + step])]
    assert [(packet.sequence, packet.body) for packet in found] == list(enumerate(bodies))
    assert all(packet.is_whole for packet in found)


@pytest.mark.parametrize("size", [LONGEST_FRAME - 1, LONGEST_FRAME, LONGEST_FRAME + 1])
def test_a_packet_of_several_frames_is_one_and_is_held_in_part(size: int) -> None:
    data = framed(0, bytes(size)) + framed(3, b"next")
    framer = Framer()
    large, after = [packet for at in range(0, len(data), 1 << 20) for packet in framer.feed(data[at : at + (1 << 20)])]
    assert (large.sequence, large.size, len(large.body)) == (0, size, MOST_KEPT)
    assert not large.is_whole
    assert after == (3, b"next", 4)


@given(st.integers(0, (1 << 64) - 1))
def test_a_counted_integer_comes_back(value: int) -> None:
    raw = counted(value)
    assert counted_at(raw, 0) == (value, len(raw))


@pytest.mark.parametrize("raw", [b"", b"\xfb", b"\xff", b"\xfc\x01", b"\x05abc"])
def test_what_ends_too_early_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        string_at(raw, 0)
    with pytest.raises(Malformed):
        zero_ended_at(raw, 0)


def test_a_string_comes_back() -> None:
    assert string_at(string(b"x" * 300) + b"rest", 0) == (b"x" * 300, 303)
