"""What was delivered and is not committed yet, over all connections of one tap: a consumer fetches on one and commits
on another.

Two rules hold here. A record of a consumer without a group is over with the next fetch, since nothing will commit it.
What is open is bounded; the oldest is told as unacknowledged.
"""

from collections import OrderedDict
from typing import Any

from ...model import FailureKind
from ..call import ERROR, OK, Call, CallEvents
from .bodies import Place

UNACKNOWLEDGED = "unacknowledged"
MOST_OPEN = 10_000
LARGEST_OPEN = 64 << 20


class Consumed:
    """Open CONSUME calls. Each belongs to the connection that it came on, and is ended through it."""

    def __init__(self) -> None:
        self.has_group = False
        """Whether somebody on this tap is in a group, and so commits."""
        self._open: dict[Place, OrderedDict[int, tuple[Call, CallEvents]]] = {}
        self._count = self._weight = 0

    @classmethod
    def of(cls, events: CallEvents) -> "Consumed":
        """The one of the tap that `events` belongs to; an own one without a tap."""
        shared: dict[str, Any] = getattr(events, "shared", {})
        found = shared.get("kafka")
        if not isinstance(found, cls):
            found = shared["kafka"] = cls()
        return found

    def begin(self, place: Place, offset: int, call: Call, events: CallEvents, at_us: int) -> None:
        """A record has been delivered."""
        open_ = self._open.setdefault(place, OrderedDict())
        if offset in open_:
            self._end(place, offset, OK, UNACKNOWLEDGED, at_us)
            open_ = self._open.setdefault(place, OrderedDict())
        events.begun(call)
        open_[offset] = (call, events)
        self._count += 1
        self._weight += len(call.body)
        while self._count > MOST_OPEN or self._weight > LARGEST_OPEN:
            first = next(iter(self._open))
            self._end(first, next(iter(self._open[first])), OK, UNACKNOWLEDGED, at_us)

    def supersede(self, events: CallEvents, at_us: int) -> None:
        """The connection of `events` asks for more: without a group, what it was given is done with."""
        if not self.has_group:
            for place, offset in self._of(events):
                self._end(place, offset, OK, UNACKNOWLEDGED, at_us)

    def commit(self, place: Place, up_to: int, code: int, at_us: int) -> None:
        """Everything below `up_to` is done with, or cannot be committed."""
        for offset in [each for each in self._open.get(place, ()) if each < up_to]:
            self._end(place, offset, ERROR if code else OK, f"error {code}" if code else "commit", at_us)

    def lose(self, events: CallEvents, kind: FailureKind, detail: str, at_us: int) -> None:
        """A connection is gone."""
        for place, offset in self._of(events):
            if self.has_group:
                call, _ = self._take(place, offset)
                call.fail(kind, detail, at_us)
                events.ended(call)
            else:
                self._end(place, offset, OK, UNACKNOWLEDGED, at_us)

    def _of(self, events: CallEvents) -> list[tuple[Place, int]]:
        return [
            (place, offset)
            for place, open_ in self._open.items()
            for offset, (_, owner) in open_.items()
            if owner is events
        ]

    def _take(self, place: Place, offset: int) -> tuple[Call, CallEvents]:
        call, events = self._open[place].pop(offset)
        if not self._open[place]:
            del self._open[place]
        self._count -= 1
        self._weight -= len(call.body)
        return call, events

    def _end(self, place: Place, offset: int, status: int, reason: str, at_us: int) -> None:
        call, events = self._take(place, offset)
        call.answer(status, at_us)
        call.reason = reason
        events.ended(call)
