"""Who wrote which row, and which values stand for each other: what a final state owes to the requests of its run."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from ...capture.model import Exchange
from ..calls.arguments import arguments_of
from ..operation import statement_writes
from ..outbound import CallIndex
from ..pair import Pair
from ..protocols import SQL
from ..report.model import Json, Surface
from ..shapes import is_generated, shape
from .rows import Row

if TYPE_CHECKING:
    from ..comparison import Observation

_NAMING = re.compile(r"(?:^|[._-])(?:id|uuid|guid|key|ref|reference|number|token|code)$|[a-z]I[dD]$")
MAX_WRITERS = 100
MAX_VALUES = 200


def renamings(
    observations: Iterable["Observation"],
    told: Iterable[tuple[Json, Json]],
    stored: Iterable[tuple[Json, Json]] = (),
) -> dict[str, str]:
    """Ids that are others on each side, from what was answered differently. A value that got two names has none. Of
    what was asked differently only ids that are drawn count: a number in a call that belongs to another request would
    name something else. What a store itself answered to a write (`stored`) is what its rows are called, whatever the
    service says of it."""
    pairs = [(one.difference.before, one.difference.after) for one in observations if _names(one)]
    return _agreed((*pairs, *told)) | _agreed(stored)


def _agreed(pairs: Iterable[tuple[Json, Json]]) -> dict[str, str]:
    found: dict[str, str] = {}
    broken: set[str] = set()
    for before, after in pairs:
        old, new = _word(before), _word(after)
        if old and new and found.setdefault(old, new) != new:
            broken.add(old)
    return {old: new for old, new in found.items() if old not in broken}


def _names(one: "Observation") -> bool:
    difference = one.difference
    if (difference.inner or difference.kind) != "value_changed":
        return False
    before = difference.before
    answered = difference.surface in (Surface.RESPONSE, Surface.HEADER)
    return (answered and bool(_NAMING.search(difference.path or ""))) or (
        isinstance(before, str) and is_generated(shape(before))
    )


def _word(value: Json) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


class Authors:
    """Which request wrote a row: the first whose statement on the table names the row's key, then most of its values,
    else the first that wrote to the table at all. Collected when first asked for."""

    def __init__(self, pairs: Mapping[str, tuple[str, Pair]], before: CallIndex, after: CallIndex) -> None:
        self._pairs = pairs
        self._sides = before, after
        self._writers: dict[tuple[str, str], list[tuple[str, frozenset[tuple[str, str]]]]] | None = None

    def of(self, service: str, table: str, key: Row, row: Row) -> str:
        """The request's id in the replayed capture, or ""."""
        if self._writers is None:
            self._writers = self._collected()
        writers = self._writers.get((service, table)) or self._writers.get((service, table.rpartition(".")[2])) or []
        named, wanted = _named(key), _named(row)
        words = {word for _, word in wanted}
        scored = [
            (len(named & values), len(wanted & values), len(words & {word for _, word in values}), -place, request)
            for place, (request, values) in enumerate(writers)
        ]
        return max(scored)[-1] if scored else ""

    def _collected(self) -> dict[tuple[str, str], list[tuple[str, frozenset[tuple[str, str]]]]]:
        found: dict[tuple[str, str], list[tuple[str, frozenset[tuple[str, str]]]]] = defaultdict(list)
        for key, (_, pair) in self._pairs.items():
            for side, parent in zip(self._sides, (pair.before, pair.after), strict=True):
                for call in side.sure_of(parent.id):
                    if call.protocol in SQL and statement_writes(call.request.operation):
                        writers = found[call.service, call.request.target.rpartition(".")[2]]
                        if len(writers) < MAX_WRITERS:
                            writers.append((key, _values(call)))
        return found


def _values(call: Exchange) -> frozenset[tuple[str, str]]:
    given = arguments_of(call)
    return _named(given) if isinstance(given, dict) else frozenset()


def _named(values: Row) -> frozenset[tuple[str, str]]:
    """Names and values as text; the second row of an INSERT has the names of the first."""
    pairs = islice(values.items(), MAX_VALUES)
    return frozenset((name.partition("#")[0], word) for name, value in pairs if (word := _word(value)))
