from itertools import pairwise

import pytest
from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.header_blocks import MAX_HEADERS, Pairs
from seamline.capture.wire.http2 import FrameReader, Http2Error, code_name

HEAD = ((":method", "GET"), (":path", "/"))
BLOCK = Encoder().encode(HEAD)


class Log:
    """A sink that remembers; a body's pieces are joined."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []
        self.bodies: dict[int, bytes] = {}

    def headers(self, stream: int, pairs: Pairs, ended: bool) -> None:
        self.said.append(("headers", stream, pairs, ended))

    def data(self, stream: int, chunk: bytes, ended: bool) -> None:
        self.bodies[stream] = self.bodies.get(stream, b"") + chunk
        if ended:
            self.said.append(("end", stream))

    def reset(self, stream: int, code: int) -> None:
        self.said.append(("reset", stream, code))

    def goaway(self, last: int, code: int) -> None:
        self.said.append(("goaway", last, code))


def read(*chunks: bytes) -> Log:
    log = Log()
    reader = FrameReader(log)
    for chunk in chunks:
        reader.feed(chunk)
    return log


def wire(*frames: Frame) -> bytes:
    return b"".join(frame.serialize() for frame in (SettingsFrame(0), *frames))


CONVERSATION = wire(
    SettingsFrame(0, flags=["ACK"]),
    HeadersFrame(1, BLOCK[:2], flags=["PADDED", "PRIORITY"], pad_length=3, depends_on=0),
    ContinuationFrame(1, b""),
    ContinuationFrame(1, BLOCK[2:], flags=["END_HEADERS"]),
    PingFrame(0, b"12345678"),
    DataFrame(1, b"first"),
    WindowUpdateFrame(0, window_increment=70),
    WindowUpdateFrame(1, window_increment=70),
    DataFrame(1, b"second", flags=["PADDED"], pad_length=200),
    PriorityFrame(1),
    DataFrame(1, b"", flags=["PADDED"], pad_length=4),
    DataFrame(1, b"third" * 300, flags=["END_STREAM"]),
    HeadersFrame(3, BLOCK, flags=["END_HEADERS", "END_STREAM"]),
    RstStreamFrame(5, error_code=8),
    DataFrame(7, b"", flags=["END_STREAM"]),
    GoAwayFrame(0, last_stream_id=3, error_code=2, additional_data=b"because of " * 20),
    DataFrame(9, b"x", flags=["PADDED", "END_STREAM"], pad_length=1),
)
HEARD = [
    ("headers", 1, HEAD, False),
    ("end", 1),
    ("headers", 3, HEAD, True),
    ("reset", 5, 8),
    ("end", 7),
    ("goaway", 3, 2),
    ("end", 9),
]


def test_a_conversation_is_heard() -> None:
    log = read(CONVERSATION)
    assert log.said == HEARD
    assert log.bodies == {1: b"firstsecond" + b"third" * 300, 7: b"", 9: b"x"}


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=30))
def test_where_the_bytes_are_split_changes_nothing(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(CONVERSATION)]
    log = read(*(CONVERSATION[a:b] for a, b in pairwise(places)))
    assert log.said == HEARD
    assert log.bodies[1] == b"firstsecond" + b"third" * 300


def test_byte_by_byte_it_is_the_same() -> None:
    assert read(*(CONVERSATION[i : i + 1] for i in range(len(CONVERSATION)))).said == HEARD


def raw(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def test_an_unknown_frame_is_stepped_over_however_long() -> None:
    log = read(wire(), raw(0x77, bytes(1 << 20)), wire(HeadersFrame(1, BLOCK, flags=["END_HEADERS"])))
    assert log.said == [("headers", 1, HEAD, False)]


def test_a_large_frame_of_data_is_passed_on_as_it_comes() -> None:
    log = Log()
    reader = FrameReader(log)
    reader.feed(wire() + (1 << 23).to_bytes(3) + b"\x00\x01" + (1).to_bytes(4))
    reader.feed(b"abc")
    assert log.bodies == {1: b"abc"}
    assert log.said == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "bytes that are not HTTP/2"),
        (raw(0, b"x", stream=1), "bytes that are not HTTP/2"),
        (raw(4, b"", stream=1), "bytes that are not HTTP/2"),
        (wire() + raw(4, b"12345"), "a frame of an impossible size"),
        (wire() + raw(6, b"123"), "a frame of an impossible size"),
        (wire() + raw(3, b"123", stream=1), "a frame of an impossible size"),
        (wire() + raw(7, b"123"), "a frame of an impossible size"),
        (wire() + raw(8, b"123"), "a frame of an impossible size"),
        (wire() + raw(2, b"123", stream=1), "a frame of an impossible size"),
        (wire() + raw(1, b"", flags=0xC, stream=1), "a frame of an impossible size"),
        (wire() + raw(0, b"x"), "a frame of an impossible stream"),
        (wire() + raw(1, BLOCK, flags=4), "a frame of an impossible stream"),
        (wire() + raw(3, b"1234"), "a frame of an impossible stream"),
        (wire() + raw(6, b"12345678", stream=1), "a frame of an impossible stream"),
        (wire() + raw(0, b"\x05abc", flags=8, stream=1), "a frame that is all padding"),
        (wire() + raw(0, b"", flags=8, stream=1), "a frame of an impossible size"),
        (wire() + raw(1, b"\x05abc", flags=0xC, stream=1), "a frame that is all padding"),
        (wire() + raw(1, b"abc", flags=0x24, stream=1), "a frame that is all padding"),
        (wire() + raw(9, BLOCK, flags=4, stream=1), "headers that go on without a beginning"),
        (wire() + raw(1, BLOCK, stream=1) + raw(0, b"x", stream=1), "headers that break off"),
        (wire() + raw(1, BLOCK, stream=1) + raw(9, BLOCK, flags=4, stream=3), "headers that break off"),
        (wire() + raw(1, BLOCK, stream=1) + raw(6, b"12345678"), "headers that break off"),
        (wire() + raw(1, bytes(MAX_HEADERS + 1), stream=1), f"headers of more than {MAX_HEADERS} bytes"),
        (
            wire() + raw(1, bytes(40_000), stream=1) + raw(9, bytes(40_000), stream=1),
            f"headers of more than {MAX_HEADERS} bytes",
        ),
        (wire() + raw(1, b"", stream=1) + raw(9, b"", stream=1) * 300, "headers in more than 256 frames"),
        (wire() + raw(1, b"\xff\xff", flags=4, stream=1), "headers that do not decompress"),
        (wire(PushPromiseFrame(1, 2, BLOCK, flags=["END_HEADERS"])), "a pushed answer"),
    ],
)
def test_what_breaks_the_protocol_is_an_error(data: bytes, why: str) -> None:
    with pytest.raises(Http2Error, match=f"^{why}$"):
        read(data)


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_raise_anything_else(data: bytes, greeted: bool) -> None:
    try:
        read(wire() if greeted else b"", data[:100], data[100:])
    except Http2Error:
        return


@pytest.mark.parametrize(("code", "name"), [(0, "NO_ERROR"), (8, "CANCEL"), (13, "HTTP_1_1_REQUIRED"), (99, "code 99")])
def test_codes_have_names(code: int, name: str) -> None:
    assert code_name(code) == name
