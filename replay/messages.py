"""Which consumed messages of a capture a replay produces again, and in which order. PURE.

Rules of this file:
- what the service itself published while it served something comes by itself: it is not produced;
- one message that was delivered several times is produced once;
- messages of one destination and key are one session: they keep their order;
- producing is a write: only where that is allowed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from ..capture.model import Ask, Exchange, Request
from .transport.bus.door import PRODUCIBLE

CONSUME = "CONSUME"
PUBLISHED_BY_SERVICE = "published by the service itself in this replay"
DELIVERED_AGAIN = "another delivery of a message that is produced"
MESSAGE_CUT = "message was cut in the capture"

_COPIES_WITHIN_US = 1_000_000
_SUBSCRIPTION = ("subscription", "queue", "pattern", "consumer", "consumer_tag", "group")
"""Arguments that say who was given a message, not which."""


@dataclass(frozen=True, slots=True)
class Bus:
    """A bus of a replay, where the messages recorded at the downstream of its name are produced. `is_allowed` says
    whether they may be: it is the side's own (a prefix keeps it apart), or the user allows writes."""

    protocol: str
    is_allowed: bool


Buses = Mapping[str, Bus]
"""By the downstream's name."""


def is_message(exchange: Exchange | Ask) -> bool:
    """Whether an inbound exchange is a message that was consumed, not a request."""
    return exchange.protocol != "http" and exchange.request.method == CONSUME


def why_not_produced(exchange: Exchange | Ask, buses: Buses, write_not_allowed: str) -> str | None:
    """Why a message is not produced, or None. `write_not_allowed` is what the plan calls that."""
    bus = buses.get(exchange.service)
    if exchange.protocol not in PRODUCIBLE or bus is None or bus.protocol != exchange.protocol:
        return f"protocol {exchange.protocol[:40]}"
    if not exchange.request.target:
        return "message without a destination"
    for part in exchange.withheld:
        if part.part.startswith("request"):
            return f"{part.part[:40]} was withheld"
    if exchange.truncated and (not exchange.request.body or "hash" in exchange.request.headers):
        return MESSAGE_CUT
    return None if bus.is_allowed else write_not_allowed


def session_of(service: str, request: Request, arguments: Mapping[str, object]) -> str:
    """The session of a message: its destination and key."""
    name = "\0".join((service, request.target, str(arguments.get("key", ""))))
    return "m" + hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def read_arguments(request: Request) -> dict[str, object]:
    """The arguments of a message; none where they cannot be read."""
    try:
        found = orjson.loads(request.arguments or "{}")
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return {}
    return found if isinstance(found, dict) else {}


class Deliveries:
    """The deliveries met so far: tells the first one of a message from the others."""

    def __init__(self) -> None:
        self._met: dict[object, list[tuple[int, str]]] = {}

    def is_again(self, exchange: Exchange | Ask, arguments: Mapping[str, object]) -> bool:
        """Whether `exchange` delivers a message that another one has delivered before (to another subscriber, or to
        the same one that had not acknowledged it)."""
        place = _place_in_log(exchange.service, exchange.request.target, arguments)
        if place is not None:
            return self._seen(place, exchange.started_us, "") is not None
        request = exchange.request
        # An exchange of AMQP hands a copy to each of its queues, which are the targets.
        target = arguments.get("exchange") or request.target
        said = (exchange.service, target, arguments.get("routing_key"), request.headers.items, request.body)
        told = "" if arguments.get("redelivered") is True else repr([arguments.get(name) for name in _SUBSCRIPTION])
        before = self._seen(said, exchange.started_us, told)
        return before is not None and (before != told or not told)

    def _seen(self, key: object, at_us: int, told: str) -> str | None:
        """Who was told of `key` about the same time, or None; from now on `told` was."""
        met = self._met.setdefault(key, [])
        near = next((one for one in met if abs(one[0] - at_us) <= _COPIES_WITHIN_US or told == ""), None)
        if near is None or near[1] == told:
            met.append((at_us, told))
        return None if near is None else near[1]


def _place_in_log(service: str, target: str, arguments: Mapping[str, object]) -> tuple[object, ...] | None:
    """Where a message stands in its stream or partition: what is there twice is one message."""
    stream, sequence = arguments.get("stream"), arguments.get("sequence")
    if stream is not None and sequence is not None:
        return service, "stream", str(stream), str(sequence)
    partition, offset = arguments.get("partition"), arguments.get("offset")
    if partition is not None and offset is not None:
        return service, target, str(partition), str(offset)
    return None
