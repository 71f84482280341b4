"""Bimodal: one class of requests got slower, the rest is as it was. A cold path, a certain customer's, a kind of item.
PURE.

Two ways to see it. Classes that are known beforehand: the first request of a kind, the first of a session. And classes
that show themselves: the same requests stand out in every round, which noise does not do, having no memory of which
request it met.

Method: the difference of two trimmed means (Yuen's standard errors) for the first; for the second the binomial
chance that a request stands out in most rounds by itself, from how often one stands out on the quick side and in
baseline against baseline, and again binomial over the requests.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..noise.significance import binomial_tail
from ..student import t_tail
from .location import MIN_EFFECT, MIN_TAU, NULL_EFFECT, shift_of, trimmed, unanimous
from .samples import FIRST_OF_SESSION, FIRST_OF_TARGET, Sample, joined

CLASSES = (FIRST_OF_TARGET, FIRST_OF_SESSION)
MIN_OF_EACH = 6
MIN_CLASS_EFFECT = math.log(1.1)
SAME_REQUESTS = "the same requests in each round"
MIN_KEYS, MIN_ROUNDS = 2, 2
MAX_SHARE = 0.8
"""Where more stand out it is the location."""
SPREADS = 6.0
"""A request stands out by so many times the spread of its endpoint's shifts."""
SHARE_OF_TIME = 0.25
"""And by this part of what its endpoint takes."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of requests that shifted by `shift_us`, trimmed mean; `keys` are its requests, `of` all that were
    looked at. `rest` is the mean log ratio of the others."""

    p_value: float
    name: str
    shift_us: float
    keys: tuple[str, ...]
    of: int
    rest: float


def bimodal(
    rounds: Sequence[Sequence[Sample]],
    noise: Sequence[Sequence[Sample]],
    least_us: float,
    least_rounds: int = MIN_ROUNDS,
) -> Class | None:
    """The class that shifted apart from the rest most surely; p-values allow for the three ways to look."""
    if len(rounds) < least_rounds:
        return None
    found = [_known(rounds, name, least_us) for name in CLASSES] + [_repeated(rounds, noise, least_us, least_rounds)]
    classes = [one for one in found if one is not None]
    return min(classes, key=lambda one: one.p_value, default=None)


def _known(rounds: Sequence[Sequence[Sample]], name: str, least_us: float) -> Class | None:
    inside = [[one for one in samples if name in one.classes] for samples in rounds]
    members = joined(inside)
    rest = [one for one in joined(rounds) if name not in one.classes]
    if min(len(members), len(rest)) < MIN_OF_EACH:
        return None
    mean, error, degrees = trimmed([one.ratio for one in members])
    other, its_error, its_degrees = trimmed([one.ratio for one in rest])
    shift = shift_of(members)
    if mean < MIN_CLASS_EFFECT or shift < least_us or abs(other) > mean / 2 or not _alike(inside):
        return None
    whole = math.sqrt(error**2 + its_error**2 + MIN_TAU**2 / len(rounds))
    p_value = t_tail((mean - other - NULL_EFFECT) / whole, min(degrees, its_degrees))
    return Class(_of_three(p_value), name, shift, _keys(members), len(members) + len(rest), other)


def _alike(rounds: Sequence[Sequence[Sample]]) -> bool:
    """Whether the class is slower in all rounds; small ones are taken together."""
    if any(len(samples) >= MIN_OF_EACH for samples in rounds):
        return unanimous(rounds, 1.0)
    return all(median(one.ratio for one in samples) > 0 for samples in rounds if samples)


def _repeated(
    rounds: Sequence[Sequence[Sample]], noise: Sequence[Sequence[Sample]], least_us: float, least_rounds: int
) -> Class | None:
    samples = joined(rounds)
    if len(samples) < MIN_OF_EACH:
        return None
    centre = median(one.shift_us for one in samples)
    reach = _reach(samples, centre, least_us)
    times: dict[str, list[bool]] = defaultdict(list)
    for one in samples:
        times[one.key].append(one.shift_us - centre >= reach)
    seen = {key: hits for key, hits in times.items() if len(hits) >= least_rounds}
    out = {key for key, hits in seen.items() if sum(hits) >= _most(len(hits))}
    if len(out) < MIN_KEYS or len(out) > MAX_SHARE * len(seen):
        return None
    rate = _by_itself(samples, joined(noise), centre, reach)
    played = {len(hits) for hits in seen.values()}
    chance = max(binomial_tail(_most(rounds_), rounds_, rate) for rounds_ in played)
    p_value = binomial_tail(len(out), len(seen), chance)
    inside = [one for one in samples if one.key in out]
    rest = [one.ratio for one in samples if one.key not in out]
    return Class(_of_three(p_value), SAME_REQUESTS, shift_of(inside), _keys(inside), len(samples), trimmed(rest)[0])


def _most(rounds: int) -> int:
    return math.ceil(0.8 * rounds)


def _reach(samples: Sequence[Sample], centre: float, least_us: float) -> float:
    spread = 1.4826 * median(abs(one.shift_us - centre) for one in samples)
    return max(3 * least_us, SPREADS * spread, SHARE_OF_TIME * median(one.before_us for one in samples))


def _by_itself(samples: Sequence[Sample], noise: Sequence[Sample], centre: float, reach: float) -> float:
    """How often a request stands out by chance, on one side: as often as it does on the quick side, or between two
    baselines."""
    quick = sum(centre - one.shift_us >= reach for one in samples)
    itself = sum(abs(one.shift_us) >= reach for one in noise)
    return min(1.0, (quick + itself / 2 + 1) / (len(samples) + len(noise) + 1))


def _keys(samples: Sequence[Sample]) -> tuple[str, ...]:
    ranked = sorted(samples, key=lambda one: (-one.shift_us, one.key))
    return tuple(dict.fromkeys(one.key for one in ranked))


def _of_three(p_value: float) -> float:
    return min(1.0, 3 * p_value)


def explains(found: Class) -> bool:
    """Whether the rest did not shift: then it is this class that got slower, not the endpoint."""
    return abs(found.rest) < MIN_EFFECT
