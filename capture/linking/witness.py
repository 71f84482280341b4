"""Spans as witnesses: the trace of a span that covers a call names the call's cause. PURE.

Two rules hold here. A span counts for one call, and only where no other call of that time could be meant. What is
remembered is bounded, in number and by time.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from itertools import islice

from .asked import Asked
from .causes import Cause, Causes
from .spans import SERVER, Span, words

LINGER_US = 1_500_000
"""How long a call that is not sure waits for spans: exporters send them in batches."""
CONFIDENCE = 0.98
_SLACK_US = 2_000
"""What buffers may make of the moments of one call; the clock is one machine's."""
_LIKENESS = 0.5
_MOST_KEPT = 5_000
_MOST_COVERED = 64


class Witness:
    """Ended calls of the last moment, and the spans that have come for them."""

    __slots__ = ("_by_trace", "_calls", "_causes", "_unknown")

    def __init__(self, causes: Causes) -> None:
        self._causes = causes
        self._calls: deque[Asked] = deque(maxlen=_MOST_KEPT)
        self._unknown: deque[Span] = deque(maxlen=_MOST_KEPT)
        self._by_trace: OrderedDict[str, Cause] = OrderedDict()

    def ended(self, asked: Asked) -> None:
        """A call has ended: a span may come for it, whether it is sure or not."""
        self._calls.append(asked)

    def testify(self, spans: Iterable[Span]) -> Iterator[tuple[Asked, Cause]]:
        """Spans have come: the calls that they cover, and whose they are. A server's span tells which exchange a trace
        belongs to that brought none along; what came before it is looked at again."""
        heard = [*self._unknown]
        self._unknown.clear()
        for span in spans:
            if span.kind == SERVER:
                self._server(span)
            else:
                heard.append(span)
        calls = sorted(self._calls, key=lambda asked: asked.started_us)
        starts = [asked.started_us for asked in calls]
        for span in heard:
            cause = self._cause(span)
            if cause is None:
                self._unknown.append(span)
                continue
            first = bisect_left(starts, span.started_us - _SLACK_US)
            last = bisect_right(starts, span.ended_us + _SLACK_US)
            meant = words(span.what)
            covered = [
                call for call in islice(calls, first, min(last, first + _MOST_COVERED)) if _fits(call, span, meant)
            ]
            if len(covered) == 1 and last - first <= _MOST_COVERED:
                yield covered[0], cause

    def _cause(self, span: Span) -> Cause | None:
        known = self._causes.by_trace(f"trace:{span.trace}", span.started_us + _SLACK_US, 2)
        if len(known) == 1:
            return known[0]
        return self._by_trace.get(span.trace) if not known else None

    def _server(self, span: Span) -> None:
        fitting = [
            cause for cause in self._causes.around(span.started_us, span.ended_us, _SLACK_US) if _asks(cause, span)
        ]
        if len(fitting) == 1 and span.trace not in self._by_trace:
            self._by_trace[span.trace] = fitting[0]
            if len(self._by_trace) > _MOST_KEPT:
                self._by_trace.popitem(last=False)


def _fits(call: Asked, span: Span, meant: frozenset[str]) -> bool:
    ended_us = call.ended_us if call.ended_us is not None else call.started_us
    return ended_us <= span.ended_us + _SLACK_US and _names(meant, words(call.text))


def _alike(some: frozenset[str], others: frozenset[str]) -> bool:
    return len(some & others) >= _LIKENESS * max(len(some), len(others), 1)


def _names(meant: frozenset[str], said: frozenset[str]) -> bool:
    """Whether a span may mean a call: alike, or all that is left of a command whose arguments the instrumentation has
    masked ("INCRBY ? ?")."""
    return _alike(said, meant) or (bool(meant) and meant <= said)


def _asks(cause: Cause, span: Span) -> bool:
    method, _, path = cause.endpoint.partition(" ")
    return span.method in ("", method) and _alike(words(path), words(span.what))
