"""From runs to samples to a verdict on latency: what the judge calls. PURE."""

from collections.abc import Iterable, Iterator, Sequence

from ..comparison import Comparison, Side
from ..endpoints.templates import Templates
from ..outbound import CallIndex
from ..pair import Pair, pair_up
from ..rounds import Round
from .parts import TimeParts
from .samples import Rounds, beside, samples_of
from .verdict import LatencyVerdict, judge_latency


def latency_of(
    comparisons: Iterable[Comparison],
    itself: Iterable[Comparison],
    sides: Iterable[Side],
    timing: Sequence[Round],
    templates: Templates,
) -> LatencyVerdict:
    """Judge what was compared; `itself` is baseline against baseline, `sides` are all runs compared, `timing` rounds
    that replayed some endpoints again for their times."""
    runs = [(side.run.exchanges, side.calls) for side in sides]
    runs += [
        (run.exchanges, CallIndex(run.exchanges)) for round_ in timing for run in (round_.baseline, round_.candidate)
    ]
    parts = TimeParts(runs).of
    return judge_latency(
        samples_of(map(_named, comparisons), parts),
        samples_of((_named(one) for one in itself if beside(one.pairs)), parts),
        samples_of((paired(one, templates) for one in timing), parts),
    )


def _named(comparison: Comparison) -> Iterator[tuple[str, str, Pair]]:
    return ((key, endpoint, pair) for key, (endpoint, pair) in comparison.pairs.items())


def paired(round_: Round, templates: Templates) -> Iterator[tuple[str, str, Pair]]:
    """The pairs of a round, for their times alone: nothing is compared."""
    return ((one.key, templates.endpoint(one.before), one) for one in pair_up(round_.baseline, round_.candidate).pairs)


def timed(rounds: Iterable[Round], templates: Templates) -> Rounds:
    """The samples of rounds, undivided."""
    return samples_of(paired(one, templates) for one in rounds)
