"""Messages: how bytes fall into them, and their documents. The only file that knows bson (pymongo's), and needs it.

Two rules hold here. A message longer than `MOST_KEPT` is told by its head alone. Whatever bson makes of hostile bytes
leaves here as `Malformed`.

After the MongoDB manual, "Wire Protocol", and the specifications of OP_MSG and OP_COMPRESSED.
"""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from ...codings import CodingError, decode
from ...errors import CouldNotCheck
from ..kafka.codings import Unread as SnappyUnread
from ..kafka.codings import raw_snappy
from ..kafka.frames import Malformed as SnappyMalformed

MOST_KEPT = 16 << 20
LONGEST_MESSAGE = 48_000_000
"""MongoDB's maxMessageSizeBytes."""

OP_REPLY, OP_QUERY, OP_COMPRESSED, OP_MSG = 1, 2004, 2012, 2013
CHECKSUM, MORE_TO_COME = 1, 2
DEEPEST = 100
"""MongoDB nests documents no deeper."""

_KNOWN = frozenset({OP_REPLY, OP_QUERY, OP_COMPRESSED, OP_MSG, 2001, 2002, 2005, 2006, 2007})
_HEAD = Struct("<iiii")
_I32, _U32 = Struct("<i"), Struct("<I")
_CODINGS: dict[int, tuple[str, ...]] = {0: (), 2: ("deflate",), 3: ("zstd",)}
_UUID_KINDS = frozenset({3, 4})


class Malformed(Exception):
    """Bytes that are no such message."""


class Unread(Exception):
    """A message that does not unpack, is too large, or whose coding is not at hand."""


class Message(NamedTuple):
    """`body` is what follows the head; it is None where it was not held."""

    number: int
    answers: int
    opcode: int
    body: bytes | None


class Framer:
    """Bytes of one direction in, messages out."""

    __slots__ = ("_rest", "_skipping")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes."""
        if self._skipping:
            skipped = min(self._skipping, len(data))
            self._skipping -= skipped
            data = data[skipped:]
        self._rest += data
        at, held = 0, self._rest
        try:
            while len(held) - at >= _HEAD.size:
                size, number, answers, opcode = _HEAD.unpack_from(held, at)
                if not _HEAD.size <= size <= LONGEST_MESSAGE or opcode not in _KNOWN:
                    raise Malformed
                stop = at + size
                if size > MOST_KEPT:
                    yield Message(number, answers, opcode, None)
                    self._skipping = max(stop - len(held), 0)
                    at = min(stop, len(held))
                    continue
                if stop > len(held):
                    return
                yield Message(number, answers, opcode, bytes(held[at + _HEAD.size : stop]))
                at = stop
        finally:
            del held[:at]


def uncompressed(body: bytes) -> tuple[int, bytes]:
    """What an OP_COMPRESSED holds: its opcode and body. Unread where that is too large or needs what is not here."""
    if len(body) < 9:
        raise Malformed
    opcode, size, kind = _I32.unpack_from(body)[0], _I32.unpack_from(body, 4)[0], body[8]
    if not 0 <= size <= LONGEST_MESSAGE:
        raise Malformed
    data = body[9:]
    try:
        if kind == 1:
            return opcode, raw_snappy(data)
        if kind in _CODINGS:
            return opcode, decode(data, _CODINGS[kind])
    except (CodingError, SnappyUnread, SnappyMalformed) as error:
        raise Unread from error
    raise Malformed


def parse_message(body: bytes) -> tuple[int, dict[str, Any]]:
    """An OP_MSG: its flags, and its document with its sequences of documents in it."""
    if len(body) < 5:
        raise Malformed
    flags: int = _U32.unpack_from(body)[0]
    end = len(body) - (4 if flags & CHECKSUM else 0)
    at, document, sequences = 4, None, {}
    while at < end:
        kind = body[at]
        size = _size(body, at + 1, end)
        section, at = body[at + 1 : at + 1 + size], at + 1 + size
        if kind == 0 and document is None:
            document = _decode(section)
        elif kind == 1:
            name, documents = _sequence(section)
            sequences[name] = documents
        else:
            raise Malformed
    if document is None:
        raise Malformed
    return flags, {**document, **sequences}


def _size(body: bytes, at: int, end: int) -> int:
    if at + 4 > end:
        raise Malformed
    size: int = _I32.unpack_from(body, at)[0]
    if size < 5 or at + size > end:
        raise Malformed
    return size


def _sequence(section: bytes) -> tuple[str, list[dict[str, Any]]]:
    stop = section.find(b"\0", 4)
    if stop < 0:
        raise Malformed
    at, found = stop + 1, []
    while at < len(section):
        size = _size(section, at, len(section))
        found.append(_decode(section[at : at + size]))
        at += size
    return section[4:stop].decode("utf-8", "backslashreplace"), found


@lru_cache(maxsize=1)
def _bson() -> tuple[Any, Any, Any]:
    try:
        bson = import_module("bson")
        options = import_module("bson.codec_options")
        errors = import_module("bson.errors")
    except ImportError as error:
        raise CouldNotCheck("MongoDB is read with pymongo's bson", 'pip install "seamline[mongodb]"') from error
    made = options.CodecOptions(
        unicode_decode_error_handler="replace", datetime_conversion=options.DatetimeConversion.DATETIME_AUTO
    )
    return bson, made, errors.InvalidBSON


def load() -> None:
    """Import bson, while nothing is recorded yet. CouldNotCheck where it is not installed."""
    _bson()


def _decode(raw: bytes) -> dict[str, Any]:
    bson, options, wrong = _bson()
    try:
        made: dict[str, Any] = bson.decode(raw, codec_options=options)
    except (wrong, ValueError, RecursionError, OverflowError, TypeError) as error:
        raise Malformed from error
    return made


def plain(value: Any, depth: int = 0) -> Any:
    """A BSON value as JSON: numbers, texts, booleans and null as such, bytes as {"b64": …}, others by their text."""
    if depth > DEEPEST:
        return None
    if isinstance(value, dict):
        return {str(key): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, bytes):
        if getattr(value, "subtype", 0) in _UUID_KINDS and len(value) == 16:
            return str(UUID(bytes=bytes(value)))
        return {"b64": b64encode(value).decode()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    return str(value)
