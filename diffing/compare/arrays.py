"""Two arrays laid side by side: which element answers to which.

Elements are matched by a key field or by content, never by position alone where lengths differ, and every step is a
hash look-up: the work grows with the length, not with its square.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

from ..canonical import canonical_key
from ..difference import type_name
from ..report.model import Json
from ..shapes import MAX_SHAPED, is_generated, shape

KEY_NAMES = ("id", "sku", "code", "key", "uuid", "slug", "ref", "reference", "number", "name", "title", "type")
"""Names that join keys usually have, most telling first."""
MAX_KEY_CANDIDATES = 12


@dataclass(slots=True)
class Alignment:
    """`pairs` still have to be compared; `removed` and `added` found no partner; `order` says how the common elements
    moved, or nothing; `cut` where one array is the beginning of the other."""

    pairs: list[tuple[Json, Json]] = field(default_factory=list)
    removed: list[Json] = field(default_factory=list)
    added: list[Json] = field(default_factory=list)
    order: str = ""
    cut: bool = False

    @property
    def kind(self) -> str:
        """`length_changed` for a list that was cut or continued (a page's size), else `multiset_changed`: other
        members. One element more or less is a lost member, not a page size."""
        changed = len(self.removed) + len(self.added)
        return "length_changed" if self.cut and changed >= 2 else "multiset_changed"


def align(before: Sequence[Json], after: Sequence[Json], *, unordered: bool = False) -> Alignment:
    """Match the elements of two arrays. `unordered`: their order is known to mean nothing."""
    if not any(isinstance(item, dict | list) for item in (*before, *after)):
        return _align_scalars(before, after, unordered)
    if all(isinstance(item, dict) for item in (*before, *after)):
        objects = cast("tuple[list[dict[str, Json]], list[dict[str, Json]]]", (before, after))
        key = join_key(*objects)
        if key is not None:
            return _align_by(
                [_tag(item[key]) for item in objects[0]], [_tag(item[key]) for item in objects[1]], before, after
            )
    return _align_by_content(before, after)


def _tag(value: Json) -> Hashable:
    """A scalar as a dictionary key that keeps 1, 1.0 and True apart."""
    return (type_name(value), repr(value) if isinstance(value, float) else value)


def join_key(before: Sequence[dict[str, Json]], after: Sequence[dict[str, Json]]) -> str | None:
    """The scalar field that is present and unique in every element of both arrays: one with a usual name that shares
    half of the values, else the one that shares most; texts win a tie, then the alphabet."""
    if not before or not after:
        return None
    names = [name for name, value in before[0].items() if isinstance(value, str | int) and not isinstance(value, bool)]
    names.sort(key=lambda name: _preference(name, before[0][name]))
    best, best_shared = None, 0
    for name in names[:MAX_KEY_CANDIDATES]:
        keys = [_unique(side, name) for side in (before, after)]
        shared = len(keys[0] & keys[1]) if keys[0] and keys[1] else 0
        if 2 * shared >= min(len(before), len(after)) and _usual(name):
            return name
        if shared > best_shared:
            best, best_shared = name, shared
    return best


def _usual(name: str) -> bool:
    return name.lower() in KEY_NAMES or name.lower().endswith("id")


def _preference(name: str, value: Json) -> tuple[int, bool, str]:
    lowered = name.lower()
    rank = KEY_NAMES.index(lowered) if lowered in KEY_NAMES else (3 if _usual(name) else len(KEY_NAMES))
    return (rank, not isinstance(value, str), name)


def _unique(items: Sequence[dict[str, Json]], name: str) -> set[Hashable]:
    values: set[Hashable] = set()
    for item in items:
        value = item.get(name)
        if not isinstance(value, str | int):
            return set()
        values.add(_tag(value))
    return values if len(values) == len(items) else set()


def _align_by(
    left: Sequence[Hashable], right: Sequence[Hashable], before: Sequence[Json], after: Sequence[Json]
) -> Alignment:
    """Join on keys, of which each may come several times: equal keys pair up in their order."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for index in range(len(right) - 1, -1, -1):
        places[right[index]].append(index)
    result = Alignment()
    partners: list[int] = []
    for index, key in enumerate(left):
        if places.get(key):
            partner = places[key].pop()
            partners.append(partner)
            result.pairs.append((before[index], after[partner]))
        else:
            result.removed.append(before[index])
    taken = set(partners)
    result.added = [item for index, item in enumerate(after) if index not in taken]
    result.order = _order(partners)
    shorter = min(len(left), len(right))
    result.cut = list(left[:shorter]) == list(right[:shorter]) and len(left) != len(right)
    return result


def _order(partners: Sequence[int]) -> str:
    steps = list(pairwise(partners))
    if all(first < second for first, second in steps):
        return ""
    return "reversed" if all(first > second for first, second in steps) else "reordered"


def _align_by_content(before: Sequence[Json], after: Sequence[Json]) -> Alignment:
    """Equal elements pair up (ids that are drawn anew count as equal), what is left over pairs up in order where it
    is as much on both sides."""
    left, right = [content(item) for item in before], [content(item) for item in after]
    result = _align_by(left, right, before, after)
    if result.removed and len(result.removed) == len(result.added):
        result.pairs.extend(zip(result.removed, result.added, strict=True))
        result.removed, result.added = [], []
    return result


def content(item: Json) -> bytes:
    """An element's canonical form in which generated texts stand for their shape."""
    return canonical_key(_masked(item))


def _masked(item: Json, depth: int = 0) -> Json:
    if isinstance(item, str):
        name = shape(item) if len(item) < MAX_SHAPED else ""
        return f"{{{name}}}" if name == "time" or is_generated(name) else item
    if depth > 20:
        return item
    if isinstance(item, dict):
        return {key: _masked(value, depth + 1) for key, value in item.items()}
    if isinstance(item, list):
        return [_masked(value, depth + 1) for value in item]
    return item


def _align_scalars(before: Sequence[Json], after: Sequence[Json], unordered: bool) -> Alignment:
    left, right = [_tag(item) for item in before], [_tag(item) for item in after]
    numbers = all(isinstance(item, int | float) for item in (*before, *after))
    if numbers and not unordered and len(left) == len(right) and _in_place(left, right):
        # A vector: a changed component is a changed number, with float tolerance, not another member.
        return Alignment(pairs=list(zip(before, after, strict=True)))
    return _align_by(left, right, before, after)


def _in_place(left: Sequence[Hashable], right: Sequence[Hashable]) -> bool:
    """Whether each changed position is one replaced element (and not a shift or a shuffle)."""
    moved = sum(first != second for first, second in zip(left, right, strict=True))
    return moved == (Counter(left) - Counter(right)).total()
