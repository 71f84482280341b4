"""The inbound exchanges that can be a cause: open, or closed a moment ago, found by trace, by lane and by value.

Two rules hold here. Memory is bounded: an exchange is forgotten once its grace is over, and the oldest go first when
there are too many. Values are read out of a request or an answer only once somebody asks for them: where every call
brings a trace id, nobody does.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from .values import MOST_VALUES, GrowingValues

MOST_SOURCES = 64
"""Requests and answers that wait to be read for one cause."""
MOST_RESTING = 16
"""Closed causes whose requests and answers are kept to be read for a late call."""
MOST_OF_CAUSE = 2000
"""Values of one cause."""
MOST_SHARING = 128
"""Causes that are remembered for one value; one that more have says nothing."""
_MOST_AROUND = 2_000
MOST_WITH_VALUES = 1024
"""Causes whose values are kept."""


class Cause:
    """One inbound exchange; `ended_us` is None as long as it is open.

    `last_us` is when it last got an answer (or began), `busy` how many of its calls are unanswered, `made` how often it
    made which operation: what says whose turn it is. `named` is the exchange that links name: itself, or, for a message
    that a request had published, that request.
    """

    __slots__ = (
        "busy",
        "ended_us",
        "endpoint",
        "id",
        "lane",
        "last_us",
        "made",
        "named",
        "sources",
        "started_us",
        "traces",
        "values",
        "waiting",
    )

    def __init__(
        self,
        exchange_id: str,
        started_us: int,
        traces: tuple[str, ...],
        lane: str | None,
        endpoint: str,
        named: str | None = None,
    ) -> None:
        self.id = exchange_id
        self.named = named or exchange_id
        self.started_us = started_us
        self.ended_us: int | None = None
        self.traces = traces
        self.lane = lane
        self.endpoint = endpoint
        self.last_us = started_us
        self.busy = 0
        self.made: dict[str, int] = {}
        self.sources: list[Iterable[str]] = []
        self.values: set[str] = set()
        self.waiting = 0
        """How many calls wait for its end to be settled."""

    def could_be_open(self, at_us: int) -> bool:
        """Whether it was open at `at_us`: an end may be told before a call that came earlier is."""
        return self.started_us <= at_us and (self.ended_us is None or self.ended_us >= at_us)


class Causes:
    """All of them. `grace_us` is how long a closed one can still be the cause of a late call."""

    __slots__ = (
        "_by_lane",
        "_by_trace",
        "_closed",
        "_grace_us",
        "_most",
        "_resting",
        "_unread",
        "_valued",
        "holders",
        "open",
    )

    def __init__(self, grace_us: int, most: int) -> None:
        self._grace_us = grace_us
        self._most = most
        self.open: dict[str, Cause] = {}
        """In the order of their last event, the latest at the end."""
        self.holders: dict[str, dict[Cause, None]] = {}
        """Who has a value: open ones, and the last that have closed."""
        self._closed: deque[Cause] = deque()
        self._resting: deque[Cause] = deque()
        self._valued: deque[Cause] = deque()
        self._unread: dict[Cause, None] = {}
        # By id inside, so that forgetting one of thousands that share a trace or a lane costs no search.
        self._by_trace: dict[str, dict[str, Cause]] = {}
        self._by_lane: dict[str, dict[str, Cause]] = {}

    def add(self, cause: Cause) -> None:
        """An inbound exchange has begun."""
        self.open[cause.id] = cause
        for trace in cause.traces:
            self._by_trace.setdefault(trace, {})[cause.id] = cause
        if cause.lane is not None:
            self._by_lane.setdefault(cause.lane, {})[cause.id] = cause
        if len(self.open) + len(self._closed) > self._most:
            self._forget_oldest()

    def close(self, exchange_id: str, ended_us: int, values: Iterable[str] = ()) -> Cause | None:
        """It has ended; it stays a candidate for the grace period. `values` are its answer's. What the last that have
        closed brought along can still be read: else a late call's values would speak for older ones alone, whose
        values happen to be known."""
        cause = self.open.pop(exchange_id, None)
        if cause is not None:
            cause.ended_us = ended_us
            self._closed.append(cause)
            self._unread.pop(cause, None)
            if values != () and len(cause.sources) < MOST_SOURCES:
                cause.sources.append(values)
            self._resting.append(cause)
            if len(self._resting) > MOST_RESTING:
                self._resting.popleft().sources.clear()
        while self._closed and (self._closed[0].ended_us or 0) + self._grace_us < ended_us:
            self._forget(self._closed.popleft())
        return cause

    def touch(self, cause: Cause, at_us: int) -> None:
        """Something has happened to an open one."""
        cause.last_us = max(cause.last_us, at_us)
        if len(self.open) > 1 and cause.id in self.open:
            del self.open[cause.id]
            self.open[cause.id] = cause

    def late(self, at_us: int, most: int) -> list[Cause]:
        """What has closed within the grace period, newest first: a call may outlive the answer."""
        recent: list[Cause] = []
        for cause in reversed(self._closed):
            if (cause.ended_us or 0) + self._grace_us < at_us or len(recent) >= most:
                break
            if cause.started_us <= at_us:
                recent.append(cause)
        return recent

    def has_just_closed(self, at_us: int) -> bool:
        """Whether `just_closed` can have any."""
        return bool(self._closed) and (self._closed[-1].ended_us or 0) >= at_us

    def just_closed(self, at_us: int, most: int) -> Iterator[Cause]:
        """What was still open at `at_us` although its end has been told."""
        for cause in islice(reversed(self._closed), most):
            if (cause.ended_us or 0) < at_us:
                return
            if cause.started_us <= at_us:
                yield cause

    def around(self, started_us: int, ended_us: int, slack_us: int) -> list[Cause]:
        """What was open all the time from `started_us` to `ended_us`, a few more microseconds or less."""
        recent = islice(reversed(self._closed), _MOST_AROUND)
        return [
            cause
            for cause in (*self.open.values(), *recent)
            if cause.started_us <= started_us + slack_us
            and (cause.ended_us is None or cause.ended_us >= ended_us - slack_us)
        ]

    def by_trace(self, trace: str, at_us: int, most: int) -> list[Cause]:
        """Who brought the trace id `trace`, newest first; open ones shut out closed ones."""
        return self._living(self._by_trace.get(trace), at_us, most)

    def by_lane(self, lane: str, at_us: int, most: int) -> list[Cause]:
        """Who came on `lane`, likewise."""
        return self._living(self._by_lane.get(lane), at_us, most)

    @property
    def traced(self) -> bool:
        """Whether any of them brought a trace id."""
        return bool(self._by_trace)

    @property
    def known(self) -> int:
        """How many of them have values."""
        return len(self._valued)

    def feed(self, cause: Cause, values: Iterable[str]) -> None:
        """`values` belong to `cause`; they are read when they are first asked for."""
        if values != () and len(cause.sources) < MOST_SOURCES:
            cause.sources.append(values)
            self._unread[cause] = None

    def read(self) -> None:
        """Read what waits to be read, so that `holders` are complete."""
        if self._unread:
            unread, self._unread = self._unread, {}
            for cause in unread:
                sources, cause.sources = cause.sources, []
                for source in sources:
                    self.learn(cause, source)
                    if isinstance(source, GrowingValues) and not source.is_whole:
                        self.feed(cause, source)

    def read_closed(self) -> None:
        """Read what the last that have closed brought along: a call has come when nothing was open."""
        for cause in self._resting:
            sources, cause.sources = cause.sources, []
            for source in sources:
                self.learn(cause, source)

    def learn(self, cause: Cause, values: Iterable[str]) -> None:
        """`cause` has `values`."""
        known = cause.values
        if not known:
            self._keep_values_of(cause)
        holders = self.holders
        for value in islice(values, MOST_VALUES):
            if value not in known and len(known) < MOST_OF_CAUSE:
                known.add(value)
                having = holders.get(value)
                if having is None:
                    holders[value] = {cause: None}
                elif len(having) < MOST_SHARING:
                    having[cause] = None

    def _keep_values_of(self, cause: Cause) -> None:
        self._valued.append(cause)
        if len(self._valued) > MOST_WITH_VALUES:
            self._forget_values(self._valued.popleft())

    def _forget_values(self, cause: Cause) -> None:
        for value in cause.values:
            having = self.holders.get(value)
            if having is not None:
                having.pop(cause, None)
                if not having:
                    del self.holders[value]
        cause.values = set()

    def _living(self, causes: dict[str, Cause] | None, at_us: int, most: int) -> list[Cause]:
        if not causes:
            return []
        begun = [cause for cause in islice(reversed(causes.values()), most) if cause.started_us <= at_us]
        still_open = [cause for cause in begun if cause.could_be_open(at_us)]
        return still_open or [cause for cause in begun if (cause.ended_us or 0) + self._grace_us >= at_us]

    def _forget_oldest(self) -> None:
        if self._closed:
            self._forget(self._closed.popleft())
        else:
            oldest = self.open.pop(next(iter(self.open)))
            self._unread.pop(oldest, None)
            self._forget(oldest)

    def _forget(self, cause: Cause) -> None:
        for trace in cause.traces:
            _remove(self._by_trace, trace, cause)
        if cause.lane is not None:
            _remove(self._by_lane, cause.lane, cause)


def _remove(index: dict[str, dict[str, Cause]], key: str, cause: Cause) -> None:
    causes = index.get(key)
    if causes is not None:
        causes.pop(cause.id, None)
        if not causes:
            del index[key]
