"""What a consumed message led to when it was recorded: the measure of when it is done in a replay. PURE."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..capture.model import Ask, Exchange, Role


@dataclass(frozen=True, slots=True)
class Effects:
    """So many `calls` followed a message, the last of them `span_us` after it was delivered."""

    calls: int = 0
    span_us: int = 0


NONE = Effects()


def effects_of(exchanges: Iterable[Exchange | Ask], messages: Mapping[str, int]) -> dict[str, Effects]:
    """The effects of `messages` (their ids and when they were delivered, µs) by id; those without any are left out.

    Only calls whose likeliest cause is the message count, and none that is a connection's own housekeeping.
    """
    calls: dict[str, int] = {}
    spans: dict[str, int] = {}
    for exchange in exchanges:
        if exchange.role is not Role.OUTBOUND or not exchange.links or "setup" in exchange.request.headers:
            continue
        cause = exchange.links[0].parent
        if cause in messages:
            calls[cause] = calls.get(cause, 0) + 1
            spans[cause] = max(spans.get(cause, 0), exchange.started_us - messages[cause])
    return {cause: Effects(count, spans[cause]) for cause, count in calls.items()}
