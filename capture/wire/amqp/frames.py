"""Frames: how bytes fall into them, and what stands in each. The only file that knows pamqp.

Two rules hold here. A frame longer than any that peers agree on is malformed, so little is held. Whatever pamqp makes
of hostile bytes leaves here as `Malformed`.
"""

import struct
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from struct import Struct
from typing import Any

from pamqp import frame
from pamqp.base import Frame as Method
from pamqp.exceptions import PAMQPException
from pamqp.header import ContentHeader

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
PROTOCOL = b"AMQP\x00\x00\x09\x01"
LONGEST_FRAME = 4 << 20
"""Bytes; peers agree on 128 KiB unless they are told otherwise."""

DEEPEST_TABLE = 32
_HEAD = Struct(">BHI")
_END = 0xCE


class Malformed(Exception):
    """Bytes that are no such frame."""


class Framer:
    """Bytes of one direction in, `(kind, channel, whole frame)` out."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """The frames that `data` completes."""
        data = self._rest + data
        self._rest = b""
        at, end = 0, len(data)
        while end - at >= _HEAD.size:
            kind, channel, size = _HEAD.unpack_from(data, at)
            stop = at + _HEAD.size + size + 1
            if size > LONGEST_FRAME or kind not in {METHOD, HEADER, BODY, HEARTBEAT}:
                raise Malformed
            if stop > end:
                break
            if data[stop - 1] != _END:
                raise Malformed
            yield kind, channel, data[at:stop]
            at = stop
        self._rest = data[at:]


def content(raw: bytes) -> bytes:
    """A body frame's piece of a message."""
    return raw[_HEAD.size : -1]


def parse(raw: bytes) -> Method | ContentHeader:
    """A method or header frame."""
    try:
        made = frame.unmarshal(raw)[2]
    except (PAMQPException, struct.error, ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise Malformed from error
    if not isinstance(made, Method | ContentHeader):
        raise Malformed
    return made


def plain(value: Any, depth: int = 0) -> Any:
    """A field's value as JSON."""
    if depth > DEEPEST_TABLE:
        return None
    if isinstance(value, dict):
        return {str(key): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return {"b64": b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float) and abs(value) >= float("inf"):
        return str(value)
    return value if isinstance(value, str | int | float | None) else str(value)
