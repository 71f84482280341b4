"""Protobuf without its schema: the wire format of a message, read and rewritten in place.

Three rules hold here. What the bytes leave open (a string, a message and packed numbers look alike) is decided by what
is plausible, and always in the same way. A message that is rewritten keeps every byte but the values that change and
the lengths around them. Depth and number of fields are bounded.

Source: protobuf.dev, "Encoding". Groups (wire types 3 and 4), deprecated since proto2, are not followed.
"""

import math
import re
import struct
from base64 import b64encode
from collections.abc import Callable
from typing import NamedTuple

MAX_DEPTH = 40
"""Messages within messages; what lies deeper is bytes. Protobuf's own libraries stop at 100."""
MAX_FIELDS = 200_000
"""Fields of one message, nested ones included."""
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MAX_NUMBER = (1 << 29) - 1
_MOST_BYTES = 10  # of a varint
_LONGEST_NAME = 64  # bytes
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACES = frozenset("\t\n\r")

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
"""What JSON can say."""


class ProtobufError(ValueError):
    """The bytes are no message; says why in a few words that quote nothing."""


class Field(NamedTuple):
    """Where a field stands: its number and wire type; its tag begins at `begin`, its value at `start`, and ends at
    `end`. A length stands between a tag and a value of wire type 2."""

    number: int
    wire: int
    begin: int
    start: int
    end: int


class Leaves(NamedTuple):
    """What becomes of a message's values: each is replaced by what its function says."""

    text: Callable[[str], str]
    opaque: Callable[[bytes], bytes]
    """Bytes that are neither text nor a message."""
    integer: Callable[[int], int]
    under: "Callable[[str], Leaves | None]" = lambda _: None
    """What becomes of the value that stands under a name, as in a map's entry; None for the same as elsewhere."""


def parse_message(data: bytes) -> dict[str, Json]:
    """A message as field number → value, a list where a number repeats: integers as they are unsigned, 64 and 32 bits
    as a fraction where they look like one, text, messages as objects, packed numbers as lists, bytes as {"b64": …}.
    Raises ProtobufError."""
    return _parsed(data, 0, _Budget())


def rewrite_message(data: bytes, leaves: Leaves) -> bytes:
    """The message `data` with its values replaced; `data` itself where nothing changes. Raises ProtobufError."""
    budget = _Budget()
    return _rewritten(data, fields_of(data, budget), leaves, 0, budget)


def rewrite_payload(data: bytes, leaves: Leaves) -> bytes:
    """The same for bytes that may be a message, text or something else, as the value of a length-delimited field is.
    Raises ProtobufError."""
    return _replaced_payload(data, leaves, 0, _Budget()) if data else data


def fields_of(data: bytes, budget: "_Budget | None" = None) -> list[Field]:
    """The fields of one message, nested ones unopened. Raises ProtobufError."""
    fields: list[Field] = []
    room = MAX_FIELDS if budget is None else budget.left
    position, end = 0, len(data)
    while position < end:
        begin = position
        # Most tags and lengths are one byte, and this loop is most of the work.
        tag = data[position]
        position += 1
        if tag > 0x7F:
            tag, position = _varint(data, begin)
        number, wire = tag >> 3, tag & 7
        if not 0 < number <= _MAX_NUMBER:
            raise ProtobufError("an impossible field number")
        if wire == _LENGTH:
            size, position = _varint(data, position)
        elif wire == _VARINT:
            size = _varint(data, position)[1] - position
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ProtobufError("a group or an unknown wire type")
        start, position = position, position + size
        if position > end:
            raise ProtobufError("a field breaks off")
        if len(fields) >= room:
            raise _TooMany(f"more than {MAX_FIELDS} fields")
        fields.append(Field(number, wire, begin, start, position))
    if budget is not None:
        budget.left -= len(fields)
    return fields


def is_fractions(data: bytes) -> bool:
    """Whether `data` is what packed floats or doubles look like."""
    return bool(data) and (
        (len(data) % 4 == 0 and all(_is_fraction(x) for (x,) in struct.iter_unpack("<f", data)))
        or (len(data) % 8 == 0 and all(_is_fraction(x) for (x,) in struct.iter_unpack("<d", data)))
    )


def packed_integers(data: bytes, spread: int = 2) -> list[int] | None:
    """`data` as packed varints, or None where that is not plausible: each in its shortest form, their lengths not more
    than `spread` bytes apart."""
    values: list[int] = []
    lengths: set[int] = set()
    position = 0
    try:
        while position < len(data):
            value, following = _varint(data, position)
            if following - position > 1 and not data[following - 1]:
                return None
            values.append(value)
            lengths.add(following - position)
            position = following
    except ProtobufError:
        return None
    return values if values and max(lengths) - min(lengths) <= spread else None


