"""A plan fired at one target, each result handed to the recorder as an exchange of the run.

Three rules hold here. Order is kept within a session, sessions run side by side. In an open loop a late answer delays
its session, not the clock: latency runs from the intended instant and lateness says how late the send was. Every step
of the plan ends as an exchange, answered or failed; a target that is gone fails the rest without being asked again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..capture.links import LinkIndex
from ..capture.model import Exchange, Failure, FailureKind, Losses, Request, Role
from ..capture.recorder import Sink
from .pace import Pace
from .plan import Plan, Step
from .timer import Timer
from .tracing import traced
from .transport.base import Outcome, Transport

GONE_AFTER = 20
"""Connections refused in a row, with nothing answered between, after which the target counts as gone."""

_GONE = Failure(FailureKind.CONNECT, "the target was gone")
_NEVER_SENT = Outcome(None, _GONE, 0, 0)


@dataclass(slots=True)
class Played:
    """How a replay went. `late_us` holds the lateness of each send of an open loop; `span_us` the intended and the
    actual time from the first to the last send."""

    answered: int = 0
    failed: int = 0
    retried: int = 0
    gone: bool = False
    late_us: list[int] = field(default_factory=list)
    intended_span_us: int = 0
    actual_span_us: int = 0

    @property
    def drift(self) -> float:
        """How much longer the whole took than intended, as a share of it."""
        if not self.intended_span_us:
            return 0.0
        return (self.actual_span_us - self.intended_span_us) / self.intended_span_us


class Runner:
    """Fires one plan once."""

    def __init__(
        self,
        plan: Plan,
        transport: Transport,
        recorder: Sink,
        *,
        pace: Pace,
        concurrency: int,
        service: str = "service",
        links: LinkIndex | None = None,
        seed: int = 0,
        progress: Callable[[], None] | None = None,
    ) -> None:
        self._plan = plan
        self._transport = transport
        self._recorder = recorder
        self._pace = pace
        self._concurrency = concurrency
        self._service = service
        self._links = links
        self._seed = seed
        self._progress = progress
        self._refused = 0
        self._first_sent_us = 0
        self._last_sent_us = 0
        self.played = Played()

    async def run(self) -> Played:
        """Fire every step; how it went."""
        for reason, count in self._plan.skipped.items():
            self._recorder.lost("skipped", reason, count)
        if self._pace.timed:
            await self._open_loop()
        else:
            await self._closed_loop()
        self.played.actual_span_us = self._last_sent_us - self._first_sent_us
        return self.played

    async def _closed_loop(self) -> None:
        """As fast as it goes: `concurrency` sessions at a time, each one request after the other."""
        waiting = deque(self._plan.sessions().values())

        async def work() -> None:
            while waiting:
                for step in waiting.popleft():
                    await self._fire(step, None)

        await _all(work() for _ in range(min(self._concurrency, len(waiting))))

    async def _open_loop(self) -> None:
        """Each step at its instant, or as soon after it as its session and a free slot allow."""
        backlog: dict[str, deque[tuple[Step, int]]] = {}
        slots = asyncio.Semaphore(self._concurrency)
        start_ns = time.monotonic_ns()
        start_us = self._recorder.clock.now_us()

        async def drain(session: str) -> None:
            async with slots:
                waiting = backlog[session]
                while waiting:
                    await self._fire(*waiting[0])
                    waiting.popleft()
                del backlog[session]

        with Timer() as timer:
            async with asyncio.TaskGroup() as sessions:
                for index, step in enumerate(self._plan.steps):
                    due_us = self._pace.due_us(step.at_us, index)
                    self.played.intended_span_us = due_us
                    await timer.wait_until(start_ns + due_us * 1000)
                    waiting = backlog.get(step.session)
                    if waiting is not None:
                        waiting.append((step, start_us + due_us))
                        continue
                    backlog[step.session] = deque([(step, start_us + due_us)])
                    sessions.create_task(drain(step.session))

    async def _fire(self, step: Step, intended_us: int | None) -> None:
        """Send one step and record what came of it."""
        exchange_id, seq = self._recorder.next_id()
        request = step.request if self._links is None else traced(step.request, self._seed, step.origin)
        began_us = self._recorder.clock.now_us()
        if self._links is not None:
            self._links.opened(exchange_id, began_us, request.headers)
        outcome = _NEVER_SENT if self.played.gone else await self._transport.send(request)
        if self._links is not None:
            self._links.closed(exchange_id, self._recorder.clock.now_us())
        if not outcome.sent_us:
            outcome = Outcome(None, outcome.failure, began_us, began_us)
        self._count(outcome, intended_us)
        self._recorder.offer(self._exchange(exchange_id, seq, step, request, outcome, intended_us))
        if self._progress is not None:
            self._progress()

    def _exchange(
        self, exchange_id: str, seq: int, step: Step, request: Request, outcome: Outcome, intended_us: int | None
    ) -> Exchange:
        started_us = outcome.sent_us if intended_us is None else min(intended_us, outcome.sent_us)
        return Exchange(
            exchange_id,
            seq,
            Role.INBOUND,
            "http",
            self._service,
            step.session,
            started_us,
            outcome.done_us - started_us,
            request,
            outcome.response,
            outcome.failure,
            (),
            step.origin,
            outcome.truncated,
            outcome.sent_us - started_us,
        )

    def _count(self, outcome: Outcome, intended_us: int | None) -> None:
        played = self.played
        self._first_sent_us = self._first_sent_us or outcome.sent_us
        self._last_sent_us = max(self._last_sent_us, outcome.sent_us)
        if intended_us is not None:
            played.late_us.append(max(0, outcome.sent_us - intended_us))
        played.retried += outcome.retried
        if outcome.failure is None:
            played.answered += 1
            self._refused = 0
            return
        played.failed += 1
        self._refused = self._refused + 1 if outcome.failure.kind is FailureKind.CONNECT else 0
        played.gone = played.gone or self._refused >= GONE_AFTER


async def _all(works: Iterable[asyncio._CoroutineLike[None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work)


def losses_shown(losses: Losses) -> str:
    """The losses that are not zero, in words: "2 skipped (write not allowed 2)"."""
    counts = {
        name: getattr(losses, name) for name in ("dropped", "withheld", "truncated", "gaps", "skipped", "expired")
    }
    parts = [f"{count} {name}" for name, count in counts.items() if count]
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(losses.reasons.items()))
    return (", ".join(parts) or "nothing lost") + (f" ({reasons})" if reasons else "")
