"""Whether a cache knew more on one side than on the other.

A cache that is warm on one side only makes that side ask its database less: an input to the service, as any answer is.
What follows from it alone is no evidence.
"""

from collections.abc import Iterable

import orjson

from ...capture.model import Exchange
from ..difference import Difference
from ..operation import REDIS_READS, is_write
from ..report.model import Surface

_BY_NAME = frozenset({"GET", "GETEX", "HGET", "HMGET", "MGET"})
"""Reads that are answered under the names that were asked for, null where there is nothing."""
MAX_PLACES = 1_000


def told_differently(matched: Iterable[tuple[Exchange, Exchange]]) -> bool:
    """Whether one of the reads of a cache found something on one side only."""
    return any(
        first.protocol == "redis" and first.request.method in REDIS_READS and _differs(first, second)
        for first, second in matched
    )


def _differs(first: Exchange, second: Exchange) -> bool:
    if first.response is not None and second.response is not None and first.response.body == second.response.body:
        return False
    return _found(first) != _found(second)


def _found(call: Exchange) -> list[bool]:
    """What a read found, place by place."""
    if call.response is None:
        return []
    try:
        body = orjson.loads(call.response.body)
    except orjson.JSONDecodeError:
        return [bool(call.response.body)]
    if call.request.method in _BY_NAME:
        places = list(body.values()) if isinstance(body, dict) else body if isinstance(body, list) else [body]
        return [place is not None for place in places[:MAX_PLACES]]
    return [bool(body)]


def follows(one: Difference) -> bool:
    """Whether a difference in calls may follow from a cache's state: reads, and what fills the cache."""
    replaced = one.kind == "fingerprint_changed" and not one.trait
    if (one.kind not in {"missing", "extra", "count_scaling"} and not replaced) or one.trait in {"security", "lock"}:
        return False
    return one.surface is Surface.REDIS or not is_write(one.surface, one.operation or "")
