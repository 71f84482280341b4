"""What a service has been seen to do, learned from calls whose cause is sure: who makes which call, how often, on which
connections, and what it does when nobody asks. PURE.

Two rules hold here. Everything starts undecided: a habit is a ratio of counts with something added on both sides. Every
table is bounded: what is new once it is full is not learned.
"""

from collections import OrderedDict
from collections.abc import Mapping
from math import log

MOST_KEPT = 20_000
_REPEATS = 4
"""Calls of one operation that are told apart by number: the first, the second … and all that follow."""
_SELDOM = 0.3
_GAPS_US = (1_000, 20_000)
_UNTOLD = (0.0, 0.0, 0.0, 0.0)
_MOST_STRAYS = 4096
_QUIET_US = 20_000
"""Silence after which a call was no request's any more."""


class Habits:
    """One service's habits."""

    __slots__ = (
        "_busy_us",
        "_calls",
        "_exposed",
        "_idle",
        "_idle_us",
        "_made",
        "_same",
        "_seen",
        "_strays",
        "_told",
        "_traced",
    )

    def __init__(self) -> None:
        self._exposed: dict[str, float] = {}
        self._made: dict[tuple[str, str], list[float]] = {}
        self._same: dict[tuple[str, int], list[float]] = {}
        self._told: dict[str, list[float]] = {}
        self._traced: dict[str, list[int]] = {}
        self._strays: OrderedDict[str, int] = OrderedDict()
        self._calls = 0
        self._seen: dict[str, int] = {}
        self._idle: dict[str, int] = {}
        self._idle_us = 0
        self._busy_us = 0

    # Who makes which call.

    def ended(self, endpoint: str, made: Mapping[str, int]) -> None:
        """A request to `endpoint` has ended, having made so many calls of each operation."""
        for operation, count in made.items():
            if count > 1:
                self._count((endpoint, operation), 2, count)

    def called(self, endpoint: str, operation: str, share: float) -> None:
        """A request to `endpoint` has, as likely as `share`, made a call of `operation`: where no link is sure yet,
        many uncertain ones still tell an endpoint that makes the call from those that do not."""
        counts = self._made.get((endpoint, operation))
        if counts is None:
            if len(self._made) >= MOST_KEPT:
                return
            counts = self._made[endpoint, operation] = [0.0] * _REPEATS
        counts[0] += share

    def exposed(self, endpoint: str, share: float) -> None:
        """Requests to `endpoint` were open when a call was made, and by the time alone had this share of the chance to
        have made it. One that takes long is a candidate often: that must not count for it."""
        if endpoint in self._exposed or len(self._exposed) < MOST_KEPT:
            self._exposed[endpoint] = self._exposed.get(endpoint, 0.0) + share

    def next_call(self, endpoint: str, operation: str, made: int) -> float:
        """The logarithm of how likely a request to `endpoint` makes `operation` now, after it was made `made` times:
        against its chances so far the first time, against those that have made it as often from then on."""
        counts = self._made.get((endpoint, operation))
        first = (counts[0] if counts is not None else 0.0) + _SELDOM
        likely = log(first / (self._exposed.get(endpoint, 0.0) + 1))
        if made and counts is not None:
            number = min(made, _REPEATS - 1)
            likely += min(log((counts[number] + _SELDOM) / (counts[number - 1] + 1)), 0.0)
        return likely

    def _count(self, key: tuple[str, str], first: int, last: int) -> None:
        counts = self._made.get(key)
        if counts is not None:
            for number in range(first, min(last, _REPEATS) + 1):
                counts[number - 1] += 1

    # Who calls on a connection.

    def followed(self, tap: str, gap_us: int, *, same: bool) -> None:
        """Two calls, one after the other on a connection, had the same cause or not. `gap_us` is from the answer of
        the first to the second, below zero where they overlap."""
        counts = self._same.setdefault((tap, _gap(gap_us)), [0.0, 0.0])
        counts[0] += same
        counts[1] += 1

    def stays(self, tap: str, gap_us: int) -> float:
        """How likely the next call on a connection belongs to the cause of the one before."""
        same, count = self._same.get((tap, _gap(gap_us)), (0.0, 0.0))
        return min(max((same + 1.0) / (count + 2.0), 0.02), 0.98)

    # What values say.

    def told(self, operation: str, *, held: bool, others: int, possible: int) -> None:
        """A call of `operation` had a value that an open request has too (`held`), or had none of them; beside one,
        `others` of `possible` requests had it."""
        counts = self._told.get(operation)
        if counts is None:
            if len(self._told) >= MOST_KEPT:
                return
            counts = self._told[operation] = [0.0, 0.0, 0.0, 0.0]
        counts[0] += held
        counts[1] += 1
        counts[2] += others
        counts[3] += possible

    def trust(self, operation: str) -> float:
        """How much more a value of `operation` says because its values have come from requests so far (0..4)."""
        held, count, _, _ = self._told.get(operation, _UNTOLD)
        return min(log((count + 1.0) / (count - held + 0.5)), 4.0) if held else 0.0

    def chance(self, operation: str) -> float:
        """How likely a request has a value of `operation` without being its cause."""
        _, _, others, possible = self._told.get(operation, _UNTOLD)
        return others / (possible + 1.0)

    def stray(self, value: str) -> None:
        """A call had `value`, and no request did."""
        self._strays[value] = self._strays.pop(value, 0) + 1
        if len(self._strays) > _MOST_STRAYS:
            self._strays.popitem(last=False)

    def strays(self, value: str) -> float:
        """The share of the calls that had `value` without a request that has it."""
        return self._strays.get(value, 0) / (self._calls + 1)

    # Who passes trace ids on.

    def traced(self, tap: str, *, traced: bool) -> None:
        """A call on `tap`, made while something was open that brought a trace id, passed one on or did not."""
        counts = self._traced.setdefault(tap, [0, 0])
        counts[0] += traced
        counts[1] += 1

    def strays_untraced(self, tap: str) -> float:
        """How likely a call on `tap` without a known trace id is nobody's: where all others pass one on, it is."""
        traced, count = self._traced.get(tap, (0, 0))
        return 0.9 if count >= 20 and traced >= 0.9 * count else 0.0

    # What happens when nobody asks.

    def seen(self, operation: str, quiet_us: int | None) -> None:
        """A call of `operation`; `quiet_us` is how long nothing had been open by then, None where something was."""
        self._calls += 1
        if quiet_us is not None and quiet_us < _QUIET_US:
            return
        table = self._seen if quiet_us is None else self._idle
        if operation in table or len(table) < MOST_KEPT:
            table[operation] = table.get(operation, 0) + 1

    def passed(self, busy_us: int, quiet_us: int) -> None:
        """Something was open for `busy_us`, before which nothing was for `quiet_us`."""
        self._busy_us += max(busy_us, 0)
        self._idle_us += max(quiet_us - _QUIET_US, 0)

    def unprompted(self, operation: str) -> float:
        """How likely a call of `operation` is the service's own doing: its rate when nothing is open, against its
        rate when something is."""
        idle = self._idle.get(operation)
        if not idle:
            return 0.0
        alone = (idle - 0.5) / (self._idle_us / 1e6 + 1.0)
        asked = (self._seen.get(operation, 0) + 0.5) / (self._busy_us / 1e6 + 0.1)
        return min(alone / max(asked, alone, 1e-9), 0.98)


def _gap(gap_us: int) -> int:
    """The class of a gap; one below zero is an overlap."""
    return -1 if gap_us < 0 else sum(gap_us >= limit for limit in _GAPS_US)
