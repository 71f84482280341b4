"""Replacements put into text by position."""

from bisect import bisect_left
from collections.abc import Iterable

Edit = tuple[int, int, str]
"""Start, end, and what stands there instead."""


def spliced(text: str, edits: Iterable[Edit]) -> str:
    """`text` with `edits` made, which are in order and do not overlap; `text` itself where there are none."""
    parts: list[str] = []
    position = 0
    for start, end, made in edits:
        parts += text[position:start], made
        position = end
    return "".join(parts) + text[position:] if parts else text


class Spans:
    """Disjoint stretches of a text, the first comer keeping its place."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def claim(self, start: int, end: int) -> bool:
        """Take the stretch, or say False where some of it is taken."""
        if start >= end:
            return False
        place = bisect_left(self._starts, start)
        if place < len(self._starts) and self._starts[place] < end:
            return False
        if place and self._ends[place - 1] > start:
            return False
        self._starts.insert(place, start)
        self._ends.insert(place, end)
        return True
