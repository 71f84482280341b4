"""When a request is due: at its recorded time, a multiple of it, at a rate, or at once.

Time is an input: a pace answers with an offset from the start of the replay and waits for nothing.
"""

import re
from dataclasses import dataclass

from ..capture.errors import UsageError

_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)/s")
_FACTOR = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)x")


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` times the recorded speed, or `rate` requests a second, or neither: as fast as it goes."""

    speed: float | None = None
    rate: float | None = None

    @property
    def timed(self) -> bool:
        """Whether requests have an intended instant (an open loop)."""
        return self.speed is not None or self.rate is not None

    def due_us(self, recorded_us: int, index: int) -> int:
        """Microseconds after the start at which request `index`, recorded `recorded_us` after the first, is due."""
        if self.rate is not None:
            return round(index * 1_000_000 / self.rate)
        if self.speed is not None:
            return round(recorded_us / self.speed)
        return 0

    def __str__(self) -> str:
        if self.rate is not None:
            return f"{self.rate:g}/s"
        if self.speed is None:
            return "max"
        return "recorded" if self.speed == 1 else f"{self.speed:g}x"


RECORDED = Pace(speed=1.0)
AT_ONCE = Pace()


def parse_pace(text: str) -> Pace:
    """The pace that "recorded", "2x", "max" or "500/s" names."""
    if text == "recorded":
        return RECORDED
    if text == "max":
        return AT_ONCE
    for pattern, field in ((_FACTOR, "speed"), (_RATE, "rate")):
        found = pattern.fullmatch(text)
        if found is not None and float(found.group(1)) > 0:
            value = float(found.group(1))
            return Pace(speed=value) if field == "speed" else Pace(rate=value)
    raise UsageError(f'--pace "{text}" is not a pace', "write recorded, 2x, max or 500/s")
