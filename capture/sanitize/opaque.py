"""Bytes within JSON that are no text: `{"b64": …}`, as the decoders write them, MongoDB's `{"$binary": …}`, and the
`\\x…` that PostgreSQL spells them with.

They could be anything: a pickled session with a person in it, a key, a picture. Two rules hold here. What opens as
text, also below gzip, zlib or zstd, is cleaned as text and put back in the same spelling. Of anything else no shape can
be read off, so it is replaced whole, by as many bytes drawn from its keyed pseudonym: equal ones stay equal, whatever
spells them, which is what matching and comparing need.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error

from ..codings import CodingError, decode, encode
from .kinds import Kind
from .values import Values

HEX_MARK = "\\x"
"""What a text holds that may be PostgreSQL's hexadecimal spelling of bytes (PostgreSQL 18 docs, 8.4.1)."""

_BYTES = re.compile(r'(\{\s*"b64"\s*:\s*")([^"\\]*)("\s*\})|("\$binary"\s*:\s*\{[^{}]*?"base64"\s*:\s*")([^"\\]*)(")')
_HEX = re.compile(r"\\x((?:[0-9a-fA-F]{2}){6,})(?![0-9a-fA-F])")
_SHORTEST = 6  # bytes; a shorter value holds nothing that could be told
_CODINGS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x78\x01", "deflate"), (b"\x78\x9c", "deflate"),
            (b"\x78\xda", "deflate"))  # fmt: skip
_LARGEST = 1 << 20  # bytes that are opened
_BY_GREGORIAN, _BY_TIME = 1, 7  # versions of UUIDs
_FIRST_YEAR, _LAST_YEAR = 15, 80  # since 1970
_YEAR_MS = 31_556_952_000
_SINCE_1582_MS = 12_219_292_800_000  # from the Gregorian calendar's first day to 1970
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


class OpaqueBytes:
    """Replaces such bytes, by the pseudonyms of `values`."""

    __slots__ = ("_values",)

    def __init__(self, values: Values) -> None:
        self._values = values

    def clean(self, text: str) -> str:
        """JSON text with the bytes of each such object replaced; `text` itself where there are none."""
        return _BYTES.sub(self._replaced, text) if '"b64"' in text or '"base64"' in text else text

    def clean_hex(self, text: str, kind: Kind | None = None) -> str | None:
        """`text` with its `\\x…` replaced, None where it holds none; `kind` is what its key says."""
        if _HEX.search(text) is None:
            return None
        return _HEX.sub(lambda match: HEX_MARK + self.made(bytes.fromhex(match[1]), kind, texts=True).hex(), text)

    def made(self, data: bytes, kind: Kind | None, *, texts: bool) -> bytes:
        """What replaces `data`; `texts` says that it may be plain text, which is then cleaned as that."""
        coding = next((name for magic, name in _CODINGS if data.startswith(magic)), None)
        if coding is not None:
            opened = self._opened(data, coding, kind)
            if opened is not None:
                return opened
        elif texts:
            cleaned = self._as_text(data, kind)
            if cleaned is not None:
                return cleaned
        return data if is_uuid(data) and kind is None else self._stand_in(data)

    def _opened(self, data: bytes, coding: str, kind: Kind | None) -> bytes | None:
        """Compressed text cleaned and compressed again; None where it is none."""
        try:
            plain = decode(data, (coding,), _LARGEST)
            made = self._as_text(plain, kind)
            if made is None:
                return None
            return data if made == plain else encode(made, (coding,), data)
        except CodingError:
            return None

    def _as_text(self, data: bytes, kind: Kind | None) -> bytes | None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return None
        if _CONTROL.search(text):
            return None
        inner = self._values.nested(text) if text[:1] in ("{", "[") else None
        if inner is None or (inner == text and kind is not None):
            inner = self._values.text(text) if kind is None else self._values.of_kind(kind, text)
        return inner.encode()

    def _replaced(self, match: re.Match[str]) -> str:
        head, encoded, tail = match.group(1, 2, 3) if match[1] is not None else match.group(4, 5, 6)
        try:
            data = b64decode(encoded, validate=True)
        except (Error, ValueError):
            # Not ours: somebody's text under that name, which the walk judges like any other.
            return match[0]
        if len(data) < _SHORTEST or is_uuid(data):
            return match[0]
        made = self.made(data, None, texts=match[1] is None)
        return match[0] if made == data else f"{head}{b64encode(made).decode()}{tail}"

    def _stand_in(self, data: bytes) -> bytes:
        digest = hashlib.blake2b(data, digest_size=32).hexdigest()
        made = self._values.of_kind(Kind.PASSWORD, digest)
        if made == digest:
            return data  # known to be a stand-in already
        return hashlib.shake_256(made.encode()).digest(len(data))


def is_uuid(data: bytes) -> bool:
    """Whether 16 bytes are a UUID of a version in use (RFC 9562, 4 and 5): an id, as it would be in text. One that
    tells a time tells one of our days, or a key would pass for it."""
    if len(data) != 16 or data[8] >> 6 != 2:
        return False
    version = data[6] >> 4
    if version == _BY_TIME:
        milliseconds = int.from_bytes(data[:6])
        return _FIRST_YEAR < milliseconds / _YEAR_MS < _LAST_YEAR
    if version == _BY_GREGORIAN:
        ticks = int.from_bytes(bytes((data[6] & 15, data[7], *data[4:6], *data[:4])))
        return _FIRST_YEAR < (ticks / 10_000 - _SINCE_1582_MS) / _YEAR_MS < _LAST_YEAR
    return version in (4, 5)
