"""What both directions of RESP share: bytes that are not whole yet, and payload that is passed over.

Three rules hold here. Nothing is made as large as a length on the wire says: only what has come is kept, up to a bound,
and what goes beyond it is counted and hashed. No byte is parsed twice. What is not RESP raises `Malformed`, once.

An own parser, because hiredis allocates an array as large as its header claims and does not tell a simple string from a
bulk string.
"""

from abc import ABC, abstractmethod
from hashlib import blake2b

from .values import Cut

LARGEST = 256 << 10
"""Payload bytes of one reply, or of one argument, that are kept."""

MOST_ELEMENTS = 1 << 16
"""Elements of one command or reply that are kept."""

LONGEST_LINE = 64 << 10
"""Bytes of one line (redis.io: inline commands are limited to 64 KB)."""

EOL = b"\r\n"
_LARGEST_LENGTH = 1 << 40


class Malformed(ValueError):
    """The bytes are not RESP; the text quotes none of them."""


class Hashed:
    """Payload that is counted and hashed and not kept."""

    __slots__ = ("_blake", "kind", "size")

    def __init__(self, kind: str = "bulk") -> None:
        self._blake = blake2b(digest_size=16)
        self.size = 0
        self.kind = kind

    def add(self, data: bytes) -> None:
        """More of it."""
        self.size += len(data)
        self._blake.update(data)

    def cut(self) -> Cut:
        """What is left of it."""
        return Cut(self.size, self._blake.hexdigest(), self.kind)


class BoundedReader(ABC):
    """The bytes that are not parsed yet, and the payload that is being passed over."""

    __slots__ = ("_have", "_need", "_over_left", "_parts", "over")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 0
        self.over: Hashed | None = None
        """The payload that is being passed over."""
        self._over_left = 0

    def take(self, data: bytes) -> bytes | None:
        """What is to be parsed now; None as long as the thing at its head is known not to be whole."""
        if self.over is not None:
            data = self.pass_over(data)
        if not self._parts:
            return data
        self._parts.append(data)
        self._have += len(data)
        if self._have < self._need:
            return None
        data = b"".join(self._parts)
        self._parts.clear()
        return data

    def keep(self, rest: bytes, need: int) -> None:
        """`rest` is not whole before `need` bytes of it are here."""
        if rest:
            self._parts.append(rest)
            self._have = len(rest)
            self._need = need

    def begin_over(self, over: Hashed, data: bytes, size: int) -> bytes:
        """Pass over a payload of `size` bytes that `data` begins; what follows it in `data`."""
        self.over = over
        self._over_left = size + 2
        return self.pass_over(data)

    def pass_over(self, data: bytes) -> bytes:
        """Count and hash what of `data` belongs to the payload; what follows it."""
        over, left = self.over, self._over_left
        assert over is not None
        piece = data[:left]
        over.add(piece[: max(0, left - 2)])
        self._over_left = left - len(piece)
        if not self._over_left:
            self.over = None
            self.passed(over)
        return data[left:]

    @abstractmethod
    def passed(self, over: Hashed) -> None:
        """A payload that was too large is over."""


def length(line: bytes) -> int:
    """A length or count; negative for a null. Raises Malformed."""
    try:
        number = int(line)
    except ValueError:
        raise Malformed("a length that is no number") from None
    if number > _LARGEST_LENGTH:
        raise Malformed("a length beyond all bounds")
    return number
