"""Which elements of a list always come before which others, where the list as a whole has no order of its own.

Threads write their lines in any order, but "start" is written before they begin. Learnt from the baseline's lists: a
pair counts that was seen often and never the other way round.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence

from ..compare.arrays import content
from ..report.model import Json

MIN_SEEN = 20
"""Lists that hold a pair in one order before that order is asserted: by chance alone 2^-20."""
MAX_ELEMENTS = 40
MAX_PAIRS = 50_000
MAX_LABELS = 64
MAX_LABEL = 100

Label = Hashable


class PartialOrder:
    """Learnt from lists; `broken_by` says which pair another list turns round."""

    def __init__(self, lists: Sequence[Sequence[Json]]) -> None:
        self._member = _naming_member(lists)
        self._before: Counter[tuple[Label, Label]] = Counter()
        for one in lists:
            self._learn(self._labels(one))

    def _learn(self, labels: Sequence[Label]) -> None:
        for at, first in enumerate(labels):
            for second in labels[at + 1 :]:
                pair = (first, second)
                if pair in self._before or len(self._before) < MAX_PAIRS:
                    self._before[pair] += 1

    def broken_by(self, one: Sequence[Json]) -> tuple[str, str] | None:
        """The first pair that stands the other way round than in every baseline, or None."""
        labels = self._labels(one)
        for at, first in enumerate(labels):
            for second in labels[at + 1 :]:
                if self._before[second, first] >= MIN_SEEN and not self._before[first, second]:
                    return str(second)[:60], str(first)[:60]
        return None

    @property
    def has_pairs(self) -> bool:
        """Whether any pair always stood in one order."""
        return any(
            count >= MIN_SEEN and not self._before[second, first] for (first, second), count in [*self._before.items()]
        )

    def _labels(self, one: Sequence[Json]) -> list[Label]:
        """What the elements are called; none for a list that names one twice or is too long."""
        if len(one) > MAX_ELEMENTS:
            return []
        labels = [_label(element, self._member) for element in one]
        return labels if len(set(labels)) == len(labels) else []


def _label(element: Json, member: str | None) -> Label:
    if member is not None and isinstance(element, dict):
        return _short(str(element.get(member)))
    return _short(content(element).decode("utf-8", "replace"))


def _short(text: str) -> str:
    """A label of bounded size that still tells two texts apart."""
    if len(text) <= MAX_LABEL:
        return text
    return text[:MAX_LABEL] + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _naming_member(lists: Sequence[Sequence[Json]]) -> str | None:
    """The member by which elements are known: a text, unique in its list, of a few that come back."""
    first = next((one[0] for one in lists if one and isinstance(one[0], dict)), None)
    if first is None:
        return None
    for name in [name for name, value in first.items() if isinstance(value, str)][:12]:
        values = [[element.get(name) for element in one if isinstance(element, dict)] for one in lists]
        whole = all(len(set(map(str, each))) == len(one) for each, one in zip(values, lists, strict=True))
        if whole and len({str(value) for each in values for value in each}) <= MAX_LABELS:
            return name
    return None
