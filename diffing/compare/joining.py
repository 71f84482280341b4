"""What makes two elements of two arrays the same thing: a key that both sides share, or enough of the same values.

A key is a member (or a pair of members) that is present and unique in every element. One that only looks like a key is
found out by what else it brings together: ids that both sides count from their own start join the wrong elements.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, islice
from typing import cast

from ..canonical import canonical_key
from ..difference import type_name
from ..report.model import Json
from ..shapes import MAX_SHAPED, is_generated, shape

KEY_NAMES = ("id", "sku", "code", "key", "uuid", "slug", "ref", "reference", "number", "name", "title", "type")
"""Names that join keys usually have, most telling first."""
MAX_KEY_CANDIDATES = 12
MAX_PAIRED = 5
"""Members that are tried two by two where none is unique alone."""
SAMPLE = 32
"""Joined elements that are looked at to see whether a key brings the right ones together."""
AGREE = 0.5
CLEARLY = 0.3
"""How much better another key must do than the one with the usual name."""
ALIKE = 1 / 3
"""Share of equal values from which two elements are one thing that changed, not two things."""
CLOSE = 2 / 3
"""The same for elements that go by different names."""
MIN_VALUES = 3
"""Elements with fewer values are too small to tell."""
MAX_VALUES = 40
MAX_CLOSE = 8
MAX_SHARERS = 20
"""A value that more elements share says nothing about which one is meant."""

Fields = dict[str, Json]
Key = tuple[str, ...]


def tag(value: Json) -> Hashable:
    """A scalar as a dictionary key that keeps 1, 1.0 and True apart."""
    return (type_name(value), repr(value) if isinstance(value, float) else value)


def tags(items: Sequence[Fields], key: Key) -> list[Hashable]:
    """Each element's key."""
    if len(key) == 1:
        return [tag(item[key[0]]) for item in items]
    return [tuple(tag(item[name]) for name in key) for item in items]


def join_key(before: Sequence[Fields], after: Sequence[Fields]) -> Key | None:
    """The key that joins two arrays: one with a usual name that half of the elements share, unless another joins
    elements that are clearly more alike; else the one that brings most together."""
    if not before or not after:
        return None
    names = [name for name, value in before[0].items() if isinstance(value, str | int) and not isinstance(value, bool)]
    names.sort(key=lambda name: _preference(name, before[0][name]))
    names = names[:MAX_KEY_CANDIDATES]
    half = min(len(before), len(after)) / 2
    tried: list[tuple[float, int, Key]] = []
    usual: tuple[float, int, Key] | None = None
    for key in ((name,) for name in names):
        shared = _shared(before, after, key)
        if not shared:
            continue
        one = (_agreement(before, after, key, shared), len(shared), key)
        if usual is None and _usual(key[0]) and len(shared) >= half:
            usual = one
            if one[0] >= AGREE:
                return key
        if len(shared) >= half or one[0] >= AGREE:
            tried.append(one)
    if not tried:
        return _pair_key(before, after, names, half)
    best = max(tried, key=lambda one: (0.1 + one[0]) * one[1])
    return usual[2] if usual and best[0] <= usual[0] + CLEARLY else best[2]


def _pair_key(before: Sequence[Fields], after: Sequence[Fields], names: Sequence[str], half: float) -> Key | None:
    if len(before) < 2 and len(after) < 2:
        return None
    for pair in combinations(names[:MAX_PAIRED], 2):
        if len(_shared(before, after, pair)) >= half:
            return pair
    return None


def _shared(before: Sequence[Fields], after: Sequence[Fields], key: Key) -> frozenset[Hashable]:
    """The keys that both sides hold; none where they are not unique on each side."""
    left = _unique(before, key)
    right = _unique(after, key) if left else frozenset()
    return left & right


def _unique(items: Sequence[Fields], key: Key) -> frozenset[Hashable]:
    columns = [[item.get(name) for item in items] for name in key]
    # A set of plain values is quick; where texts and numbers mix, True and 1 would be one.
    kinds = {type(value) for column in columns for value in column}
    if not kinds <= {str, int}:
        return frozenset()
    values = cast("frozenset[Hashable]", frozenset(columns[0] if len(key) == 1 else zip(*columns, strict=True)))
    return values if len(values) == len(items) else frozenset()


def _agreement(before: Sequence[Fields], after: Sequence[Fields], key: Key, shared: frozenset[Hashable]) -> float:
    """The share of equal scalar members among elements that the key joins, seen at a sample; 1 where there is nothing
    to compare."""
    if key[0] not in before[0] or len(key) > 1:
        return 1.0
    name = key[0]
    left = dict(islice(((item[name], item) for item in before if item[name] in shared), SAMPLE))
    wanted = left.keys()
    same = total = 0
    for other in after:
        if other[name] in wanted:
            mine = left[other[name]]
            for field, value in mine.items():
                if field != name and field in other and not isinstance(value, dict | list):
                    total += 1
                    same += value == other[field]
    return same / total if total else 1.0


