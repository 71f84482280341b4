"""One direction in pieces: heads come out whole, wherever the bytes are split."""

from itertools import pairwise
from typing import Any

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.pieces import HEAD_CAP, Pieces


class Requests(Pieces):
    """Collects the heads, the bodies and why it gave up."""

    def __init__(self) -> None:
        super().__init__()
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.reasons: list[str | None] = []
        self.stops = 0

    def _fresh(self) -> Any:
        return httptools.HttpRequestParser(self)

    def _stopped(self) -> None:
        self.stops += 1

    def _give_up(self, reason: str | None) -> None:
        self.reasons.append(reason)

    def on_headers_complete(self) -> None:
        head = self._whole_head()
        self.heads.append(head)
        self.bodies.append(b"")
        self._chunked = b"chunked" in head.lower()

    def on_body(self, chunk: bytes) -> None:
        self._fed += len(chunk)
        self.bodies[-1] += chunk

    def on_message_complete(self) -> None:
        self._next_head()


GET = b"GET /a HTTP/1.1\r\nA: 1\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nContent-Length: 9\r\n\r\n"
CHUNKED = b"PUT /c HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
MESSAGES = [
    (GET, b"", b""),
    (POST, b"a\r\n\r\nb\r\n\r\n"[:9], b"a\r\n\r\nb\r\n\r\n"[:9]),
    (CHUNKED, b"6\r\na\r\n\r\nb\r\n1\r\nc\r\n0\r\n\r\n", b"a\r\n\r\nbc"),
    (CHUNKED, b"0\r\nTrailer: x\r\n\r\n", b""),
]


@given(
    which=st.lists(st.integers(0, len(MESSAGES) - 1), min_size=1, max_size=5),
    blank=st.booleans(),
    cuts=st.lists(st.integers(0, 600), max_size=10),
)
def test_heads_and_bodies_come_out_whole(which: list[int], blank: bool, cuts: list[int]) -> None:
    between = b"\r\n" if blank else b""
    stream = b"".join(between + MESSAGES[each][0] + MESSAGES[each][1] for each in which)
    marks = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    side = Requests()
    for begin, end in pairwise(marks):
        side.feed(stream[begin:end], 1)
    assert side.heads == [MESSAGES[each][0] for each in which]
    assert side.bodies == [MESSAGES[each][2] for each in which]
    assert side.reasons == []
    assert not side.open_head


def test_a_head_in_the_making_is_open_and_remembers_when_it_began() -> None:
    side = Requests()
    side.feed(GET[:5], 10)
    assert side.open_head
    side.feed(GET[5:], 20)
    assert not side.open_head
    assert side.began_us == 10


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01", b"GET / HTTP/1.1\r\nA B\r\n\r\n"])
def test_what_is_not_http_gives_up_without_a_reason(garbage: bytes) -> None:
    side = Requests()
    side.feed(garbage, 1)
    assert side.reasons == [None]


def test_an_upgrade_stops_the_parser() -> None:
    side = Requests()
    side.feed(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 1)
    assert side.stops == 1


def test_a_head_is_bounded() -> None:
    side = Requests()
    side.feed(b"GET / HTTP/1.1\r\nA: ", 1)
    for _ in range(HEAD_CAP // 1000 + 1):
        side.feed(b"x" * 1000, 1)
    assert side.reasons == ["a head is too large"]
