"""Two stages: which endpoints a first look suspects, and how much more of them has to be replayed to know. PURE.

Restarts buy certainty, samples alone do not: what two starts differ by stays, however often each is asked. So more is
asked for in rounds, each with fresh processes. The number of rounds is fixed before they are played: who looks after
each one and stops when it alarms, alarms too often.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ...capture.model import Role
from ..endpoints.templates import Templates
from ..rounds import Round, Run
from .location import (
    LEVEL,
    MIN_EFFECT,
    MIN_PAIRS,
    MIN_SHOWN,
    Estimate,
    estimate,
    holm,
    least_shift_us,
    shift_of,
    spread_between_starts,
)
from .runs import paired
from .samples import Rounds, Sample, beside, joined, samples_of, side_by_side, warm
from .shapes import looks

SCREEN = 0.10
"""One-sided p-value from which an endpoint is suspected; its sequel decides."""
SCREEN_SHAPE = 0.05
REACH = 1.28
"""Standard errors within which a change may still be as large as one that matters."""
LEAST_PAIRS, MOST_PAIRS = 300, 1_500
LEAST_ROUNDS, LEAST_SHAPED, MOST_ROUNDS = 3, 4, 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to replay again, at fresh processes: `origins` are the ids of the requests in the replayed capture (of all
    requests to the suspected `endpoints`), `rounds` how often, at least `least` times. What they depend on has to be
    replayed with them."""

    endpoints: tuple[str, ...]
    origins: frozenset[str]
    rounds: int
    least: int = 3


def more_wanted(rounds: Sequence[Round], noise: Sequence[Run], most_rounds: int = MOST_ROUNDS) -> Wanted | None:
    """What has to be replayed again before the latency of `rounds` can be judged; None where nothing is suspected, or
    the budget has no place for it (`most_rounds`)."""
    if not rounds or most_rounds < LEAST_ROUNDS:
        return None
    runs = [run for round_ in rounds for run in (round_.baseline, round_.candidate)]
    templates = _templates(runs)
    named = [list(paired(one, templates)) for one in rounds]
    against = [list(paired(Round(rounds[0].baseline, run), templates)) for run in noise]
    alike = samples_of(each for each in against if beside({key: (name, pair) for key, name, pair in each}))
    samples = samples_of(named)
    suspected = suspects(samples, alike)
    if not suspected:
        return None
    # What grows with the run shows in nothing but the whole run.
    whole = any("trend" in shapes for shapes in suspected.values())
    origins = frozenset(key.split("#", 1)[0] for key, name, _ in named[0] if whole or name in suspected)
    rounds_wanted = rounds_for({name: samples[name] for name in suspected}, most_rounds)
    shaped = any(suspected.values())
    return Wanted(tuple(suspected), origins, rounds_wanted, LEAST_SHAPED if shaped else LEAST_ROUNDS)


def undecided(wanted: Wanted, timing: Sequence[Round]) -> bool:
    """Whether more of the wanted rounds should be played after those of `timing`. Whoever looks in between may stop
    because there is nothing to find, which costs no false alarm, or because it is sure ten times over (Haybittle and
    Peto)."""
    if len(timing) >= wanted.rounds:
        return False
    if len(timing) < wanted.least:
        return True
    runs = [run for round_ in timing for run in (round_.baseline, round_.candidate)]
    templates = _templates(runs)
    samples = samples_of(paired(one, templates) for one in timing)
    settled = {name: warm(samples[name]) for name in wanted.endpoints if name in samples}
    spread = spread_between_starts(settled, {})
    found = [estimate(one, spread) for one in settled.values()]
    sure = LEVEL / 10 / max(1, len(found))
    return any(one.p_value > sure and one.mean > 0 and one.mean + REACH * one.error >= MIN_EFFECT for one in found)


def _templates(runs: Sequence[Run]) -> Templates:
    return Templates.learn(one for run in runs for one in run.exchanges if one.role is Role.INBOUND)


def suspects(rounds: Rounds, noise: Rounds) -> dict[str, set[str]]:
    """The endpoints that may have got slower by an effect that matters, and are not known to have; each with the shapes
    (`shapes.KINDS`) that it may have done so in."""
    settled = {name: warm(one) for name, one in rounds.items()}
    spread = spread_between_starts(settled, {name: warm(one) for name, one in noise.items()})
    least_us = least_shift_us(noise)
    fit = {name: one for name, one in settled.items() if len(joined(one)) >= MIN_SHOWN and side_by_side(joined(one))}
    found = {name: estimate(one, spread) for name, one in fit.items() if len(joined(one)) >= MIN_PAIRS}
    known = holm({name: one.p_value for name, one in found.items()}, LEVEL)
    suspected: dict[str, set[str]] = {}
    for name in sorted(fit):
        odd = _odd(rounds[name], noise.get(name, []), least_us)
        doubtful = name in found and (name not in known or len(settled[name]) < LEAST_ROUNDS)
        if odd or (doubtful and _may_matter(found[name], settled[name], least_us)):
            suspected[name] = odd
    return suspected


def _may_matter(found: Estimate, rounds: Sequence[Sequence[Sample]], least_us: float) -> bool:
    """Whether the endpoint leans to the slower side, and may do so by as much as matters."""
    large = found.mean + REACH * found.error >= MIN_EFFECT and 2 * shift_of(joined(rounds)) >= least_us
    return found.mean > 0 and large and found.beyond(0.0) < SCREEN


def _odd(rounds: Sequence[Sequence[Sample]], noise: Sequence[Sequence[Sample]], least_us: float) -> set[str]:
    """Which shapes a look at the endpoint suggests: a few requests, or one class of them, or the later ones slower."""
    found = looks(rounds, noise, least_us, least_rounds=1)
    return {kind for kind, shape in found.items() if shape.p_value < SCREEN_SHAPE}


def rounds_for(rounds: Rounds, most_rounds: int) -> int:
    """How many rounds: until each suspected endpoint has five times the pairs it has, 300 to 1,500 of them."""
    needed = LEAST_ROUNDS
    for samples in rounds.values():
        a_round = max(1.0, fmean(len(one) for one in samples))
        pairs = min(MOST_PAIRS, max(LEAST_PAIRS, 5 * len(joined(samples))))
        needed = max(needed, math.ceil(pairs / a_round))
    return min(needed, MOST_ROUNDS, most_rounds)
