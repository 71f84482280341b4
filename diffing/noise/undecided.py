"""What the rounds played so far leave open, and whether another one should be played.

A finding needs as many rounds as its rarity asks for: one that every request shows is sure after two, one request of a
hundred only after three, since noise that was never seen may still be as frequent as the rule of three allows. What is
drawn anew each time, and differs oftener than by itself, is told by its frequency or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..report.model import Finding, Report, Severity, Surface
from .frequency import Tried

SURE = 0.99
"""Confidence at which a finding needs no further round."""
OPEN = 0.01
"""p-value up to which a frequency that is not significant yet is worth another round."""
OPEN_STATUS = 0.2
"""The same for a status: there are few of them, and each counts."""
MOST_ROUNDS = 5
"""Confirmations beyond five cost more than they tell (facts: c = 5)."""
LEAST_ROUNDS = 2
MIN_SHOWN = 4
RARE = 0.2
MORE = "more rounds would tell"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Another round of both sides at fresh states, in another order, of the whole plan: and `why`."""

    why: str


def undecided_lines(tried: Sequence[Tried]) -> list[str]:
    """What differs oftener than by itself, but not often enough to be sure: for the report's *unverified*."""
    return [
        f"{one.endpoint}: {one.where} {one.how}, too seldom to be sure (p = {one.p_value:.2g}); {MORE}"
        for one in tried
        if one.p_value <= (OPEN_STATUS if one.surface is Surface.STATUS else OPEN)
    ]


def wanted(report: Report, played: int, least: int = LEAST_ROUNDS, most: int = MOST_ROUNDS) -> Wanted | None:
    """What to play next after `played` rounds, or None where the report is as sure as rounds can make it: `least`
    rounds where there is anything above info, up to `most` where that is rare or stands at a noisy place.

    The caller stops at its own budget too: a finding that is not sure by then keeps the confidence that it has.
    """
    alarms = [one for one in report.findings if one.severity > Severity.INFO and one.surface is not Surface.LATENCY]
    if played < least and any(one.severity > Severity.INFO for one in report.findings):
        return Wanted("to confirm what was found")
    if played >= most:
        return None
    unsure = [one for one in alarms if _is_unsure(one)]
    if unsure:
        least_sure = min(unsure, key=lambda one: one.confidence)
        place = least_sure.path or least_sure.operation or least_sure.surface.value
        return Wanted(f"{place} was seen at {least_sure.requests} of {least_sure.of} requests only")
    left = [line for line in report.coverage.unverified if line.endswith(MORE)]
    return Wanted(left[0]) if left else None


def _is_unsure(one: Finding) -> bool:
    """Whether rounds can make a finding surer. One that all of a few requests show is unsure for want of requests."""
    if one.confidence >= SURE:
        return False
    return one.requests >= MIN_SHOWN or one.requests <= RARE * one.of
