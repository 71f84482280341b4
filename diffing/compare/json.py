"""The walk over two JSON values that decides what differs. Its own stack, so that depth costs no frames.

Equal subtrees cost one visit a leaf. The number of visits is bounded; past the bound the rest is not compared and
`Walk.cut` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from ..canonical import canonical_key, spelled_alike
from ..difference import Difference, bounded, child, type_name
from ..report.model import Json, Surface
from .arrays import align
from .embedded import document_in
from .lexical import compare_lexical
from .scalars import Change, Clocks, compare_scalars

MAX_VISITS = 1_000_000
MAX_DIFFERENCES = 500
"""Most differences taken from one pair of bodies; a pair that differs more differs as a whole."""
MAX_ALIKE = 20
"""Differences of one path and kind that are kept: more of them prove nothing more."""
MANY_FIELDS = 50
"""An object that lost or gained more fields at once is a map whose keys changed."""
MAX_RENAMES = 2_500
"""Most pairs of a lost and a new field that are looked at: a map whose keys all changed is no renaming."""

NOTHING: Json = None


@dataclass(slots=True)
class Walk:
    """One comparison. `unordered` are array paths whose order is known to mean nothing, `keys` the members by which
    the elements of an array are known; `lexical` says that numbers are written as texts, as in XML and forms."""

    clocks: Clocks = field(default_factory=Clocks)
    unordered: frozenset[str] = frozenset()
    surface: Surface = Surface.RESPONSE
    found: list[Difference] = field(default_factory=list)
    visits: int = 0
    cut: bool = False
    lexical: bool = False
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _stack: list[tuple[str, Json, Json]] = field(default_factory=list)
    _alike: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def run(self, before: Json, after: Json, path: str = "$") -> list[Difference]:
        """Every difference between two values, sorted by path; of those that are alike the first `MAX_ALIKE`."""
        self._stack.append((path, before, after))
        while self._stack:
            if self.visits >= MAX_VISITS or len(self.found) >= MAX_DIFFERENCES:
                self.cut = True
                self._stack.clear()
                break
            self._visit(*self._stack.pop())
        self.found.sort(key=lambda one: (one.path or "", one.kind))
        return self.found

    def _push(self, path: str, before: Json, after: Json) -> None:
        """Leave out what is equal. Python finds 1 == 1.0 == True; their spelling does not."""
        alike = type(before) is type(after) and before == after
        if not alike or (isinstance(before, dict | list) and not spelled_alike(before, after)):
            self._stack.append((path, before, after))

    def _visit(self, path: str, before: Json, after: Json) -> None:
        self.visits += 1
        if isinstance(before, dict) and isinstance(after, dict):
            self._objects(path, before, after)
        elif isinstance(before, list) and isinstance(after, list):
            self._arrays(path, before, after)
        elif isinstance(before, str) and isinstance(after, str):
            self._texts(path, before, after)
        else:
            self._changed(path, before, after, compare_scalars(before, after, self.clocks))

    def _texts(self, path: str, before: str, after: str) -> None:
        """Texts, and what may stand in them: a document (a payload kept as text, a cursor), a number."""
        inner = (document_in(before), document_in(after))
        if inner[0] is not None and inner[1] is not None:
            self._push(path, *inner)
            return
        compare = compare_lexical if self.lexical else compare_scalars
        self._changed(path, before, after, compare(before, after, self.clocks))

    def _changed(self, path: str, before: Json, after: Json, change: Change | None) -> None:
        if change:
            self._emit(change.kind, path, before, after, change.transition, change.trait, change.shift_us)

    def _emit(
        self,
        kind: str,
        path: str,
        before: Json,
        after: Json,
        transition: str,
        trait: str = "",
        shift: int | None = None,
    ) -> None:
        # Ten thousand elements that changed in one way must not hide an eleventh thousand that changed in another.
        seen = self._alike.get((path, kind, trait), 0)
        self._alike[path, kind, trait] = seen + 1
        if seen < MAX_ALIKE:
            self.found.append(
                Difference(self.surface, kind, path, bounded(before), bounded(after), transition, trait, shift_us=shift)
            )

    def _objects(self, path: str, before: dict[str, Json], after: dict[str, Json]) -> None:
        if before.keys() != after.keys():
            removed = [key for key in before if key not in after]
            added = [key for key in after if key not in before]
            self._fields(path, before, after, removed, added)
        stack = self._stack
        for key, value in before.items():
            if key not in after:
                continue
            other = after[key]
            # As in `_push`, but nothing is called and no path made for what is equal: most members are.
            unequal = type(value) is not type(other) or value != other
            if unequal or ((type(value) is dict or type(value) is list) and not spelled_alike(value, other)):
                stack.append((_child(path, key), value, other))
        self.visits += len(before)

    def _fields(
        self, path: str, before: dict[str, Json], after: dict[str, Json], removed: list[str], added: list[str]
    ) -> None:
        for old, new in renames(before, after, removed, added):
            removed.remove(old)
            added.remove(new)
            self._emit("field_renamed", child(path, old), {old: before[old]}, {new: after[new]}, f"{old}→{new}")
        if max(len(removed), len(added)) > MANY_FIELDS:
            # A map from data to data under keys that do not look it: one cause, not one for each key.
            if removed:
                self._emit("field_removed", f"{path}.*", [*removed[:20]], NOTHING, "present→missing")
            if added:
                self._emit("field_added", f"{path}.*", NOTHING, [*added[:20]], "missing→present")
            return
        for key in removed:
            kind = "null_vs_missing" if before[key] is None else "field_removed"
            gone = "null→missing" if before[key] is None else "present→missing"
            self._emit(kind, child(path, key), before[key], NOTHING, gone)
        for key in added:
            kind = "null_vs_missing" if after[key] is None else "field_added"
            come = "missing→null" if after[key] is None else "missing→present"
            self._emit(kind, child(path, key), NOTHING, after[key], come)

    def _arrays(self, path: str, before: list[Json], after: list[Json]) -> None:
        self.visits += len(before) + len(after)
        found = align(before, after, unordered=path in self.unordered, key=self.keys.get(path))
        if found.removed or found.added:
            grown = f"{len(before)}→{len(after)} elements" if len(before) != len(after) else "other members"
            members: tuple[Json, Json] = (found.removed[:20], found.added[:20])
            self._emit(found.kind, path, *members, f"{grown}, {found.where}" if found.where else grown)
        if found.order:
            self._emit("order_changed", path, before[:20], after[:20], found.order)
        inside = f"{path}[*]"
        for first, second in found.pairs:
            self._push(inside, first, second)


@lru_cache(maxsize=8192)
def _child(path: str, key: str) -> str:
    """`child`, remembered: the same paths come back with each answer."""
    return child(path, key)


def renames(
    before: dict[str, Json], after: dict[str, Json], removed: list[str], added: list[str]
) -> list[tuple[str, str]]:
    """Fields that went and came back under another name: the same name in another style, or the same telling value
    at one place only."""
    if len(removed) * len(added) > MAX_RENAMES:
        return []
    pairs: list[tuple[str, str]] = []
    free = {key: canonical_key(after[key]) for key in added}
    for old in removed:
        styled = [new for new in free if _plain(new) == _plain(old) and type_name(after[new]) == type_name(before[old])]
        wanted = canonical_key(before[old]) if _telling(before[old]) else b""
        valued = [new for new, key in free.items() if key == wanted]
        choice = styled[:1] or (valued if len(valued) == 1 else [])
        if choice:
            pairs.append((old, choice[0]))
            del free[choice[0]]
    return pairs


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _telling(value: Json) -> bool:
    """Whether a value is so much its own that finding it again means something."""
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | float):
        return abs(value) >= 100
    return len(value) >= 3
