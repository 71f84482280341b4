"""What differs between a baseline and itself, and therefore proves nothing about the candidate.

Noise is counted per endpoint, place and grade, and never turns a place off: it weakens the assertion by one rung. A
fresh id each time (grade "tokens") still has to be an id of the same shape; any text may still not become a number;
a shuffled array must still hold the same members. See docs/verdict.md.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from .comparison import Comparison, Observation, Side, compare_runs
from .difference import Difference
from .endpoint import Templates
from .shapes import is_generated, shape

Place = tuple[str, str, str, str]

NOW_US = 60_000_000
"""Two times within a minute of the same distance from their own requests are "now", not a stored value."""

# What noise of the first kind excuses besides itself.
_COVERS = {
    "value_changed": ("value_changed/tokens", "numeric_precision"),
    "changed": ("changed/tokens",),
    "multiset_changed": ("length_changed", "order_changed"),
    "length_changed": ("multiset_changed", "order_changed"),
    "missing": ("extra", "extra_write"),
    "extra": ("missing",),
    "extra_write": ("missing",),
    "row_missing": ("row_extra",),
    "row_extra": ("row_missing",),
    "field_removed": ("field_added",),
    "field_added": ("field_removed",),
}
_COVERED_BY: dict[str, set[str]] = defaultdict(set)
for _noisy, _kinds in _COVERS.items():
    for _kind in _kinds:
        _COVERED_BY[_kind].add(_noisy)
_MEMBERS = ("multiset_changed", "length_changed")
_UNDER_CHANGING_MEMBERS = frozenset(
    {"value_changed", "value_changed/tokens", "numeric_precision", "numeric_repr", *_MEMBERS, "order_changed"}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """`requests` that differed by themselves, of `trials` comparisons of the baseline with itself."""

    requests: frozenset[str]
    differs: int
    trials: int


class NoiseModel:
    """Learnt from comparisons of baselines with each other; empty where there were none."""

    def __init__(self, comparisons: Sequence[Comparison], earlier: "NoiseModel | None" = None) -> None:
        self.trials: dict[str, int] = defaultdict(int)
        self._seen: dict[tuple[str, Place], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._shifts: dict[tuple[str, Place], int] = {}
        self._unordered: dict[tuple[str, str, str], set[str]] = defaultdict(set, earlier._unordered if earlier else {})
        for comparison in comparisons:
            for endpoint, count in comparison.endpoints.items():
                self.trials[endpoint] += count
            for one in comparison.observations:
                self._learn(one)

    def _learn(self, one: Observation) -> None:
        difference = one.difference
        at = (one.endpoint, difference.place)
        self._seen[at][difference.grade].append(one.key)
        if difference.shift_us is not None:
            self._shifts[at] = max(self._shifts.get(at, 0), abs(difference.shift_us))
        if (difference.inner or difference.kind) == "order_changed" and difference.path:
            where = (one.endpoint, difference.service or "", difference.operation or "")
            self._unordered[where].add(difference.path)

    def unordered(self, endpoint: str, service: str = "", operation: str = "") -> frozenset[str]:
        """Array paths whose order changes by itself."""
        return frozenset(self._unordered.get((endpoint, service, operation), ()))

    @property
    def has_unordered(self) -> bool:
        """Whether any array's order changes by itself."""
        return bool(self._unordered)

    def evidence(self, endpoint: str, one: Difference) -> Evidence:
        """What the baseline against itself says of a difference of this kind at this place."""
        keys: list[str] = []
        seen = self._seen.get((endpoint, one.place), {})
        for grade in {one.grade, *_COVERED_BY[one.grade]}:
            keys.extend(seen.get(grade, ()))
        keys.extend(self._changing_members(endpoint, one))
        return Evidence(frozenset(keys), len(keys), self.trials.get(endpoint, 0))

    def _changing_members(self, endpoint: str, one: Difference) -> list[str]:
        """Of an array whose members change by themselves, the members' values are no evidence either."""
        path = one.path or ""
        keys: list[str] = []
        while "[*]" in path and one.grade in _UNDER_CHANGING_MEMBERS:
            path = path[: path.rindex("[*]")]
            place = (one.place[0], path, one.place[2], one.place[3])
            for kind in _MEMBERS:
                keys.extend(self._seen.get((endpoint, place), {}).get(kind, ()))
        return keys

    def shift(self, endpoint: str, place: Place) -> int | None:
        """How far a time moves by itself against its request, at most, microseconds; None where it never moved."""
        return self._shifts.get((endpoint, place))


def learn_noise(baselines: Sequence[Side], templates: Templates) -> tuple[NoiseModel, list[Comparison]]:
    """Compare the first baseline with each other one. Order is learnt first: only then is it known which elements
    of an array answer to each other. The comparisons come along, for their times."""
    distinct = [side for index, side in enumerate(baselines) if index == 0 or side.run is not baselines[0].run]
    if len(distinct) < 2:
        return NoiseModel([]), []
    first, *others = distinct
    comparisons = [compare_runs(first, other, templates) for other in others]
    model = NoiseModel(comparisons)
    if not model.has_unordered:
        return model, comparisons
    comparisons = [compare_runs(first, other, templates, model.unordered) for other in others]
    return NoiseModel(comparisons, model), comparisons


def looks_generated(one: Difference) -> bool:
    """Whether a difference looks like noise to one who has never seen the baseline twice: a fresh id, or now."""
    if one.trait != "tokens":
        return False
    if one.shift_us is not None:
        return abs(one.shift_us) <= NOW_US
    texts = (one.before, one.after)
    return all(isinstance(text, str) and is_generated(shape(text)) for text in texts)
