"""Headers as they came: ordered, with their duplicates and their case.

Names and values are str decoded as latin-1, which loses no byte.
"""

from collections.abc import Iterable, Iterator


class Headers:
    """An immutable ordered multi-map. Look-ups ignore case, nothing else does."""

    __slots__ = ("items",)

    items: tuple[tuple[str, str], ...]

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self.items = tuple((name, value) for name, value in items)

    @classmethod
    def of_pairs(cls, pairs: tuple[tuple[str, str], ...]) -> "Headers":
        """Headers over `pairs` as they are: for a decoder that has just built and checked them."""
        headers = object.__new__(cls)
        headers.items = pairs
        return headers

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of `name`, or `default`."""
        wanted = name.lower()
        for key, value in self.items:
            if key.lower() == wanted:
                return value
        return default

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of `name`, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.items if key.lower() == wanted)

    def without(self, *names: str) -> "Headers":
        """A copy that lacks `names`."""
        dropped = {name.lower() for name in names}
        return Headers(item for item in self.items if item[0].lower() not in dropped)

    def with_value(self, name: str, value: str) -> "Headers":
        """A copy in which `name` has the one value, at the place of its first appearance or at the end."""
        wanted = name.lower()
        kept: list[tuple[str, str]] = []
        placed = False
        for key, old in self.items:
            if key.lower() != wanted:
                kept.append((key, old))
            elif not placed:
                kept.append((key, value))
                placed = True
        if not placed:
            kept.append((name, value))
        return Headers(kept)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.items == other.items

    def __hash__(self) -> int:
        return hash(self.items)

    def __repr__(self) -> str:
        return f"Headers({self.items!r})"
