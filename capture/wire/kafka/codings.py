"""Compressed batches, unpacked up to a bound. Snappy and lz4 need cramjam; without it a batch is not read."""

import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Any

import zstandard

from .frames import Malformed, Reader

LARGEST = 32 << 20
"""Bytes that one batch may unpack to."""

_XERIAL = b"\x82SNAPPY\x00"
_LZ4_RATIO = 256


class Unread(Exception):
    """A batch that is too large, or whose coding is not at hand."""


def unpacked(coding: int, data: bytes) -> bytes:
    """A batch's records. `coding` is the low three bits of its attributes. Malformed where it does not unpack."""
    if not coding:
        return data
    unpack = _CODINGS.get(coding)
    if unpack is None:
        raise Malformed
    return unpack(data)


def _gzip(data: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        made = unzip.decompress(data, LARGEST)
    except zlib.error as error:
        raise Malformed from error
    if unzip.unconsumed_tail:
        raise Unread
    return made


def _zstd(data: bytes) -> bytes:
    try:
        made = zstandard.ZstdDecompressor(max_window_size=LARGEST).stream_reader(data).read(LARGEST + 1)
    except zstandard.ZstdError as error:
        raise Malformed from error
    if len(made) > LARGEST:
        raise Unread
    return made


def _cramjam() -> Any:
    try:
        return import_module("cramjam")
    except ImportError as error:
        raise Unread from error


def _snappy(data: bytes) -> bytes:
    if not data.startswith(_XERIAL):
        return _raw_snappy(data)
    # Java's own framing: 16 bytes of head, then blocks with their sizes.
    reader, made, size = Reader(data, 16), [], 0
    while not reader.is_over:
        made.append(_raw_snappy(reader.raw(reader.i32())))
        size += len(made[-1])
        if size > LARGEST:
            raise Unread
    return b"".join(made)


def _raw_snappy(data: bytes) -> bytes:
    size = Reader(data).unsigned()
    if size > LARGEST:
        raise Unread
    into = bytearray(size)
    cramjam = _cramjam()
    try:
        count = cramjam.snappy.decompress_raw_into(data, into)
    except cramjam.DecompressionError as error:
        raise Malformed from error
    return bytes(into[:count])


def _lz4(data: bytes) -> bytes:
    into = bytearray(min(LARGEST, _LZ4_RATIO * len(data) + 64))
    cramjam = _cramjam()
    try:
        count = cramjam.lz4.decompress_into(data, into)
    except cramjam.DecompressionError as error:
        raise Malformed from error
    return bytes(into[:count])


_CODINGS: dict[int, Callable[[bytes], bytes]] = {1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}