def stand_in_place(before: Sequence[Json], after: Sequence[Json], places: Sequence[int]) -> bool:
    """Whether the elements at `places` are plainly the same ones, changed: the first member with a usual name is equal
    and different from element to element, and so are most of the others. Spares the look at the whole arrays."""
    named: set[Hashable] = set()
    name = ""
    for place in places:
        old, new = before[place], after[place]
        if not isinstance(old, dict) or not isinstance(new, dict):
            return False
        name = name or next(filter(_usual, old), "")
        value = old.get(name)
        if not isinstance(value, str | int) or new.get(name) != value:
            return False
        named.add(value)
        same = 0
        for field, other in old.items():
            same += field in new and new[field] == other
        if same - 1 < AGREE * (len(old) - 1):
            return False
    return len(named) == len(places)


@lru_cache(maxsize=4096)
def _usual(name: str) -> bool:
    return name.lower() in KEY_NAMES or name.lower().endswith("id")


def _preference(name: str, value: Json) -> tuple[int, bool, str]:
    lowered = name.lower()
    rank = KEY_NAMES.index(lowered) if lowered in KEY_NAMES else (3 if _usual(name) else len(KEY_NAMES))
    return (rank, not isinstance(value, str), name)


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


def values_of(item: Json) -> Counter[Hashable]:
    """Some of an element's scalars, wherever they stand: a renamed member keeps its value."""
    found: Counter[Hashable] = Counter()
    stack = [item]
    while stack and found.total() < MAX_VALUES:
        one = stack.pop()
        if isinstance(one, dict):
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one[:MAX_VALUES])
        elif isinstance(one, str):
            found[_masked(one)] += 1  # type: ignore[index]  # a masked text is a text
        else:
            found[tag(one)] += 1
    if isinstance(item, dict | list):
        # An object is not like a list, whatever they hold.
        found = Counter({(type_name(item), value): count for value, count in found.items()})
    return found


def without(item: Json, key: Key) -> Fields:
    """An element less the members that name it."""
    return {name: value for name, value in item.items() if name not in key} if isinstance(item, dict) else {}


def alike(one: Counter[Hashable], other: Counter[Hashable], share: float = ALIKE) -> bool:
    """Whether two elements are one thing that changed: at least that `share` of their values are equal."""
    size = max(one.total(), other.total())
    return size < MIN_VALUES or (one & other).total() >= share * size


def pair_alike(left: Sequence[Json], right: Sequence[Json], share: float = ALIKE) -> list[tuple[int, int]]:
    """Places of elements that answer to each other although something in them changed: at the same place where there
    are as many and they are alike, else wherever their rarest values are found again. Grows with the length."""
    before, after = [values_of(item) for item in left], [values_of(item) for item in right]
    pairs: list[tuple[int, int]] = []
    if len(left) == len(right):
        pairs = [(place, place) for place in range(len(left)) if alike(before[place], after[place], share)]
        if 2 * len(pairs) >= len(left):
            taken = {place for place, _ in pairs}
            rest = [place for place in range(len(left)) if place not in taken]
            return pairs + _by_values(before, after, rest, rest, share)
    return _by_values(before, after, range(len(left)), range(len(right)), share)


def _by_values(
    before: Sequence[Counter[Hashable]],
    after: Sequence[Counter[Hashable]],
    left: Sequence[int],
    right: Sequence[int],
    share: float,
) -> list[tuple[int, int]]:
    holders: dict[Hashable, list[int]] = {}
    for place in right:
        for value in after[place]:
            holders.setdefault(value, []).append(place)
    close = [one for place in left for one in _closest(place, before[place], holders)]
    # The closest first, whichever side they are seen from: the same pairs come out both ways.
    close.sort(key=lambda one: (-one[0], one[1] + one[2], abs(one[1] - one[2]), one[1]))
    pairs: list[tuple[int, int]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, place, other in close:
        is_free = place not in taken[0] and other not in taken[1]
        if is_free and alike(before[place], after[other], share):
            taken[0].add(place)
            taken[1].add(other)
            pairs.append((place, other))
    return pairs


def _closest(
    place: int, values: Counter[Hashable], holders: dict[Hashable, list[int]]
) -> Iterator[tuple[int, int, int]]:
    """The elements that share most of the rarer values: (how many, place, their place)."""
    votes: Counter[int] = Counter()
    for value in values:
        sharers = holders.get(value, ())
        if len(sharers) <= MAX_SHARERS:
            votes.update(sharers)
    for other, count in votes.most_common(MAX_CLOSE):
        yield count, place, other
