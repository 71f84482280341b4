"""How two orders of the same elements relate, where both follow from a member: by bytes "Z" comes before "a"."""

import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

from ..report.model import Json

MAX_MEMBERS = 8
MAX_SORTED = 50_000
MIN_SORTED = 3
"""Any two elements are sorted one way or the other."""


def sorted_how(before: Sequence[Json], after: Sequence[Json]) -> str:
    """ "sorted by collation→sorted by bytes" and the like; "" where no text that all have explains both orders."""
    if not MIN_SORTED <= len(before) <= MAX_SORTED:
        return ""
    for old, new in zip(_columns(before), _columns(after), strict=False):
        rules = (_rule(old), _rule(new))
        if all(rules) and rules[0] != rules[1]:
            return f"sorted {rules[0]}→sorted {rules[1]}"
    return ""


def _columns(items: Sequence[Json]) -> list[list[str]]:
    """The texts of each member that is a text in all elements, by the member's name; the elements where they are."""
    if all(isinstance(item, str) for item in items):
        return [[str(item) for item in items]]
    first = items[0]
    if not isinstance(first, dict):
        return []
    names = sorted(name for name, value in first.items() if isinstance(value, str))[:MAX_MEMBERS]
    columns = [[item.get(name) if isinstance(item, dict) else None for item in items] for name in names]
    return [[value if isinstance(value, str) else "" for value in column] for column in columns]


def _rule(texts: Sequence[str]) -> str:
    """The rule that `texts` are sorted by; none where they are not, or where both rules say the same."""
    rules: dict[str, Callable[[str], str]] = {"by bytes": str, "by collation": collated}
    held = [
        f"{name}{direction}"
        for name, key in rules.items()
        for direction, ordered in (("", _ascending), (", descending", _descending))
        if ordered([key(text) for text in texts])
    ]
    return held[0] if len(held) == 1 else ""


def _ascending(keys: Sequence[str]) -> bool:
    return all(one <= other for one, other in pairwise(keys))


def _descending(keys: Sequence[str]) -> bool:
    return all(one >= other for one, other in pairwise(keys))


def collated(text: str) -> str:
    """A key that sorts as most collations do: letters without their marks and case."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
