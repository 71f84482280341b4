"""Bytes within JSON that are no text: `{"b64": …}`, as the decoders of Redis and SQL write them.

They could be anything: a pickled session with a person in it, a key, a picture. No shape can be read off them, so they
are replaced whole, by as many bytes drawn from their keyed pseudonym: equal ones stay equal, which is what matching
and comparing need.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from binascii import Error

from .kinds import Kind
from .values import Values

_MARK = '"b64"'
_BYTES = re.compile(r'\{\s*"b64"\s*:\s*"([^"\\]*)"\s*\}')
_SHORTEST = 6  # bytes; a shorter value holds nothing that could be told


class OpaqueBytes:
    """Replaces such bytes, by the pseudonyms of `values`."""

    __slots__ = ("_values",)

    def __init__(self, values: Values) -> None:
        self._values = values

    def clean(self, text: str) -> str:
        """JSON text with the bytes of each object of exactly that one member replaced; `text` itself where there are
        none."""
        return _BYTES.sub(self._replaced, text) if _MARK in text else text

    def _replaced(self, match: re.Match[str]) -> str:
        try:
            data = b64decode(match[1], validate=True)
        except (Error, ValueError):
            # Not ours: somebody's text under that name, which the walk judges like any other.
            return match[0]
        if len(data) < _SHORTEST or _is_uuid(data):
            return match[0]
        digest = hashlib.blake2b(data, digest_size=32).hexdigest()
        made = self._values.of_kind(Kind.PASSWORD, digest)
        if made == digest:
            return match[0]  # known to be a stand-in already
        return f'{{"b64":"{b64encode(hashlib.shake_256(made.encode()).digest(len(data))).decode()}"}}'


def _is_uuid(data: bytes) -> bool:
    """Whether 16 bytes are a UUID of a version in use (RFC 9562, 4): an id, as it would be in text."""
    return len(data) == 16 and data[6] >> 4 in (1, 4, 5, 6, 7) and data[8] >> 6 == 2
