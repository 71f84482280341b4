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
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..capture.headers import Headers
from ..capture.links import LinkIndex
from ..capture.model import Exchange, Failure, FailureKind, Link, Request, Response, Role
from ..capture.wire.call import Call
from .delivery import Delivery
from .effects import Effects
from .environments.spec import DownstreamSpec
from .messages import CONSUME, read_arguments
from .places import PREFIX, Places
from .plan import MessageStep
from .stubs.protocols import REAL
from .tracing import TRACEPARENT, traced
from .transport.base import Clock, Done, Outcome
from .transport.bus.base import Producer, Undelivered
from .transport.bus.door import PRODUCIBLE, open_producer

WITHIN_S = 5.0
"""Seconds within which a message has to be consumed."""
_FIRST_WITHIN_S = {"kafka": 20.0}
"""Likewise for the first one of a bus: a consumer of Kafka joins a group before it gets anything."""
_HOPELESS_AFTER = 1
_HOPELESS_WITHIN_S = 1.0
"""After so many messages in a row that nobody took at one destination, the next ones wait so long."""
_LOOK_EVERY_S = 0.02
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
    producer: Producer | None = None
    has_consumed: bool = False
    hopeless: dict[str, int] = field(default_factory=dict)


class _Shot:
    """A message under way."""

    __slots__ = ("bus", "delivery", "done", "exchange_id", "request", "sent_us", "started_us", "step", "timer")

    def __init__(self, step: MessageStep, bus: _Bus, started_us: int, done: Done) -> None:
        self.step = step
        self.bus = bus
        self.request = step.request
        self.done = done
        self.started_us = self.sent_us = started_us
        self.delivery = Delivery(Effects(), 0, 0)
        self.exchange_id = ""
        self.timer: asyncio.TimerHandle | None = None


