"""How sure a difference is: exact tests and the confidence that a report states. Only the standard library.

Sources: Fisher's exact test (one-sided, hypergeometric tail); Benjamini and Hochberg 1995; the rule of three in its
exact form (0 of n trials: the rate is below 1 - 0.05^(1/n) with 95 % confidence).
"""

import math
from collections.abc import Sequence

UNSEEN_RATE = 0.5
"""Assumed chance of noise per request where no baseline was ever compared with itself."""
CEILING = 0.999


def fisher_greater(hits: int, trials: int, noise_hits: int, noise_trials: int) -> float:
    """p-value of "the rate in `hits` of `trials` is no larger than in `noise_hits` of `noise_trials`"."""
    total, drawn = trials + noise_trials, hits + noise_hits
    if trials == 0 or drawn == 0:
        return 1.0
    top = min(trials, drawn)
    whole = _log_choose(total, drawn)
    terms = (
        math.exp(_log_choose(trials, k) + _log_choose(noise_trials, drawn - k) - whole)
        for k in range(hits, top + 1)
        if drawn - k <= noise_trials
    )
    return min(1.0, math.fsum(terms))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def binomial_tail(hits: int, trials: int, rate: float) -> float:
    """Chance of at least `hits` of `trials` where each has the chance `rate`."""
    if hits <= 0:
        return 1.0
    if rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    logs = (
        _log_choose(trials, k) + k * math.log(rate) + (trials - k) * math.log1p(-rate) for k in range(hits, trials + 1)
    )
    return min(1.0, math.fsum(math.exp(one) for one in logs))


def benjamini_hochberg(p_values: Sequence[float], level: float = 0.01) -> list[bool]:
    """Which hypotheses are rejected at a false discovery rate of `level`."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    last = -1
    for rank, index in enumerate(order, 1):
        if p_values[index] <= level * rank / len(order):
            last = rank
    rejected = [False] * len(p_values)
    for index in order[: max(last, 0)]:
        rejected[index] = True
    return rejected


def rate_bound(hits: int, trials: int) -> float:
    """The largest rate that `hits` of `trials` leave open with 95 % confidence, one-sided (Clopper and Pearson 1934);
    of no hits this is the rule of three, 1 - 0.05^(1/n)."""
    if hits >= trials:
        return 1.0
    if not hits:
        return float(1 - 0.05 ** (1 / trials))
    low, high = hits / trials, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        # The chance of so few hits, which falls as the rate grows.
        if 1 - binomial_tail(hits + 1, trials, middle) > 0.05:
            low = middle
        else:
            high = middle
    return high


def confidence(hits: int, requests: int, rounds: int, noise_trials: int, noise_hits: int = 0) -> float:
    """How sure a finding is that `hits` of `requests` requests showed in each of `rounds` rounds, and `noise_hits` of
    `noise_trials` comparisons of the baseline with itself.

    1 - P(at least `hits` by noise), noise being at most as frequent as `rate_bound` allows, to the power of the
    rounds it would have to show in. Noise that was never looked for may be anything: then 0.8 at most; a
    single round may have met a rare state: then 0.98 at most.
    """
    rate = rate_bound(min(noise_hits, noise_trials), noise_trials) if noise_trials else UNSEEN_RATE
    sure = 1 - binomial_tail(hits, max(requests, hits), rate**rounds)
    ceiling = 0.8 if not noise_trials else (0.98 if rounds < 2 else CEILING)
    return round(min(max(sure, 0.3), ceiling), 3)
