"""Shapes: changes of latency that are no shift of all requests: a trend, a class of requests, a tail. PURE.

All are one family of tests at 0.001 (Holm): three hypotheses an endpoint, whether or not there was anything to see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .bimodal import Class, bimodal, explains
from .location import LEVEL, MIN_EFFECT, Spread, estimate, holm
from .samples import Sample, warm
from .tail import MIN_ROUNDS, Tail, tail
from .trend import MIN_RISE, Trend, run_trend

Shape = Trend | Class | Tail
RoundsOfOne = Sequence[Sequence[Sample]]
KINDS = ("trend", "bimodal", "tail")
"""What explains most comes first."""
SHAPE_LEVEL = LEVEL / 5
"""Three looks at everything: what is told of a few requests has to be surer than what is told of all."""
SUSPECT = 0.05
START_SHARE = 1 / 3
"""Of its rise a trend shows at most this in the first quarter: a straight line shows a sixth."""


def shapes(endpoints: Mapping[str, tuple[RoundsOfOne, RoundsOfOne]], least_us: float) -> dict[str, Shape]:
    """What is sure, by endpoint; each comes with its rounds, and those of baseline against baseline."""
    found: dict[tuple[str, str], Shape] = {}
    for name, (rounds, noise) in endpoints.items():
        found |= {(kind, name): shape for kind, shape in looks(rounds, noise, least_us).items()}
    p_values = {place: shape.p_value for place, shape in found.items()}
    every = {f"{kind} {name}": p_values.get((kind, name), 1.0) for kind in KINDS for name in endpoints}
    sure = holm(every, SHAPE_LEVEL)
    chosen: dict[str, Shape] = {}
    for kind in KINDS:
        for name in endpoints:
            if f"{kind} {name}" in sure:
                chosen.setdefault(name, found[kind, name])
    return chosen


def looks(rounds: RoundsOfOne, noise: RoundsOfOne, least_us: float, least_rounds: int = MIN_ROUNDS) -> dict[str, Shape]:
    """The shapes of an endpoint that matter, however sure they are. One round (`least_rounds`) only raises a suspicion:
    one start may have had a bad neighbour."""
    settled = warm(rounds)
    found: dict[str, Shape] = {}
    rise = run_trend(settled, least_rounds)
    if (
        rise is not None
        and rise.rise >= MIN_RISE
        and rise.rise_us >= least_us
        and rise.start < max(MIN_EFFECT, START_SHARE * rise.rise)
    ):
        found["trend"] = rise
    kind = bimodal(rounds, noise, least_us, least_rounds)
    if kind is not None and explains(kind):
        found["bimodal"] = kind
    heavy = tail(settled, estimate(settled, Spread()).mean, least_us, least_rounds)
    if heavy is not None and not _lopsided(noise, least_us):
        found["tail"] = heavy
    return found


def _lopsided(noise: RoundsOfOne, least_us: float) -> bool:
    """Whether baseline against baseline has a heavier tail on one side."""
    settled = warm(noise)
    turned = [[replace(one, before_us=one.after_us, after_us=one.before_us) for one in each] for each in settled]
    for rounds in (settled, turned):
        heavy = tail(rounds, estimate(rounds, Spread()).mean, least_us, least_rounds=1)
        if heavy is not None and heavy.p_value < SUSPECT:
            return True
    return False
