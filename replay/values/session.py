"""One side's values while it is replayed: what its answers gave, put into the requests that need it.

Rules of this file:
- values only, never answers: what later requests need is read when an answer comes, the rest is let go;
- what nobody draws is sent as it was recorded, on every side: where an answer only told of what was there before, and
  the baseline tells it as it was recorded, another list of the candidate's must not lead its requests elsewhere;
- a request goes out whole or not at all: where this side's producer failed or gave no value, the request is not sent;
- what an answer says is untrusted: a request that was made of it is checked like one that comes from a capture.
"""

from dataclasses import dataclass

from ...capture.model import Request
from ..sendable import Fitter
from ..transport.base import Outcome
from .links import ValueLink
from .needs import Needs, Slot
from .place import Place
from .read import replaced, value_at

LONGEST_VALUE = 16 << 10
"""Characters of a value; a longer one is a document and no token."""
MOST_REASONS = 100
_LONGEST_PATH = 120


@dataclass(frozen=True, slots=True)
class Unsent:
    """Why a request is not sent: `producer` (a recorded id), called `name`, `did` what it did on `side`."""

    producer: str
    name: str
    did: str
    side: str = ""

    def of(self, consumer: str) -> str:
        """In words, for a request to the endpoint `consumer`."""
        where = f" ({self.side})" if self.side else ""
        return f"{consumer}, because {self.name} {self.did}{where}"


class SideValues:
    """The values of the side called `side` ("" where there is only one). `references` are the baselines that are
    replayed beside it, itself where there are none."""

    def __init__(self, needs: Needs, side: str = "") -> None:
        self.needs = needs
        self.side = side
        self.unsent: dict[str, Unsent] = {}
        """The requests that were not sent, by recorded id."""
        self.statuses: dict[str, int | None] = {}
        """How the requests that take part were answered on this side."""
        self.references: tuple[SideValues, ...] = (self,)
        self.constants: set[str] = set()
        """Values that this side has told as they were recorded."""
        self.replaced = 0
        """Values that were another one on this side."""
        self._given: dict[tuple[str, Place], str] = {}
        self._failed: dict[str, str] = {}
        self._reasons: set[str] = set()

    def awaited(self, origin: str) -> str | None:
        """A request that has to end before the one of `origin` can be sent, or None."""
        if origin not in self.needs.slots:
            return None
        return next(
            (
                each
                for each in self.needs.producers(origin)
                if each not in self.statuses and each not in self.unsent and each not in self._failed
            ),
            None,
        )

    def lack(self, origin: str) -> Unsent | None:
        """Why the request cannot be sent at this side, or None."""
        for slot in self._drawn(origin):
            if all((source.producer, source.source) not in self._given for source in slot.sources):
                return self._why(slot.sources[0])
        return None

    def filled(self, origin: str, request: Request) -> Request | Unsent:
        """The request as this side is to get it; the very same one where nothing changes. Only where `lack` says
        nothing."""
        values = []
        for slot in self._drawn(origin):
            value = next(
                self._given[key] for each in slot.sources if (key := (each.producer, each.source)) in self._given
            )
            if value != slot.link.value:
                values.append((slot.link, value))
        if not values:
            return request
        fit = Fitter().fit(replaced(request, values))
        if isinstance(fit, str):
            producer = values[0][0].producer
            return Unsent(producer, self.needs.names[producer], f"gave a value that cannot be sent: {fit}", self.side)
        self.replaced += len(values)
        return fit[0]

    def ended(self, origin: str, outcome: Outcome) -> None:
        """The request of `origin` was answered, or was not: keep what later requests need of it."""
        if origin not in self.needs.names:
            return
        response = outcome.response
        status = self.statuses[origin] = response.status if response is not None else None
        places = self.needs.places.get(origin)
        if places is None:
            return
        if response is None:
            assert outcome.failure is not None
            self._failed[origin] = f"was not answered ({outcome.failure.kind.value})"
            return
        recorded = self.needs.statuses.get(origin)
        if recorded is not None and recorded < 400 <= response.status:
            self._failed[origin] = f"was answered {status} where the recording has {recorded}"
            return
        for place in places:
            value = value_at(place, response)
            if value is not None and len(value) <= LONGEST_VALUE:
                self._given[origin, place] = value
                if value == self.needs.recorded.get((origin, place)):
                    self.constants.add(value)

    def absent(self, origin: str, did: str) -> None:
        """The request of `origin` will not be sent, and gives nothing: it `did` something else."""
        if origin in self.needs.places:
            self._failed[origin] = did

    def given(self, producer: str, place: Place) -> str | None:
        """What this side's answer held at a place that is needed, or None."""
        return self._given.get((producer, place))

    def skip(self, origin: str, why: Unsent) -> str:
        """The request of `origin` is not sent; the reason to count it under. There are not many different ones."""
        self.unsent[origin] = why
        reason = why.of(self.needs.names.get(origin, "requests"))
        if reason not in self._reasons and len(self._reasons) >= MOST_REASONS:
            return "requests, because earlier ones gave no value"
        self._reasons.add(reason)
        return reason

    def _drawn(self, origin: str) -> list[Slot]:
        """The places of a request that get this side's own value."""
        return [
            slot
            for slot in self.needs.slots.get(origin, ())
            if not (slot.link.was_there and (self._stays(slot) or self._is_untold(slot)))
        ]

    def _is_untold(self, slot: Slot) -> bool:
        """Whether the baselines answered well and told no such value: a link to what was there before is not borne out
        then, and the request goes out as it was recorded rather than not at all."""
        sources = [(side, source) for side in self.references for source in slot.sources]
        return all(
            source.producer in side.statuses
            and source.producer not in side._failed
            and side.given(source.producer, source.source) is None
            for side, source in sources
        )

    def _stays(self, slot: Slot) -> bool:
        """Whether the baselines tell the value as it was recorded; those that tell nothing at its place, elsewhere."""
        source = slot.sources[0]
        told = [side.given(source.producer, source.source) for side in self.references]
        given = [value for value in told if value is not None]
        if given:
            return all(value == slot.link.value for value in given)
        return all(slot.link.value in side.constants for side in self.references)

    def _why(self, source: ValueLink) -> Unsent:
        producer = source.producer
        # Of a chain of requests that were not sent the first cause says most.
        if producer in self.unsent:
            return self.unsent[producer]
        did = self._failed.get(producer) or f"gave no {_words(source.source)}"
        return Unsent(producer, self.needs.names[producer], did, self.side)


def _words(place: Place) -> str:
    """A place as a report names it: `$.id`, `header location`, `cookie sid`."""
    path = place.path[:_LONGEST_PATH].removesuffix("#0")
    if place.part == "body":
        return path
    return f"{'cookie' if place.part == 'set-cookie' else place.part} {path}"
