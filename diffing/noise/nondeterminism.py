"""A candidate that differs from itself where the baseline never does: new nondeterminism, one finding of its own.

The candidates of two rounds answered the same requests at fresh states, as the baselines did. What only they show to
each other is no change of a value from this to that: the next run would show another one.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..comparison import Comparison, Observation
from ..difference import Difference
from ..report.model import Surface
from .significance import fisher_greater

LEVEL = 1e-3
MIN_TRIALS = 10
KIND = "nondeterministic"
VALUE_KINDS = frozenset({"value_changed", "numeric_precision", "order_changed", "multiset_changed", "length_changed"})
"""What a value that is drawn anew looks like. A lost field or another type is one each time."""

At = tuple[str, tuple[str, str, str, str]]


def root_of(path: str) -> str:
    """The outermost list that `path` is in, or the path itself: a shuffled list shows at its members too."""
    return path.partition("[*]")[0]


def _at(one: Observation) -> At:
    place = one.difference.place
    return one.endpoint, (place[0], root_of(place[1]), place[2], place[3])


def is_value(one: Difference) -> bool:
    """Whether `one` may be one draw of many."""
    return one.surface is Surface.RESPONSE and one.kind in VALUE_KINDS and bool(one.path)


@dataclass(slots=True)
class Unsteady:
    """Places at which the candidate differs from itself significantly more often than the baseline from itself."""

    counts: dict[At, tuple[int, int]]

    @classmethod
    def learn(
        cls, rounds: Sequence[Comparison], candidates: Sequence[Comparison], itself: Sequence[Comparison]
    ) -> "Unsteady":
        """From candidates compared with each other and baselines compared with each other. Every one of the `rounds`
        must show it: what one of them alone shows was its own bad luck."""
        if not candidates:
            return cls({})
        ours, theirs = _requests(candidates), _requests(itself)
        always = set.intersection(*(set(_requests([one])) for one in rounds))
        found: dict[At, tuple[int, int]] = {}
        for at, keys in ours.items():
            if at not in always:
                continue
            trials = sum(one.endpoints[at[0]] for one in candidates)
            others = sum(one.endpoints[at[0]] for one in itself)
            if others < MIN_TRIALS or theirs.get(at):
                continue
            if fisher_greater(len(keys), trials, 0, others) <= LEVEL:
                found[at] = (len(keys), trials)
        return cls(found)

    def covers(self, one: Observation) -> bool:
        """Whether `one` is a draw at such a place."""
        return is_value(one.difference) and _at(one) in self.counts

    def told(self, one: Observation) -> Difference:
        """The difference that stands for all draws at the place of `one`."""
        hits, trials = self.counts[_at(one)]
        moved = f"steady→differs from itself in {hits} of {trials}"
        path = root_of(one.difference.path or "")
        return replace(one.difference, kind=KIND, path=path, trait="", transition=moved, shift_us=None)


def _requests(comparisons: Sequence[Comparison]) -> dict[At, set[tuple[int, str]]]:
    held: dict[At, set[tuple[int, str]]] = defaultdict(set)
    for number, comparison in enumerate(comparisons):
        for one in comparison.observations:
            if is_value(one.difference):
                held[_at(one)].add((number, one.key))
    return held
