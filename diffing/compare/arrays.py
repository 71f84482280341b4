"""Two arrays laid side by side: which element answers to which.

Elements that stand equal at the same place are done with first; the rest are matched by a key or by content, never by
position alone where lengths differ. Every step is a hash look-up: the work grows with the length, not with its square.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from ..canonical import canonical_key, spelled_alike
from ..report.model import Json
from .joining import CLOSE, MIN_VALUES, Fields, Key, content, join_key, pair_alike, stand_in_place, tag, tags, without
from .sequences import joined, order_of
from .sorting import sorted_how

__all__ = ["Alignment", "Key", "align", "content"]

FEW = 16
"""Changed elements that are first looked at where they stand."""
_MANY = 2
"""So many more or fewer elements at the end are another page size, not a lost member."""


@dataclass(slots=True)
class Alignment:
    """`pairs` still have to be compared; `same` elements are equal at their place; `removed` and `added` found no
    partner; `order` says how the common elements moved, or nothing; `where` says what the elements without a partner
    have in common ("at the end", "at the front", "duplicates"), or nothing."""

    pairs: list[tuple[Json, Json]] = field(default_factory=list)
    same: int = 0
    removed: list[Json] = field(default_factory=list)
    added: list[Json] = field(default_factory=list)
    order: str = ""
    where: str = ""

    @property
    def kind(self) -> str:
        """`length_changed` for a list that was cut or continued (a page's size), else `multiset_changed`: other
        members. One element more or less is a lost member, not a page size."""
        changed = len(self.removed) + len(self.added)
        return "length_changed" if self.where == "at the end" and changed >= _MANY else "multiset_changed"


def align(
    before: Sequence[Json], after: Sequence[Json], *, unordered: bool = False, key: Key | None = None
) -> Alignment:
    """Match the elements of two arrays. `unordered`: their order is known to mean nothing. `key`: the members that
    are known to name an element."""
    left, right = _unequal(before, after)
    if not left and not right:
        return Alignment(same=len(before))
    unlike = [*(before[place] for place in left), *(after[place] for place in right)]
    if not any(isinstance(item, dict | list) for item in unlike):
        matched = _match_scalars(before, after, left, right, unordered)
    elif all(isinstance(item, dict) for item in unlike):
        matched = _match_objects(before, after, left, right, key)
    else:
        matched = _match_by_content(before, after, left, right)
    return _described(before, after, left, right, matched)


_Matched = list[tuple[int, int]]
"""Places that belong together, in the order of the left ones."""


def _unequal(before: Sequence[Json], after: Sequence[Json]) -> tuple[list[int], list[int]]:
    """Places of what is not the same at the same distance from the start, or from the end where lengths differ."""
    if len(before) == len(after):
        places = [place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        unlike = set(places)
        equal = [place for place in range(len(before)) if place not in unlike]
        if not spelled_alike([before[place] for place in equal], [after[place] for place in equal]):
            places = [
                place for place in range(len(before)) if place in unlike or not _same(before[place], after[place])
            ]
        return places, places
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and _same(before[start], after[start]):
        start += 1
    end = 0
    while end < shorter - start and _same(before[-1 - end], after[-1 - end]):
        end += 1
    return [*range(start, len(before) - end)], [*range(start, len(after) - end)]


def _same(old: Json, new: Json) -> bool:
    """Equal to the spelling: Python finds 1 == 1.0 == True."""
    return old == new and spelled_alike(old, new)


def _match_objects(
    before: Sequence[Json], after: Sequence[Json], left: list[int], right: list[int], key: Key | None
) -> _Matched:
    """By a key that is one over the whole arrays; what finds no partner so is another member. Without a key that both
    sides share, by content."""
    if left is right and len(left) <= FEW and key is None and stand_in_place(before, after, left):
        return [(place, place) for place in left]
    if all(isinstance(item, dict) for item in (*before, *after)):
        whole = cast("tuple[Sequence[Fields], Sequence[Fields]]", (before, after))
        key = key if key and _held(whole, key) else join_key(*whole)
        if key is not None:
            keys = (
                tags([whole[0][place] for place in left], key),
                tags([whole[1][place] for place in right], key),
            )
            pairs = joined(*keys, left, right)
            return _match_rest(before, after, left, right, pairs, key)
    return _match_by_content(before, after, left, right)


def _match_rest(
    before: Sequence[Json], after: Sequence[Json], left: Sequence[int], right: Sequence[int], pairs: _Matched, key: Key
) -> _Matched:
    """What the key did not join, by everything but the key: an element under another name is still the same one where
    nearly all else is equal (each side draws its own numbers), and another element otherwise."""
    rest = _rest(left, right, pairs)
    if not rest[0] or not rest[1]:
        return pairs
    bare = ([without(before[place], key) for place in rest[0]], [without(after[place], key) for place in rest[1]])
    found = [
        (rest[0][one], rest[1][other])
        for one, other in pair_alike(*bare, CLOSE)
        if min(len(bare[0][one]), len(bare[1][other])) >= MIN_VALUES
    ]
    return sorted(pairs + found)


def _rest(left: Sequence[int], right: Sequence[int], pairs: _Matched) -> tuple[list[int], list[int]]:
    taken = ({one for one, _ in pairs}, {other for _, other in pairs})
    return [place for place in left if place not in taken[0]], [place for place in right if place not in taken[1]]


def _held(sides: tuple[Sequence[Fields], Sequence[Fields]], key: Key) -> bool:
    return all(all(isinstance(item.get(name), str | int) for name in key) for side in sides for item in side)


def _match_by_content(before: Sequence[Json], after: Sequence[Json], left: list[int], right: list[int]) -> _Matched:
    """Equal elements pair up (ids that are drawn anew count as equal), then those that are alike."""
    keys = ([content(before[place]) for place in left], [content(after[place]) for place in right])
    pairs = joined(*keys, left, right)
    rest = _rest(left, right, pairs)
    if rest[0] and rest[1]:
        more = pair_alike([before[place] for place in rest[0]], [after[place] for place in rest[1]])
        pairs = sorted(pairs + [(rest[0][one], rest[1][other]) for one, other in more])
    return pairs


def _match_scalars(
    before: Sequence[Json], after: Sequence[Json], left: list[int], right: list[int], unordered: bool
) -> _Matched:
    keys = ([tag(before[place]) for place in left], [tag(after[place]) for place in right])
    numbers = all(isinstance(item, int | float) for item in (*before, *after))
    if numbers and not unordered and len(before) == len(after) and not set(keys[0]) & set(keys[1]):
        # A vector: a changed component is a changed number, with float tolerance, not another member.
        return [(place, place) for place in left]
    return joined(*keys, left, right)


def _described(
    before: Sequence[Json], after: Sequence[Json], left: list[int], right: list[int], matched: _Matched
) -> Alignment:
    taken = ({one for one, _ in matched}, {other for _, other in matched})
    removed = [place for place in left if place not in taken[0]]
    added = [place for place in right if place not in taken[1]]
    result = Alignment(
        pairs=[(before[one], after[other]) for one, other in matched],
        same=len(before) - len(left),
        removed=[before[place] for place in removed],
        added=[after[place] for place in added],
    )
    result.order = _order(before, after, left, matched)
    if not result.order:
        result.where = _where(removed, added, len(before), len(after))
    if bool(added) is not bool(removed) and _are_duplicates(result.added or result.removed, before if added else after):
        result.where = "duplicates"
    return result


def _are_duplicates(items: Sequence[Json], others: Sequence[Json]) -> bool:
    """Whether the other side holds each of `items` as well: repeated no more, or no longer removed."""
    held = {canonical_key(item) for item in others}
    return all(canonical_key(item) in held for item in items)


def _order(before: Sequence[Json], after: Sequence[Json], left: Sequence[int], pairs: Sequence[tuple[int, int]]) -> str:
    partners = [other for _, other in pairs]
    moved = order_of(partners)
    if not moved:
        return ""
    # Of a list that is reversed, the middle one of an odd number keeps its place.
    kept = len(before) - len(left)
    whole = not kept or (kept == 1 and len(before) % 2 == 1 and len(before) // 2 not in left)
    if whole and moved == "reversed":
        return "reversed"
    return sorted_how([before[one] for one, _ in pairs], [after[other] for other in sorted(partners)]) or "reordered"


def _where(removed: Sequence[int], added: Sequence[int], before: int, after: int) -> str:
    """What the elements without a partner have in common, where only one side has any."""
    places, length = (removed, before) if removed else (added, after)
    if not places or (removed and added) or (len(places) == length == max(before, after) and min(before, after)):
        return ""
    if places[-1] == length - 1 and len(places) == length - places[0]:
        return "at the end"
    return "at the front" if places[0] == 0 and places[-1] == len(places) - 1 else ""
