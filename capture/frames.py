"""What the recorder and its sanitizer process say to each other, as bytes.

A frame is length (4 bytes, little endian, of the payload), kind (1 byte), payload.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from .model import Losses, Manifest
from .sanitize.rules import Rules

MAX_FRAME = 64 << 20
"""Bytes of one payload: two bodies at their cap and their heads fit with room to spare."""

_HEADER = struct.Struct("<IB")


class Kind(IntEnum):
    """What a frame's payload is. To the scribe: TRUST, HELLO, EXCHANGE, TURN, WHOLE, REPLAYED, CALLS, LOSSES,
    CLOSE; from it: the others."""

    HELLO = 1
    EXCHANGE = 2
    LOSSES = 3
    CLOSE = 4
    READY = 5
    PROGRESS = 6
    SUMMARY = 7
    FAILED = 8
    TURN = 9
    TRUST = 10
    REPLAYED = 11
    WHOLE = 12
    CALLS = 13


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Hello:
    """What a scribe is started with. It carries the key, so it goes through the socket and never through argv."""

    output: Path
    manifest: Manifest
    key: bytes
    rules: Rules


@dataclass(frozen=True, slots=True)
class Trust:
    """What may come before a Hello, so that the work is under way while its manifest is still unknown: the values of
    the requests in the capture `trusted` pass unchanged, and those of the calls to the services `stubbed`, whose
    recorded answers are played to the one under test."""

    key: bytes
    rules: Rules
    trusted: Path
    stubbed: tuple[str, ...] = ()


def losses_of(payload: Mapping[str, Any]) -> Losses:
    """Losses as they came through a frame (the fields of `Losses`)."""
    return Losses(**payload)


class BrokenChannel(ValueError):
    """Bytes that are no frame."""


def header(kind: Kind, size: int) -> bytes:
    """What stands before a payload of `size` bytes."""
    return _HEADER.pack(size, kind)


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """One whole frame."""
    return _HEADER.pack(len(payload), kind) + payload


class FrameReader:
    """Cuts a stream of bytes into frames, wherever it is split."""

    __slots__ = ("_needed", "_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._needed = _HEADER.size

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The frames that are whole now. `BrokenChannel` for an unknown kind or a length over the limit."""
        self._parts.append(data)
        self._size += len(data)
        # A large frame comes in many pieces: they are joined once, when it is whole.
        if self._size < self._needed:
            return []
        buffer = b"".join(self._parts)
        frames: list[tuple[Kind, bytes]] = []
        start = 0
        self._needed = _HEADER.size
        while start + _HEADER.size <= len(buffer):
            size, kind = _HEADER.unpack_from(buffer, start)
            if size > MAX_FRAME or kind not in _KINDS:
                raise BrokenChannel(f"frame of kind {kind} and {size} bytes")
            end = start + _HEADER.size + size
            if end > len(buffer):
                self._needed = end - start
                break
            frames.append((_KINDS[kind], buffer[start + _HEADER.size : end]))
            start = end
        self._parts = [buffer[start:]]
        self._size = len(buffer) - start
        return frames
