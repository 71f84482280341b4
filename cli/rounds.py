"""One round of a verification: sides up, the plan replayed side by side, sides down, the runs read back."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from ..capture.errors import CouldNotCheck, SeamlineError
from ..capture.linking.traces import with_defaults
from ..capture.links import LinkIndex
from ..capture.model import Exchange, Manifest, Role
from ..capture.recorder import Recorder
from ..capture.sanitize.rules import Rules
from ..capture.store.reader import open_capture
from ..diffing.rounds import Run
from ..replay.buses import is_own
from ..replay.courier import Courier
from ..replay.environments.memory import MemoryReadings
from ..replay.environments.spec import SEALED
from ..replay.followed import FollowedLinks
from ..replay.isolation.asked import shared_by_reset
from ..replay.isolation.door import Isolation
from ..replay.overlap import Beat, replay_overlapped
from ..replay.pace import AT_ONCE
from ..replay.paired import replay_paired
from ..replay.plan import Plan
from ..replay.runner import Runner
from ..replay.safety import parse_target
from ..replay.sides import Side, SideSpec
from ..replay.standins import stubbed_places
from ..replay.stubs.book import Book
from ..replay.stubs.playback import Playback
from ..replay.targets import resolve
from ..replay.tracing import for_side
from ..replay.transport.base import Transport
from ..replay.transport.http1 import Http1Transport
from ..replay.transport.routed import RoutedTransport
from ..replay.values.needs import NONE, Needs
from ..replay.values.session import SideValues

BASELINE, NOISE, CANDIDATE = "baseline", "noise", "candidate"

# A call that outlives its answer still belongs to the round, and a death shows a moment after the connection broke.
_SETTLE_S = 0.1


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What a round replays, at which sides. Runs are written to `folder` as `<side>-<number>.seam`; `source` is the
    manifest of the replayed capture and `trusted` its file, whose values pass unchanged; `allowed` are the hosts that
    may be fired at although they were recorded. `isolation` serves all rounds; what the sides of the next one (`ahead`)
    will ask of it is prepared meanwhile. `book` has the answers of the stubs; `trace_headers` are those that
    the configuration adds, `headers` go out with every request; `needs` are the values that requests take from
    earlier answers. With `beats` each side is replayed for itself, its requests overlapping as these say."""

    number: int
    sides: tuple[SideSpec, ...]
    plan: Plan
    folder: Path
    source: Manifest
    trusted: Path
    rules: Rules
    key: bytes
    seed: int
    in_time: Callable[[], bool]
    isolation: Isolation | None = None
    book: Book | None = None
    ahead: tuple[SideSpec, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    trace_headers: tuple[str, ...] = ()
    needs: Needs = NONE
    beats: tuple[Beat, ...] = ()
    progress: Callable[[], None] | None = None


class RoundResult(NamedTuple):
    """How many steps every side was sent, and the run and the values of each side by its name."""

    fired: int
    runs: dict[str, Run]
    values: dict[str, SideValues]


def shared_port(sides: Sequence[SideSpec]) -> int | None:
    """The port that several started sides listen on, so that only one of them can run at a time; or None."""
    fixed = [
        side.service.listen.port
        for side in sides
        if side.service.command is not None
        and side.service.listen is not None
        and side.service.listen.port is not None
        # A network of its own has all ports for itself.
        and side.service.egress != SEALED
    ]
    return next((port for port in fixed if fixed.count(port) > 1), None)


def in_turn(sides: Sequence[SideSpec], produced: Collection[str] = ()) -> str | None:
    """What the started sides share so that only one of them can run at a time, in words; or None. `produced` are the
    downstreams that messages are produced at."""
    port = shared_port(sides)
    if port is not None:
        return f"port {port}"
    started = [side for side in sides if side.service.is_started]
    for side in started[1:]:
        for downstream in side.downstreams:
            # A reset while another side is under way would take its state away.
            if downstream.address is not None and downstream.mode != "stub" and shared_by_reset(downstream.isolate):
                return f'downstream "{downstream.name}", which is reset for each,'
            # Each side would consume the messages of all.
            if downstream.name in produced and not is_own(downstream):
                return f'downstream "{downstream.name}", which is a bus without a prefix for each,'
    return None


def untapped(sides: Sequence[SideSpec]) -> SideSpec | None:
    """A side whose downstream calls cannot be seen, because it runs already and was never told of a tap; or None."""
    return next((side for side in sides if not side.service.is_started and side.downstreams), None)


async def play_round(what: RoundPlan) -> RoundResult:
    """Play the round."""
    players = [_Player(what, spec) for spec in what.sides]
    baselines = tuple(player.values for player in players if player.spec.name in (BASELINE, NOISE))
    for player in players:
        player.values.references = baselines or (player.values,)
    one_by_one = in_turn(what.sides, what.plan.message_buses) is not None
    groups = [[player] for player in players] if one_by_one else [players]
    fired = min([await _play(what, group) for group in groups])
    blind = untapped(what.sides) is not None
    runs = {player.spec.name: _comparable(player.run(), blind, one_by_one) for player in players}
    return RoundResult(fired, runs, {player.spec.name: player.values for player in players})


async def _play(what: RoundPlan, players: Sequence["_Player"]) -> int:
    async with AsyncExitStack() as stack:
        # Taken down side by side too: each waits for its service to end.
        stack.push_async_callback(lambda: _all_to_their_end([player.down() for player in players]))
        await _all_or_none([player.up() for player in players])
        _prepare(what)
        runners = [player.runner() for player in players]
        fired = await _replayed(what, players, runners)
        await asyncio.sleep(_SETTLE_S)
        for player in players:
            player.check()
        await _all_or_none([player.record_state() for player in players])
    return fired


async def _replayed(what: RoundPlan, players: Sequence["_Player"], runners: Sequence[Runner]) -> int:
    def in_time() -> bool:
        return what.in_time() and all(player.lives for player in players)

    if what.beats:
        sides = (replay_overlapped(what.plan, runner, what.beats, in_time=in_time) for runner in runners)
        return min(await asyncio.gather(*sides))
    # Each round has an order of its own: an effect of the order does not show twice.
    seed = what.seed * 1000 + what.number
    return await replay_paired(what.plan, runners, seed=seed, in_time=in_time, progress=_after_each(what, players))


def _after_each(what: RoundPlan, players: Sequence["_Player"]) -> Callable[[], None]:
    """What is done after each step, while no request is under way: memory is read, and progress told."""
    readings = [player.memory for player in players if player.memory is not None]
    numbers = itertools.count(1)

    def after() -> None:
        number = next(numbers)
        for each in readings:
            each.after(number)
        if what.progress is not None:
            what.progress()

    return after


def _prepare(what: RoundPlan) -> None:
    """Begin to make what the next round's sides will need."""
    for side in what.ahead:
        if what.isolation is not None and side.service.is_started:
            what.isolation.prepare(side.downstreams, [side.name])


class _Player:
    """A side with everything that belongs to it: recorder, links, transport, run file."""

    def __init__(self, what: RoundPlan, spec: SideSpec) -> None:
        self.spec = spec
        self.values = SideValues(what.needs, spec.name)
        self._what = what
        self._path = what.folder / f"{spec.name}-{what.number}.seam"
        index = FollowedLinks if what.plan.message_buses else LinkIndex
        self._links = index(with_defaults(what.trace_headers))
        self._courier: Courier | None = None
        self.playback: Playback | None = None
        self._recorder: Recorder | None = None
        self._side: Side | None = None
        self._transport: Transport | None = None
        self._runner: Runner | None = None
        self.memory: MemoryReadings | None = None

    async def up(self) -> None:
        what = self._what
        self._recorder = await Recorder.open(
            self._path,
            _manifest(what.source, self.spec),
            key=what.key,
            rules=what.rules,
            trusted=what.trusted,
            stubbed=tuple(name for name, _ in stubbed_places(self.spec.downstreams)),
        )
        if what.book is not None:
            self.playback = Playback(what.book, self._recorder, self._links)
        if isinstance(self._links, FollowedLinks):
            self._courier = Courier(self._recorder, seed=what.seed, onlooker=self.playback)
            self._links.follow(self._courier)
        self._side = Side(
            self.spec,
            self._recorder,
            self._links,
            isolation=what.isolation,
            playback=self.playback,
            courier=self._courier,
        )
        target = parse_target(await self._side.up())
        self.memory = self._side.memory_readings(len(what.plan.steps))
        address = (target.host, target.port)
        if not self.spec.service.is_started:
            # What we started is ours to fire at; what runs already may be the recorded service itself.
            address = await resolve(target, what.source.hosts, what.allowed, configured=True)
        self._transport = Http1Transport(address, target.authority, self._recorder.clock, dial=self._side.dial)
        if what.headers:
            run = self._recorder.prefix
            self._transport = RoutedTransport(self._transport, for_side(what.headers, self.spec.name, run))

    def runner(self) -> Runner:
        assert self._recorder is not None
        assert self._transport is not None
        self._runner = Runner(
            self._what.plan,
            self._transport,
            self._recorder,
            pace=AT_ONCE,
            concurrency=1,
            service=self.spec.service.name,
            links=self._links,
            onlooker=self.playback,
            messenger=self._courier,
            values=self.values if self._what.needs.slots else None,
            seed=self._what.seed,
        )
        return self._runner

    async def record_state(self) -> None:
        """Record what the side has made of its own databases, and what memory it held."""
        assert self._side is not None
        assert self._recorder is not None
        await self._side.record_state()
        if self.memory is not None:
            held = self.memory.exchange(*self._recorder.next_id(), self._recorder.clock.now_us())
            if held is not None:
                self._recorder.offer(held)

    @property
    def lives(self) -> bool:
        """Whether there is still somebody to fire at."""
        return self._side is not None and self._side.ended() is None

    def check(self) -> None:
        """CouldNotCheck where the side did not live through the round, or answered nothing that it was sent."""
        assert self._side is not None
        assert self._runner is not None
        self._side.check_alive()
        played = self._runner.played
        # That no message is consumed any more is what a change may do, and the differ's to say.
        asked = played.fired - played.unconsumed
        if asked and not played.answered:
            raise CouldNotCheck(f"{self.spec.name} answered none of {asked} requests")

    async def down(self) -> None:
        if self._transport is not None:
            await self._transport.close()
        if self._courier is not None:
            await self._courier.close()
        try:
            if self._side is not None:
                await self._side.down()
        finally:
            if self._recorder is not None:
                summary = await self._recorder.close()
                if summary.failed is not None:
                    raise CouldNotCheck(f"{self.spec.name}: its run is not whole: {summary.failed}")

    def run(self) -> Run:
        """What was recorded, read back from the file: what a later command would see."""
        with open_capture(self._path) as capture:
            return Run(capture.manifest, tuple(capture), capture.losses, capture.complete)


def _comparable(run: Run, blind: bool, one_by_one: bool) -> Run:
    """What of `run` may be compared. Where one side's calls are not seen (`blind`), the other's would all count as
    new; and times of sides that ran one after another say more of the machine than of the change."""
    exchanges: Sequence[Exchange] = run.exchanges
    if blind:
        exchanges = [exchange for exchange in exchanges if exchange.role is Role.INBOUND]
    if one_by_one:
        exchanges = [replace(exchange, latency_us=exchange.lateness_us) for exchange in exchanges]
    return replace(run, exchanges=exchanges)


async def _all_or_none(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all; the first error ends the others and is raised: nobody waits for a side that cannot be compared."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as errors:
        raise _telling(errors.exceptions) from errors


async def _all_to_their_end(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all to their ends, whatever becomes of the others; the first error is raised then."""
    results = await asyncio.gather(*works, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise _telling(errors)


def _telling(errors: Sequence[BaseException]) -> BaseException:
    """The error that says most: ours say what happened and to whom."""
    return next((error for error in errors if isinstance(error, SeamlineError)), errors[0])


def _manifest(source: Manifest, spec: SideSpec) -> Manifest:
    return Manifest(
        capture_id=secrets.token_hex(8),
        created_us=time.time_ns() // 1000,
        tool=f"seamline {version('seamline')}",
        engine="verify",
        service=spec.service.name,
        # A run can be replayed too, and no more at the recorded service than the capture itself.
        hosts=source.hosts,
        replayed=source.capture_id,
        notes={"side": spec.name},
    )
