"""A plan fired at one target, each result handed to the recorder as an exchange of the run.

Rules of this file:
- order is kept within a session, sessions run side by side;
- open loop: an intended instant never depends on the target. What cannot go then, because its session still waits or
  no slot is free, goes later: lateness says by how much, and latency runs from the intended instant;
- every step of the plan ends once: answered, failed, failed untried because the target is gone, or counted as skipped
  because the replay was stopped.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from ..capture.links import LinkIndex
from ..capture.model import Exchange, Failure, FailureKind, Role
from .pace import Pace
from .plan import Plan, Step
from .tally import Played
from .timer import Timer, make_timer
from .tracing import traced
from .transport.base import Clock, Outcome, Transport

LEAD_US = 20_000
"""From the start of a timed replay to its first intended instant: the loop has settled by then."""

STOPPED = "the replay was stopped"
_GONE = Failure(FailureKind.CONNECT, "not tried: the target was gone")
_LOOK_AGAIN_S = 0.005
# A timer takes no more than some centuries of nanoseconds, and a pace of 0.000001x of a long capture asks for more.
_LONGEST_SLEEP_US = 3_600_000_000


class Sink(Protocol):
    """What the runner needs of a recorder."""

    @property
    def clock(self) -> Clock:
        """The run's clock."""

    @property
    def congested(self) -> bool:
        """Whether what has been offered piles up, so that whoever can wait should."""

    def next_id(self) -> tuple[str, int]:
        """A fresh exchange id and its sequence number."""

    def offer(self, exchange: Exchange) -> None:
        """Take an exchange. Never waits, never raises."""

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        """Count something that will not be in the run."""


class _Lane:
    """One session: what is due in it, and whether a request is under way."""

    __slots__ = ("busy", "due")

    def __init__(self) -> None:
        self.due: deque[tuple[Step, int | None]] = deque()
        self.busy = False


