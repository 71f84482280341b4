"""Commands out of a client's bytes: arrays of bulk strings, and inline commands."""

from .bounded import EOL, LARGEST, LONGEST_LINE, MOST_ELEMENTS, BoundedReader, Hashed, Malformed, length
from .values import Cut

LARGEST_COMMAND = 1 << 20
"""Payload bytes of one command that are kept; an argument beyond them is cut, whatever its size."""

_BULK = 36
_ARRAY = 42
_OVERHEAD = 8  # what an argument costs beyond its payload
_BLANK = b"\t\r\n"


class CommandReader(BoundedReader):
    """What a client sends: arrays of bulk strings, or inline commands."""

    __slots__ = ("_args", "_kept", "_left", "_tail")

    def __init__(self) -> None:
        super().__init__()
        self._args: list[bytes | Cut] = []
        self._left = 0
        self._kept = 0
        self._tail: Hashed | None = None

    def feed(self, data: bytes, out: list[list[bytes | Cut]]) -> None:
        """Append each command that is whole now to `out`: its name and arguments. Raises Malformed.

        An argument that is too large is a `Cut`; where a command has too many of them, or too much, a last `Cut`
        stands for the rest.
        """
        taken = self.take(data)
        if self._args and not self._left and self.over is None:
            self._finish(out)
        while taken:
            taken = self._parse(taken, out)

    def _parse(self, data: bytes, out: list[list[bytes | Cut]]) -> bytes | None:
        """Read what `data` holds up to an argument that is too large; what follows that."""
        at, end = 0, len(data)
        find, args = data.find, self._args
        while at < end:
            kind = data[at]
            if kind == _BULK and self._left:
                eol = find(EOL, at)
                if eol < 0:
                    self._header(data[at:])
                    return None
                start = eol + 2
                size = length(data[at + 1 : eol])
                stop = start + size
                if size > LARGEST or self._kept + size > LARGEST_COMMAND or len(args) >= MOST_ELEMENTS:
                    rest = self.begin_over(self._over_into(size), data[start:], size)
                    if not self._left:
                        self._finish(out)
                    return rest
                if stop + 2 > end or size < 0:
                    self._unfinished(data[at:], size, stop + 2 - at)
                    return None
                args.append(data[start:stop])
                self._kept += size + _OVERHEAD
                at = stop + 2
                self._left -= 1
                if not self._left:
                    self._finish(out)
                    args = self._args
            elif kind == _ARRAY and not self._left:
                eol = find(EOL, at)
                if eol < 0:
                    self._header(data[at:])
                    return None
                self._left = max(0, length(data[at + 1 : eol]))
                at = eol + 2
            else:
                at = self._inline(data, at, out)
        return None

    def _finish(self, out: list[list[bytes | Cut]]) -> None:
        if self._tail is not None:
            self._args.append(self._tail.cut())
            self._tail = None
        out.append(self._args)
        self._args = []
        self._kept = 0

    def _over_into(self, size: int) -> Hashed:
        """Where an argument that is not kept goes: into a `Cut` of its own, or to the rest."""
        if self._tail is None and (
            self._kept + min(size, LARGEST) > LARGEST_COMMAND or len(self._args) >= MOST_ELEMENTS
        ):
            self._tail = Hashed()
        return self._tail or Hashed()

    def passed(self, over: Hashed) -> None:
        self._left -= 1
        if over is not self._tail:
            self._args.append(over.cut())

    def _header(self, rest: bytes) -> None:
        if len(rest) > 32:
            raise Malformed("a length that is no number")
        self.keep(rest, len(rest) + 1)

    def _unfinished(self, rest: bytes, size: int, need: int) -> None:
        if size < 0:
            raise Malformed("an argument of negative length")
        self.keep(rest, need)

    def _inline(self, data: bytes, at: int, out: list[list[bytes | Cut]]) -> int:
        """Read a line of words; where the next command begins."""
        if self._left or not (32 <= data[at] <= 126 or data[at] in _BLANK):
            raise Malformed("client bytes that are not RESP")
        eol = data.find(b"\n", at)
        if (eol if eol >= 0 else len(data)) - at > LONGEST_LINE:
            raise Malformed("an inline command that is too long")
        if eol < 0:
            self.keep(data[at:], len(data) - at + 1)
            return len(data)
        words = [word.strip(b"\"'") for word in data[at:eol].split()]
        if words:
            out.append([*words])
        return eol + 1
