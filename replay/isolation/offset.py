"""How far each side's sequences start from the others', so that a small id of one side means nothing on another. PURE.

Order 17 of the baseline and order 17 of the candidate are the same by chance only. Where each side counts from a place
of its own, an id that was handed on wrongly meets nothing, and a value that is equal on both sides was not counted.
The places have as many digits as each other, so that answers keep their length.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

APART = 1_000_003
"""The distance between two sides: a prime, far above what a replay counts through."""
_PLACES: Mapping[str, int] = {"baseline": 1, "noise": 2, "candidate": 3}
"""Where the sides of a verification stand. A recording and a plain replay count on as the template does."""
_ROOM = 2
"""A sequence must have room for its offset so many times: one near its end would run out."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A sequence: `name` is what its server calls it by, `last` the last value that it gave (or the one before its
    first), `step` what it counts by, `low` and `high` what it and its column can hold."""

    name: str
    last: int
    step: int
    low: int
    high: int


def offset_of(side: str, isolate: Mapping[str, str]) -> int:
    """How far the counters of `side` are moved; 0: not at all."""
    return 0 if isolate.get("offset") == "false" else _PLACES.get(side, 0) * APART


def moved(counters: Iterable[Counter], offset: int) -> dict[str, int]:
    """The last values that counters are to have, by name; of those that have the room. A counter that counts by more
    than one keeps its remainder: two servers that share a table by odd and even ids go on doing so."""
    found: dict[str, int] = {}
    for each in counters:
        step = abs(each.step)
        way = offset - offset % step if step else 0
        room = each.high - each.last if each.step > 0 else each.last - each.low
        if way > 0 and way * _ROOM <= room:
            found[each.name] = each.last + (way if each.step > 0 else -way)
    return found
