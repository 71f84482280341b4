"""What a RESP reply is made of, as Python values that keep the wire's types apart.

A bulk string is `bytes`, an integer `int`, a double `float`, a boolean `bool`, a null `None`, an array `list`; the rest
has a class here. `TYPES` names the type of each as the header `resp` tells it.
"""

from typing import NamedTuple


class Simple(bytes):
    """A simple string: `+OK`."""


class Fault(bytes):
    """An error: `-WRONGTYPE …` or `!…`; the first word is its code."""

    @property
    def code(self) -> str:
        """The first word, "ERR" where there is none that could be a code."""
        word = self.split(b" ", 1)[0]
        return word.decode() if word.isalnum() and word.isascii() and len(word) < 32 else "ERR"


class Verbatim(bytes):
    """A verbatim string, its format first: `txt:…`."""


class BigNumber(bytes):
    """An integer beyond 64 bits, as its digits."""


class Map(list["Value"]):
    """A RESP3 map: names and values in turn."""


class Set(list["Value"]):
    """A RESP3 set."""


class Push(list["Value"]):
    """A RESP3 push message: not the answer to anything."""


class NullArray:
    """RESP2's null array, `*-1`: what a blocking command says that waited in vain, and an EXEC that did not run."""


NULL_ARRAY = NullArray()


class Cut(NamedTuple):
    """What was too large to be kept: its payload bytes, a hash (hex) of them, and the wire type's name."""

    size: int
    digest: str
    kind: str = "bulk"


Value = bytes | int | float | bool | None | NullArray | Cut | list["Value"]
"""A reply. Depth and size are bounded by the reader."""

TYPES: dict[type, str] = {
    bytes: "bulk",
    Simple: "simple",
    Fault: "error",
    int: "int",
    type(None): "null",
    NullArray: "null-array",
    list: "array",
    Map: "map",
    Set: "set",
    Push: "push",
    float: "double",
    bool: "bool",
    BigNumber: "bignum",
    Verbatim: "verbatim",
}
