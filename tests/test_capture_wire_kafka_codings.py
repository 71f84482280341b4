"""Compressed batches: every coding, what does not unpack, and what unpacks without end."""

import gzip
import importlib
import zlib
from typing import Any

import cramjam
import pytest
import zstandard

from seamline.capture.wire.kafka import codings
from seamline.capture.wire.kafka.codings import Unread, raw_snappy, unpacked
from seamline.capture.wire.kafka.frames import Malformed

DATA = b"record " * 100
PACKED = {
    0: DATA,
    1: gzip.compress(DATA),
    2: bytes(cramjam.snappy.compress_raw(DATA)),
    3: bytes(cramjam.lz4.compress(DATA)),
    4: zstandard.compress(DATA),
}


@pytest.mark.parametrize("coding", PACKED)
def test_every_coding(coding: int) -> None:
    assert unpacked(coding, PACKED[coding]) == DATA


@pytest.mark.parametrize("coding", [1, 2, 3, 4])
def test_what_does_not_unpack_is_not_read(coding: int) -> None:
    with pytest.raises(Unread):
        unpacked(coding, b"\x0a\xff\xfe\x01 not packed at all")


@pytest.mark.parametrize("packed", [(1, gzip.compress(bytes(40 << 20))), (4, zstandard.compress(bytes(40 << 20)))])
def test_what_unpacks_without_end_is_not_read(packed: tuple[int, bytes]) -> None:
    with pytest.raises(Unread):
        unpacked(*packed)


def test_a_block_that_says_it_is_huge_is_not_read() -> None:
    with pytest.raises(Unread):
        raw_snappy(b"\xff\xff\xff\xff\x0f")


def test_an_unknown_coding_is_malformed() -> None:
    with pytest.raises(Malformed):
        unpacked(7, zlib.compress(DATA))


def test_without_cramjam_its_codings_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *rest: Any) -> Any:
        if name == "cramjam":
            raise ImportError(name)
        return importlib.__import__(name, *rest)

    monkeypatch.setattr(codings, "import_module", missing)
    with pytest.raises(Unread):
        unpacked(3, PACKED[3])
