"""Frames between the recorder and its sanitizer process."""

import json
from dataclasses import asdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.frames import MAX_FRAME, BrokenChannel, FrameReader, Kind, frame, header, losses_of
from seamline.capture.model import Losses


@given(
    frames=st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=50)), max_size=8),
    cuts=st.lists(st.integers(0, 500), max_size=10),
)
def test_frames_come_out_as_they_went_in_wherever_the_stream_is_split(
    frames: list[tuple[Kind, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(frame(kind, payload) for kind, payload in frames)
    marks = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader = FrameReader()
    seen = [each for a, b in pairwise(marks) for each in reader.feed(stream[a:b])]
    assert seen == frames


def test_header_and_payload_make_a_frame() -> None:
    assert header(Kind.EXCHANGE, 3) + b"abc" == frame(Kind.EXCHANGE, b"abc")


@pytest.mark.parametrize("broken", [header(Kind.EXCHANGE, MAX_FRAME + 1), b"\x00\x00\x00\x00\xff"])
def test_what_is_no_frame_is_refused(broken: bytes) -> None:
    with pytest.raises(BrokenChannel):
        FrameReader().feed(broken)


def test_losses_survive_the_channel() -> None:
    losses = Losses(dropped=1, gaps=2, reasons={"why": 3})
    assert losses_of(json.loads(json.dumps(asdict(losses)))) == losses