class Courier:
    """One side's. `onlooker` is told of every message that is consumed; `timeout_s` is how long after its consumption a
    message is done in any case."""

    def __init__(
        self,
        recorder: Sink,
        *,
        seed: int = 0,
        onlooker: Onlooker | None = None,
        within_s: float = WITHIN_S,
        timeout_s: float = 30.0,
    ) -> None:
        self._recorder = recorder
        self._clock = recorder.clock
        self._seed = seed
        self._onlooker = onlooker
        self._within_s = within_s
        self._hard_us = round(timeout_s * 1_000_000)
        self._buses: dict[str, _Bus] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._traces: OrderedDict[str, _Shot] = OrderedDict()
        self._said: dict[tuple[str, str, bytes], deque[_Shot]] = {}
        self._consumed: dict[str, _Shot] = {}
        self._calls: dict[str, list[_Shot]] = {}
        self.when_over: Callable[[str, int], None] | None = None
        """Told the id in the run of each consumed message that is done, and when it was."""
        # What has not ended, oldest first.
        self._open: dict[_Shot, None] = {}

    def add_bus(
        self, name: str, protocol: str, address: tuple[str, int], told: Iterable[str], prefix: str | None
    ) -> "BusWatch":
        """Messages of the downstream `name` are produced at `address`, the real broker; `told` are the values of the
        variables that the service gets, `prefix` is what keeps the side apart. The answer is to be told of what the
        tap in front of it sees."""
        bus = _Bus(name, protocol, address, tuple(told), Places(protocol, prefix))
        self._buses[name] = bus
        return BusWatch(self, bus)

    def watch_of(self, downstream: DownstreamSpec, address: tuple[str, int], prefix: str | None) -> "BusWatch | None":
        """`add_bus` for `downstream`, whose real broker is at `address`; None where it is no bus."""
        if downstream.mode != REAL or downstream.protocol not in PRODUCIBLE:
            return None
        return self.add_bus(downstream.name, downstream.protocol, address, downstream.env.values(), prefix)

    def fire(self, step: MessageStep, done: Done) -> None:
        """Produce a message; `done` is called when it has ended, never before this has returned."""
        bus = self._buses.get(step.service) or _Bus(step.service, "", ("", 0), (), Places("", None))
        shot = _Shot(step, bus, self._clock.now_us(), done)
        self._open[shot] = None
        task = asyncio.get_running_loop().create_task(self._deliver(shot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way, and the connections."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for shot in list(self._open):
            self._fail(shot, FailureKind.CANCELLED, "the replay was ended")
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
        """A call has ended: a message may be acknowledged."""
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
        traceparent = call.headers.get(TRACEPARENT)
        if traceparent is not None:
            shot = self._traces.get(_trace(traceparent))
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

    async def _produce(self, shot: _Shot, bus: _Bus, within_s: float) -> None:
        """Produce, as soon as somebody listens. Undelivered where nobody does in time, or the broker refuses."""
        until_us = shot.started_us + round(within_s * 1_000_000)
        while not self._place(shot, bus):
            if self._clock.now_us() >= until_us:
                raise Undelivered(FailureKind.TIMEOUT, f"nobody listened for it within {within_s:g} s")
            await asyncio.sleep(_LOOK_EVERY_S)
        producer = bus.producer
        if producer is None:
            producer = bus.producer = open_producer(bus.protocol, bus.address, bus.told)
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

    def _place(self, shot: _Shot, bus: _Bus) -> bool:
        """Whether it is known where the message goes, and somebody is there to take it; then it is made ready."""
        step = shot.step
        place = bus.places.of(step.request.target)
        if place is None:
            return False
        kept = bus.protocol != "nats" or "stream" in read_arguments(step.request)
        if not kept and not bus.places.is_listened_to(place):
            return False
        named = _named(replace(step.request, target=place), bus.places.prefix)
        shot.request = traced(named, self._seed, step.origin)
        return True

    def _expect(self, shot: _Shot, bus: _Bus) -> None:
        deadline_us = self._clock.now_us() + self._hard_us
        shot.delivery = Delivery(shot.step.effects, deadline_us, self._hard_us)
        request = shot.request
        self._traces[_trace(request.headers.get(TRACEPARENT) or "")] = shot
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
        ahead_us = delivery.due_us - self._clock.now_us()
        if ahead_us > 0:
            shot.timer = asyncio.get_running_loop().call_later(ahead_us / 1_000_000, self._look, shot)
        elif delivery.consumed_us is None:
            took_s = (delivery.deadline_us - shot.sent_us) / 1_000_000
            self._fail(shot, FailureKind.TIMEOUT, f"not consumed within {took_s:g} s")
        else:
            shot.bus.hopeless.pop(shot.step.request.target, None)
            self._over(shot, Outcome(_CONSUMED, None, shot.sent_us, delivery.last_us))

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
        request = step.request
        if shot.request is not request:
            place = shot.request.target if prefix is None else shot.request.target.replace(prefix, PREFIX)
            request = replace(request, target=place, headers=shot.request.headers)
        self._recorder.offer(
            Exchange(
                exchange_id, seq, Role.INBOUND, step.protocol, step.service, step.session, shot.started_us,
                now_us - shot.started_us, request, None, failure, (), step.origin,
            )
        )  # fmt: skip
        self._over(shot, Outcome(None, failure, shot.sent_us, now_us))

    def _over(self, shot: _Shot, outcome: Outcome) -> None:
        shot.delivery.is_over = True
        self._open.pop(shot, None)
        if shot.timer is not None:
            shot.timer.cancel()
            shot.timer = None
        if self._consumed.pop(shot.exchange_id, None) is not None and self.when_over is not None:
            self.when_over(shot.exchange_id, outcome.done_us)
        key = (shot.bus.name, shot.request.target, shot.request.body)
        waiting = self._said.get(key)
        if waiting is not None and shot in waiting:
            waiting.remove(shot)
            if not waiting:
                del self._said[key]
        shot.done(outcome)


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


class FollowedLinks(LinkIndex):
    """A link index that tells a courier of every call and its possible causes. Whatever the protocol, each call that a
    tap sees begins and ends here.

    A message that nobody acknowledges ends for the tap as soon as it is delivered. Here it stays open until the courier
    takes it for done: what the service does meanwhile is most likely its work.
    """

    __slots__ = ("_kept_open", "courier")

    courier: Courier | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.courier = None
        self._kept_open: set[str] = set()

    def follow(self, courier: Courier) -> None:
        """Tell `courier`, and be told by it when a message is done."""
        self.courier = courier
        courier.when_over = self._over

    def closed(self, exchange_id: str, ended_us: int, **kwargs: Any) -> None:
        """An inbound exchange has ended, as far as the tap knows."""
        if self.courier is not None and self.courier.awaits(exchange_id):
            self._kept_open.add(exchange_id)
        else:
            super().closed(exchange_id, ended_us, **kwargs)

    def _over(self, exchange_id: str, ended_us: int) -> None:
        if exchange_id in self._kept_open:
            self._kept_open.discard(exchange_id)
            super().closed(exchange_id, ended_us)

    def begin(self, call_id: str, started_us: int, *args: Any, **kwargs: Any) -> tuple[Link, ...]:
        """A call has begun."""
        links = super().begin(call_id, started_us, *args, **kwargs)
        if self.courier is not None:
            self.courier.call_begun(call_id, links, started_us)
        return links

    def end(self, call_id: str, ended_us: int, **kwargs: Any) -> None:
        """It has ended."""
        super().end(call_id, ended_us, **kwargs)
        if self.courier is not None:
            self.courier.call_ended(call_id, ended_us)


def _trace(traceparent: str) -> str:
    """The trace id of a traceparent."""
    parts = traceparent.strip().lower().split("-")
    return parts[1] if len(parts) > 1 else ""


def _named(request: Request, prefix: str | None) -> Request:
    """`request` with the side's own prefix wherever the recorded one was taken out."""
    if prefix is None:
        return request
    return replace(
        request,
        headers=Headers((name, value.replace(PREFIX, prefix)) for name, value in request.headers.items),
        body=request.body.replace(PREFIX.encode(), prefix.encode()),
        arguments=request.arguments.replace(PREFIX, prefix),
    )
