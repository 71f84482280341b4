"""How sure a share is: Wilson's score interval (E. B. Wilson, 1927), which holds for small counts and for 0 and 100 %."""

import math
from dataclasses import dataclass
from typing import Self

Z95 = 1.959963984540054
"""The standard normal quantile that leaves 2.5 % on each side."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `of`, with the bounds of the 95 % interval of the share behind them (0..1). Of nothing, nothing is known:
    0..1."""

    hits: int
    of: int
    low: float
    high: float

    @classmethod
    def counted(cls, hits: int, of: int) -> Self:
        """The rate of `hits` among `of` trials. ValueError where that is none."""
        if not 0 <= hits <= of:
            raise ValueError(f"{hits} of {of} is no rate")
        return cls(hits, of, *wilson(hits, of))

    @property
    def share(self) -> float:
        """The share itself; NaN of nothing."""
        return self.hits / self.of if self.of else math.nan


def wilson(hits: int, of: int, z: float = Z95) -> tuple[float, float]:
    """The interval's bounds, each from 0 to 1."""
    if of == 0:
        return 0.0, 1.0
    share, square = hits / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    # Exactly none and exactly all are bounds by themselves; the formula misses them by a rounding.
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == of else min(1.0, middle + half)
    return low, high
