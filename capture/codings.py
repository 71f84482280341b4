"""Content codings: gzip, deflate, br, zstd; taken off and put on again within bounds.

Two rules hold here. Every cap counts what comes out, never what goes in: 100 kB of gzip can be 100 MB of zeros.
A body that breaks off, goes on after its end or passes a cap is an error, never a shorter body.
"""

import zlib
from collections.abc import Callable, Iterable

import brotli
import zstandard

MAX_OUTPUT = 32 << 20
"""Bytes that one layer may grow to."""
MAX_RATIO = 200
"""Output bytes for one of input, once the output is larger than `FREE_OUTPUT`. JSON seldom passes 30."""
FREE_OUTPUT = 1 << 20
MAX_LAYERS = 4
_ZSTD_WINDOW = 8 << 20  # RFC 9659: a content coding's window is at most 8 MB
_ZSTD_STEP = 256  # bytes of input at a time: a zstd block of 4 bytes may be 128 KiB of output
_BROTLI_STEP = 1 << 16  # bytes of output at a time


class CodingError(ValueError):
    """A body does not decode: broken, unknown, or larger than the caps. Says which in a few words."""


def parse_codings(header_values: Iterable[str]) -> tuple[str, ...]:
    """The codings that Content-Encoding's `header_values` list, in the order in which they were applied."""
    names = (name.strip().lower() for value in header_values for name in value.split(","))
    return tuple(name.removeprefix("x-") for name in names if name not in ("", "identity"))


def decode(body: bytes, codings: tuple[str, ...], limit: int = MAX_OUTPUT) -> bytes:
    """`body` without `codings`. Raises CodingError."""
    if len(codings) > MAX_LAYERS:
        raise CodingError(f"{len(codings)} content codings")
    for name in reversed(codings):
        decoder = _DECODERS.get(name)
        if decoder is None:
            raise CodingError("unknown content coding")
        body = decoder(body, _cap(len(body), limit))
    return body


def encode(body: bytes, codings: tuple[str, ...], like: bytes = b"") -> bytes:
    """`body` with `codings` put on. `like`, the outermost coded original, says which of deflate's two forms is used."""
    for place, name in enumerate(codings):
        if name == "deflate" and place == len(codings) - 1 and like and not _has_zlib_header(like):
            body = _deflate_raw(body)
        else:
            body = _ENCODERS[name](body)
    return body


def _cap(size: int, limit: int) -> int:
    return min(limit, max(FREE_OUTPUT, size * MAX_RATIO))


def _gunzip(body: bytes, cap: int) -> bytes:
    """One or more gzip members (RFC 1952, 2.2)."""
    parts, room = [], cap
    while body:
        part, body = _inflate_one(body, room, 31)
        room -= len(part)
        parts.append(part)
    return b"".join(parts)


def _inflate(body: bytes, cap: int) -> bytes:
    """zlib as RFC 9110 wants, or the raw deflate that some servers send."""
    part, rest = _inflate_one(body, cap, 15 if _has_zlib_header(body) else -15)
    if rest:
        raise CodingError("goes on after its end")
    return part


def _inflate_one(body: bytes, cap: int, window: int) -> tuple[bytes, bytes]:
    inflater = zlib.decompressobj(wbits=window)
    try:
        part = inflater.decompress(body, cap + 1)
    except zlib.error as error:
        raise CodingError("does not decompress") from error
    _check_cap(len(part), cap)
    if not inflater.eof:
        raise CodingError("breaks off")
    return part, inflater.unused_data


def _has_zlib_header(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _unbrotli(body: bytes, cap: int) -> bytes:
    decoder = brotli.Decompressor()
    parts, size = [], 0
    try:
        part = decoder.process(body, output_buffer_limit=_BROTLI_STEP)
        while part:
            size += len(part)
            _check_cap(size, cap)
            parts.append(part)
            part = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=_BROTLI_STEP)
    except brotli.error as error:
        raise CodingError("does not decompress") from error
    if not decoder.is_finished():
        raise CodingError("breaks off")
    return b"".join(parts)


def _unzstd(body: bytes, cap: int) -> bytes:
    parts, size = [], 0
    while body:
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        position = 0
        try:
            while position < len(body) and not frame.eof:
                part = frame.decompress(body[position : position + _ZSTD_STEP])
                position += _ZSTD_STEP
                size += len(part)
                _check_cap(size, cap)
                parts.append(part)
        except zstandard.ZstdError as error:
            raise CodingError("does not decompress") from error
        if not frame.eof:
            raise CodingError("breaks off")
        body = frame.unused_data + body[position:]
    return b"".join(parts)


def _check_cap(size: int, cap: int) -> None:
    if size > cap:
        raise CodingError(f"decompresses to more than {cap} bytes")


def _deflate_raw(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(body) + deflater.flush()


def _gzip(body: bytes) -> bytes:
    """gzip without a time or a name in its header, so that equal bodies stay equal."""
    deflater = zlib.compressobj(wbits=31)
    return deflater.compress(body) + deflater.flush()


def _brotli(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=5))


def _zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(body)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "deflate": zlib.compress,
    "br": _brotli,
    "zstd": _zstd,
}
