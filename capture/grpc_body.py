"""A gRPC body: length-prefixed messages in order (gRPC over HTTP/2, "Length-Prefixed-Message").

A prefix is a byte of flags (1: compressed; 128: trailers of gRPC-Web) and four of length, most significant first.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import orjson

from .codings import CodingError, decode, encode
from .protobuf import Json, Leaves, parse_message, rewrite_message

PREFIX = 5
"""Bytes before each message."""
COMPRESSED = 1
TRAILERS = 0x80
PROTOBUF_TYPES = frozenset({"application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf"})
"""Content types of a single message."""
_MAX_MESSAGES = 100_000
_MAGICS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))


class GrpcBodyError(ValueError):
    """The body is no sequence of whole messages; says why in a few words that quote nothing."""


class Message(NamedTuple):
    """One message as sent: its flags, and its bytes, compressed where the flags say so."""

    flags: int
    data: bytes


def split_messages(body: bytes) -> list[Message]:
    """The messages of `body`. Raises GrpcBodyError."""
    messages: list[Message] = []
    position, end = 0, len(body)
    while position < end:
        start = position + PREFIX
        position = start + int.from_bytes(body[position + 1 : start])
        if start > end or position > end:
            raise GrpcBodyError("a message breaks off")
        if body[start - PREFIX] & ~(COMPRESSED | TRAILERS):
            raise GrpcBodyError("a message with unknown flags")
        if len(messages) >= _MAX_MESSAGES:
            raise GrpcBodyError(f"more than {_MAX_MESSAGES} messages")
        messages.append(Message(body[start - PREFIX], body[start:position]))
    return messages


def join_messages(messages: Iterable[Message]) -> bytes:
    """The body that holds `messages`."""
    return b"".join([part for flags, data in messages for part in (flags.to_bytes() + len(data).to_bytes(4), data)])


def whole_messages(body: bytes) -> int:
    """Bytes of `body` that are whole messages; what follows has broken off."""
    position, end = 0, len(body)
    while position + PREFIX <= end:
        following = position + PREFIX + int.from_bytes(body[position + 1 : position + PREFIX])
        if following > end:
            break
        position = following
    return position


def coding_of(data: bytes) -> str:
    """The coding of a compressed message: `grpc-encoding` names it, and its first bytes show it. Raises CodingError."""
    for magic, name in _MAGICS:
        if data.startswith(magic):
            return name
    if len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0:
        return "deflate"
    raise CodingError("unknown message encoding")


def plain(message: Message, limit: int) -> bytes:
    """A message's bytes, decompressed to at most `limit` bytes. Raises CodingError."""
    if not message.flags & COMPRESSED or not message.data:
        return message.data
    return decode(message.data, (coding_of(message.data),), limit)


def packed(data: bytes, like: Message) -> Message:
    """`data` as a message of the flags and the coding of `like`."""
    if not like.flags & COMPRESSED or not like.data:
        return Message(like.flags, data)
    return Message(like.flags, encode(data, (coding_of(like.data),), like.data))


def readable_messages(body: bytes, content_type: str, limit: int = 1 << 20) -> list[Json] | None:
    """The messages of a gRPC body (or the one of a protobuf body) as JSON would say them, None where they do not parse
    or are more than `limit` bytes. Fields go by their numbers: `protobuf.parse_message`."""
    essence = content_type.partition(";")[0].strip().lower()
    inner = essence.partition("+")[2]
    try:
        if essence in PROTOBUF_TYPES:
            return [parse_message(body)] if len(body) <= limit else None
        if not essence.startswith("application/grpc") or inner not in _READERS:
            return None
        made: list[Json] = []
        for message in split_messages(body):
            if message.flags & TRAILERS:
                continue
            data = plain(message, limit)
            limit -= len(data)
            made.append(_READERS[inner](data))
    except ValueError:
        return None
    return made if limit >= 0 else None


def rewrite_messages(body: bytes, content_type: str, text: Callable[[str], str], limit: int = 1 << 20) -> bytes:
    """A gRPC body (or a protobuf body) with each string replaced by what `text` makes of it, and with lengths that fit;
    `body` itself where nothing changes, or where it does not parse or is larger than `limit` bytes."""
    essence = content_type.partition(";")[0].strip().lower()
    leaves = Leaves(text, lambda data: data, lambda value: value)
    try:
        if essence in PROTOBUF_TYPES:
            return rewrite_message(body, leaves) if len(body) <= limit else body
        if not essence.startswith("application/grpc") or essence.partition("+")[2] not in ("", "proto"):
            return body
        made: list[Message] = []
        for message in split_messages(body):
            data = plain(message, limit)
            limit -= len(data)
            changed = data if message.flags & TRAILERS else rewrite_message(data, leaves)
            made.append(message if changed is data else packed(changed, message))
    except ValueError:
        return body
    made_body = join_messages(made)
    return body if limit < 0 or made_body == body else made_body


_READERS: dict[str, Callable[[bytes], Json]] = {"": parse_message, "proto": parse_message, "json": orjson.loads}
