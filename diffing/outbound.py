"""The downstream calls of a run, by the inbound exchange that caused them.

An uncertain link is no evidence: such a call is kept apart, to be given to whichever request turns out to lack it. What
a service does with a message that one of its requests caused is caused by that request too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..capture.model import Exchange, Role
from .protocols import is_state

SURE = 0.9
"""Confidence from which a link is taken at its word: a shared trace (1.0), one open exchange (0.95 and more)."""
MAX_HOPS = 20
"""Most messages that cause one another between a request and a call."""


class CallIndex:
    """Calls by cause: `sure_of(id)`, and `maybe_of(id)` for those that others may have caused too."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._sure: dict[str, list[Exchange]] = defaultdict(list)
        self._maybe: dict[str, list[Exchange]] = defaultdict(list)
        self._unknown: list[Exchange] = []
        self.services: set[str] = set()
        held = list(exchanges)
        self._causes = {
            one.id: (one.links[0].parent, one.links[0].confidence)
            for one in held
            if one.role is Role.INBOUND and one.links
        }
        for exchange in held:
            if exchange.role is Role.OUTBOUND and not is_state(exchange):
                self.services.add(exchange.service)
                self._file(exchange)
        for calls in self._sure.values():
            calls.sort(key=lambda call: (call.started_us, call.seq))

    @property
    def unattributed(self) -> int:
        """How many calls nobody is known to have caused."""
        return len(self._unknown)

    def _file(self, call: Exchange) -> None:
        if not call.links:
            self._unknown.append(call)
            return
        parent, confidence = self._root(call.links[0].parent, call.links[0].confidence)
        if confidence >= SURE:
            self._sure[parent].append(call)
        else:
            for link in call.links:
                self._maybe[self._root(link.parent, link.confidence)[0]].append(call)

    def _root(self, parent: str, confidence: float) -> tuple[str, float]:
        """The request behind a message, and how sure that is."""
        for _ in range(MAX_HOPS):
            if parent not in self._causes:
                break
            parent, link = self._causes[parent]
            confidence = min(confidence, link)
        return parent, confidence

    def sure_of(self, parent: str) -> list[Exchange]:
        """The calls that `parent` certainly caused, in the order of their start."""
        return self._sure.get(parent, [])

    def all_sure(self) -> Iterator[Exchange]:
        """Every call whose cause is certain."""
        for calls in self._sure.values():
            yield from calls

    def all(self) -> Iterator[Exchange]:
        """Every call, whoever caused it, once."""
        seen: set[str] = set()
        for calls in (*self._sure.values(), *self._maybe.values(), self._unknown):
            for call in calls:
                if call.id not in seen:
                    seen.add(call.id)
                    yield call

    def maybe_of(self, parent: str) -> list[Exchange]:
        """The calls that `parent` may have caused."""
        return self._maybe.get(parent, [])
