"""Header blocks of one direction of an HTTP/2 connection, decompressed in order (HPACK, RFC 7541).

Two rules hold here. Every block passes through, also one that nobody asks for: the table that it refers to and changes
is the connection's. A block that left the table as it was says the same when it comes again, and is not decoded again.
"""

from base64 import b64encode

from hpack import Decoder, HPACKError
from hpack.exceptions import InvalidTableSizeError, OversizedHeaderListError

MAX_HEADERS = 1 << 16
"""Bytes of a header list as RFC 7541 counts them (32 more a field); gRPC's own limit is 16 KiB."""
MAX_TABLE = 1 << 18
"""Bytes that a side may let its peer's table grow to: curl and the browsers ask for 64 KiB, most for 4."""
_MAX_KNOWN = 64  # blocks
_LARGEST_KNOWN = 4096  # bytes of what a block says

Pairs = tuple[tuple[str, str], ...]


class HeaderBlockError(ValueError):
    """The block does not decompress; says why in a few words that quote nothing."""


class HeaderBlocks:
    """Decompresses blocks. After a HeaderBlockError the state is lost for good."""

    __slots__ = ("_decoder", "_known", "_table")

    def __init__(self) -> None:
        self._decoder = Decoder(MAX_HEADERS)
        # What the receiver has announced stands in its SETTINGS, but the sender says in its blocks what it makes of it.
        self._decoder.max_allowed_table_size = MAX_TABLE
        self._table = self._decoder.header_table
        self._known: dict[bytes, Pairs] = {}

    def decode(self, block: bytes) -> Pairs:
        """Names and values in order, as latin-1. Raises HeaderBlockError."""
        known = self._known.get(block)
        if known is not None:
            return known
        first, count, size = self._state()
        pairs = tuple([(str(name, "latin-1"), _text(name, value)) for name, value in self._decoded(block)])
        now_first, now_count, now_size = self._state()
        if now_first is not first or now_count != count or now_size != size:
            self._known.clear()
        elif len(block) + sum([len(name) + len(value) for name, value in pairs]) <= _LARGEST_KNOWN:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[block] = pairs
        return pairs

    def _decoded(self, block: bytes) -> list[tuple[bytes, bytes]]:
        try:
            return list(self._decoder.decode(block, raw=True))
        except OversizedHeaderListError as error:
            raise HeaderBlockError(f"headers of more than {MAX_HEADERS} bytes") from error
        except InvalidTableSizeError as error:
            raise HeaderBlockError(f"a header table of more than {MAX_TABLE} bytes") from error
        except HPACKError as error:
            raise HeaderBlockError("headers that do not decompress") from error

    def _state(self) -> tuple[object, int, int]:
        """What changes with the table: an entry that is added is a new object at its front."""
        entries = self._table.dynamic_entries
        return entries[0] if entries else None, len(entries), self._table.maxsize


def _text(name: bytes, value: bytes) -> str:
    """A value as latin-1. gRPC's C core sends binary metadata to its like as a zero byte and the bytes themselves
    ("true binary metadata"): that becomes the Base64 which every other peer is sent."""
    if value[:1] == b"\0" and name.endswith(b"-bin"):
        return b64encode(value[1:]).decode().rstrip("=")
    return str(value, "latin-1")
