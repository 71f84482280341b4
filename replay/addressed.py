"""A recorded message made one of this side's: its place, prefix and trace. PURE."""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from ..capture.headers import Headers
from ..capture.model import Request
from .messages import read_arguments
from .places import PREFIX, Places
from .tracing import TRACEPARENT, traced


def addressed(recorded: Request, protocol: str, places: Places, seed: int, origin: str) -> Request | None:
    """The message to produce; None as long as it is not known where it belongs, or nobody is there to take it.

    `seed` and `origin`, the recorded exchange's id, make its trace id.
    """
    place = places.of(recorded.target)
    if place is None:
        return None
    arguments = read_arguments(recorded)
    # What a broker keeps, or hands back where nobody takes it, need not be listened to yet.
    if protocol == "nats" and "stream" not in arguments and not places.is_listened_to(place):
        return None
    moved = replace(recorded, target=place)
    if places.prefix is not None:
        if protocol == "amqp":
            routed = _routed(arguments, places)
            if routed is None:
                return None
            moved = replace(moved, arguments=routed)
        moved = _named(moved, places.prefix)
    return replace(moved, headers=traced(moved, seed, origin).headers)


def neutral_again(produced: Request, recorded: Request, prefix: str | None) -> Request:
    """What was, or was to be, produced as a run records it: with the prefix taken out."""
    target = produced.target if prefix is None else produced.target.replace(prefix, PREFIX)
    return replace(recorded, target=target, headers=produced.headers)


def trace_of(headers: Headers) -> str:
    """The trace id in `headers`, "" where there is none."""
    parts = (headers.get(TRACEPARENT) or "").strip().lower().split("-")
    return parts[1] if len(parts) > 1 else ""


def _routed(arguments: Mapping[str, object], places: Places) -> str | None:
    """The arguments of a message of AMQP with exchange and routing key under the side's prefix; None where neither is
    (yet). The default exchange needs none: its routing keys are queues."""
    exchange, key = str(arguments.get("exchange") or ""), str(arguments.get("routing_key") or "")
    if not exchange:
        return orjson.dumps(arguments).decode()
    moved, moved_key = places.of(exchange), places.of(key) if key else None
    if moved is None and moved_key is None:
        return None
    return orjson.dumps({**arguments, "exchange": moved or exchange, "routing_key": moved_key or key}).decode()


def _named(request: Request, prefix: str) -> Request:
    """`request` with the side's own prefix wherever the recorded one was taken out."""
    return replace(
        request,
        headers=Headers((name, value.replace(PREFIX, prefix)) for name, value in request.headers.items),
        body=request.body.replace(PREFIX.encode(), prefix.encode()),
        arguments=request.arguments.replace(PREFIX, prefix),
    )
