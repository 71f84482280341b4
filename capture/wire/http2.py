"""Frames of one direction of an HTTP/2 connection, read in passing (RFC 9113, sections 4 and 6).

Three rules hold here. Nothing is collected but one header block, within bounds: a DATA frame is handed on in the
pieces it comes in, what says nothing of requests is stepped over. Flow control is the peers' own affair. What breaks
the protocol ends the reading with an Http2Error, since nothing behind it can be trusted.

A frame's head is nine bytes: it is taken apart here, since an object for each would be most of what a tap spends.
"""

import struct
from typing import Protocol

from .header_blocks import MAX_HEADERS, HeaderBlockError, HeaderBlocks, Pairs

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first (RFC 9113, 3.4)."""

_DATA, _HEADERS, _PRIORITY, _RST_STREAM, _SETTINGS, _PUSH_PROMISE, _PING, _GOAWAY, _WINDOW_UPDATE, _CONTINUATION = (
    range(10)
)
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITISED = 0x1, 0x4, 0x8, 0x20
_ALONE = _END_HEADERS | _PRIORITISED
_SIZES = {_PRIORITY: 5, _RST_STREAM: 4, _PING: 8, _WINDOW_UPDATE: 4}
_OF_CONNECTION = frozenset({_SETTINGS, _PING, _GOAWAY})
_OF_STREAM = frozenset({_HEADERS, _PRIORITY, _RST_STREAM, _CONTINUATION})
_READ = frozenset({_HEADERS, _RST_STREAM, _GOAWAY, _CONTINUATION})
_HEAD = struct.Struct(">BHBBI")
_HEAD_SIZE = 9
_MAX_FRAGMENTS = 256

_CODES = (
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
)  # fmt: skip


class Http2Error(ValueError):
    """The bytes are no HTTP/2 that can be followed; says why in a few words that quote nothing."""


class FrameSink(Protocol):
    """Who is told of one direction's frames."""

    def headers(self, stream: int, pairs: Pairs, ended: bool) -> None:
        """A whole header block; `ended` says that the stream's sender is done."""

    def data(self, stream: int, chunk: bytes, ended: bool) -> None:
        """A piece of a body, padding taken off; may be empty."""

    def reset(self, stream: int, code: int) -> None:
        """RST_STREAM."""

    def goaway(self, last: int, code: int) -> None:
        """GOAWAY: streams above `last` were not looked at."""


def code_name(code: int) -> str:
    """An error code's name (RFC 9113, 7)."""
    return _CODES[code] if code < len(_CODES) else f"code {code}"


def error_code(name: str) -> int | None:
    """The error code of a name, None where there is none: the inverse of `code_name`."""
    return _CODES.index(name) if name in _CODES else None


