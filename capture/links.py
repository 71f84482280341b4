"""Which inbound exchange caused a downstream call.

Three rules hold here. Ambiguity is kept: every candidate stays with its share of the confidence, none is guessed away.
Memory and the time for one call are bounded. Where a trace id was passed on, nothing else is looked at.
Calls come in the order of their times, which is what a live engine sees.

A service that passes no trace id still leaves traces: a transaction belongs to one request, a pooled connection to one
at a time, and the values of a request turn up in its calls, as those of an answer do in the calls that follow
(`linking/`). Some of it comes late: what a call means may only show in the statement after it, or in the answer of the
request. So a call whose cause is not sure when it ends can be kept until its candidates have ended (`settle`).
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import islice

from .headers import Headers
from .linking.asked import Asked, Lines
from .linking.causes import Cause, Causes
from .linking.habits import Habits
from .linking.messages import UNACKNOWLEDGED, Lingering, Published
from .linking.names import endpoint, operation
from .linking.spans import Span
from .linking.traces import DEFAULT_TRACE_HEADERS, TraceHeaders
from .linking.values import MOST_VALUES, answer_values, call_values
from .linking.waiting import Told, Waiting
from .linking.weigher import Weigher
from .linking.weighing import (
    LATE_CONFIDENCE,
    LONE_LANE_CONFIDENCE,
    LONE_TIME_CONFIDENCE,
    MOST_CANDIDATES,
    shared,
)
from .linking.witness import CONFIDENCE as SPAN_CONFIDENCE
from .linking.witness import LINGER_US, Witness
from .model import Link, LinkKind
from .wire.call import Call
from .wire.heads import RawHead

SURE = 0.9
"""Confidence from which a link is taken at its word."""
MOST_LOOKED_AT = 256
"""How many that share a trace or a lane are looked at: one trace id sent for ever is no reason to wait."""
_MOST_ASKED = 20_000
PUBLISH = "PUBLISH"
_PUBLISHED = 0.98
"""How sure it can be that a message is the one that was published with the same contents."""
_WORTH_CHARGING = 0.4
_WORTH_LEARNING = 0.05


class LinkIndex:
    """The inbound exchanges that are open, or were until a moment ago, and the calls that look for their cause.

    `trace_headers` are the names that tie a call to its cause by value, strongest first; `grace_us` is how long a
    closed exchange can still be the cause of a late call; `most` bounds how many exchanges are remembered.
    """

    __slots__ = (
        "_asked",
        "_causes",
        "_habits",
        "_lines",
        "_lingering",
        "_published",
        "_traces",
        "_waiting",
        "_weigher",
        "_witness",
    )

    def __init__(
        self,
        trace_headers: Sequence[str] = DEFAULT_TRACE_HEADERS,
        *,
        grace_us: int = 5_000_000,
        most: int = 50_000,
    ) -> None:
        self._traces = TraceHeaders(trace_headers)
        self._causes = Causes(grace_us, most)
        self._habits = Habits()
        self._lines = Lines()
        self._weigher = Weigher(self._causes, self._habits)
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._waiting = Waiting(self._weigher.again, self._finish, _is_sure)
        self._witness: Witness | None = None
        self._published = Published()
        self._lingering = Lingering()

    # Inbound exchanges.

    def opened(
        self,
        exchange_id: str,
        started_us: int,
        headers: Headers | RawHead,
        lane: str | None = None,
        *,
        values: Iterable[str] = (),
        endpoint: str = "",
    ) -> None:
        """An inbound request has begun. `values` are what it brings along (`linking.values`), read only if a call
        asks for them; `endpoint` is what it asks for, with the ids taken out (`linking.names`)."""
        if not self._causes.open:
            self._weigher.busy_from(started_us)
        cause = Cause(exchange_id, started_us, self._traces.of(headers), lane, endpoint)
        self._causes.add(cause)
        self._causes.feed(cause, values)

    def closed(self, exchange_id: str, ended_us: int, *, values: Iterable[str] = ()) -> None:
        """An inbound exchange has ended; it stays a candidate for the grace period. `values` are its answer's, read
        only if a call waits to know its cause, or comes when nothing is open."""
        causes, waiting = self._causes, self._waiting
        cause = causes.open.get(exchange_id)
        if cause is not None and waiting.are_for(cause):
            causes.feed(cause, values)
            causes.read()
            values = ()
        causes.close(exchange_id, ended_us, values)
        if cause is not None:
            waiting.ended(cause)
            self._habits.ended(cause.endpoint, cause.made)
            if not causes.open:
                self._weigher.quiet_from(ended_us)
        waiting.passed(ended_us)

    # Messages, which are published by calls and consumed as inbound exchanges.

    def consumed(self, call: Call, connection: str) -> tuple[Link, ...]:
        """A message is being delivered. Where a request of the service's own published it, the links say so, and what
        its handler calls is that request's; else it is a cause of its own, as a request is."""
        self._expire(call.started_us)
        links = self._publisher(call)
        sure = links[0].parent if links and links[0].confidence >= SURE else None
        if not self._causes.open:
            self._weigher.busy_from(call.started_us)
        lane = None if call.lane is None else f"{connection} {call.lane}"
        # The trace id it brings leads to that request already.
        traces = () if sure is not None else self._traces.of(call.headers)
        about = endpoint(call.method, call.target)
        cause = Cause(call.exchange_id, call.started_us, traces, lane, about, sure)
        self._causes.add(cause)
        self._causes.feed(cause, call_values(call))
        return links

    def handled(self, call: Call) -> None:
        """A consumed message has been acknowledged, or none of it will be: then it counts as being worked on for a
        moment more."""
        if call.answered and call.reason == UNACKNOWLEDGED:
            self._lingering.add(call.exchange_id, call.ended_us)
        else:
            self.closed(call.exchange_id, call.ended_us, values=answer_values(call))

    def _publisher(self, call: Call) -> tuple[Link, ...]:
        """The links of what published a message: by its trace, else by what is in it."""
        traced = self._traced(call.headers, call.started_us)
        if traced:
            return shared(traced, LinkKind.PROPAGATED, 1.0)
        published = self._published.of(call)
        if published is None:
            return ()
        return tuple(Link(link.parent, LinkKind.VALUE, min(link.confidence, _PUBLISHED)) for link in published.links)

    def _expire(self, at_us: int) -> None:
        """End what counted as being worked on for long enough."""
        for ended_us, exchange_id in self._lingering.over(at_us):
            self.closed(exchange_id, ended_us)

    # Calls, as decoders tell them.

    def call_begun(self, call: Call, connection: str) -> tuple[Link, ...]:
        """The candidates for the cause of an outbound `call`, best first, by what is known when it begins.

        `connection` names the connection among those of all taps, as `tap/connection`.
        """
        lane = None if call.lane is None else f"{connection} {call.lane}"
        self._expire(call.started_us)
        # A transaction has one cause. A channel has many, one after the other, as a connection has.
        binds = lane is not None and "transaction" in call.headers
        tap = connection.partition("/")[0]
        links = self.begin(
            call.exchange_id,
            call.started_us,
            call.headers,
            connection if lane is None or binds else lane,
            lane=lane,
            binds=binds,
            operation=operation(call, tap),
            values=call_values(call),
            text=f"{call.operation} {call.target}".strip(),
        )
        if call.method == PUBLISH:
            self._published.told(call, self._asked[call.exchange_id])
        return links

    def call_ended(self, call: Call, connection: str) -> None:
        """An outbound call has been answered or has failed: its answer's values lead to the calls that follow."""
        self.end(call.exchange_id, call.ended_us, values=answer_values(call) if call.answered else ())

    # The same for any protocol.

    def connected(self, connection: str, at_us: int) -> None:
        """A connection has been opened: whoever began later was not its reason."""
        self._lines.of(connection).opened_us = at_us

    def begin(
        self,
        call_id: str,
        started_us: int,
        headers: Headers | RawHead,
        connection: str,
        *,
        lane: str | None = None,
        binds: bool = True,
        operation: str = "",
        values: Iterable[str] = (),
        text: str = "",
    ) -> tuple[Link, ...]:
        """A call has begun; its candidates so far, best first, four at most. Calls of a lane that `binds` have one
        cause; any other only says who came on it. `text` is what it asks for in its own words, as a span may have
        it."""
        asked = Asked(call_id, started_us, connection.partition("/")[0], operation)
        if text:
            asked.text = text
        line = self._lines.place(asked, connection, lane if binds else None)
        traced = self._traced(headers, started_us)
        if self._causes.traced:
            self._habits.traced(asked.tap, traced=bool(traced))
        if len(traced) == 1:
            self._weigher.traced(asked, traced[0])
        else:
            self._weigher.begin(asked, line, lane, values, traced)
        self._charge(asked)
        self._asked[call_id] = asked
        if len(self._asked) > _MOST_ASKED:
            self._drop(self._asked.popitem(last=False)[1])
        return asked.links

    def end(self, call_id: str, ended_us: int, *, values: Iterable[str] = ()) -> None:
        """A call has been answered or has failed; `values` are its answer's."""
        asked = self._asked.get(call_id)
        if asked is None or asked.ended_us is not None:
            return
        asked.ended_us = ended_us
        if asked.lane is not None:
            asked.lane.last_us = max(asked.lane.last_us, ended_us)
        cause = asked.charged
        if cause is not None:
            cause.busy -= 1
            self._causes.touch(cause, ended_us)
        if cause is not None and _is_sure(asked):
            if cause.ended_us is None:
                self._causes.feed(cause, values)
        elif asked.shares:
            asked.answer = list(islice(values, MOST_VALUES))
            if asked.source is not None:
                # Its body came after its head, when it had been weighed already.
                asked.values = list(islice(asked.source, MOST_VALUES))
        asked.source = None
        if self._witness is not None:
            self._witness.ended(asked)
        self._waiting.passed(ended_us)

    def settle(self, call_id: str, then: Told, *, size: int = 0) -> None:
        """Have `then` told the links of an ended call: at once where they are sure, else when its candidates have
        ended, after some seconds, or by `flush`. `size` are the bytes that are kept meanwhile: there is a bound on all
        of them. A call that is not known is told to have none."""
        links = self.settled(call_id)
        if links is not None:
            then(links)
        else:
            self._waiting.add(self._asked.pop(call_id), then, size)

    def settled(self, call_id: str) -> tuple[Link, ...] | None:
        """The links of an ended call where they are final; None where it has to `settle`."""
        asked = self._asked.get(call_id)
        if asked is None:
            return ()
        if not (_is_sure(asked) or asked.ended_us is None or (len(asked.shares) < 2 and self._witness is None)):
            return None
        del self._asked[call_id]
        self._finish(asked)
        return asked.links

    def flush(self) -> None:
        """Nothing more will come: settle whatever waits by what is known."""
        self._waiting.release_all()

    # OpenTelemetry's spans, where a service sends them.

    def expect_spans(self) -> None:
        """Spans will come: calls that are not sure wait for them too, from now on."""
        if self._witness is None:
            self.flush()
            self._witness = Witness(self._causes)
            self._waiting = Waiting(self._weigher.again, self._finish, _is_sure, linger_us=LINGER_US)

    def testify(self, spans: Iterable[Span]) -> None:
        """Spans have come: a call that waits, and that one of them covers, has found its cause."""
        if self._witness is None:
            return
        for asked, cause in self._witness.testify(spans):
            if not _is_sure(asked):
                asked.how = LinkKind.PROPAGATED
                asked.shares = asked.own = {cause: SPAN_CONFIDENCE}
                asked.links = (Link(cause.named, LinkKind.PROPAGATED, SPAN_CONFIDENCE),)
                self._waiting.found(asked)

    def links_for(self, headers: Headers | RawHead, started_us: int, lane: str | None = None) -> tuple[Link, ...]:
        """The candidates for the cause of something with `headers` at `started_us`, by its trace, else its lane, else
        what is open at that moment; nothing is remembered of it.

        Of k equal candidates each has confidence 1/k, and at most four are kept.
        """
        traced = self._traced(headers, started_us)
        if traced:
            return shared(traced, LinkKind.PROPAGATED, 1.0)
        if lane is not None:
            found = self._causes.by_lane(lane, started_us, MOST_LOOKED_AT)
            if found:
                return shared(found, LinkKind.LANE, LONE_LANE_CONFIDENCE)
        begun = [cause for cause in self._causes.open.values() if cause.started_us <= started_us]
        if begun:
            begun.sort(key=lambda cause: -cause.started_us)
            return shared(begun, LinkKind.TIME, LONE_TIME_CONFIDENCE)
        late = self._causes.late(started_us, MOST_CANDIDATES * 4)
        return shared(late, LinkKind.TIME, LATE_CONFIDENCE, ceiling=LATE_CONFIDENCE)

    def _traced(self, headers: Headers | RawHead, at_us: int) -> list[Cause]:
        if self._causes.traced:
            for trace in self._traces.of(headers):
                found = self._causes.by_trace(trace, at_us, MOST_LOOKED_AT)
                if found:
                    return found
        return []

    # What a call counts for.

    def _charge(self, asked: Asked) -> None:
        """Count a call for its likeliest cause, so that the next one is weighed against what that has to do."""
        best = asked.best
        if best is not None and asked.links and asked.shares[best] >= _WORTH_CHARGING:
            asked.charged = best
            best.busy += 1
            best.made[asked.operation] = best.made.get(asked.operation, 0) + 1
            self._causes.touch(best, asked.started_us)

    def _drop(self, asked: Asked) -> None:
        """A call that never ends is forgotten."""
        asked.before = None
        if asked.charged is not None and asked.ended_us is None:
            asked.charged.busy -= 1

    def _finish(self, asked: Asked) -> None:
        """The links of a call are final: learn from them."""
        for cause, share in asked.shares.items():
            if share >= _WORTH_LEARNING:
                self._habits.called(cause.endpoint, asked.operation, share)
        best = asked.best
        if best is not None and _is_sure(asked):
            self._recharge(asked, best)
            self._compare_neighbours(asked, best)
            if asked.answer and best.ended_us is None:
                self._causes.learn(best, asked.answer)
        asked.answer = []
        # Two neighbours are enough: a chain of them would never be forgotten.
        asked.before = None

    def _recharge(self, asked: Asked, cause: Cause) -> None:
        """A call counts for its sure cause, whatever it was taken for before."""
        charged, what = asked.charged, asked.operation
        if charged is not cause:
            if charged is not None:
                charged.made[what] = charged.made.get(what, 1) - 1
            cause.made[what] = cause.made.get(what, 0) + 1
            asked.charged = cause

    def _compare_neighbours(self, asked: Asked, cause: Cause) -> None:
        """Learn whether the connection stayed with the cause of the call before."""
        before = asked.before
        if before is None or (asked.lane is not None and before.lane is asked.lane):
            return
        earlier = before.best
        if earlier is None or before.shares[earlier] < SURE or not earlier.could_be_open(asked.started_us):
            return
        # Where the neighbour itself was the evidence, it must not prove itself.
        if asked.own.get(cause, 0.0) >= SURE:
            self._habits.followed(asked.tap, asked.gap_us, same=earlier is cause)


def _is_sure(asked: Asked) -> bool:
    return bool(asked.links) and asked.links[0].confidence >= SURE
