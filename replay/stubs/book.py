"""The stubs' part of a capture, read once: the recorded calls to each downstream, and the sanitizer that makes a live
call comparable with them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ...capture.model import Exchange, Manifest, Role
from ...capture.sanitize.rules import Rules
from ...capture.sanitize.sanitizer import Sanitizer
from ...capture.store.reader import open_capture
from .asked import Leaf, asked_answer
from .index import CallIndex

_LARGEST_ANSWER = 64 << 10
Place = tuple[str, str]
"""Service and protocol of a downstream."""


class Book:
    """What is played. It is shared by the sides and rounds of one capture: nothing in it changes.

    `sessions` names the session of each inbound exchange, `answers` has its JSON answer, undecoded.
    """

    __slots__ = ("answers", "calls", "sanitizer", "sessions")

    def __init__(self, exchanges: Iterable[Exchange], places: Iterable[Place], sanitizer: Sanitizer) -> None:
        self.sanitizer = sanitizer
        self.sessions: dict[str, str] = {}
        self.answers: dict[str, bytes] = {}
        calls: dict[Place, list[Exchange]] = {place: [] for place in places}
        for exchange in exchanges:
            if exchange.role is Role.INBOUND:
                self._inbound(exchange)
            elif (exchange.service, exchange.protocol) in calls:
                calls[exchange.service, exchange.protocol].append(exchange)
        # What the capture holds is clean, and comes back from the service as it was played to it.
        sanitizer.trust_requests(exchange for kept in calls.values() for exchange in kept)
        for exchange in (each for kept in calls.values() for each in kept if each.response is not None):
            sanitizer.trust(exchange)
        # A capture that ties no call to any request (an imported one) says nothing by it.
        linked = not self.sessions or any(exchange.links for kept in calls.values() for exchange in kept)
        self.calls: Mapping[Place, CallIndex] = {
            place: CallIndex(place[1], kept, is_linked=linked) for place, kept in calls.items()
        }

    def recorded(self, service: str, protocol: str) -> CallIndex:
        """The calls of a downstream; empty where there are none."""
        return self.calls.get((service, protocol)) or CallIndex(protocol, ())

    @property
    def blank(self) -> frozenset[str]:
        """The downstreams of which nothing was recorded: their stubs have nothing to say."""
        return frozenset(service for (service, _), index in self.calls.items() if not index.calls)

    def knows_key_of(self, manifest: Manifest) -> bool:
        """Whether the capture was made with the key that live calls are cleaned with. Else a value that the service has
        from its own configuration is no longer recognised."""
        return manifest.key_id in ("", self.sanitizer.key_id)

    def told(self, origin: str) -> list[Leaf]:
        """The leaves of the answer that the inbound exchange `origin` got when it was recorded."""
        return asked_answer(self.answers.get(origin, b""))

    def _inbound(self, exchange: Exchange) -> None:
        self.sessions[exchange.id] = exchange.session
        response = exchange.response
        if response is not None and response.body[:1] in (b"{", b"[") and len(response.body) <= _LARGEST_ANSWER:
            self.answers[exchange.id] = response.body


def read_book(capture: Path, places: Iterable[Place], key: bytes, rules: Rules) -> Book:
    """The calls to `places` in `capture`. DamagedCapture and UsageError where it cannot be read."""
    sanitizer = Sanitizer(key, rules)
    with open_capture(capture) as reader:
        sanitizer.trust_requests(reader.asks())
    with open_capture(capture) as reader:
        return Book(reader, places, sanitizer)
