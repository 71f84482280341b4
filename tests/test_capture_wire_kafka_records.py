"""Records: batches and message sets in every coding."""

import gzip

import cramjam
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from seamline.capture.wire.kafka.codings import Unread
from seamline.capture.wire.kafka.frames import Malformed
from seamline.capture.wire.kafka.records import Record, records
from support.kafka_talk import batch, i32, message

PAIRS = [(b"k", b"one"), (None, b"two"), (b"gone", None)]
EXPECTED = [Record(5, b"k", b"one", ()), Record(6, None, b"two", ()), Record(7, b"gone", None, ())]


def xerial(raw: bytes) -> bytes:
    packed = bytes(cramjam.snappy.compress_raw(raw))
    return b"\x82SNAPPY\x00" + i32(1) + i32(1) + i32(len(packed)) + packed


PACKS = [
    (0, bytes),
    (1, gzip.compress),
    (2, lambda raw: bytes(cramjam.snappy.compress_raw(raw))),
    (2, xerial),
    (3, lambda raw: bytes(cramjam.lz4.compress(raw))),
    (4, zstandard.compress),
]


@pytest.mark.parametrize(("coding", "pack"), PACKS)
def test_batches_in_every_coding(coding: int, pack: object) -> None:
    assert list(records(batch(*PAIRS, base=5, coding=coding, pack=pack))) == EXPECTED


def test_a_batch_of_an_unknown_coding_is_malformed() -> None:
    with pytest.raises(Malformed):
        list(records(batch(*PAIRS, coding=5)))


def test_headers_and_several_batches() -> None:
    first = batch((b"a", b"1"), headers=[("traceparent", b"00")])
    assert list(records(first + batch((b"b", b"2"), base=1))) == [
        Record(0, b"a", b"1", (("traceparent", b"00"),)),
        Record(1, b"b", b"2", ()),
    ]


def test_a_batch_that_is_cut_off_is_left_out() -> None:
    assert len(list(records(batch(*PAIRS) + batch(*PAIRS)[:-3]))) == 3


def test_control_records_are_none() -> None:
    assert list(records(batch(*PAIRS, coding=0x20))) == []


@pytest.mark.parametrize("magic", [0, 1])
def test_messages_of_the_old_versions(magic: int) -> None:
    plain = message(magic, 3, b"k", b"v") + message(magic, 4, None, None)
    assert list(records(plain)) == [Record(3, b"k", b"v", ()), Record(4, None, None, ())]
    inner = message(magic, 0 if magic else 8, b"k", b"v") + message(magic, 1 if magic else 9, b"k", b"w")
    packed = message(magic, 9, None, gzip.compress(inner), coding=1)
    assert [record.offset for record in records(packed)] == [8, 9]


@given(st.binary(max_size=120))
def test_hostile_bytes_are_malformed(data: bytes) -> None:
    try:
        list(records(data))
    except (Malformed, Unread):
        return
