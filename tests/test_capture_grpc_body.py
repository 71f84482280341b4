import gzip
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.codings import CodingError
from seamline.capture.grpc_body import (
    GrpcBodyError,
    Message,
    coding_of,
    join_messages,
    packed,
    plain,
    readable_messages,
    rewrite_messages,
    split_messages,
    whole_messages,
)

TWO = b"\0\0\0\0\3one\1\0\0\0\0"


def test_messages_are_split_and_joined() -> None:
    messages = split_messages(TWO)
    assert messages == [Message(0, b"one"), Message(1, b"")]
    assert join_messages(messages) == TWO
    assert split_messages(b"") == []


@given(st.lists(st.tuples(st.sampled_from([0, 1, 0x80, 0x81]), st.binary(max_size=300)), max_size=5))
def test_splitting_undoes_joining(pairs: list[tuple[int, bytes]]) -> None:
    messages = [Message(*pair) for pair in pairs]
    body = join_messages(messages)
    assert split_messages(body) == messages
    assert whole_messages(body) == len(body)


@pytest.mark.parametrize("size", range(1, len(TWO)))
def test_what_breaks_off_is_told_and_measured(size: int) -> None:
    if size == 8:
        assert len(split_messages(TWO[:size])) == 1
    else:
        with pytest.raises(GrpcBodyError, match="breaks off"):
            split_messages(TWO[:size])
    assert whole_messages(TWO[:size]) == (8 if size >= 8 else 0)


def test_odd_flags_and_a_flood_are_refused() -> None:
    with pytest.raises(GrpcBodyError, match="unknown flags"):
        split_messages(b"\2\0\0\0\0")
    with pytest.raises(GrpcBodyError, match="more than"):
        split_messages(bytes(5) * 100_001)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(b"abc"), "gzip"),
        (zlib.compress(b"abc"), "deflate"),
        (zstandard.ZstdCompressor().compress(b"abc"), "zstd"),
    ],
)
def test_a_compressed_message_shows_its_coding(data: bytes, name: str) -> None:
    message = Message(1, data)
    assert coding_of(data) == name
    assert plain(message, 100) == b"abc"
    again = packed(b"abcd", message)
    assert (again.flags, coding_of(again.data), plain(again, 100)) == (1, name, b"abcd")


def test_what_is_not_compressed_stays() -> None:
    assert plain(Message(0, b"\x1f\x8b"), 0) == b"\x1f\x8b"
    assert plain(Message(1, b""), 0) == b""
    assert packed(b"x", Message(0, b"y")) == Message(0, b"x")


@pytest.mark.parametrize("data", [b"snappy", b"\x1f\x8b broken", gzip.compress(bytes(5000))])
def test_what_does_not_decompress_within_bounds_is_an_error(data: bytes) -> None:
    with pytest.raises(CodingError):
        plain(Message(1, data), 1000)


@pytest.mark.parametrize(
    ("body", "content_type", "shown"),
    [
        (b"\0\0\0\0\2\x08\x05" + b"\0\0\0\0\4\x0a\2hi", "application/grpc", [{"1": 5}, {"1": "hi"}]),
        (b"\0\0\0\0\2\x08\x05", "application/grpc+proto", [{"1": 5}]),
        (b'\0\0\0\0\7{"a":1}', "application/grpc+json", [{"a": 1}]),
        (b"", "application/grpc", []),
        (b"\0\0\0\0\1x", "application/grpc", None),
        (b"\0\0\0\0\1{", "application/grpc+json", None),
        (b"\0\0\0\0\1", "application/grpc", None),
        (b"\0\0\0\0\2\x08\x05", "application/grpc+flatbuffers", None),
        (b"\x08\x05", "application/x-protobuf", [{"1": 5}]),
        (b"\x08\x05", "text/plain", None),
        (b"\1\0\0\0\1x", "application/grpc", None),
    ],
)
def test_bodies_are_readable_where_they_parse(body: bytes, content_type: str, shown: object) -> None:
    assert readable_messages(body, content_type) == shown


def test_a_compressed_body_is_readable() -> None:
    body = join_messages([packed(b"\x08\x05", Message(1, gzip.compress(b"x")))])
    assert readable_messages(body, "application/grpc") == [{"1": 5}]


def shout(text: str) -> str:
    return text.upper() + "!"


@pytest.mark.parametrize(
    ("body", "content_type", "made"),
    [
        (b"\x0a\2hi", "application/x-protobuf", b"\x0a\3HI!"),
        (b"\0\0\0\0\4\x0a\2hi" * 2, "application/grpc+proto", b"\0\0\0\0\5\x0a\3HI!" * 2),
        (b"\0\0\0\0\2\x08\5", "application/grpc", None),
        (b"\0\0\0\0\1x", "application/grpc", None),
        (b'\0\0\0\0\7{"a":1}', "application/grpc+json", None),
        (b"hi", "text/plain", None),
        (b"", "application/grpc", None),
    ],
)
def test_strings_of_a_body_are_rewritten_and_lengths_fit(body: bytes, content_type: str, made: bytes | None) -> None:
    got = rewrite_messages(body, content_type, shout)
    if made is None:
        assert got is body
    else:
        assert got == made


def test_strings_of_a_compressed_body_are_rewritten() -> None:
    body = join_messages([packed(b"\x0a\2hi", Message(1, gzip.compress(b"x")))])
    made = rewrite_messages(body, "application/grpc", shout)
    assert readable_messages(made, "application/grpc") == [{"1": "HI!"}]


def test_more_than_the_limit_is_left_alone() -> None:
    body = join_messages([Message(0, b"\x0a\2hi")] * 3)
    assert rewrite_messages(body, "application/grpc", shout, 11) is body
    assert readable_messages(body, "application/grpc", 11) is None
