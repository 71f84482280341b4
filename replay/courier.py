"""Produces the messages of a plan at one side's buses, and waits until the service has consumed each of them.

Rules of this file:
- every message that is fired ends once: consumed and done, or failed, in an exchange of its own that says so;
- a message goes past the tap, straight to the real broker: the tap sees it delivered to the service, as when it was
  recorded, and nothing that the service did not do;
- what the tap records as consumed gets the recorded message's id as its origin: by the trace that the message carries,
  else by its destination and payload;
- nothing is produced twice: only what reached nobody is tried again.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ..capture.engines.sockets import Dial
from ..capture.headers import Headers
from ..capture.model import Exchange, Failure, FailureKind, Link, Response, Role
from ..capture.wire.call import OK, Call
from .addressed import addressed, neutral_again, trace_of
from .delivery import Delivery
from .effects import Effects
from .environments.spec import DownstreamSpec
from .messages import CONSUME
from .places import Places
from .plan import MessageStep
from .stubs.protocols import REAL
from .transport.base import Clock, Done, Outcome
from .transport.bus.base import Listing, Producer, Undelivered
from .transport.bus.door import PRODUCIBLE, open_producer

WITHIN_S = 5.0
"""Seconds within which a message has to be consumed …"""
TIMEOUT_S = 10.0
"""… and after which one that was consumed is done in any case; four times what its effects took before, if that is
more."""
_FIRST_WITHIN_S = {"kafka": 20.0}
"""Likewise for the first one of a bus: a consumer of Kafka joins a group before it gets anything."""
_HOPELESS_AFTER = 1
_HOPELESS_WITHIN_S = 1.0
"""After so many messages in a row that nobody took at one destination, or one that was never acknowledged, the next
ones wait so long."""
_ACK_LATE = frozenset({"kafka"})
"""Where an acknowledgement is a commit, which a consumer makes by a timer."""
_LOOK_EVERY_S = 0.02
_ASK_EVERY_S = 0.2
_MOST_TRACES = 100_000
UNACKNOWLEDGED = "unacknowledged"

_CONSUMED = Response(0, Headers())


class Sink(Protocol):
    """What is needed of a recorder."""

    @property
    def clock(self) -> Clock:
        """The run's clock."""

    def next_id(self) -> tuple[str, int]:
        """A fresh exchange id and its sequence number."""

    def offer(self, exchange: Exchange) -> None:
        """Take an exchange. Never waits, never raises."""


class Onlooker(Protocol):
    """Who has to know which recorded exchange is replayed as what."""

    def sent(self, exchange_id: str, origin: str) -> None:
        """The recorded exchange `origin` is replayed as `exchange_id` of the run."""


@dataclass(slots=True)
class _Bus:
    """One downstream that messages are produced at."""

    name: str
    protocol: str
    address: tuple[str, int]
    told: tuple[str, ...]
    places: Places
    dial: Dial | None = None
    producer: Producer | None = None
    has_consumed: bool = False
    # Destinations: how many messages in a row nobody took, and whether the last one was taken and never acknowledged.
    hopeless: dict[str, int] = field(default_factory=dict)
    unended: set[str] = field(default_factory=set)

    def opened(self) -> Producer:
        """The way to its broker."""
        if self.producer is None:
            self.producer = open_producer(self.protocol, self.address, self.told, self.dial)
        return self.producer


class _Shot:
    """A message under way."""

    __slots__ = ("bus", "delivery", "done", "exchange_id", "request", "sent_us", "started_us", "step", "timer")

    def __init__(self, step: MessageStep, bus: _Bus, started_us: int, done: Done) -> None:
        self.step = step
        self.bus = bus
        self.request = step.request
        self.done: Done | None = done
        self.started_us = self.sent_us = started_us
        self.delivery = Delivery(Effects(), 0, 0)
        self.exchange_id = ""
        self.timer: asyncio.TimerHandle | None = None


