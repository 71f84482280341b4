"""Fires a plan at one target and hands what comes back to the recorder.

Rules of this file:
- open loop: a request's intended instant never depends on the target; if it cannot go then, because its session still
  waits or no slot is free, it goes later and its lateness is recorded; latency counts from the intended instant;
- a session's requests go one after the other, in recorded order; sessions run side by side;
- every step of the plan ends once: fired, or recorded as failed because the target is gone, or counted as skipped
  because the replay was stopped.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..capture.links import LinkIndex
from ..capture.model import Exchange, Failure, FailureKind, Request, Role
from .alarm import Alarm, make_alarm
from .pace import Pace
from .plan import Plan, Step
from .tally import Tally
from .tracing import traced
from .transport.base import Clock, Outcome, Transport

LEAD_US = 20_000
"""From the start of a timed replay to its first intended instant: the loop has settled by then."""
_FULL_RETRY_S = 0.005
_STOPPED = "the replay was stopped"
_GONE = "not tried: the target is gone"

Traced = Callable[[Request, int, str], Request]


class Sink(Protocol):
    """What the runner needs of a recorder. A recorder that is `congested` wants no more exchanges for the moment."""

    @property
    def congested(self) -> bool:
        """Whether the sanitizer process has fallen far behind."""

    def next_id(self) -> tuple[str, int]:
        """A fresh exchange id and its sequence number."""

    def offer(self, exchange: Exchange) -> None:
        """Take an exchange. Never waits, never raises."""

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        """Count something that will not be in the run."""


class _Lane:
    """One session: its steps that are due, and whether one is under way."""

    __slots__ = ("busy", "due")

    def __init__(self) -> None:
        self.due: deque[tuple[Step, int]] = deque()
        self.busy = False


class Runner:
    """One replay. `links` is given where taps record the downstream calls: each request then gets its own trace id
    (a function of `seed`) and is entered as a cause for as long as it is under way."""

    def __init__(
        self,
        plan: Plan,
        transport: Transport,
        recorder: Sink,
        clock: Clock,
        *,
        pace: Pace,
        concurrency: int,
        seed: int = 0,
        links: LinkIndex | None = None,
        alarm: Callable[[Callable[[], None]], Alarm] = make_alarm,
    ) -> None:
        self.tally = Tally(planned=len(plan.steps))
        self._plan = plan
        self._transport = transport
        self._recorder = recorder
        self._clock = clock
        self._pace = pace
        self._free = concurrency
        self._seed = seed
        self._links = links
        self._make_alarm = alarm
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._next = 0
        self._start_us = 0
        self._left = len(plan.steps)
        self._alarm: Alarm | None = None
        self._finished: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waits = False
        self._ending = False

    async def run(self) -> Tally:
        """Fire the whole plan; returns when every step has ended."""
        for reason, count in self._plan.skipped.items():
            self._recorder.lost("skipped", reason, count)
        self._finished = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if not self._left:
            return self.tally
        if self._pace.is_timed:
            self._alarm = self._make_alarm(self._wake)
            self._start_us = self._clock.now_us() + LEAD_US
            self._wake()
        else:
            for step in self._plan.steps:
                self._enter(step, 0)
            self._pump()
        try:
            await self._finished.wait()
        finally:
            if self._alarm is not None:
                self._alarm.close()
        return self.tally

    def stop(self) -> None:
        """Fire nothing more; what is under way ends in its time, the rest is counted as skipped."""
        if not self._ending:
            rest = self._cut_off()
            if rest:
                self._recorder.lost("skipped", _STOPPED, len(rest))
            self._ended(len(rest))

    # When a step is due.

    def _wake(self) -> None:
        """Enter every step whose instant has come, then sleep until the next one's."""
        steps, start_us = self._plan.steps, self._start_us
        while self._next < len(steps):
            step = steps[self._next]
            intended_us = start_us + self._pace.intended_us(step.at_us, step.position)
            ahead_us = intended_us - self._clock.now_us()
            if ahead_us > 0:
                assert self._alarm is not None
                self._alarm.set(ahead_us)
                break
            self._next += 1
            self._enter(step, intended_us)
        self._pump()

    def _enter(self, step: Step, intended_us: int) -> None:
        lane = self._lanes.get(step.session)
        if lane is None:
            lane = self._lanes[step.session] = _Lane()
        if not lane.due and not lane.busy:
            self._ready.append(lane)
        lane.due.append((step, intended_us))

    def _pump(self) -> None:
        """Fire as long as there is a slot, and a session with something due that waits for no answer."""
        ready = self._ready
        while ready and self._free > 0:
            if not self._pace.is_timed and self._recorder.congested:
                self._pause()
                return
            self._fire(ready.popleft())

    def _pause(self) -> None:
        """At max pace nothing is lost by waiting for the recorder; at a timed pace it would bend the load."""
        if not self._waits:
            assert self._loop is not None
            self._waits = True
            self._loop.call_later(_FULL_RETRY_S, self._resume)

    def _resume(self) -> None:
        self._waits = False
        self._pump()

    # One request.

    def _fire(self, lane: _Lane) -> None:
        step, intended_us = lane.due.popleft()
        lane.busy = True
        self._free -= 1
        exchange_id, seq = self._recorder.next_id()
        request = step.request
        if self._links is not None:
            request = traced(request, self._seed, step.origin)
            self._links.opened(exchange_id, self._clock.now_us(), request.headers)

        def done(outcome: Outcome) -> None:
            self._done(lane, step, request, intended_us, exchange_id, seq, outcome)

        self._transport.fire(request, done)

    def _done(
        self, lane: _Lane, step: Step, request: Request, intended_us: int, exchange_id: str, seq: int, outcome: Outcome
    ) -> None:
        self._free += 1
        lane.busy = False
        if lane.due:
            self._ready.append(lane)
        response, failure, sent_us, done_us, truncated, _ = outcome
        if self._links is not None:
            self._links.closed(exchange_id, done_us)
        self.tally.count(outcome)
        if self._pace.is_timed:
            self.tally.sent(intended_us, sent_us)
        else:
            intended_us = sent_us
        self._recorder.offer(
            Exchange(
                exchange_id,
                seq,
                Role.INBOUND,
                "http",
                step.service,
                step.session,
                intended_us,
                done_us - intended_us,
                request,
                response,
                failure,
                (),
                step.origin,
                truncated,
                sent_us - intended_us,
            )
        )
        self._ended(1)
        if failure is not None and not self._ending and self.tally.is_gone(done_us):
            self._target_gone()
        self._pump()

    # The end.

    def _ended(self, count: int) -> None:
        self._left -= count
        if not self._left and self._finished is not None:
            self._finished.set()

    def _cut_off(self) -> list[tuple[Step, int]]:
        """Take everything that has not been fired yet out of the plan; the caller accounts for it."""
        self._ending = True
        rest = [due for lane in self._lanes.values() for due in lane.due]
        for step in self._plan.steps[self._next :] if self._pace.is_timed else ():
            rest.append((step, self._start_us + self._pace.intended_us(step.at_us, step.position)))
        self._next = len(self._plan.steps)
        for lane in self._lanes.values():
            lane.due.clear()
        self._ready.clear()
        return rest

    def _target_gone(self) -> None:
        """Thousands of waits for a target that is not there help nobody: the rest fails now, and says why."""
        now_us = self._clock.now_us()
        rest = self._cut_off()
        for step, _ in rest:
            self._untried(step, now_us)
        self._ended(len(rest))

    def _untried(self, step: Step, now_us: int) -> None:
        exchange_id, seq = self._recorder.next_id()
        failure = Failure(FailureKind.CONNECT, _GONE)
        self.tally.untried += 1
        self.tally.failed += 1
        self.tally.failures[failure.kind.value] = self.tally.failures.get(failure.kind.value, 0) + 1
        self._recorder.offer(
            Exchange(
                exchange_id,
                seq,
                Role.INBOUND,
                "http",
                step.service,
                step.session,
                now_us,
                0,
                step.request,
                failure=failure,
                origin=step.origin,
            )  # fmt: skip
        )
