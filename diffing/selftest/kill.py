"""How many mutants of a capture the differ finds: a claim of "same" is worth as much.

The first baseline is judged against a mutant of the second, with the second as noise: what is left to be found is the
mutation. A mutant is killed by a finding above info at its own endpoint.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ...capture.model import Exchange
from ..endpoints.templates import Templates
from ..judge import judge
from ..outbound import CallIndex
from ..pair import Pair, pair_up
from ..report.model import Severity
from ..rounds import JudgeOptions, Round, Run
from .mutants import MIN_TIMED, Mutant, mutants

MOST = 60
"""Mutants that are tried."""
MOST_REQUESTS = 40
"""Requests of an endpoint that a mutant is made of: more would only cost time."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """`killed` of `mutants` were found; `survivors` says which were not, as "GET /x: value changed at $.a"."""

    mutants: int
    killed: int
    survivors: tuple[str, ...]


def self_test(baseline: Run, again: Run, seed: int = 0, most: int = MOST) -> SelfTest:
    """Try up to `most` mutants of `again`, a second run of the baseline."""
    templates = Templates.learn([*baseline.exchanges, *again.exchanges])
    calls = CallIndex(baseline.exchanges), CallIndex(again.exchanges)
    by_endpoint: dict[str, list[Pair]] = defaultdict(list)
    for pair in pair_up(baseline, again).pairs:
        held = by_endpoint[templates.endpoint(pair.before)]
        if pair.before.response is not None and len(held) < max(MOST_REQUESTS, MIN_TIMED):
            held.append(pair)
    tried = 0
    survivors: list[str] = []
    for mutant in islice(mutants(by_endpoint, calls, templates, seed), most):
        tried += 1
        if not _is_killed(mutant, by_endpoint[mutant.endpoint], calls, (baseline, again), seed):
            survivors.append(f"{mutant.endpoint}: {mutant.what}")
    return SelfTest(tried, tried - len(survivors), tuple(survivors))


def _is_killed(
    mutant: Mutant, pairs: Sequence[Pair], calls: tuple[CallIndex, CallIndex], runs: tuple[Run, Run], seed: int
) -> bool:
    first = [one for pair in pairs for one in (pair.before, *calls[0].sure_of(pair.before.id))]
    second = [one for pair in pairs for one in (pair.after, *calls[1].sure_of(pair.after.id))]
    baseline, again = replace(runs[0], exchanges=first), replace(runs[1], exchanges=second)
    candidate = replace(again, exchanges=[*_mutated(second, mutant), *mutant.added])
    report = judge([Round(baseline, candidate)], [again], JudgeOptions(seed=seed, explain=False))
    return any(one.severity > Severity.INFO for one in report.findings)


def _mutated(exchanges: Sequence[Exchange], mutant: Mutant) -> Iterator[Exchange]:
    for exchange in exchanges:
        one = mutant.changes.get(exchange.id, exchange)
        if one is not None:
            yield one