class FrameReader:
    """Bytes of one direction (behind the client's preface) in, frames out. Spent after an Http2Error."""

    __slots__ = (
        "_block", "_block_ends", "_block_stream", "_blocks", "_data_left", "_ends", "_fragments", "_greeted", "_held",
        "_pad_left", "_sink", "_stream", "_wanted",
    )  # fmt: skip

    def __init__(self, sink: FrameSink) -> None:
        self._sink = sink
        self._blocks = HeaderBlocks()
        self._held = bytearray()  # the beginning of a frame that is read whole, until `_wanted` bytes are there
        self._wanted = _HEAD_SIZE
        self._greeted = False
        # A frame whose head was read and whose payload is still coming: a piece of body first, then bytes to skip.
        self._stream = 0
        self._ends = False
        self._data_left = 0
        self._pad_left = 0
        # A header block in more than one frame; stream 0 where there is none.
        self._block = b""
        self._block_stream = 0
        self._block_ends = False
        self._fragments = 0

    def feed(self, data: bytes) -> None:
        """The next bytes. Raises Http2Error."""
        held = self._held
        if held:
            held += data
            if len(held) < self._wanted:
                return
            data = bytes(held)
            held.clear()
        position = self._read(data)
        if position < len(data):
            held += data[position:]

    def _read(self, data: bytes) -> int:
        """Take the frames of `data`; where it stopped. `_wanted` says how much is needed from there."""
        position, end = 0, len(data)
        while True:
            if self._data_left or self._pad_left:
                position = self._rest(data, position)
                if position == end:
                    return position
            if end - position < _HEAD_SIZE:
                self._wanted = _HEAD_SIZE
                return position
            high, low, kind, flags, stream = _HEAD.unpack_from(data, position)
            size, stream, start = high << 16 | low, stream & 0x7FFFFFFF, position + _HEAD_SIZE
            stop = start + size
            if stop <= end and self._greeted and not self._block_stream and not flags & _PADDED:
                # Nearly every frame of a unary call; what is unusual in any way goes the long way round.
                if kind == _DATA and stream:
                    position = stop
                    self._sink.data(stream, data[start:stop], bool(flags & _END_STREAM))
                    continue
                if kind == _HEADERS and stream and flags & _ALONE == _END_HEADERS and size <= MAX_HEADERS:
                    position = stop
                    self._whole(stream, data[start:stop], bool(flags & _END_STREAM))
                    continue
                if kind == _WINDOW_UPDATE and size == _SIZES[_WINDOW_UPDATE]:
                    position = stop
                    continue
            self._check(kind, size, stream)
            needed = _needed(kind, flags, size)
            if end - start < needed:
                self._wanted = _HEAD_SIZE + needed
                return position
            position = start + needed
            self._frame(kind, flags, size, stream, data[start:position])

    def _frame(self, kind: int, flags: int, size: int, stream: int, payload: bytes) -> None:
        """A frame, with as much of its payload as is read at once; the rest is left to `_rest`."""
        if kind == _HEADERS:
            self._headers(flags, stream, payload)
        elif kind == _DATA:
            self._data(flags, size, stream, payload)
        elif kind == _CONTINUATION:
            self._continued(flags, stream, payload)
        elif kind == _RST_STREAM:
            self._sink.reset(stream, int.from_bytes(payload))
        else:
            if kind == _GOAWAY:
                self._sink.goaway(int.from_bytes(payload[:4]) & 0x7FFFFFFF, int.from_bytes(payload[4:8]))
            self._data_left, self._pad_left = 0, size - len(payload)

    def _data(self, flags: int, size: int, stream: int, payload: bytes) -> None:
        if flags & _PADDED and not payload:
            raise Http2Error("a frame of an impossible size")
        pad = payload[0] if flags & _PADDED else 0
        left = size - len(payload) - pad
        if left < 0:
            raise Http2Error("a frame that is all padding")
        self._stream, self._ends = stream, bool(flags & _END_STREAM)
        self._data_left, self._pad_left = left, pad
        if not left:
            self._sink.data(stream, b"", self._ends)

    def _rest(self, data: bytes, position: int) -> int:
        """What is due of a payload that is not read at once."""
        if self._data_left:
            chunk = data[position : position + self._data_left]
            if chunk:
                self._data_left -= len(chunk)
                position += len(chunk)
                self._sink.data(self._stream, chunk, self._ends and not self._data_left)
        if not self._data_left and self._pad_left:
            skipped = min(self._pad_left, len(data) - position)
            self._pad_left -= skipped
            position += skipped
        return position

    def _check(self, kind: int, size: int, stream: int) -> None:
        if not self._greeted:
            # Both sides begin with their settings (RFC 9113, 3.4): what does not is another protocol.
            if kind != _SETTINGS or stream:
                raise Http2Error("bytes that are not HTTP/2")
            self._greeted = True
        if self._block_stream and (kind != _CONTINUATION or stream != self._block_stream):
            raise Http2Error("headers that break off")
        if kind == _CONTINUATION and not self._block_stream:
            raise Http2Error("headers that go on without a beginning")
        if kind == _PUSH_PROMISE:
            raise Http2Error("a pushed answer")
        if size != _SIZES.get(kind, size) or (kind == _GOAWAY and size < 8) or (kind == _SETTINGS and size % 6):
            raise Http2Error("a frame of an impossible size")
        if (kind in _OF_CONNECTION and stream) or (kind in _OF_STREAM and not stream) or (kind == _DATA and not stream):
            raise Http2Error("a frame of an impossible stream")
        if kind in (_HEADERS, _CONTINUATION) and size + len(self._block) > MAX_HEADERS:
            raise Http2Error(f"headers of more than {MAX_HEADERS} bytes")

    def _headers(self, flags: int, stream: int, payload: bytes) -> None:
        start, pad = 0, 0
        if flags & _PADDED:
            if not payload:
                raise Http2Error("a frame of an impossible size")
            start, pad = 1, payload[0]
        if flags & _PRIORITISED:
            start += 5
        if start + pad > len(payload):
            raise Http2Error("a frame that is all padding")
        block = payload[start : len(payload) - pad] if start or pad else payload
        if flags & _END_HEADERS:
            self._whole(stream, block, bool(flags & _END_STREAM))
        else:
            self._block, self._block_stream, self._block_ends = block, stream, bool(flags & _END_STREAM)
            self._fragments = 0

    def _continued(self, flags: int, stream: int, payload: bytes) -> None:
        self._block += payload
        self._fragments += 1
        if flags & _END_HEADERS:
            block, self._block, self._block_stream = self._block, b"", 0
            self._whole(stream, block, self._block_ends)
        elif self._fragments > _MAX_FRAGMENTS:
            raise Http2Error(f"headers in more than {_MAX_FRAGMENTS} frames")

    def _whole(self, stream: int, block: bytes, ended: bool) -> None:
        try:
            pairs = self._blocks.decode(block)
        except HeaderBlockError as error:
            raise Http2Error(str(error)) from error
        self._sink.headers(stream, pairs, ended)


def _needed(kind: int, flags: int, size: int) -> int:
    """Bytes of the payload that are read at once; what is left is body or nobody's business."""
    if kind == _GOAWAY:
        return 8
    if kind in _READ:
        return size
    return min(size, 1) if kind == _DATA and flags & _PADDED else 0
