"""Finds the value links of a recording. PURE."""

from collections.abc import Mapping, Sequence

from ...capture.model import Exchange
from .link import Refused, ValueLink, ValueLinks
from .resolver import Resolver
from .sinks import Sink, Sinks
from .sources import Holders, Sources

__all__ = ["Refused", "ValueLink", "ValueLinks", "find_links"]


def find_links(exchanges: Sequence[Exchange]) -> ValueLinks:
    """The value links among `exchanges`, the inbound ones of a capture in time order.

    Three passes: what the requests sent, which of that answers held, and then each request in turn, with what had been
    answered by then. Linear in the traffic; memory goes with the requests.
    """
    in_order = sorted(exchanges, key=lambda one: (one.started_us, one.seq))
    sinks = Sinks()
    wanted = _Wanted()
    for exchange in in_order:
        sinks.of(exchange.request, wanted.note)
    sources = Sources(wanted.keys)
    ends = [one.started_us + one.latency_us for one in in_order]
    for number in sorted(range(len(in_order)), key=lambda at: (ends[at], at)):
        sources.add(number, in_order[number], ends[number])
    wanted.held_in(sources.holders)
    resolver = Resolver(in_order, sources.holders)
    for exchange in in_order:
        resolver.resolve(exchange, sinks.of(exchange.request, wanted.is_held))
    return resolver.links()


class _Wanted:
    """The values that requests sent, with the keys that they are looked for under; then, which of them were held."""

    def __init__(self) -> None:
        self.keys: dict[str, set[str]] = {}
        self._seen: dict[int, Sink] = {}
        self._held: set[int] = set()

    def note(self, sink: Sink) -> bool:
        """Take a sink. Its place is not needed yet."""
        if id(sink) not in self._seen:
            self._seen[id(sink)] = sink
            for each in sink.walk():
                if each.keys:
                    self.keys.setdefault(each.value, set()).update(each.keys)
        return False

    def held_in(self, holders: Mapping[tuple[str, str], Holders]) -> None:
        """See which sinks an answer held anything of."""
        self._held = {
            number
            for number, sink in self._seen.items()
            if any((each.value, key) in holders for each in sink.walk() for key in each.keys)
        }

    def is_held(self, sink: Sink) -> bool:
        """Whether an answer held anything of it."""
        return id(sink) in self._held
