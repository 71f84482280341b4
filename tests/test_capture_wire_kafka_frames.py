"""Kafka frames: chunks, lengths that lie, and primitives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.kafka.frames import HEAD_KEPT, MOST_KEPT, Frame, Framer, Malformed, Reader, parse_request
from support.kafka_talk import i32, request, varint


@given(st.lists(st.binary(max_size=100), max_size=5), st.integers(1, 30))
def test_chunks_make_no_difference(bodies: list[bytes], step: int) -> None:
    data = b"".join(i32(len(body)) + body for body in bodies)
    framer = Framer()
    found = [frame for at in range(0, len(data), step) for frame in framer.feed(data[at : at + step])]
    assert found == [Frame(body, len(body)) for body in bodies]


def test_a_large_frame_is_told_by_its_head() -> None:
    size = MOST_KEPT + 10
    framer = Framer()
    data = i32(size) + bytes(size) + i32(1) + b"x"
    found = [frame for at in range(0, len(data), 1 << 20) for frame in framer.feed(data[at : at + (1 << 20)])]
    assert [(len(frame.body) >= HEAD_KEPT, frame.size) for frame in found] == [(True, size), (False, 1)]
    assert len(found[0].body) < size


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
def test_an_impossible_length_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        list(Framer().feed(data))


@given(st.integers(-(1 << 62), 1 << 62))
def test_a_varint_comes_back(value: int) -> None:
    assert Reader(varint(value)).varint() == value


@pytest.mark.parametrize("body", [b"", b"\xff" * 11, b"\x00\x01"])
def test_what_ends_too_early_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        Reader(body).unsigned() if len(body) > 2 else Reader(body).i64()


def test_tags_are_stepped_over() -> None:
    reader = Reader(b"\x01\x05\x02ab!")
    reader.tags()
    assert reader.raw(1) == b"!"


def test_a_requests_header() -> None:
    asked = parse_request(request(3, 8, 77, b"body")[1][4:])
    assert (asked.api, asked.version, asked.correlation) == (3, 8, 77)
    with pytest.raises(Malformed):
        parse_request(b"GET / HTTP/1.1")
