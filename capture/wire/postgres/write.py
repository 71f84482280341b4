"""The messages of a server, written: what a stub says. After PostgreSQL 18 docs, 54.7 (message formats)."""

from collections.abc import Mapping, Sequence
from struct import Struct

from .encode import with_length
from .messages import Column

_HEAD = Struct("!cI")
_FIELD = Struct("!IhIhih")
_SIZES = {
    16: 1,
    18: 1,
    20: 8,
    21: 2,
    23: 4,
    26: 4,
    700: 4,
    701: 8,
    1082: 4,
    1083: 8,
    1114: 8,
    1184: 8,
    1186: 16,
    2950: 16,
}

PARSE_COMPLETE = b"1\0\0\0\4"
BIND_COMPLETE = b"2\0\0\0\4"
CLOSE_COMPLETE = b"3\0\0\0\4"
NO_DATA = b"n\0\0\0\4"
EMPTY_QUERY = b"I\0\0\0\4"
SUSPENDED = b"s\0\0\0\4"
COPY_DONE = b"c\0\0\0\4"
AUTHENTICATED = b"R\0\0\0\x08\0\0\0\0"


def message(kind: bytes, body: bytes) -> bytes:
    """One message."""
    return _HEAD.pack(kind, len(body) + 4) + body


def ready(status: bytes) -> bytes:
    """ReadyForQuery; `status` is I, T or E."""
    return message(b"Z", status)


def parameter(name: str, value: str) -> bytes:
    """ParameterStatus."""
    return message(b"S", zero_ended(name) + zero_ended(value))


def key_data(pid: int, secret: int) -> bytes:
    """BackendKeyData."""
    return message(b"K", pid.to_bytes(4, "big") + secret.to_bytes(4, "big"))


def negotiated() -> bytes:
    """NegotiateProtocolVersion: 3.0, whatever newer one was asked for."""
    return message(b"v", (3 << 16).to_bytes(4, "big") + bytes(4))


def complete(tag: str) -> bytes:
    """CommandComplete."""
    return message(b"C", zero_ended(tag))


def error(fields: Mapping[str, str]) -> bytes:
    """ErrorResponse."""
    body = b"".join(letter.encode("latin-1") + zero_ended(text) for letter, text in fields.items())
    return message(b"E", body + b"\0")


def parameter_description(oids: Sequence[int]) -> bytes:
    """ParameterDescription."""
    return message(b"t", len(oids).to_bytes(2, "big") + b"".join(oid.to_bytes(4, "big") for oid in oids))


def row_description(columns: Sequence[Column]) -> bytes:
    """RowDescription; the columns belong to no table."""
    body = [len(columns).to_bytes(2, "big")]
    for column in columns:
        field = _FIELD.pack(0, 0, column.oid, _SIZES.get(column.oid, -1), -1, column.format)
        body.append(zero_ended(column.name) + field)
    return message(b"T", b"".join(body))


def data_row(values: Sequence[bytes | None]) -> bytes:
    """DataRow."""
    return message(b"D", len(values).to_bytes(2, "big") + b"".join(with_length(value) for value in values))


def copy_response(kind: bytes, columns: int) -> bytes:
    """CopyInResponse (G) or CopyOutResponse (H) in text."""
    return message(kind, b"\0" + columns.to_bytes(2, "big") + bytes(2 * columns))


def zero_ended(text: str) -> bytes:
    """A string as the protocol ends it. A zero byte within would end it early."""
    return text.replace("\0", "").encode("utf-8", "surrogatepass") + b"\0"
