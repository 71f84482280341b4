"""The downstream calls of a run, by the inbound exchange that caused them.

An uncertain link is no evidence: such a call is kept apart, to be given to whichever request turns out to lack it.
"""

from collections import defaultdict
from collections.abc import Iterable

from ..capture.model import Exchange, Role

SURE = 0.9
"""Confidence from which a link is taken at its word: a shared trace (1.0), one open exchange (0.95 and more)."""


class CallIndex:
    """Calls by cause: `sure_of(id)`, and `maybe_of(id)` for those that others may have caused too."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._sure: dict[str, list[Exchange]] = defaultdict(list)
        self._maybe: dict[str, list[Exchange]] = defaultdict(list)
        self.services: set[str] = set()
        self.unattributed = 0
        for exchange in exchanges:
            if exchange.role is Role.OUTBOUND:
                self.services.add(exchange.service)
                self._file(exchange)
        for calls in self._sure.values():
            calls.sort(key=lambda call: (call.started_us, call.seq))

    def _file(self, call: Exchange) -> None:
        if not call.links:
            self.unattributed += 1
        elif call.links[0].confidence >= SURE:
            self._sure[call.links[0].parent].append(call)
        else:
            for link in call.links:
                self._maybe[link.parent].append(call)

    def sure_of(self, parent: str) -> list[Exchange]:
        """The calls that `parent` certainly caused, in the order of their start."""
        return self._sure.get(parent, [])

    def maybe_of(self, parent: str) -> list[Exchange]:
        """The calls that `parent` may have caused."""
        return self._maybe.get(parent, [])
