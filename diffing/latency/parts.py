"""Where a request's time went: the service itself, and each downstream that it waited for. PURE.

Every moment between a request and its answer belongs to one: to the downstream of the call that began last among those
under way (so an inner hop's own calls are not its time), or to the service itself where none is under way. The parts
add up to the whole.
"""

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence

from ...capture.model import Exchange, Role
from ..outbound import CallIndex

Parts = Mapping[str, int]
"""Microseconds by downstream, "" being the service itself; empty where its calls were not seen."""
ITSELF = ""
MAX_CALLS = 2_000
"""Requests with more calls are not divided: thousands of calls are a finding of their own."""


def no_parts(_exchange: str) -> Parts:
    """Nothing is known of an exchange's calls."""
    return {}


class TimeParts:
    """How the inbound exchanges of several runs spent their time."""

    def __init__(self, runs: Iterable[tuple[Sequence[Exchange], CallIndex]]) -> None:
        self._runs: dict[str, tuple[Exchange, CallIndex]] = {}
        for exchanges, calls in runs:
            if calls.services:
                self._runs.update((one.id, (one, calls)) for one in exchanges if one.role is Role.INBOUND)

    def of(self, exchange: str) -> Parts:
        """The parts of an inbound exchange's service time."""
        known = self._runs.get(exchange)
        if known is None:
            return {}
        request, calls = known
        return divide(request, calls.sure_of(exchange))


def divide(request: Exchange, calls: Sequence[Exchange]) -> dict[str, int]:
    """The service time of `request` by who had it; `calls` in the order of their start."""
    if len(calls) > MAX_CALLS:
        return {}
    start = request.started_us + request.lateness_us
    end = start + max(0, request.service_us)
    spans = [
        (max(start, one.started_us), min(end, one.started_us + one.latency_us), one.service)
        for one in calls
        if one.started_us < end and one.started_us + one.latency_us > start
    ]
    parts = {ITSELF: 0}
    edges = sorted({start, end, *(at for span in spans for at in span[:2])})
    spans.sort()
    under_way: list[tuple[int, int, str]] = []  # (-start, end, service): the call that began last comes first
    upcoming = 0
    for since, until in itertools.pairwise(edges):
        while upcoming < len(spans) and spans[upcoming][0] <= since:
            begun, ends, service = spans[upcoming]
            heapq.heappush(under_way, (-begun, ends, service))
            upcoming += 1
        while under_way and under_way[0][1] <= since:
            heapq.heappop(under_way)
        who = under_way[0][2] if under_way else ITSELF
        parts[who] = parts.get(who, 0) + until - since
    return parts
