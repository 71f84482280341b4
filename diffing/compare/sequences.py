"""Two sequences side by side, by hash look-ups alone: what they share at both ends, what joins, how it moved."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import pairwise


def trimmed(before: Sequence[Hashable], after: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Places that are left once equal items at both ends are taken off."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return [*range(start, len(before) - end)], [*range(start, len(after) - end)]


def joined(
    first: Sequence[Hashable], second: Sequence[Hashable], left: Sequence[int], right: Sequence[int]
) -> list[tuple[int, int]]:
    """Places `left` (of keys `first`) and `right` (of keys `second`) of one key; equal keys pair up in their order."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for key, place in zip(reversed(second), reversed(right), strict=True):
        places[key].append(place)
    return [(place, places[key].pop()) for key, place in zip(first, left, strict=True) if places.get(key)]


def order_of(partners: Sequence[int]) -> str:
    """ "reversed", "reordered", or "" where the partners come in their order."""
    steps = list(pairwise(partners))
    if all(first < second for first, second in steps):
        return ""
    return "reversed" if all(first > second for first, second in steps) else "reordered"