class _Budget:
    """Fields that may still be read, all depths together."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_FIELDS


class _TooMany(ProtobufError):
    """Not a matter of what a payload is: the whole message is given up."""


class _Payload(NamedTuple):
    """A length-delimited value as what it can be."""

    text: str | None
    fields: list[Field] | None


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A varint's value and the place behind it."""
    try:
        byte = data[position]
        if byte < 0x80:
            return byte, position + 1
        value, shift = byte & 0x7F, 7
        for at in range(position + 1, position + _MOST_BYTES):
            byte = data[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, at + 1
            shift += 7
    except IndexError as error:
        raise ProtobufError("a field breaks off") from error
    raise ProtobufError("a number of more than ten bytes")


def _varint_bytes(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _payload(data: bytes, depth: int, budget: _Budget) -> _Payload:
    return _Payload(_text(data), _fields(data, budget) if data and depth < MAX_DEPTH else None)


def _text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def _fields(data: bytes, budget: _Budget) -> list[Field] | None:
    try:
        return fields_of(data, budget)
    except _TooMany:
        raise
    except ProtobufError:
        return None


def _is_message(text: str | None, fields: list[Field] | None, size: int) -> bool:
    """Whether a payload is to be read as the message that it can be.

    Text wins, but for text that begins with the white space which is also the tag of a first field, and for what is
    one field from its first byte to its last.
    """
    if fields is None:
        return False
    if text is None or text[0] in _SPACES:
        return True
    return len(fields) == 1 and fields[0].wire == _LENGTH and 0 < fields[0].end - fields[0].start <= size - 2


def _parsed(data: bytes, depth: int, budget: _Budget) -> dict[str, Json]:
    made: dict[str, Json] = {}
    repeated: dict[str, list[Json]] = {}
    for field in fields_of(data, budget):
        name, value = str(field.number), _value(data[field.start : field.end], field.wire, depth, budget)
        if name in repeated:
            repeated[name].append(value)
        elif name in made:
            repeated[name] = [made[name], value]
            made[name] = repeated[name]
        else:
            made[name] = value
    return made


def _value(raw: bytes, wire: int, depth: int, budget: _Budget) -> Json:
    if wire == _VARINT:
        return _varint(raw, 0)[0]
    if wire != _LENGTH:
        (fraction,) = struct.unpack("<d" if wire == _FIXED64 else "<f", raw)
        return fraction if raw.strip(b"\0") and _is_fraction(fraction) else int.from_bytes(raw, "little")
    text, fields = _payload(raw, depth + 1, budget)
    if _is_message(text, fields, len(raw)):
        return _parsed(raw, depth + 1, budget)
    if text is not None:
        return text
    integers = packed_integers(raw)
    return {"b64": b64encode(raw).decode()} if integers is None else list(integers)


def _rewritten(data: bytes, fields: list[Field], leaves: Leaves, depth: int, budget: _Budget) -> bytes:
    parts: list[bytes] = []
    copied = 0
    named = _named(data, fields, leaves) or leaves
    for field in fields:
        raw = data[field.start : field.end]
        made = _replaced(raw, field.wire, leaves if field.number == 1 else named, depth, budget)
        if made is not raw and made != raw:
            # The tag stays as it is spelled; what stood behind it is written anew.
            tag_end = _varint(data, field.begin)[1]
            parts += (data[copied:tag_end], _varint_bytes(len(made)) if field.wire == _LENGTH else b"", made)
            copied = field.end
    if not parts:
        return data
    parts.append(data[copied:])
    return b"".join(parts)


def _named(data: bytes, fields: list[Field], leaves: Leaves) -> Leaves | None:
    """What becomes of field 2 of a message of two fields, the first of which is a name: so maps stand on the wire
    (protobuf.dev, "Encoding", maps), and so do most messages that are called a label, an attribute, a header."""
    if len(fields) != 2 or (fields[0].number, fields[0].wire, fields[1].number) != (1, _LENGTH, 2):
        return None
    name = _text(data[fields[0].start : fields[0].end]) if fields[0].end - fields[0].start <= _LONGEST_NAME else None
    return leaves.under(name) if name else None


def _replaced(raw: bytes, wire: int, leaves: Leaves, depth: int, budget: _Budget) -> bytes:
    if wire == _LENGTH:
        return _replaced_payload(raw, leaves, depth + 1, budget) if raw else raw
    if wire == _FIXED32:
        return raw
    value = _varint(raw, 0)[0] if wire == _VARINT else int.from_bytes(raw, "little")
    made = leaves.integer(value)
    if made == value:
        return raw
    return _varint_bytes(made) if wire == _VARINT else made.to_bytes(8, "little")


def _replaced_payload(raw: bytes, leaves: Leaves, depth: int, budget: _Budget) -> bytes:
    text, fields = _payload(raw, depth, budget)
    if text is None:
        return leaves.opaque(raw) if fields is None else _rewritten(raw, fields, leaves, depth, budget)
    said = leaves.text(text)
    as_text = raw if said == text else said.encode()
    if fields is None:
        return as_text
    # It can be either. Whatever it is, nothing may be left that its reading as text would replace.
    if not _is_message(text, fields, len(raw)) and (as_text is raw or _fields(as_text, budget) == fields):
        return as_text
    made = _rewritten(raw, fields, leaves, depth, budget)
    rest = made.decode(errors="replace")
    return made if leaves.text(rest) == rest else as_text


def _is_fraction(value: float) -> bool:
    """Whether bits read as a fraction give one that somebody might have meant."""
    return value == 0 or (math.isfinite(value) and 1e-6 <= abs(value) < 1e9)
