"""Values by which a side names itself: its host, its pod, its process. Constant within a run, another in each.

Such a value proves nothing as long as the candidate has one too, and only one, that is made alike.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..difference import type_name
from ..report.model import Json
from ..shapes import is_generated, shape, template
from .times import Place, place_of

if TYPE_CHECKING:
    from ..comparison import Comparison, Observation

MIN_SEEN = 3
"""From so many requests on a value that is one for all of them is the side's own."""
OWN = "each side's own name (host, process)"
_MOVED = frozenset({"value_changed", "changed"})
_PREFIX = re.compile(r"[A-Za-z][A-Za-z]*[-_.:~/]")


def _by_place(observations: Iterable["Observation"]) -> dict[Place, list["Observation"]]:
    found: dict[Place, list[Observation]] = defaultdict(list)
    for one in observations:
        difference = one.difference
        if (
            (difference.inner or difference.kind) in _MOVED
            and difference.shift_us is None
            and _is_scalar(difference.before)
        ):
            found[place_of(one)].append(one)
    return found


def _is_scalar(value: Json) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_steady(observations: Sequence["Observation"]) -> bool:
    pairs = {(str(one.difference.before), str(one.difference.after)) for one in observations}
    return len(pairs) == 1 and len({one.key for one in observations}) >= MIN_SEEN


def own_places(itself: Sequence["Comparison"]) -> frozenset[Place]:
    """Places at which each baseline has one value for all requests, and each another."""
    found: dict[Place, bool] = {}
    for comparison in itself:
        for at, held in _by_place(comparison.observations).items():
            found[at] = found.get(at, True) and _is_steady(held)
    return frozenset(at for at, steady in found.items() if steady)


def own_names(comparison: "Comparison", places: frozenset[Place]) -> list[tuple["Observation", str]]:
    """The differences in which each side only names itself."""
    found: list[tuple[Observation, str]] = []
    for at, held in _by_place(comparison.observations).items():
        pairs = {(str(one.difference.before), str(one.difference.after)) for one in held}
        if at in places and len(pairs) == 1 and made_alike(held[0].difference.before, held[0].difference.after):
            found.extend((one, OWN) for one in held)
    return found


def made_alike(before: Json, after: Json) -> bool:
    """Whether two drawn values are made the same way: of one type, shape, prefix and length."""
    if not isinstance(before, str) or not isinstance(after, str):
        return type_name(before) == type_name(after)
    if before.isdecimal() and after.isdecimal():
        return True
    if template(before) == template(after) and not is_generated(shape(before)):
        return shape(before) == shape(after)
    return shape(before) == shape(after) and len(before) == len(after) and _prefix(before) == _prefix(after)


def _prefix(text: str) -> str:
    found = _PREFIX.match(text)
    return found[0] if found else ""