class Courier:
    """One side's. `onlooker` is told of every message that is consumed. An `eager` one says that a message has ended as
    soon as it is acknowledged, and looks after its effects beside the next ones: a pace has to be kept."""

    def __init__(
        self,
        recorder: Sink,
        *,
        seed: int = 0,
        onlooker: Onlooker | None = None,
        eager: bool = False,
        within_s: float = WITHIN_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._recorder = recorder
        self._clock = recorder.clock
        self._seed = seed
        self._onlooker = onlooker
        self._eager = eager
        self._within_s = within_s
        self._hard_us = round(timeout_s * 1_000_000)
        self._buses: dict[str, _Bus] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._traces: OrderedDict[str, _Shot] = OrderedDict()
        self._said: dict[tuple[str, str, bytes], deque[_Shot]] = {}
        self._consumed: dict[str, _Shot] = {}
        # What is done and not acknowledged, where that comes late.
        self._late: dict[str, _Shot] = {}
        self._calls: dict[str, list[_Shot]] = {}
        self.when_over: Callable[[str, int], None] | None = None
        """Told the id in the run of each consumed message that is done, and when it was."""
        # What has not ended, oldest first.
        self._open: dict[_Shot, None] = {}
        self._idle = asyncio.Event()

    def add_bus(
        self,
        name: str,
        protocol: str,
        address: tuple[str, int],
        told: Iterable[str],
        prefix: str | None,
        dial: Dial | None = None,
    ) -> "BusWatch":
        """Messages of the downstream `name` are produced at `address`, the real broker; `told` are the values of the
        variables that the service gets, `prefix` is what keeps the side apart, `dial` leads into its network. The
        answer is to be told of what the tap in front of it sees."""
        bus = _Bus(name, protocol, address, tuple(told), Places(protocol, prefix), dial)
        self._buses[name] = bus
        return BusWatch(self, bus)

    def watch_of(
        self, downstream: DownstreamSpec, address: tuple[str, int], prefix: str | None, dial: Dial | None = None
    ) -> "BusWatch | None":
        """`add_bus` for `downstream`, whose real broker is at `address`; None where it is no bus."""
        if downstream.mode != REAL or downstream.protocol not in PRODUCIBLE:
            return None
        return self.add_bus(downstream.name, downstream.protocol, address, downstream.env.values(), prefix, dial)

    def fire(self, step: MessageStep, done: Done) -> None:
        """Produce a message; `done` is called when it has ended, never before this has returned."""
        bus = self._buses.get(step.service) or _Bus(step.service, "", ("", 0), (), Places("", None))
        shot = _Shot(step, bus, self._clock.now_us(), done)
        self._open[shot] = None
        task = asyncio.get_running_loop().create_task(self._deliver(shot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Until every message that was fired is done, its effects included."""
        if self._open:
            self._idle.clear()
            await self._idle.wait()

    async def close(self) -> None:
        """Give up what is under way, and the connections."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for shot in list(self._open):
            if shot.delivery.consumed_us is None:
                self._fail(shot, FailureKind.CANCELLED, "the replay was ended")
            else:
                self._over(shot)
        for bus in self._buses.values():
            if bus.producer is not None:
                await bus.producer.close()

    def awaits(self, exchange_id: str) -> bool:
        """Whether the exchange of the run is a message that is consumed and not done."""
        return exchange_id in self._consumed

    # What the taps see.

    def begun(self, bus: _Bus, call: Call) -> None:
        """A call of the tap in front of `bus` has begun: the service may have consumed a message."""
        if call.method != CONSUME or call.role is not Role.INBOUND:
            bus.places.heard(call)
            return
        # What has a cause was published by the service itself.
        shot = None if call.links else self._shot_of(bus, call)
        if shot is None:
            return
        call.origin = shot.step.origin
        call.session = shot.step.session
        if self._onlooker is not None:
            self._onlooker.sent(call.exchange_id, shot.step.origin)
        if shot.delivery.is_over or shot.exchange_id:
            return
        bus.has_consumed = True
        shot.exchange_id = call.exchange_id
        self._consumed[call.exchange_id] = shot
        shot.delivery.consumed(call.started_us)
        self._look(shot)

    def ended(self, call: Call) -> None:
        """A call has ended and is about to be recorded: a message may be acknowledged."""
        late = self._late.pop(call.exchange_id, None)
        if late is not None:
            _end_late(call, late.delivery.last_us)
            return
        shot = self._consumed.get(call.exchange_id)
        if shot is not None:
            shot.delivery.answered(call.ended_us, is_acked=call.answered and call.reason != UNACKNOWLEDGED)
            self._look(shot)

    def call_begun(self, call_id: str, links: Iterable[Link], at_us: int) -> None:
        """The service makes a call; `links` name its possible causes."""
        shots = [shot for shot in map(self._consumed.get, (link.parent for link in links)) if shot is not None]
        if shots:
            self._calls[call_id] = shots
        for shot in shots:
            shot.delivery.call_begun(call_id, at_us)
            self._look(shot)

    def call_ended(self, call_id: str, at_us: int) -> None:
        """That call has ended."""
        for shot in self._calls.pop(call_id, ()):
            shot.delivery.call_ended(call_id, at_us)
            self._look(shot)

    def _shot_of(self, bus: _Bus, call: Call) -> _Shot | None:
        shot = self._traces.get(trace_of(call.headers))
        if shot is not None and shot.bus is bus and shot.request.target == call.target:
            return shot
        waiting = self._said.get((bus.name, call.target, call.body))
        return next((shot for shot in waiting or () if not shot.exchange_id), None)

    # One message.

    async def _deliver(self, shot: _Shot) -> None:
        bus = shot.bus
        if not bus.protocol:
            self._fail(shot, FailureKind.CONNECT, f'there is no downstream "{bus.name}"')
            return
        try:
            await self._produce(shot, bus, self._patience_s(shot, bus))
        except Undelivered as error:
            self._fail(shot, error.kind, error.detail)
        except Exception as error:
            # Whatever a capture may hold that a protocol cannot say: every message ends, and says how.
            self._fail(shot, FailureKind.PROTOCOL, f"cannot be produced: {type(error).__name__}")

    async def _produce(self, shot: _Shot, bus: _Bus, within_s: float) -> None:
        """Produce, as soon as somebody listens. Undelivered where nobody does in time, or the broker refuses."""
        until_us = shot.started_us + round(within_s * 1_000_000)
        step = shot.step
        while True:
            message = addressed(step.request, bus.protocol, bus.places, self._seed, step.origin)
            if message is not None:
                break
            await self._ask_for_places(bus)
            if self._clock.now_us() >= until_us:
                raise Undelivered(FailureKind.TIMEOUT, f"nobody listened for it within {within_s:g} s")
            await asyncio.sleep(_LOOK_EVERY_S)
        shot.request = message
        producer = bus.opened()
        self._expect(shot, bus)
        while True:
            shot.sent_us = self._clock.now_us()
            shot.delivery.deadline_us = shot.sent_us + round(within_s * 1_000_000)
            try:
                await producer.produce(shot.request)
                break
            except Undelivered as error:
                if shot.delivery.consumed_us is not None:
                    break
                if not error.unheard or self._clock.now_us() >= until_us:
                    raise
            await asyncio.sleep(_LOOK_EVERY_S)
        self._look(shot)

    async def _ask_for_places(self, bus: _Bus) -> None:
        """A broker whose consumers do not say what they want is asked what there is."""
        producer = bus.opened()
        if isinstance(producer, Listing):
            bus.places.known(await producer.places())
            await asyncio.sleep(_ASK_EVERY_S)

    def _expect(self, shot: _Shot, bus: _Bus) -> None:
        effects, hard_us = shot.step.effects, self._hard_us
        if shot.step.request.target in bus.unended:
            hard_us = min(hard_us, round(_HOPELESS_WITHIN_S * 1_000_000))
        hard_us = max(hard_us, 4 * effects.span_us)
        deadline_us = self._clock.now_us() + hard_us
        shot.delivery = Delivery(effects, deadline_us, hard_us, acks_late=bus.protocol in _ACK_LATE)
        request = shot.request
        self._traces[trace_of(request.headers)] = shot
        if len(self._traces) > _MOST_TRACES:
            self._traces.popitem(last=False)
        self._said.setdefault((bus.name, request.target, request.body), deque()).append(shot)

    def _patience_s(self, shot: _Shot, bus: _Bus) -> float:
        if bus.hopeless.get(shot.step.request.target, 0) >= _HOPELESS_AFTER:
            return min(self._within_s, _HOPELESS_WITHIN_S)
        first = 0.0 if bus.has_consumed else _FIRST_WITHIN_S.get(bus.protocol, 0.0)
        return max(self._within_s, first)

    def _look(self, shot: _Shot) -> None:
        """See whether a message is over, and if not look again when it may be."""
        if shot.timer is not None:
            shot.timer.cancel()
            shot.timer = None
        delivery = shot.delivery
        if delivery.is_over:
            return
        if self._eager and delivery.is_handled:
            self._report(shot, Outcome(_CONSUMED, None, shot.sent_us, delivery.last_us))
        ahead_us = delivery.due_us - self._clock.now_us()
        if ahead_us > 0:
            shot.timer = asyncio.get_running_loop().call_later(ahead_us / 1_000_000, self._look, shot)
        elif delivery.consumed_us is None:
            took_s = (delivery.deadline_us - shot.sent_us) / 1_000_000
            self._fail(shot, FailureKind.TIMEOUT, f"not consumed within {took_s:g} s")
        else:
            target = shot.step.request.target
            shot.bus.hopeless.pop(target, None)
            if delivery.ended or delivery.acks_late:
                shot.bus.unended.discard(target)
            else:
                shot.bus.unended.add(target)
            self._over(shot)

    def _fail(self, shot: _Shot, kind: FailureKind, detail: str) -> None:
        """The message was not consumed: an exchange of its own says so."""
        if shot.delivery.is_over:
            return
        if kind is FailureKind.TIMEOUT:
            target = shot.step.request.target
            shot.bus.hopeless[target] = shot.bus.hopeless.get(target, 0) + 1
        failure, now_us = Failure(kind, detail), self._clock.now_us()
        exchange_id, seq = self._recorder.next_id()
        step, prefix = shot.step, shot.bus.places.prefix
        request = neutral_again(shot.request, step.request, prefix)
        self._recorder.offer(
            Exchange(
                exchange_id, seq, Role.INBOUND, step.protocol, step.service, step.session, shot.started_us,
                now_us - shot.started_us, request, None, failure, (), step.origin,
            )
        )  # fmt: skip
        self._over(shot, Outcome(None, failure, shot.sent_us, now_us))

    def _over(self, shot: _Shot, failed: Outcome | None = None) -> None:
        outcome = failed or Outcome(_CONSUMED, None, shot.sent_us, shot.delivery.last_us)
        shot.delivery.is_over = True
        self._open.pop(shot, None)
        if not self._open:
            self._idle.set()
        if shot.timer is not None:
            shot.timer.cancel()
            shot.timer = None
        if self._consumed.pop(shot.exchange_id, None) is not None:
            if shot.delivery.acks_late and not shot.delivery.ended:
                self._late[shot.exchange_id] = shot
            if self.when_over is not None:
                self.when_over(shot.exchange_id, outcome.done_us)
        key = (shot.bus.name, shot.request.target, shot.request.body)
        waiting = self._said.get(key)
        if waiting is not None and shot in waiting:
            waiting.remove(shot)
            if not waiting:
                del self._said[key]
        self._report(shot, outcome)

    def _report(self, shot: _Shot, outcome: Outcome) -> None:
        done, shot.done = shot.done, None
        if done is not None:
            done(outcome)


class BusWatch:
    """What a tap tells of one bus."""

    __slots__ = ("_bus", "_courier")

    def __init__(self, courier: Courier, bus: _Bus) -> None:
        self._courier = courier
        self._bus = bus

    def begun(self, call: Call) -> None:
        """A call has begun; its id and its links are known."""
        self._courier.begun(self._bus, call)

    def ended(self, call: Call) -> None:
        """It has ended."""
        self._courier.ended(call)


def _end_late(call: Call, done_us: int) -> None:
    """A message that was done before its acknowledgement came, or none did: what a consumer's timer says, or the end of
    the replay, is nothing that the message came to."""
    if call.answered and call.status != OK:
        return
    if call.failure is not None:
        call.failure = None
        call.answer(OK, done_us)
        call.reason = UNACKNOWLEDGED
    call.ended_us = done_us