class Runner:
    """Fires one plan once: all of it by `run`, or step by step by `begin` and `fire`.

    `links` is given where taps record the downstream calls: each request then gets a trace id of its own, a function
    of `seed`, and counts as a possible cause while it is under way. `service` renames the replayed service.
    """

    def __init__(
        self,
        plan: Plan,
        transport: Transport,
        recorder: Sink,
        *,
        pace: Pace,
        concurrency: int,
        service: str | None = None,
        links: LinkIndex | None = None,
        seed: int = 0,
        progress: Callable[[], None] | None = None,
        timer: Callable[[Callable[[], None]], Timer] = make_timer,
    ) -> None:
        self.played = Played()
        self._plan = plan
        self._transport = transport
        self._recorder = recorder
        self._clock = recorder.clock
        self._pace = pace
        self._timed = pace.timed
        self._free = concurrency
        self._service = service
        self._links = links
        self._seed = seed
        self._progress = progress
        self._make_timer = timer
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._entered = 0
        self._start_us = 0
        self._left = len(plan.steps)
        self._timer: Timer | None = None
        self._over = asyncio.Event()
        self._stopping = False
        self._paused = False

    def begin(self) -> None:
        """Say in the run what of the capture is not replayed. `run` does this itself."""
        for reason, count in self._plan.skipped.items():
            self._recorder.lost("skipped", reason, count)

    async def run(self) -> Played:
        """Fire every step; how it went. Call it once."""
        self.begin()
        if not self._left:
            return self.played
        if self._timed:
            self._timer = self._make_timer(self._enter_due)
            self._start_us = self._clock.now_us() + LEAD_US
            self._enter_due()
        else:
            for step in self._plan.steps:
                self._enter(step, None)
            self._entered = len(self._plan.steps)
            self._pump()
        try:
            await self._over.wait()
        finally:
            self._stopping = True
            if self._timer is not None:
                self._timer.close()
        return self.played

    async def fire(self, step: Step, intended_us: int | None = None) -> None:
        """Fire one step now and wait for its end. `intended_us` is the instant it was meant for, if there is one."""
        ended = asyncio.Event()
        self._send(step, intended_us, ended.set)
        await ended.wait()

    def stop(self) -> None:
        """Fire nothing more. What is under way ends in its own time; the rest is counted as skipped."""
        rest = self._cut_off()
        if rest:
            self.played.stopped += len(rest)
            self._recorder.lost("skipped", STOPPED, len(rest))
        self._ended(len(rest))

    # What is due.

    def _due_us(self, step: Step) -> int:
        return self._start_us + self._pace.due_us(step.at_us, step.position)

    def _enter_due(self) -> None:
        """Enter every step whose instant has come, and wake up again for the next one's."""
        steps = self._plan.steps
        while self._entered < len(steps):
            step = steps[self._entered]
            intended_us = self._due_us(step)
            ahead_us = intended_us - self._clock.now_us()
            if ahead_us > 0:
                assert self._timer is not None
                self._timer.set(min(ahead_us, _LONGEST_SLEEP_US))
                break
            self._entered += 1
            self._enter(step, intended_us)
        self._pump()

    def _enter(self, step: Step, intended_us: int | None) -> None:
        lane = self._lanes.get(step.session)
        if lane is None:
            lane = self._lanes[step.session] = _Lane()
        if not lane.due and not lane.busy:
            self._ready.append(lane)
        lane.due.append((step, intended_us))

    def _pump(self) -> None:
        """Send as long as a slot is free, and a session has something due and waits for no answer."""
        ready = self._ready
        while ready and self._free > 0:
            if not self._timed and self._recorder.congested:
                # Without a pace nothing is bent by waiting for the recorder; an open loop must not.
                self._pause()
                return
            lane = ready.popleft()
            step, intended_us = lane.due.popleft()
            lane.busy = True
            self._free -= 1
            self._send(step, intended_us, lambda lane=lane: self._freed(lane))  # type: ignore[misc]  # lane is bound

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            asyncio.get_running_loop().call_later(_LOOK_AGAIN_S, self._resume)

    def _resume(self) -> None:
        self._paused = False
        self._pump()

    def _freed(self, lane: _Lane) -> None:
        """The request of `lane` that was under way has ended."""
        self._free += 1
        lane.busy = False
        if lane.due:
            self._ready.append(lane)
        self._ended(1)
        if self.played.gone and not self._stopping:
            self._give_up_rest()
        self._pump()

    # One request.

    def _send(self, step: Step, intended_us: int | None, ended: Callable[[], None]) -> None:
        exchange_id, seq = self._recorder.next_id()
        request = step.request
        links = self._links
        if links is not None:
            request = traced(request, self._seed, step.origin)
            links.opened(exchange_id, self._clock.now_us(), request.headers)

        def done(outcome: Outcome) -> None:
            response, failure, sent_us, done_us, truncated, _ = outcome
            if links is not None:
                links.closed(exchange_id, self._clock.now_us())
            self.played.count(outcome)
            if intended_us is None:
                began_us = sent_us
            else:
                began_us = intended_us
                self.played.sent(intended_us, sent_us)
            service = step.service if self._service is None else self._service
            # Positional: keywords double what this costs.
            exchange = Exchange(
                exchange_id,
                seq,
                Role.INBOUND,
                "http",
                service,
                step.session,
                began_us,
                done_us - began_us,
                request,
                response,
                failure,
                (),
                step.origin,
                truncated,
                sent_us - began_us,
            )
            self._recorder.offer(exchange)
            if self._progress is not None:
                self._progress()
            ended()

        self._transport.fire(request, done)

    # The end.

    def _ended(self, count: int) -> None:
        self._left -= count
        if self._left <= 0:
            self._over.set()

    def _cut_off(self) -> list[Step]:
        """Take what has not been sent out of the plan; the caller accounts for it."""
        self._stopping = True
        rest = [step for lane in self._lanes.values() for step, _ in lane.due]
        rest += self._plan.steps[self._entered :]
        self._entered = len(self._plan.steps)
        for lane in self._lanes.values():
            lane.due.clear()
        self._ready.clear()
        return rest

    def _give_up_rest(self) -> None:
        """Thousands of waits for a target that is not there help nobody: the rest fails now, and says why."""
        now_us = self._clock.now_us()
        rest = self._cut_off()
        for step in rest:
            exchange_id, seq = self._recorder.next_id()
            self.played.give_up(_GONE)
            service = step.service if self._service is None else self._service
            self._recorder.offer(
                Exchange(
                    exchange_id, seq, Role.INBOUND, "http", service, step.session, now_us, 0, step.request,
                    failure=_GONE, origin=step.origin,
                )
            )  # fmt: skip
        self._ended(len(rest))
