"""What differs between a baseline and itself, and therefore proves nothing about the candidate.

Noise is counted per endpoint, place and grade, and never turns a place off: it weakens the assertion by one rung. A
fresh id each time (grade "tokens") still has to be an id of the same shape; any text may still not become a number;
a shuffled array must still hold the same members. See docs/verdict.md.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..comparison import Comparison, Observation, Side, compare_runs
from ..difference import Difference
from ..endpoints.templates import Templates
from ..identity.relate import relate_alike
from ..shapes import is_generated, shape
from .classes import noise_class
from .residual import Learned, learn_places
from .significance import rate_bound
from .stored import MAX_COUNT, StoredNoise, StoredPlace

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


MIN_MEMBERS = 20
"""So often must members have changed before it says something that no member's own value ever did."""


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
        self.learned: Learned = {}
        self._stored: dict[tuple[str, Place], dict[str, StoredPlace]] = defaultdict(dict)
        self._contradicted: set[tuple[str, Place]] = set()
        self._stored_trials: dict[str, int] = {}
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

    def learn_promises(self, comparisons: Sequence[Comparison]) -> None:
        """Learn what the values at noisy places share, from the `comparisons` that the model itself was learnt from."""
        self.learned = learn_places(comparisons, {at: frozenset(seen) for at, seen in self._seen.items()})

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
        differs, trials = self._stored_evidence(endpoint, one)
        return Evidence(frozenset(keys), len(keys) + differs, self.trials.get(endpoint, 0) + trials)

    def _stored_evidence(self, endpoint: str, one: Difference) -> tuple[int, int]:
        at = (endpoint, one.place)
        if at in self._contradicted:
            return 0, 0
        held = self._stored.get(at, {})
        differs = sum(held[grade].differs for grade in {one.grade, *_COVERED_BY[one.grade]} if grade in held)
        return differs, self._stored_trials.get(endpoint, 0)

    def add_stored(self, stored: StoredNoise) -> None:
        """Add what earlier verifications of the same baseline learnt: counts, and which arrays have no order. A place
        that does not differ now although it did so often then is what this run shows it to be."""
        self._stored_trials = dict(stored.trials)
        for one in stored.places:
            at = (one.endpoint, one.place)
            now = len(self._seen.get(at, {}).get(one.kind, ()))
            trials = self.trials.get(one.endpoint, 0)
            if not now and trials and one.differs > rate_bound(0, trials) * max(1, one.trials):
                self._contradicted.add(at)
                continue
            self._stored[at][one.kind] = one
            if one.kind == "order_changed" and one.place[1]:
                self._unordered[one.endpoint, one.place[2], one.place[3]].add(one.place[1])

    def stored(self, key: str) -> StoredNoise:
        """What is known of the baseline `key` after this run: its own evidence and what was stored before."""
        trials = {
            endpoint: min(MAX_COUNT, self.trials.get(endpoint, 0) + self._stored_trials.get(endpoint, 0))
            for endpoint in {*self.trials, *self._stored_trials}
        }
        places: list[StoredPlace] = []
        for at in sorted({*self._seen, *self._stored}):
            seen, before = self._seen.get(at, {}), self._stored.get(at, {})
            for grade in sorted({*seen, *before}):
                differs = len(seen.get(grade, ())) + (before[grade].differs if grade in before else 0)
                places.append(self._stored_place(at, grade, differs, trials.get(at[0], 0)))
        return StoredNoise(key, trials, tuple(places))

    def _stored_place(self, at: tuple[str, Place], grade: str, differs: int, trials: int) -> StoredPlace:
        named = noise_class(grade, differs, trials, self.learned.get(at), is_time=at in self._shifts)
        if grade in self._stored.get(at, {}) and at not in self.learned:
            before = self._stored[at][grade]
            named = (before.noise_class, before.still)
        return StoredPlace(at[0], at[1], grade, min(differs, trials), trials, *named)

    def _changing_members(self, endpoint: str, one: Difference) -> list[str]:
        """Of an array whose members change by themselves, the members' values are no evidence either: its elements may
        have been laid beside others. Where they never differed although members often changed, they are."""
        path = one.path or ""
        keys: list[str] = []
        own = not _UNDER_CHANGING_MEMBERS.isdisjoint(self._seen.get((endpoint, one.place), {}))
        while "[*]" in path and one.grade in _UNDER_CHANGING_MEMBERS:
            path = path[: path.rindex("[*]")]
            place = (one.place[0], path, one.place[2], one.place[3])
            changed = [key for kind in _MEMBERS for key in self._seen.get((endpoint, place), {}).get(kind, ())]
            if own or len(changed) < MIN_MEMBERS:
                keys.extend(changed)
        return keys

    def shift(self, endpoint: str, place: Place) -> int | None:
        """How far a time moves by itself against its request, at most, microseconds; None where it never moved."""
        return self._shifts.get((endpoint, place))


def learn_noise(
    baselines: Sequence[Side], templates: Templates, stored: StoredNoise | None = None
) -> tuple[NoiseModel, list[Comparison]]:
    """Compare the first baseline with each other one. Order is learnt first: only then is it known which elements
    of an array answer to each other. `stored` is what earlier verifications of this baseline learnt. The comparisons
    come along, for their times."""
    distinct = [side for index, side in enumerate(baselines) if index == 0 or side.run is not baselines[0].run]
    first, *others = distinct or (None,)
    comparisons = [compare_runs(first, other, templates) for other in others if first is not None]
    relate_alike(comparisons)
    model = NoiseModel(comparisons)
    if stored is not None:
        model.add_stored(stored)
    if comparisons and model.has_unordered:
        comparisons = [compare_runs(first, other, templates, model.unordered) for other in others if first is not None]
        relate_alike(comparisons, model.unordered)
        model = NoiseModel(comparisons, model)
        if stored is not None:
            model.add_stored(stored)
    model.learn_promises(comparisons)
    return model, comparisons


def looks_generated(one: Difference) -> bool:
    """Whether a difference looks like noise to one who has never seen the baseline twice: a fresh id, or now."""
    if one.trait != "tokens":
        return False
    if one.shift_us is not None:
        return abs(one.shift_us) <= NOW_US
    texts = (one.before, one.after)
    return all(isinstance(text, str) and is_generated(shape(text)) for text in texts)
