"""Message heads as raw bytes: looked into without decoding them, and decoded once somebody wants the whole.

A head is what a parser has accepted already: a start line, header lines, an empty line, each ended by CR LF.
"""

from functools import cache

from ..headers import Headers


@cache
def _mark(name: str) -> bytes:
    """What the line of a header begins with. The names asked for are few: they stand in code and configuration."""
    return b"\r\n" + name.encode("latin-1") + b":"


class RawHead:
    """A head that answers for single headers: a search in bytes costs a tenth of decoding them all."""

    __slots__ = ("lower", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.lower = raw.lower()

    def get(self, name: str) -> str | None:
        """The first value of the header `name` (in lower case), or None."""
        lower = self.lower
        mark = _mark(name)
        at = lower.find(mark)
        if at < 0:
            return None
        start = at + len(mark)
        return self.raw[start : lower.find(b"\r\n", start)].strip(b" \t").decode("latin-1")


def split_request(raw: bytes) -> tuple[str, str, str, Headers]:
    """Method, target, version ("1.1") and headers of a request's head."""
    line, headers = _split(raw)
    method, _, rest = line.partition(" ")
    target, _, protocol = rest.strip(" ").rpartition(" ")
    if not protocol.startswith("HTTP/"):
        return method, rest.strip(" "), "0.9", headers
    return method, target.rstrip(" "), protocol[5:], headers


def split_response(raw: bytes) -> tuple[str, str, Headers]:
    """Version, reason and headers of an answer's head (the status is known to the parser)."""
    line, headers = _split(raw)
    protocol, _, rest = line.partition(" ")
    return protocol[5:], rest.lstrip(" ").partition(" ")[2], headers


def _split(raw: bytes) -> tuple[str, Headers]:
    lines = raw.decode("latin-1").lstrip("\r\n").split("\r\n")
    pairs: list[tuple[str, str]] = []
    for line in lines[1:]:
        # A folded line has no name of its own; parsers refuse it today (RFC 9112, 5.2).
        name, colon, value = line.partition(":")
        if colon:
            pairs.append((name, value.strip(" \t")))
    return lines[0], Headers.of_pairs(tuple(pairs))
