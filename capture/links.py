"""Which inbound exchange caused a downstream call.

Two rules hold here. Ambiguity is kept: every candidate stays with its share of the confidence, none is guessed away.
Memory is bounded: an exchange is forgotten once its grace is over, and the oldest go first when there are too many.
Calls come in the order of their times, which is what a live engine sees.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from .headers import Headers
from .model import Link, LinkKind
from .wire.heads import RawHead

DEFAULT_TRACE_HEADERS = ("traceparent", "x-b3-traceid", "x-request-id", "x-correlation-id")
"""Headers that name one request on its way through the services, strongest first."""

MOST_CANDIDATES = 4
MOST_LOOKED_AT = 256
"""How many that share a trace or a lane are looked at: one trace id sent for ever is no reason to wait."""
LONE_TIME_CONFIDENCE = 0.95
LONE_LANE_CONFIDENCE = 0.98
LATE_CONFIDENCE = 0.5


class _Entry:
    """One inbound exchange; `ended_us` is None as long as it is open."""

    __slots__ = ("ended_us", "id", "lane", "started_us", "traces")

    def __init__(self, exchange_id: str, started_us: int, traces: tuple[str, ...], lane: str | None) -> None:
        self.id = exchange_id
        self.started_us = started_us
        self.ended_us: int | None = None
        self.traces = traces
        self.lane = lane


class LinkIndex:
    """The inbound exchanges that are open, or were until a moment ago.

    `trace_headers` are the names that tie a call to its cause by value, strongest first; `grace_us` is how long a
    closed exchange can still be the cause of a late call; `most` bounds how many exchanges are remembered.
    """

    __slots__ = ("_by_lane", "_by_trace", "_closed", "_grace_us", "_most", "_open", "_trace_headers")

    def __init__(
        self,
        trace_headers: Sequence[str] = DEFAULT_TRACE_HEADERS,
        *,
        grace_us: int = 5_000_000,
        most: int = 50_000,
    ) -> None:
        self._trace_headers = {name.lower(): rank for rank, name in enumerate(trace_headers)}
        self._grace_us = grace_us
        self._most = most
        self._open: dict[str, _Entry] = {}
        self._closed: deque[_Entry] = deque()
        # By id inside, so that forgetting one of thousands that share a trace or a lane costs no search.
        self._by_trace: dict[str, dict[str, _Entry]] = {}
        self._by_lane: dict[str, dict[str, _Entry]] = {}

    def opened(self, exchange_id: str, started_us: int, headers: Headers | RawHead, lane: str | None = None) -> None:
        """An inbound request has begun."""
        entry = _Entry(exchange_id, started_us, self._traces(headers), lane)
        self._open[exchange_id] = entry
        for trace in entry.traces:
            self._by_trace.setdefault(trace, {})[exchange_id] = entry
        if lane is not None:
            self._by_lane.setdefault(lane, {})[exchange_id] = entry
        if len(self._open) + len(self._closed) > self._most:
            self._forget_oldest()

    def closed(self, exchange_id: str, ended_us: int) -> None:
        """An inbound exchange has ended; it stays a candidate for the grace period."""
        entry = self._open.pop(exchange_id, None)
        if entry is not None:
            entry.ended_us = ended_us
            self._closed.append(entry)
        while self._closed and (self._closed[0].ended_us or 0) + self._grace_us < ended_us:
            self._forget(self._closed.popleft())

    def links_for(self, headers: Headers | RawHead, started_us: int, lane: str | None = None) -> tuple[Link, ...]:
        """The candidates for the cause of a call with `headers` that started at `started_us`, best first.

        A shared trace id decides (PROPAGATED, 1.0); else the connection lane; else what is open at that moment.
        Of k equal candidates each has confidence 1/k, and at most four are kept.
        """
        if self._by_trace:
            for trace in self._traces(headers):
                found = self._living(self._by_trace.get(trace), started_us)
                if found:
                    return _shared(found, LinkKind.PROPAGATED, 1.0)
        if lane is not None:
            found = self._living(self._by_lane.get(lane), started_us)
            if found:
                return _shared(found, LinkKind.LANE, LONE_LANE_CONFIDENCE)
        return self._by_time(started_us)

    def _by_time(self, started_us: int) -> tuple[Link, ...]:
        later = 0
        found: list[_Entry] = []
        for entry in reversed(self._open.values()):
            if entry.started_us > started_us:
                later += 1
            elif len(found) < MOST_CANDIDATES:
                found.append(entry)
            else:
                break
        if found:
            return _shared(found, LinkKind.TIME, LONE_TIME_CONFIDENCE, of=len(self._open) - later)
        return _shared(self._late(started_us), LinkKind.TIME, LATE_CONFIDENCE, ceiling=LATE_CONFIDENCE)

    def _late(self, started_us: int) -> list[_Entry]:
        """What has closed within the grace period, newest first: a call may outlive the answer."""
        recent: list[_Entry] = []
        for entry in reversed(self._closed):
            if (entry.ended_us or 0) + self._grace_us < started_us:
                break
            if entry.started_us <= started_us:
                recent.append(entry)
            if len(recent) > MOST_CANDIDATES * 4:
                break
        return recent

    def _living(self, entries: dict[str, _Entry] | None, started_us: int) -> list[_Entry]:
        """Those of the newest `entries` that can be the cause, newest first; open ones shut out closed ones."""
        if not entries:
            return []
        newest = islice(reversed(entries.values()), MOST_LOOKED_AT)
        begun = [entry for entry in newest if entry.started_us <= started_us]
        still_open = [entry for entry in begun if entry.ended_us is None]
        return still_open or [entry for entry in begun if (entry.ended_us or 0) + self._grace_us >= started_us]

    def _traces(self, headers: Headers | RawHead) -> tuple[str, ...]:
        """The trace ids in `headers`, strongest header first, each marked with its header's name."""
        ranks = self._trace_headers
        found: list[tuple[int, str]] = []
        if isinstance(headers, RawHead):
            for name, rank in ranks.items():
                value = headers.get(name)
                if value:
                    found.append((rank, _trace_id(name, value)))
        else:
            for name, value in headers.items:
                lower = name.lower()
                if lower in ranks:
                    found.append((ranks[lower], _trace_id(lower, value)))
        if len(found) > 1:
            found.sort()
        return tuple([trace for _, trace in found if trace])

    def _forget_oldest(self) -> None:
        if self._closed:
            self._forget(self._closed.popleft())
        else:
            self._forget(self._open.pop(next(iter(self._open))))

    def _forget(self, entry: _Entry) -> None:
        for trace in entry.traces:
            _remove(self._by_trace, trace, entry)
        if entry.lane is not None:
            _remove(self._by_lane, entry.lane, entry)


def _remove(index: dict[str, dict[str, _Entry]], key: str, entry: _Entry) -> None:
    entries = index.get(key)
    if entries is not None:
        entries.pop(entry.id, None)
        if not entries:
            del index[key]


def _trace_id(name: str, value: str) -> str:
    """The part of a trace header that stays the same on every hop, or "" where there is none.

    `traceparent` is version-traceid-parentid-flags (W3C Trace Context); an all-zero trace id is invalid there.
    """
    if name != "traceparent":
        return f"{name}:{value.strip()}" if value.strip() else ""
    parts = value.strip().lower().split("-")
    if len(parts) < 4 or len(parts[1]) != 32 or parts[1] == "0" * 32:
        return ""
    return f"traceparent:{parts[1]}"


def _shared(
    entries: Sequence[_Entry], how: LinkKind, lone: float, *, of: int | None = None, ceiling: float = 1.0
) -> tuple[Link, ...]:
    """Links to the first four of `entries`, the confidence shared among all `of` candidates."""
    count = of if of is not None else len(entries)
    if count == 0:
        return ()
    confidence = lone if count == 1 else ceiling / count
    return tuple(Link(entry.id, how, confidence) for entry in islice(entries, MOST_CANDIDATES))
