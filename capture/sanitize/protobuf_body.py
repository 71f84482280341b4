"""Protobuf messages and gRPC bodies: strings by their shapes, whatever stays bytes by a keyed stand-in.

Three rules hold here. Field names are not on the wire, so only shapes speak, and the keys of maps. Bytes that are no
text, no message and no plausible numbers could be anything (a picture, a key): they are replaced whole, with as many
bytes whose first bits stay, so that equal ones stay equal and packed numbers stay as many numbers. What does not parse
is Unparsed.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable

from ..codings import CodingError
from ..grpc_body import TRAILERS, GrpcBodyError, Message, join_messages, packed, plain, split_messages
from ..protobuf import Leaves, ProtobufError, is_fractions, packed_integers, rewrite_message, rewrite_payload
from .checks import is_card
from .kinds import Kind
from .opaque import is_uuid
from .tokens import KeyClassifier
from .values import Values

_SHORTEST = 6  # bytes; a shorter value holds nothing that has a shape
_SHORT_LIST = 8  # bytes
_KEY_SIZES = frozenset({16, 20, 24, 28, 32, 48, 64})  # bytes of keys, salts and digests
_SMALL = 1024
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, zstd
_LARGEST_INTEGER = (1 << 64) - 1
_SMALLEST_CARD, _LARGEST_CARD = 10**13, 10**19


class Unparsed(ValueError):
    """The body is not what its type says; why in a few words that tell nothing of it."""


def _no_document(_: bytes, content_type: str) -> bytes:
    raise Unparsed(f"cannot be parsed: {content_type}")


class ProtobufBody:
    """Cleans bodies of protobuf. `document` cleans the messages of a gRPC call that are of another type, said after
    the plus in its content type (gRPC over HTTP/2, "Content-Type")."""

    __slots__ = ("_document", "_keys", "_leaves", "_values")

    def __init__(
        self, keys: KeyClassifier, values: Values, document: Callable[[bytes, str], bytes] = _no_document
    ) -> None:
        self._keys = keys
        self._values = values
        self._document = document
        self._leaves = Leaves(values.text, self._opaque, self._integer, self._under)

    def clean(self, body: bytes) -> bytes:
        """One message, cleaned. Raises Unparsed."""
        try:
            return rewrite_message(body, self._leaves)
        except ProtobufError as error:
            raise Unparsed(f"does not parse as protobuf: {error}") from error

    def clean_grpc(self, body: bytes, essence: str, limit: int) -> bytes:
        """The messages of a gRPC body, cleaned, at most `limit` bytes of them decompressed. Raises Unparsed."""
        if essence.startswith("application/grpc-web-text"):
            raise Unparsed("gRPC-Web in Base64")
        try:
            messages = split_messages(body)
            made: list[Message] = []
            for message in messages:
                data = plain(message, limit)
                limit -= len(data)
                cleaned = self._message(message, data, essence)
                made.append(message if cleaned == data else packed(cleaned, message))
        except (GrpcBodyError, CodingError) as error:
            raise Unparsed(f"gRPC: {error}") from error
        return body if made == messages else join_messages(made)

    def clean_metadata(self, value: str) -> str:
        """The value of gRPC metadata whose name ends in "-bin": Base64, several with commas between. Never raises."""
        return ",".join([self._metadatum(each) for each in value.split(",")])

    def _metadatum(self, encoded: str) -> str:
        bare = encoded.strip()
        try:
            data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
            made = rewrite_payload(data, self._leaves)
        except (binascii.Error, ValueError):
            return self._values.of_kind(Kind.PASSWORD, encoded)
        if made == data:
            return encoded
        text = base64.b64encode(made).decode()
        return text if bare.endswith("=") else text.rstrip("=")

    def _message(self, message: Message, data: bytes, essence: str) -> bytes:
        if message.flags & TRAILERS:
            return self._values.text(data.decode("latin-1")).encode("latin-1")
        inner = essence.partition("+")[2]
        return self.clean(data) if inner in ("", "proto") else self._document(data, f"application/{inner}")

    def _integer(self, value: int) -> int:
        """A number; one that is a payment card's is replaced."""
        if not _SMALLEST_CARD <= value < _LARGEST_CARD or not is_card(str(value)):
            return value
        return int(self._values.number(Kind.PAN, str(value)))

    def _under(self, name: str) -> Leaves | None:
        """What becomes of a map's value whose key is `name`."""
        kind = self._keys.of(name).kind
        if kind is None:
            return None
        of_kind, number = self._values.of_kind, self._values.number
        return Leaves(
            lambda text: of_kind(kind, text),
            self._stand_in,
            # As many digits as before may be more than 64 bits hold.
            lambda value: int(number(kind, str(value))) & _LARGEST_INTEGER,
        )

    def _opaque(self, data: bytes) -> bytes:
        if len(data) < _SHORTEST or is_uuid(data) or _is_wide(data) or is_fractions(data):
            return data
        return data if _is_list(data) else self._stand_in(data)

    def _stand_in(self, data: bytes) -> bytes:
        # By its hash, as a value of any other kind is: one that is known to be a stand-in already stays.
        digest = hashlib.blake2b(data, digest_size=32).hexdigest()
        made = self._values.of_kind(Kind.PASSWORD, digest)
        if made == digest:
            return data
        size = len(data)
        kept, drawn = b"\x80" * size, b"\x7f" * size
        stream = hashlib.shake_256(made.encode()).digest(size)
        bits = _number(data) & _number(kept) | _number(stream) & _number(drawn)
        return bits.to_bytes(size)


def _number(data: bytes) -> int:
    return int.from_bytes(data)


def _is_list(data: bytes) -> bool:
    """Whether `data` is packed integers and nothing else. Where it is as long as keys and digests are, the numbers have
    to be small or sorted besides: one in forty keys of 16 bytes would pass otherwise."""
    if data.startswith(_COMPRESSED):
        return False
    numbers = packed_integers(data, 2 if len(data) <= _SHORT_LIST else 1)
    if numbers is None or _has_text(data):
        return False
    return len(data) not in _KEY_SIZES or max(numbers) < _SMALL or numbers == sorted(numbers)


def _is_wide(data: bytes) -> bool:
    """Whether `data` is packed numbers of 64 or 32 bits that are small: most of their bytes are zeros."""
    return (len(data) % 8 == 0 and not any(any(data[at + 5 : at + 8]) for at in range(0, len(data), 8))) or (
        len(data) % 4 == 0 and not any(any(data[at + 2 : at + 4]) for at in range(0, len(data), 4))
    )


def _has_text(data: bytes) -> bool:
    """Whether letters stand in a row, one or two bytes wide, that could be a text's."""
    run = 0
    for byte in data.replace(b"\0", b""):
        run = run + 1 if 0x20 <= byte < 0x7F else 0
        if run >= _SHORTEST:
            return True
    return False
