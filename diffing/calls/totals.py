"""All the calls of two runs, whoever caused them: what tells a call that time gave to the wrong request from one that
the service no longer makes, or makes elsewhere.

Only for calls whose cause is inferred. A call that carries its request's trace is where it belongs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from ...capture.model import Exchange, LinkKind
from ..compare.arrays import content
from ..endpoints.templates import Templates
from .arguments import arguments_of
from .key import Key, counts, key_of
from .replaced import is_alike

CLOSE = 0.05
"""Counts of two runs that differ by no more are the same: a run may end before its last calls."""
MAX_ALONE = 200
"""Most keys of one side only that are held against the other side's."""


def is_inferred(call: Exchange) -> bool:
    """Whether nothing that the call itself carries ties it to its cause."""
    return bool(call.links) and call.links[0].how is not LinkKind.PROPAGATED


class Totals:
    """How many calls of a key both runs hold, and with which arguments."""

    def __init__(self, before: Iterable[Exchange], after: Iterable[Exchange], templates: Templates) -> None:
        self._calls: tuple[dict[Key, list[Exchange]], dict[Key, list[Exchange]]] = (
            _by_key(before, templates),
            _by_key(after, templates),
        )
        self._asked: dict[tuple[int, Key], Counter[bytes]] = {}
        self._swapped: set[Key] | None = None

    def of(self, key: Key) -> tuple[int, int]:
        """How many there are on both sides."""
        return len(self._calls[0].get(key, ())), len(self._calls[1].get(key, ()))

    def is_swapped(self, key: Key) -> bool:
        """Whether a call that is much alike took the place of `key`'s, one for one."""
        if self._swapped is None:
            self._swapped = self._all_swapped()
        return key in self._swapped

    def _all_swapped(self) -> set[Key]:
        gone, come = (
            [key for key in self._calls[side] if key not in self._calls[1 - side]][:MAX_ALONE] for side in (0, 1)
        )
        found: set[Key] = set()
        for old in gone:
            for new in come:
                if self._as_many(old, new) and is_alike(old, new, self._calls[0][old][0], self._calls[1][new][0]):
                    found.update((old, new))
        return found

    def _as_many(self, old: Key, new: Key) -> bool:
        sizes = len(self._calls[0][old]), len(self._calls[1][new])
        return old.service == new.service and abs(sizes[0] - sizes[1]) <= CLOSE * max(sizes)

    def elsewhere(self, key: Key, before: Exchange, after: Exchange) -> bool:
        """Whether each side makes the other's very call too, at whatever request; fresh ids and times aside."""
        return bool(self._with(1, key)[_asks(before)]) and bool(self._with(0, key)[_asks(after)])

    def _with(self, side: int, key: Key) -> Counter[bytes]:
        held = self._asked.get((side, key))
        if held is None:
            held = self._asked[side, key] = Counter(map(_asks, self._calls[side].get(key, ())))
        return held


def _by_key(calls: Iterable[Exchange], templates: Templates) -> dict[Key, list[Exchange]]:
    found: dict[Key, list[Exchange]] = defaultdict(list)
    for call in calls:
        if counts(call):
            found[key_of(call, templates)].append(call)
    return dict(found)


def _asks(call: Exchange) -> bytes:
    return content([call.request.target, arguments_of(call)])
