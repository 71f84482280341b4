"""Compressed batches, unpacked up to a bound. Snappy and lz4 need cramjam; without it a batch is not read."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...codings import MAX_OUTPUT, CodingError, decode
from .frames import Malformed, Reader

_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEAD = 16
_LZ4_RATIO = 256


class Unread(Exception):
    """A batch that does not unpack, is too large, or whose coding is not at hand."""


def unpacked(coding: int, data: bytes) -> bytes:
    """A batch's records. `coding` is the low three bits of its attributes."""
    if not coding:
        return data
    unpack = _CODINGS.get(coding)
    if unpack is None:
        raise Malformed
    return unpack(data)


def _gzip(data: bytes) -> bytes:
    return _decoded(data, "gzip")


def _zstd(data: bytes) -> bytes:
    return _decoded(data, "zstd")


def _decoded(data: bytes, name: str) -> bytes:
    try:
        return decode(data, (name,))
    except CodingError as error:
        raise Unread from error


def _snappy(data: bytes) -> bytes:
    if not data.startswith(_XERIAL):
        return raw_snappy(data)
    # Java's own framing: a head, then blocks with their sizes.
    reader, made, size = Reader(data, _XERIAL_HEAD), [], 0
    while not reader.is_over:
        made.append(raw_snappy(reader.raw(reader.i32())))
        size += len(made[-1])
        if size > MAX_OUTPUT:
            raise Unread
    return b"".join(made)


def raw_snappy(data: bytes) -> bytes:
    """A block of snappy without a frame around it."""
    size = Reader(data).unsigned()
    if size > MAX_OUTPUT:
        raise Unread
    return _crammed("snappy.decompress_raw_into", data, size)


def _lz4(data: bytes) -> bytes:
    return _crammed("lz4.decompress_into", data, min(MAX_OUTPUT, _LZ4_RATIO * len(data) + 64))


def _crammed(name: str, data: bytes, size: int) -> bytes:
    """What cramjam's function `name` makes of `data`, in at most `size` bytes."""
    module, _, function = name.partition(".")
    try:
        cramjam: Any = import_module("cramjam")
    except ImportError as error:
        raise Unread from error
    into = bytearray(size)
    try:
        count = getattr(getattr(cramjam, module), function)(data, into)
    except cramjam.DecompressionError as error:
        raise Unread from error
    return bytes(into[:count])


_CODINGS: dict[int, Callable[[bytes], bytes]] = {1: _gzip, 2: _snappy, 3: _lz4, 4: _zstd}
