"""Samples: the same request at the same moment on both sides, and how long each side took. PURE.

Rules: a pair counts only where both sides answered with the same status; what a process does in its first moments is
kept apart (`cold`), because only a cold path is judged by it.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ..pair import Pair
from .parts import Parts, no_parts

FLOOR_US = 50
"""Times below are lost in the clock and the loop."""
TOGETHER_US = 5_000_000
"""Pairs further apart than this were not replayed side by side."""
WARM_UP = 30
"""Pairs at the start of a round that say more of starting than of serving; a tenth of a short round."""
FIRST_OF_TARGET = "the first request of its kind"
FIRST_OF_SESSION = "the first request of a session"

PartsOf = Callable[[str], Parts]
"""How an exchange's time divides, by its id."""
Named = Iterable[tuple[str, str, Pair]]
"""Pairs with their key and endpoint, in the order of the run."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One pair: request, service times in microseconds, how far apart the two were sent, its place among the requests
    of its round, bytes of the baseline's answer. `cold`: within the warm-up. `classes`: what the request is the first
    of. `parts` are (who, before, after) in microseconds, "" being the service itself."""

    key: str
    before_us: int
    after_us: int
    apart_us: int = 0
    place: int = 0
    size: int = 0
    cold: bool = False
    classes: tuple[str, ...] = ()
    parts: tuple[tuple[str, int, int], ...] = ()

    @property
    def ratio(self) -> float:
        """log(after / before)."""
        return math.log(max(self.after_us, FLOOR_US) / max(self.before_us, FLOOR_US))

    @property
    def shift_us(self) -> int:
        """How much longer the candidate took."""
        return self.after_us - self.before_us


Rounds = dict[str, list[list[Sample]]]
"""By endpoint, one list of samples a round."""


def samples_of(rounds: Iterable[Named], parts_of: PartsOf = no_parts) -> Rounds:
    """The answered pairs with equal statuses, by endpoint and round."""
    gathered: Rounds = defaultdict(list)
    for named in rounds:
        for endpoint, samples in _round(list(named), parts_of).items():
            gathered[endpoint].append(samples)
    return dict(gathered)


def _round(named: Sequence[tuple[str, str, Pair]], parts_of: PartsOf) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = defaultdict(list)
    cold = min(WARM_UP, len(named) // 10)
    seen: set[tuple[str, ...]] = set()
    for place, (key, endpoint, pair) in enumerate(named):
        classes = _classes(endpoint, pair, seen)
        old, new = pair.before, pair.after
        if old.response and new.response and old.response.status == new.response.status:
            found[endpoint].append(
                Sample(
                    key,
                    max(old.service_us, 0),
                    max(new.service_us, 0),
                    abs(old.started_us - new.started_us),
                    place,
                    len(old.response.body),
                    place < cold,
                    classes,
                    _divided(parts_of(old.id), parts_of(new.id)),
                )
            )
    return found


def _classes(endpoint: str, pair: Pair, seen: set[tuple[str, ...]]) -> tuple[str, ...]:
    """What a request is the first of; `seen` remembers."""
    asked = pair.before.request
    names = {
        FIRST_OF_TARGET: ("target", endpoint, asked.target),
        FIRST_OF_SESSION: ("session", endpoint, pair.before.session),
    }
    classes = tuple(name for name, what in names.items() if what not in seen)
    seen.update(names.values())
    return classes


def _divided(before: Parts, after: Parts) -> tuple[tuple[str, int, int], ...]:
    return tuple((who, before.get(who, 0), after.get(who, 0)) for who in sorted(before.keys() | after.keys()))


def joined(samples: Iterable[Sequence[Sample]]) -> list[Sample]:
    """The samples of all rounds."""
    return [one for round_ in samples for one in round_]


def warm(rounds: Iterable[Sequence[Sample]]) -> list[list[Sample]]:
    """Rounds without their warm-up."""
    return [[one for one in samples if not one.cold] for samples in rounds]


def side_by_side(samples: Sequence[Sample]) -> bool:
    """Whether the two sides were asked at the same time."""
    return bool(samples) and median(sample.apart_us for sample in samples) <= TOGETHER_US


def beside(pairs: Mapping[str, tuple[str, Pair]]) -> bool:
    """Whether two runs went on at the same time for the most part: short rounds that follow each other are not far
    apart, and yet not paired."""
    if not pairs:
        return False
    starts = [(pair.before.started_us, pair.after.started_us) for _, pair in pairs.values()]
    befores, afters = [one for one, _ in starts], [one for _, one in starts]
    span = min(max(befores) - min(befores), max(afters) - min(afters))
    shared = min(max(befores), max(afters)) - max(min(befores), min(afters))
    return shared * 2 >= span
