"""Calls that have ended and whose cause is not sure: they wait for their candidates to end.

Two rules hold here. Each call that waits is told exactly once. There is a bound on how many wait, how many bytes are
kept for them, and for how long.
"""

from collections import OrderedDict
from collections.abc import Callable

from ..model import Link
from .asked import Asked
from .causes import Cause

MOST = 4_000
MOST_BYTES = 64 << 20
LONGEST_US = 3_000_000
_WORTH_WAITING = 0.02
"""The least share of a candidate whose end is waited for."""

Told = Callable[[tuple[Link, ...]], None]
"""Who wants to know the links once they are final."""


class _Waiter:
    __slots__ = ("asked", "left", "size", "then")

    def __init__(self, asked: Asked, then: Told, size: int) -> None:
        self.asked = asked
        self.then = then
        self.size = size
        self.left = 0


class Waiting:
    """Who waits. `again` weighs a call once more, `finish` is told of one whose links are final before it is told."""

    __slots__ = ("_again", "_by_cause", "_bytes", "_finish", "_is_sure", "_linger_us", "_waiters")

    def __init__(
        self,
        again: Callable[[Asked], None],
        finish: Callable[[Asked], None],
        is_sure: Callable[[Asked], bool],
        *,
        linger_us: int = 0,
    ) -> None:
        """`linger_us`: how long one waits even if all its candidates have ended, since there is more to come."""
        self._linger_us = linger_us
        self._again = again
        self._finish = finish
        self._is_sure = is_sure
        self._waiters: OrderedDict[str, _Waiter] = OrderedDict()
        self._by_cause: dict[Cause, list[_Waiter]] = {}
        self._bytes = 0

    def add(self, asked: Asked, then: Told, size: int) -> None:
        """Have `then` told once the candidates of `asked` have ended; `size` are the bytes kept meanwhile."""
        waiter = _Waiter(asked, then, size)
        for cause, share in asked.shares.items():
            if share >= _WORTH_WAITING and cause.ended_us is None:
                waiter.left += 1
                self._by_cause.setdefault(cause, []).append(waiter)
        self._waiters[asked.id] = waiter
        self._bytes += size
        if not waiter.left and not self._linger_us:
            self._release(waiter)
        while len(self._waiters) > MOST or self._bytes > MOST_BYTES:
            self._release(next(iter(self._waiters.values())))

    def are_for(self, cause: Cause) -> bool:
        """Whether any call waits for the end of `cause`."""
        return cause in self._by_cause

    def ended(self, cause: Cause) -> None:
        """`cause` has ended."""
        for waiter in self._by_cause.pop(cause, ()):
            waiter.left -= 1
            if waiter.asked.id not in self._waiters:
                continue
            if waiter.left <= 0 and not self._linger_us:
                self._release(waiter)
            elif waiter.asked.best is cause:
                self._again(waiter.asked)
                if self._is_sure(waiter.asked):
                    self._tell(waiter)

    def passed(self, at_us: int) -> None:
        """It is `at_us` now: nobody waits for ever."""
        while self._waiters:
            waiter = next(iter(self._waiters.values()))
            if (waiter.asked.ended_us or 0) + (self._linger_us or LONGEST_US) > at_us:
                return
            self._release(waiter)

    def found(self, asked: Asked) -> None:
        """The cause of `asked` is known by other means: if it waits, it need not any longer."""
        waiter = self._waiters.get(asked.id)
        if waiter is not None:
            self._tell(waiter)

    def release_all(self) -> None:
        """Nothing more will come."""
        while self._waiters:
            self._release(next(iter(self._waiters.values())))
        self._by_cause.clear()

    def _release(self, waiter: _Waiter) -> None:
        self._again(waiter.asked)
        self._tell(waiter)

    def _tell(self, waiter: _Waiter) -> None:
        if self._waiters.pop(waiter.asked.id, None) is not None:
            self._bytes -= waiter.size
            self._finish(waiter.asked)
            waiter.then(waiter.asked.links)
