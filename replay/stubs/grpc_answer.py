"""What a gRPC stub sends for what was recorded: a head, a body, trailers; or a reset. PURE.

A failure that a client saw as a broken connection becomes UNAVAILABLE, the code that gRPC's clients make of one, since
other calls share the connection.
"""

import re
from typing import NamedTuple
from urllib.parse import quote

from ...capture.grpc_body import GrpcBodyError, join_messages, split_messages
from ...capture.model import Failure, FailureKind, Response
from ...capture.wire.http2 import error_code

INTERNAL, UNAVAILABLE = "13", "14"
"""Codes that a stub gives by itself (gRPC core, statuscodes.md)."""
_STATUS, _MESSAGE = "grpc-status", "grpc-message"
_OF_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "content-length", "size"}
)
_SILENT = frozenset({FailureKind.TIMEOUT, FailureKind.CANCELLED})
_RESET = re.compile(r"the server reset the stream: (\w+)")
_REFUSED = error_code("REFUSED_STREAM")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_LARGEST_VALUE = 8192  # characters: C core's clients take no more than 16 KiB of metadata

Pairs = list[tuple[bytes, bytes]]


class Said(NamedTuple):
    """An answer to send: `head` with the pseudo-header, `body`, `trailers`. With empty trailers the body ends it."""

    head: Pairs
    body: bytes
    trailers: Pairs


class Reset(NamedTuple):
    """The stream is reset with this error code."""

    code: int


def said_for_response(response: Response, *, is_grpc: bool) -> Said:
    """A recorded answer as it is sent. What stands from `grpc-status` on were trailers (capture/wire/grpc.py)."""
    if is_grpc and "size" in response.headers and not response.body:
        return said_for_code(UNAVAILABLE, "seamline: the recorded answer was too large to be kept in the capture")
    items = [(name.lower(), value) for name, value in response.headers.items]
    status_at = next((at for at, (name, _) in enumerate(items) if name == _STATUS), len(items))
    head = [(b":status", b"%d" % response.status), *_encoded(items[:status_at])]
    trailers = _encoded(items[status_at:])
    body = _whole(response.body) if is_grpc else response.body
    if is_grpc and not body and trailers:
        return Said([*head, *trailers], b"", [])
    if not is_grpc:
        head.append((b"content-length", b"%d" % len(body)))
    return Said(head, body, trailers)


def said_for_failure(failure: Failure, *, is_grpc: bool) -> Said | Reset | None:
    """A recorded failure as it is played: None for one that a client waited for in vain, and shall again."""
    if failure.kind in _SILENT:
        return None
    match = _RESET.fullmatch(failure.detail)
    code = error_code(match[1]) if match is not None else None
    # A refused stream is sent again by itself, which would be a call that nobody recorded.
    if code is not None and code != _REFUSED:
        return Reset(code)
    if not is_grpc:
        return Reset(error_code("INTERNAL_ERROR") or 0)
    return said_for_code(UNAVAILABLE, f"recorded failure: {failure.kind.value}: {failure.detail}")


def said_for_code(code: str, message: str) -> Said:
    """A gRPC error without more ("Trailers-Only")."""
    pairs = [("content-type", "application/grpc"), (_STATUS, code), (_MESSAGE, quote(message, safe=_PRINTABLE))]
    return Said([(b":status", b"200"), *_encoded(pairs)], b"", [])


def half_of(said: Said) -> Said:
    """An answer that breaks off in its middle."""
    return Said(said.head, said.body[: len(said.body) // 2], said.trailers)


def _whole(body: bytes) -> bytes:
    """A body that is a sequence of messages, or nothing: a broken one would break the connection for the others."""
    try:
        return join_messages(split_messages(body))
    except GrpcBodyError:
        return b""


def _encoded(items: list[tuple[str, str]]) -> Pairs:
    """Header fields in bytes, without those that belong to a connection, and without what HTTP/2 forbids: a capture is
    untrusted."""
    return [
        (name.encode(), _value(name, value))
        for name, value in items
        if name not in _OF_CONNECTION and _NAME.fullmatch(name)
    ]


def _value(name: str, value: str) -> bytes:
    if name == _MESSAGE and not (value.isascii() and value.isprintable()):
        value = quote(value, safe=_PRINTABLE + "%")
    cleaned = "".join(" " if character in "\0\r\n" else character for character in value[:_LARGEST_VALUE])
    return cleaned.strip(" \t").encode("latin-1", "replace")
