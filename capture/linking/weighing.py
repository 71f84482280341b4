"""From evidence to confidence: sums of log likelihoods in, ranked links out. PURE.

Two rules hold here. Confidences of one call add up to one at most, and what is left over is the chance that nobody
asked for it. Time alone never makes one of several candidates sure.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from math import exp, log, log1p

from ..model import Link, LinkKind
from .causes import Cause
from .habits import Habits
from .values import strength

MOST_CANDIDATES = 4
"""Links that one call keeps."""
LONE_TIME_CONFIDENCE = 0.95
LONE_LANE_CONFIDENCE = 0.98
LATE_CONFIDENCE = 0.5
_CEILING = {LinkKind.PROPAGATED: 1.0, LinkKind.VALUE: 0.99, LinkKind.LANE: 0.98, LinkKind.TIME: 0.85}

_PROMPT_US = 500.0
_PATIENCE = 0.7
"""A call soon after its cause's last event is likelier than a late one, by a power law: waits have long tails."""
_BUSY = -1.5
_OVER = -3.0
"""A cause that was answered before its call was: a call that nobody waited for is rare."""
_MOST_OF_HABIT = 4.0
_MOST_OF_VALUES = 11.0
_FURTHER_VALUES = 0.3
"""What each value beyond the best adds of its own: values travel together, so they are no independent witnesses."""
_NEGLIGIBLE = 0.0005
_MOST_HAVING = 48
"""Causes that may have a value before it is too common to be looked at."""
TELLING = 2.0
"""Evidence from which on a link is called after it."""

Scores = dict[Cause, float]


def turn_scores(causes: Sequence[Cause], at_us: int) -> Scores:
    """How well a call at `at_us` fits what each of `causes` was doing then."""
    scores: Scores = {}
    for cause in causes:
        gap_us = at_us - cause.last_us
        score = -_PATIENCE * log1p(gap_us / _PROMPT_US) if gap_us > 0 else 0.0
        scores[cause] = score + _BUSY * min(cause.busy, 2) if cause.busy > 0 else score
    return scores


def with_habits(scores: Scores, operation: str, habits: Habits) -> Scores:
    """`scores` and what speaks for each cause that its kind makes calls of `operation`."""
    first: dict[str, float] = {}
    usual: list[float] = []
    for cause in scores:
        made = cause.made.get(operation, 0) if cause.made else 0
        likely = None if made else first.get(cause.endpoint)
        if likely is None:
            likely = habits.next_call(cause.endpoint, operation, made)
            if not made:
                first[cause.endpoint] = likely
        usual.append(likely)
    # What has not been seen yet is not impossible.
    least = max(usual, default=0.0) - _MOST_OF_HABIT
    return {
        cause: score + (likely if likely > least else least)
        for (cause, score), likely in zip(scores.items(), usual, strict=True)
    }


def over_score(cause: Cause, ended_us: int) -> float:
    """What it says against `cause` that a call ended at `ended_us`."""
    return _OVER if cause.ended_us is not None and cause.ended_us < ended_us else 0.0


def value_scores(
    values: Iterable[str],
    holders: Mapping[str, Mapping[Cause, None]],
    habits: Habits,
    operation: str,
    known: int,
) -> Scores:
    """What the values of a call say for each cause that has one of them; `known` causes have values at all."""
    found: dict[Cause, list[float]] = {}
    usual = habits.chance(operation)
    for value in values:
        having = holders.get(value)
        if having and len(having) <= _MOST_HAVING:
            # The chance that somebody else's call has it: a coincidence, or as many others as have it too.
            chance = max((len(having) - 1) / (known + 1), habits.strays(value), usual)
            weight = strength(value) if chance <= 0 else min(strength(value), -log(chance))
            if weight > 0.1:
                for cause in having:
                    found.setdefault(cause, []).append(weight)
    if not found:
        return {}
    trust = habits.trust(operation)
    scores: Scores = {}
    for cause, weights in found.items():
        best = max(weights)
        more = best + _FURTHER_VALUES * (sum(weights) - best)
        scores[cause] = min(more + min(trust, more), _MOST_OF_VALUES)
    return scores


def shares(scores: Scores, prior: Scores, nobody: float) -> dict[Cause, float]:
    """Scores as probabilities, which add up to one less the share of nobody: `nobody` is its probability by what the
    `prior` scores say alone."""
    if not scores:
        return {}
    top = max(scores.values())
    weights = {cause: exp(score - top) for cause, score in scores.items()}
    total = sum(weights.values())
    if nobody > 0:
        total += nobody / (1 - nobody) * sum(exp(min(score - top, 50.0)) for score in prior.values())
    least = total * _NEGLIGIBLE
    return {cause: weight / total for cause, weight in weights.items() if weight > least}


def with_neighbour(scores: Scores, shares_of: Mapping[Cause, float], stays: float) -> Scores:
    """`scores` and what another call on the connection adds, whose causes are likely by `shares_of`: with the chance
    `stays` both calls have the same."""
    result = dict(scores)
    # Against what a cause gets that the other call says nothing for.
    elsewhere = (1 - stays) / len(scores)
    for cause, share in shares_of.items():
        if cause in result:
            result[cause] += log1p(stays * share / elsewhere)
    return result


def ranked(probabilities: Mapping[Cause, float], how: LinkKind) -> tuple[Link, ...]:
    """The best four as links, none surer than its kind of evidence can be; at equal shares the newest goes first."""
    named: dict[str, tuple[float, int]] = {}
    for cause, share in probabilities.items():
        other, newest_us = named.get(cause.named, (0.0, 0))
        named[cause.named] = share + other, max(newest_us, cause.started_us)
    likely = [(-round(share, 9), -started_us, name) for name, (share, started_us) in named.items() if share >= 0.01]
    likely.sort()
    ceiling = _CEILING[how]
    return tuple([Link(name, how, min(-share, ceiling)) for share, _, name in likely[:MOST_CANDIDATES]])


def shared(
    causes: Sequence[Cause], how: LinkKind, lone: float, *, of: int | None = None, ceiling: float = 1.0
) -> tuple[Link, ...]:
    """Links to the first four of `causes`, the confidence shared among all `of` candidates."""
    names = dict.fromkeys(cause.named for cause in causes)
    count = of if of is not None else len(names)
    if count == 0:
        return ()
    confidence = lone if count == 1 else ceiling / count
    return tuple(Link(name, how, confidence) for name in islice(names, MOST_CANDIDATES))
