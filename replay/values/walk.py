"""The leaves of a decoded JSON document, with what their places say of them. PURE.

A leaf's way up is a linked list of the objects and arrays that it is in, and its path is written only where somebody
asks: most leaves are no value.
"""

from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NamedTuple, TypeGuard

from . import json_path, names
from .json_path import Element, Step
from .telling import strength

MOST = 20_000
"""Leaves of one document that are looked at."""
MAX_DEPTH = json_path.MAX_DEPTH
_HINT_NAMES = ("sku", "slug", "name", "code", "key", "title", "username", "email", "label", "type", "kind", "ref")
_LONGEST_HINT = 80
_MOST_SIBLINGS = 500
_TYPES = ("__typename", "type", "kind", "object", "resource")

Key = str | int


class Container(NamedTuple):
    """What a leaf's object stands under. `name` is the entity of the nearest member that says one, "" where none does;
    `general` that of the nearest one of all, also of `items`; `in_array` whether an array is above; `is_root` whether
    no member is."""

    name: str
    general: str
    in_array: bool
    is_root: bool


class Spot:
    """An object or array of the document: `value`, which stands at `key` of what is `above`."""

    __slots__ = ("_container", "above", "depth", "key", "value")

    def __init__(self, above: "Spot | None", key: Key, value: Any) -> None:
        self.above = above
        self.key = key
        self.value = value
        self.depth: int = 1 if above is None else above.depth + 1
        self._container: Container | None = None

    def container(self) -> Container:
        """What the members of this object stand under."""
        if self._container is None:
            self._container = _container(self)
        return self._container

    def type(self) -> str:
        """The entity that the object itself says it is: `{"id": 7, "type": "orders"}`."""
        if isinstance(self.value, dict):
            for key in _TYPES:
                said = self.value.get(key)
                if isinstance(said, str) and len(said) <= 60 and said.isidentifier():
                    return names.entity(said)
        return ""


def leaves(document: Any) -> Iterator[tuple[Spot, Key, str | int]]:
    """The leaves that can be values, objects before those below them: what each is in, its key there, and itself. A
    document that is a leaf itself is in nothing."""
    if type(document) is str or type(document) is int:
        yield Spot(None, "", document), "", document
    stack = [Spot(None, "", document)] if isinstance(document, dict | list) else []
    left = MOST
    while stack and left > 0:
        spot = stack.pop()
        value = spot.value
        below: list[Spot] = []
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            kind = type(inner)
            if kind is str or kind is int:
                left -= 1
                if left < 0:
                    break
                yield spot, key, inner
            elif (kind is dict or kind is list) and inner and spot.depth < MAX_DEPTH:
                below.append(Spot(spot, key, inner))
        stack += reversed(below)


def name_of(spot: Spot, key: Key) -> str:
    """The nearest name: `ids` for `$.ids[0]`."""
    at: Spot | None = spot
    while isinstance(key, int):
        if at is None or at.above is None:
            return ""
        key, at = at.key, at.above
    return key[: names.LONGEST_NAME]


def holder_of(spot: Spot, key: Key) -> Spot:
    """The object that the leaf is a property of: also where it is an element of an array in it."""
    while isinstance(key, int) and spot.above is not None:
        key, spot = spot.key, spot.above
    return spot


def _container(spot: Spot | None) -> Container:
    name = general = ""
    in_array, is_root = False, True
    while spot is not None and spot.above is not None:
        if isinstance(spot.key, int):
            in_array = True
        else:
            is_root = False
            key = spot.key[: names.LONGEST_NAME]
            name = name or names.entity(key)
            general = general or names.noun(key)
        spot = spot.above
    return Container(name, general, in_array, is_root)


def path_of(spot: Spot, key: Key, value: str | None = None) -> str:
    """The path of the leaf; elements of arrays are named by what else is known of them, if `value` (the leaf's own
    text) is given."""
    if spot.above is None and not isinstance(spot.value, dict | list):
        return "$"
    steps: list[Step] = []
    below: tuple[str, ...] | None = ()
    at: Spot | None = spot
    while at is not None:
        if isinstance(key, str):
            steps.append(key)
            below = (key, *below) if below is not None and json_path.is_plain(key) else None
        else:
            steps.append(Element(key, () if value is None else _hints(at.value, key, below, value)))
            below = None
        key, at = at.key, at.above
    return json_path.written(steps[::-1])


def _hints(
    array: list[Any], index: int, below: tuple[str, ...] | None, value: str
) -> tuple[tuple[tuple[str, ...], str], ...]:
    element = array[index]
    hints: list[tuple[tuple[str, ...], str]] = []
    if isinstance(element, dict) and len(array) <= _MOST_SIBLINGS:
        said = [(name, element.get(name)) for name in _HINT_NAMES]
        # What looks made by a machine may be made anew by the next run.
        texts = sorted(
            ((strength(text), name, text) for name, text in said if _is_hint(text, value)), key=itemgetter(0)
        )
        for _, name, text in texts:
            if sum(isinstance(one, dict) and one.get(name) == text for one in array) == 1:
                hints.append(((name,), text))
                break
    if below is not None and len(value) <= _LONGEST_HINT:
        hints.append((below, value))
    return tuple(hints)


def _is_hint(text: Any, value: str) -> TypeGuard[str]:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST_HINT and text != value
