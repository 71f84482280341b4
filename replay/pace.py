"""When each request is meant to be sent.

Time is a number here: an instant is microseconds from the start of the replay. An intended instant depends on the
recording alone, never on how the target behaves (open loop), so that a slow target cannot slow its own load down.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from ..capture.errors import UsageError

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
_HINT = "recorded, a factor such as 2x, a rate such as 500/s, or max"
_MOST_FACTOR = 1_000_000
_MOST_RATE = 1_000_000


class PaceKind(StrEnum):
    """What the intended instants come from."""

    RECORDED = "recorded"
    RATE = "rate"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Pace:
    """`value` is the speed-up of RECORDED (2.0: in half the time) or the requests per second of RATE."""

    kind: PaceKind = PaceKind.RECORDED
    value: float = 1.0

    @property
    def is_timed(self) -> bool:
        """Whether requests have an intended instant; at MAX each is sent as soon as its session allows."""
        return self.kind is not PaceKind.MAX

    def intended_us(self, at_us: int, position: int) -> int:
        """The intended instant of the request at `position` (from 0) that was recorded `at_us` after the first."""
        if self.kind is PaceKind.RATE:
            return round(position * 1_000_000 / self.value)
        if self.kind is PaceKind.RECORDED:
            return at_us if self.value == 1.0 else round(at_us / self.value)
        return 0

    def __str__(self) -> str:
        if self.kind is PaceKind.RATE:
            return f"{self.value:g}/s"
        return self.kind.value if self.kind is PaceKind.MAX or self.value == 1.0 else f"{self.value:g}x"


def parse_pace(text: str) -> Pace:
    """`recorded`, `2x`, `max` or `500/s`; UsageError otherwise."""
    word = text.strip().lower()
    if word in ("recorded", "max"):
        return Pace(PaceKind(word))
    if word.endswith("/s"):
        return Pace(PaceKind.RATE, _number(word[:-2], text, _MOST_RATE))
    if word.endswith("x"):
        return Pace(PaceKind.RECORDED, _number(word[:-1], text, _MOST_FACTOR))
    raise UsageError(f'--pace "{text}" is not one', _HINT)


def _number(digits: str, text: str, most: int) -> float:
    if not _NUMBER.fullmatch(digits.strip()):
        raise UsageError(f'--pace "{text}" has no number', _HINT)
    value = float(digits)
    if not 0 < value <= most:
        raise UsageError(f'--pace "{text}" is out of range', f"above 0 and at most {most}")
    return value
