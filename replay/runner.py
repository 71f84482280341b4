"""A plan fired at one target, each result handed to the recorder as an exchange of the run.

Rules of this file:
- order is kept within a session, sessions run side by side;
- open loop: an intended instant never depends on the target. What cannot go then, because its session still waits or
  no slot is free, goes later: lateness says by how much, and latency runs from the intended instant;
- every step of the plan ends once: answered, failed, failed untried because the target is gone, or counted as skipped
  because the replay was stopped or because an earlier request gave no value for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from ..capture.linking.names import endpoint
from ..capture.linking.values import request_values
from ..capture.links import LinkIndex
from ..capture.model import NOT_SENT, Exchange, Failure, FailureKind, Request
from ..capture.wire.replayed import Replayed
from .ledger import UNWRITABLE, Ledger
from .pace import Pace
from .plan import MessageStep, Plan, Step
from .tally import Played
from .timer import Timer, make_timer
from .told import came_back, exchange_of, failed, told_of
from .tracing import traced
from .transport.base import Clock, Done, Outcome, Transport
from .values.session import SideValues, Unsent

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

    def offer_replayed(self, values: Replayed) -> None:
        """Take what came of a request. Never waits, never raises."""

    def offer(self, exchange: Exchange) -> None:
        """Take an exchange whose request holds what an answer gave, and has yet to be cleaned."""

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        """Count something that will not be in the run."""


class Onlooker(Protocol):
    """Who follows what is sent: stubs have to know which recorded exchange a request replays."""

    def sent(self, exchange_id: str, origin: str) -> None:
        """The request of the recorded exchange `origin` goes out as `exchange_id` of the run."""

    def answered(self, origin: str, body: bytes) -> None:
        """It was answered with `body`."""


class Messenger(Protocol):
    """Who produces messages."""

    def fire(self, step: MessageStep, done: Done) -> None:
        """Produce a message; `done` is called when it has ended, never before this has returned."""


class _Lane:
    """One session: what is due in it, and whether a request is under way."""

    __slots__ = ("busy", "due", "freed")

    def __init__(self, freed: "Callable[[_Lane], None]") -> None:
        self.due: deque[tuple[Step, int | None]] = deque()
        self.busy = False
        self.freed = partial(freed, self)


class Runner:
    """Fires one plan once: all of it by `run`, or step by step by `begin` and `fire`.

    `links` is given where taps record the downstream calls: each request then gets a trace id of its own, a function
    of `seed`, and counts as a possible cause while it is under way. `service` renames the replayed service.
    `onlooker` is told of every request. `messenger` takes the messages of the plan, and records what comes of them.
    `values` are what this side's answers gave for later requests; `ledger` remembers what changes something.
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
        onlooker: Onlooker | None = None,
        messenger: Messenger | None = None,
        values: SideValues | None = None,
        ledger: Ledger | None = None,
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
        self._onlooker = onlooker
        self._messenger = messenger
        self.values = values
        self._ledger = ledger
        self._seed = seed
        self._progress = progress
        self._make_timer = timer
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        # Sessions whose next request needs a value of another session's, by the request that will give it.
        self._parked: dict[str, list[_Lane]] = {}
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
            lane = self._lanes[step.session] = _Lane(self._freed)
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
            if self.values is not None and self._waits(lane):
                continue
            step, intended_us = lane.due.popleft()
            lane.busy = True
            self._free -= 1
            self._send(step, intended_us, lane.freed)

    def _waits(self, lane: _Lane) -> bool:
        """Whether the next request of `lane` needs what another session's has not given yet; it is set aside then."""
        assert self.values is not None
        awaited = self.values.awaited(lane.due[0][0].origin)
        if awaited is not None:
            self._parked.setdefault(awaited, []).append(lane)
        return awaited is not None

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
        if type(step) is MessageStep:
            assert self._messenger is not None
            if self._may_fire(step, ended):
                self._messenger.fire(step, partial(self._delivered, step, intended_us, ended))
            return
        request = step.request
        if self.values is not None:
            filled = self.values.lack(step.origin) or self.values.filled(step.origin, request)
            if isinstance(filled, Unsent):
                self.skip(step, filled)
                # Never before this has returned.
                asyncio.get_running_loop().call_soon(ended)
                return
            request = filled
        if not self._may_fire(step, ended):
            return
        is_clean = request is step.request
        exchange_id, seq = self._recorder.next_id()
        links = self._links
        if links is not None:
            request = traced(request, self._seed, step.origin)
            links.opened(
                exchange_id,
                self._clock.now_us(),
                request.headers,
                values=request_values(request),
                endpoint=endpoint(request.method, request.target),
            )
        if self._onlooker is not None:
            self._onlooker.sent(exchange_id, step.origin)
        sent = (step, intended_us, ended, exchange_id, seq, request, is_clean)
        self._transport.fire(request, partial(self._done, *sent))

    def _may_fire(self, step: Step, ended: Callable[[], None]) -> bool:
        """Whether the ledger has the step; without that it is not fired."""
        if self._ledger is None or self._ledger.intend(step):
            return True
        self.played.stopped += 1
        self._recorder.lost("skipped", UNWRITABLE)
        asyncio.get_running_loop().call_soon(ended)
        return False

    def _done(
        self,
        step: Step,
        intended_us: int | None,
        ended: Callable[[], None],
        exchange_id: str,
        seq: int,
        request: Request,
        is_clean: bool,
        outcome: Outcome,
    ) -> None:
        """What was sent as `exchange_id` has ended; `is_clean` where all of it comes from the capture."""
        _, _, sent_us, done_us, truncated, _ = outcome
        if self._ledger is not None:
            self._ledger.ended(step, outcome)
        if self._links is not None:
            self._links.closed(exchange_id, self._clock.now_us(), values=came_back(outcome))
        self.played.count(outcome)
        if intended_us is None:
            began_us = sent_us
        else:
            began_us = intended_us
            self.played.sent(intended_us, sent_us)
        times = (began_us, done_us - began_us, sent_us - began_us)
        told = told_of(outcome)
        if self._onlooker is not None and outcome.answer is not None:
            self._onlooker.answered(step.origin, told[1])
        if is_clean:
            self._offer(step, exchange_id, seq, request, told, times, truncated=truncated)
        else:
            self._offer_unclean(step, exchange_id, seq, request, outcome, times)
        if self.values is not None:
            self.values.ended(step.origin, outcome)
            self._wake(step.origin)
        if self._progress is not None:
            self._progress()
        ended()

    def _delivered(self, step: Step, intended_us: int | None, ended: Callable[[], None], outcome: Outcome) -> None:
        """A message was consumed and is done, or was not consumed."""
        if self._ledger is not None:
            self._ledger.ended(step, outcome)
        self.played.count_message(outcome)
        if intended_us is not None:
            self.played.sent(intended_us, outcome.sent_us)
        if self._progress is not None:
            self._progress()
        ended()

    def _offer(
        self,
        step: Step,
        exchange_id: str,
        seq: int,
        request: Request,
        told: tuple[Any, bytes],
        times_us: tuple[int, int, int],
        *,
        truncated: bool = False,
    ) -> None:
        """Hand over what came of a step; `times_us` are its start, latency and lateness."""
        began_us, latency_us, late_us = times_us
        answer, body = told
        service = step.service if self._service is None else self._service
        self._recorder.offer_replayed(
            (
                exchange_id, seq, service, step.session, began_us, latency_us, request.method, request.target,
                request.headers.items, request.body, request.version, answer, body, step.origin, truncated, late_us,
            )
        )  # fmt: skip

    def _offer_unclean(
        self, step: Step, exchange_id: str, seq: int, request: Request, outcome: Outcome, times_us: tuple[int, int, int]
    ) -> None:
        """The same for a request that holds what an answer gave: it goes to the sanitizer whole."""
        service = step.service if self._service is None else self._service
        self._recorder.offer(exchange_of(step, service, exchange_id, seq, request, outcome, times_us))

    def skip(self, step: Step, why: Unsent) -> None:
        """Count a step that cannot be sent, and what will not be sent because of it."""
        assert self.values is not None
        self.played.unsent += 1
        self._recorder.lost("skipped", f"{NOT_SENT}{self.values.skip(step.origin, why)}")
        self._wake(step.origin)

    def lack(self, step: Step) -> Unsent | None:
        """Why the step cannot be sent at this side, or None."""
        return self.values.lack(step.origin) if self.values is not None else None

    def _wake(self, origin: str) -> None:
        """Sessions that waited for the request of `origin` go on."""
        if self._parked:
            self._ready.extend(self._parked.pop(origin, ()))

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
        self._parked.clear()
        return rest

    def _give_up_rest(self) -> None:
        """Thousands of waits for a target that is not there help nobody: the rest fails now, and says why."""
        now_us = self._clock.now_us()
        rest = self._cut_off()
        for step in rest:
            if type(step) is MessageStep:
                self._recorder.lost("skipped", _GONE.detail)
                self.played.stopped += 1
                continue
            exchange_id, seq = self._recorder.next_id()
            self.played.give_up(_GONE)
            self._offer(step, exchange_id, seq, step.request, failed(_GONE), (now_us, 0, 0))
        self._ended(len(rest))
