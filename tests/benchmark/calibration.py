"""Whether findings are as sure as they say: of those that state a confidence, the share that is true. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from .trial import Stated
from .wilson import Rate

BINS = (0.0, 0.9, 0.99, 0.999)
"""Each bin begins here and ends where the next begins; the last one holds 1."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Findings that were at least `least` sure: how many of them were true. `kept` is whether that is not less than
    promised: the least confidence of the bin lies below the interval's upper bound."""

    least: float
    true: Rate

    @property
    def kept(self) -> bool:
        return self.true.of == 0 or self.true.high >= self.least


def calibrate(stated: Iterable[Stated]) -> list[Bin]:
    """The bins with what was stated in each."""
    counts = [[0, 0] for _ in BINS]
    for claim in stated:
        place = max(number for number, least in enumerate(BINS) if claim.confidence >= least)
        counts[place][0] += claim.true
        counts[place][1] += 1
    return [Bin(least, Rate.counted(*count)) for least, count in zip(BINS, counts, strict=True)]
