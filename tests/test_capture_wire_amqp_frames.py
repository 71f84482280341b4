"""AMQP frames: chunks, lengths that lie, and values of tables."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import frame
from pamqp.commands import Queue

from seamline.capture.wire.amqp.frames import BODY, METHOD, Framer, Malformed, content, parse, plain

DECLARE = frame.marshal(Queue.Declare(queue="q"), 1)


@given(st.integers(1, 40))
def test_chunks_make_no_difference(step: int) -> None:
    data = DECLARE * 3
    framer = Framer()
    assert [each for at in range(0, len(data), step) for each in framer.feed(data[at : at + step])] == [
        (METHOD, 1, DECLARE)
    ] * 3


@pytest.mark.parametrize("data", [DECLARE[:-1] + b"\0", b"\x01\0\1\xff\xff\xff\xff", b"\x09\0\0\0\0\0\0\xce"])
def test_what_is_no_frame_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        list(Framer().feed(data))


def test_a_body_frame_is_its_content() -> None:
    assert content(bytes((BODY,)) + b"\0\1\0\0\0\2hi\xce") == b"hi"


@given(st.binary(max_size=60))
def test_hostile_methods_are_malformed(body: bytes) -> None:
    for kind in (1, 2):
        raw = bytes((kind,)) + b"\0\1" + len(body).to_bytes(4) + body + b"\xce"
        try:
            parse(raw)
        except Malformed:
            continue


@pytest.mark.parametrize(
    ("value", "json"),
    [
        ({"a": [b"x", b"\xff"]}, {"a": ["x", {"b64": "/w=="}]}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Decimal("1.5"), "1.5"),
        (float("inf"), "inf"),
        (None, None),
    ],
)
def test_values_are_json(value: Any, json: Any) -> None:
    assert plain(value) == json
