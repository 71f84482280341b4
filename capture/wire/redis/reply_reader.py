"""Replies out of a server's bytes, in RESP2 and RESP3."""

from typing import Any

from .bounded import EOL, LARGEST, LONGEST_LINE, MOST_ELEMENTS, BoundedReader, Hashed, Malformed, length
from .values import NULL_ARRAY, TYPES, BigNumber, Fault, Map, Push, Set, Simple, Value, Verbatim

DEEPEST = 32
"""Arrays within arrays."""


class ReplyReader(BoundedReader):
    """What a server sends: values of RESP2 and RESP3."""

    __slots__ = ("_cut", "_elements", "_frames", "_kept", "_lefts", "_out")

    def __init__(self) -> None:
        super().__init__()
        self._frames: list[list[Any]] = []
        self._lefts: list[int] = []
        self._out: list[Value] = []
        self._kept = 0
        self._elements = 0
        self._cut: Hashed | None = None

    def feed(self, data: bytes, out: list[Value]) -> None:
        """Append each reply that is whole now to `out`. Raises Malformed.

        A reply that is too large as a whole is one `Cut`.
        """
        self._out = out
        taken = self.take(data)
        while taken:
            taken = self._parse(taken)

    def _parse(self, data: bytes) -> bytes | None:
        """Read what `data` holds up to a payload that is too large; what follows that."""
        at, end = 0, len(data)
        find = data.find
        while at < end:
            eol = find(EOL, at)
            if eol < 0:
                if end - at > LONGEST_LINE:
                    raise Malformed("a line that is too long")
                self.keep(data[at:], end - at + 1)
                return None
            kind = data[at]
            blob = _BLOBS.get(kind)
            if blob is None:
                self._line(kind, data[at + 1 : eol])
                at = eol + 2
                continue
            size = length(data[at + 1 : eol])
            start = eol + 2
            stop = start + size
            if size > LARGEST:
                return self.begin_over(self._spill(blob), data[start:], size)
            if size < 0:
                at = start
                self._put(None)
            elif stop + 2 > end:
                self.keep(data[at:], stop + 2 - at)
                return None
            else:
                at = stop + 2
                self._put(data[start:stop] if kind == _BULK else blob(data[start:stop]))
        return None

    def _line(self, kind: int, line: bytes) -> None:
        made = _AGGREGATES.get(kind)
        if made is None:
            self._put(_scalar(kind, line))
            return
        count = length(line)
        if count > 0:
            if len(self._frames) >= DEEPEST:
                raise Malformed("a reply that is nested too deeply")
            self._frames.append(made())
            self._lefts.append(count * 2 if made in _PAIRED else count)
        elif made is not _Attributes:
            self._put(made() if count == 0 else NULL_ARRAY)

    def _put(self, value: Value) -> None:
        """Set `value` into what is open, or hand it out."""
        frames, lefts = self._frames, self._lefts
        while frames:
            if self._cut is None:
                frames[-1].append(value)
                self._weigh(value)
            else:
                self._hash(value)
            lefts[-1] -= 1
            if lefts[-1]:
                return
            lefts.pop()
            value = frames.pop()
            if type(value) is _Attributes:
                return
        if self._cut is not None:
            value = self._cut.cut()
            self._cut = None
        self._kept = self._elements = 0
        self._out.append(value)

    def _weigh(self, value: Value) -> None:
        self._elements += 1
        if isinstance(value, bytes):
            self._kept += len(value)
        if self._kept > LARGEST or self._elements > MOST_ELEMENTS:
            self._spill(bytes)

    def _spill(self, kind: type) -> Hashed:
        """Give the current reply up: hash what is kept of it, and keep no more."""
        if self._cut is None:
            self._cut = Hashed(TYPES[type(self._frames[0]) if self._frames else kind])
            for frame in self._frames:
                self._hash(frame)
                frame.clear()
        return self._cut

    def _hash(self, value: Value) -> None:
        assert self._cut is not None
        if isinstance(value, list):
            for each in value:
                self._hash(each)
        elif isinstance(value, bytes):
            self._cut.add(value)
        elif value is not None:
            self._cut.add(str(value).encode())

    def passed(self, over: Hashed) -> None:
        self._put(None)


def _scalar(kind: int, line: bytes) -> Value:
    if kind == 58:  # ":"
        return _number(line)
    if kind == 43:  # "+"
        return _SIMPLE.get(line) or Simple(line)
    if kind == 45:  # "-"
        return Fault(line)
    if kind == 95:  # "_"
        return None
    if kind == 35:  # "#"
        return line == b"t"
    if kind == 44:  # ","
        return _double(line)
    if kind == 40:  # "("
        return BigNumber(line)
    raise Malformed("server bytes that are not RESP")


def _number(line: bytes) -> int:
    try:
        return int(line)
    except ValueError:
        raise Malformed("an integer that is no number") from None


def _double(line: bytes) -> float:
    try:
        return float(line)
    except ValueError:
        raise Malformed("a double that is no number") from None


class _Attributes(list["Value"]):
    """RESP3's attributes: said beside a reply, no part of it."""


_BULK = 36
_BLOBS: dict[int, type[bytes]] = {_BULK: bytes, 33: Fault, 61: Verbatim}
_AGGREGATES: dict[int, type[list[Any]]] = {42: list, 37: Map, 126: Set, 62: Push, 124: _Attributes}
_PAIRED = frozenset({Map, _Attributes})
_SIMPLE = {word: Simple(word) for word in (b"OK", b"QUEUED", b"PONG")}
