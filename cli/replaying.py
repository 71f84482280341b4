"""A replay from its start to its summary: taps and service up, fire, count, say how it went."""

import asyncio
import gc
import secrets
import signal
import ssl
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ..capture.addresses import TapText
from ..capture.engines.listener import TapSpec
from ..capture.errors import CouldNotCheck
from ..capture.linking.traces import with_defaults
from ..capture.links import LinkIndex
from ..capture.model import Exchange, Losses, Manifest, Role
from ..capture.recorder import Recorder, ScribeProcess, Summary
from ..capture.sanitize.rules import Rules
from ..capture.store.reader import open_capture
from ..capture.text import printable
from ..replay.buses import buses_of, check_buses
from ..replay.courier import Courier
from ..replay.environments.spec import DownstreamSpec
from ..replay.followed import FollowedLinks
from ..replay.ledger import Ledger
from ..replay.pace import Pace
from ..replay.plan import OTHER_SHARD, WRITE_NOT_ALLOWED, Plan, make_plan, with_effects
from ..replay.runner import Runner
from ..replay.safety import Target, parse_target
from ..replay.shard import Shard
from ..replay.sides import Side, SideSpec
from ..replay.standins import StandIns, stubbed_places
from ..replay.stubs.book import read_book
from ..replay.stubs.playback import Playback
from ..replay.stubs.tally import OTHER_KEY, nothing_recorded
from ..replay.tally import Played
from ..replay.targets import resolve
from ..replay.tracing import for_side
from ..replay.transport.base import Transport
from ..replay.transport.http1 import Http1Transport
from ..replay.transport.routed import RoutedTransport
from ..replay.values.confirm import confirm
from ..replay.values.needs import NONE, Needs, is_worth_it, needs_of
from ..replay.values.session import SideValues
from .config import Config
from .open_files import room_for
from .resuming import open_ledger, resumed

_LOOK_EVERY_S = 0.1
_KINDS = ("dropped", "withheld", "truncated", "gaps", "expired")


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to replay, at what, and how. Either `target` or `config`, whose service is fired at, is given.
    Each of `taps` comes with what it stands for. `allow_messages` is what the user says of buses that are shared,
    `resume` that a replay which did not end goes on."""

    capture: Path
    output: Path
    target: Target | None
    config: Config | None
    pace: Pace
    concurrency: int
    timeout_s: float
    taps: tuple[tuple[TapText, DownstreamSpec], ...]
    allow_writes: bool
    allowed: tuple[str, ...]
    shard: Shard
    where: Callable[[Exchange], bool] | None
    key: bytes
    rules: Rules
    seed: int
    allow_messages: bool = False
    resume: bool = False


async def run_replay(what: ReplayPlan, console: Console) -> int:
    """Replay; the exit code. CouldNotCheck where nothing was answered, the target went away or the run is not whole."""
    what = _fitting(what, console)
    # Its start, and its look at the capture, go on beside the planning.
    scribe = ScribeProcess()
    try:
        scribe.trust(what.key, what.rules, what.capture, tuple(name for name, _ in _stubbed(what)))
        source, plan, needs = _read(what, console)
        _announce(plan, console)
        target, address = await _target(what, source)
        await check_buses(plan, _tapped(what), source.hosts, what.allowed)
        ledger = open_ledger(what, source.capture_id, plan, address)
    except BaseException:
        scribe.abandon()
        raise
    whole = False
    try:
        values = SideValues(needs) if needs.slots else None
        if ledger is not None:
            plan = resumed(what, plan, ledger, values, console)
        recorder = await Recorder.open(
            what.output, _manifest(what, source, plan), key=what.key, rules=what.rules, process=scribe
        )
        session = _Session(what, plan, source, recorder, values, ledger)
        summary = await _fired(session, recorder, target, address, console)
        played = session.runner.played if session.runner else Played()
        whole = summary.failed is None and played.is_whole(len(plan.steps))
    finally:
        if ledger is not None:
            ledger.close(whole=whole)
    for line in session.told():
        _say(console, line)
    return _conclude(what, plan, played, summary, console)


async def _fired(
    session: "_Session", recorder: Recorder, target: Target | None, address: tuple[str, int] | None, console: Console
) -> Summary:
    try:
        async with session.stack:
            await session.start(target, address)
            await session.fire(console)
    except BaseException:
        await recorder.close()
        if not session.runner:
            # An empty run would only be mistaken for one.
            session.output.unlink(missing_ok=True)
        raise
    return await recorder.close()


class _Session:
    """What stands while a replay runs, taken down in reverse order when `stack` is left."""

    def __init__(
        self,
        what: ReplayPlan,
        plan: Plan,
        source: Manifest,
        recorder: Recorder,
        values: SideValues | None,
        ledger: Ledger | None,
    ) -> None:
        self.stack = AsyncExitStack()
        self.runner: Runner | None = None
        self._what = what
        self._plan = plan
        self._source = source
        self._recorder = recorder
        self._values = values
        self._ledger = ledger
        self.output = what.output
        chosen = what.config.record.trace_headers if what.config is not None else ()
        self._courier: Courier | None = None
        if plan.message_buses:
            self._links: LinkIndex = FollowedLinks(with_defaults(chosen))
        else:
            self._links = LinkIndex(with_defaults(chosen))
        self._side: Side | None = None
        self._playback: Playback | None = None
        self._stand_ins: list[StandIns] = []

    async def start(self, target: Target | None, address: tuple[str, int] | None) -> None:
        """Taps first, then the service, the way to it last."""
        what, recorder = self._what, self._recorder
        self._playback = _playback(what, recorder, self._links)
        courier = self._open_courier()
        stand_ins = StandIns(self._links, self.stack.push_async_callback, self._playback)
        self._stand_ins.append(stand_ins)
        for text, downstream in what.taps:
            upstream = text.upstream or text.listen
            spec = TapSpec(text.name, text.protocol, text.listen, upstream, Role.OUTBOUND)
            watch = courier.watch_of(downstream, upstream, None) if courier is not None else None
            await stand_ins.open(downstream, spec, recorder, watch)
        dial = None
        if what.config is not None:
            side_spec = SideSpec("service", what.config.service, what.config.downstreams)
            self._side = side = Side(side_spec, recorder, self._links, playback=self._playback, courier=courier)
            self._stand_ins.append(side.stand_ins)
            self.stack.push_async_callback(side.down)
            url = await side.up()
            if target is None:
                target = parse_target(url)
                address = (target.host, target.port)
                dial = side.dial
        assert target is not None
        assert address is not None
        transport: Transport = Http1Transport(
            address, target.authority, recorder.clock, timeout_s=what.timeout_s, tls=_tls(target),
            server_hostname=target.host, dial=dial,
        )  # fmt: skip
        if what.config is not None and what.config.replay_headers:
            headers = for_side(what.config.replay_headers, "service", recorder.prefix)
            transport = RoutedTransport(transport, headers)
        self.stack.push_async_callback(transport.close)
        if courier is not None:
            self.stack.push_async_callback(courier.close)
        self.runner = Runner(
            self._plan,
            transport,
            recorder,
            pace=what.pace,
            concurrency=what.concurrency,
            service=what.config.service.name if what.config is not None else None,
            links=self._links if what.taps or what.config is not None else None,
            onlooker=self._playback,
            messenger=courier,
            values=self._values,
            ledger=self._ledger,
            seed=what.seed,
        )

    def _open_courier(self) -> Courier | None:
        """Who produces the plan's messages, if there are any."""
        if not isinstance(self._links, FollowedLinks):
            return None
        what = self._what
        self._courier = courier = Courier(
            self._recorder, seed=what.seed, onlooker=self._playback, eager=what.pace.timed
        )
        self._links.follow(courier)
        return courier

    async def fire(self, console: Console) -> None:
        """Fire the plan. A signal stops it: what is under way ends, the rest is counted as skipped."""
        assert self.runner is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.runner.stop)
        watching = loop.create_task(self._watch(console))
        try:
            await self.runner.run()
            if self._courier is not None:
                await self._courier.settled()
            if self._side is not None:
                self._side.check_alive()
                await self._side.record_state()
        finally:
            watching.cancel()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _watch(self, console: Console) -> None:
        """Look after the recorder, whose end is the replay's: what nobody writes down is not fired. And progress, only
        on a terminal, drawn from the counts now and then, so that a request costs nothing."""
        assert self.runner is not None
        columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        shown = console.is_terminal and not console.quiet
        progress = Progress(*columns, console=console, transient=True, auto_refresh=False, disable=not shown)
        with progress:
            bar = progress.add_task("", total=len(self._plan.steps))
            while self._recorder.failed is None:
                progress.update(bar, completed=self.runner.played.fired, refresh=shown)
                await asyncio.sleep(_LOOK_EVERY_S)
        self.runner.stop()

    def told(self) -> list[str]:
        """How values, stubs and faults did, a line each."""
        playback = self._playback
        values = [] if self._values is None else [confirm(self._values.needs, [self._values]).line()]
        lines = [*values, *self._unsent()]
        lines += [playback.tally.line()] if playback is not None else []
        if playback is not None and not playback.book.knows_key_of(self._source):
            lines.append(OTHER_KEY)
        if playback is not None:
            lines += [nothing_recorded(name) for name in sorted(playback.book.blank)]
        for stand_ins in self._stand_ins:
            lines += [f"faults at {name}: {faults.hits} calls" for name, faults in stand_ins.faults.items()]
        return [line for line in lines if line]

    def _unsent(self) -> list[str]:
        """What could not be sent, by endpoint and reason."""
        if self._values is None:
            return []
        names = self._values.needs.names
        counts = Counter(why.of(names.get(origin, "requests")) for origin, why in self._values.unsent.items())
        return [f"{count} not sent: {reason}" for reason, count in sorted(counts.items())]


def _stubbed(what: ReplayPlan) -> tuple[tuple[str, str], ...]:
    """Service and protocol of each downstream that the capture answers for."""
    configured = what.config.downstreams if what.config is not None else ()
    return stubbed_places([*(downstream for _, downstream in what.taps), *configured])


def _playback(what: ReplayPlan, recorder: Recorder, links: LinkIndex) -> Playback | None:
    """The stubs' answers, where there is a stub."""
    places = _stubbed(what)
    return Playback(read_book(what.capture, places, what.key, what.rules), recorder, links) if places else None


def _fitting(what: ReplayPlan, console: Console) -> ReplayPlan:
    """`what` with as much concurrency as there are files for: a request comes through every tap once more, and a tap
    holds two connections."""
    room = room_for(what.concurrency, 1 + 2 * len(what.taps))
    if room < what.concurrency:
        _say(console, f"at most {room} requests are under way at once: the limit on open files (ulimit -n) has no more")
    return replace(what, concurrency=room)


def _read(what: ReplayPlan, console: Console) -> tuple[Manifest, Plan, Needs]:
    # Millions of small objects that all live to the end: the collector would walk them again and again for nothing.
    gc.disable()
    try:
        with open_capture(what.capture) as capture:
            source, complete = capture.manifest, capture.complete
            exchanges = capture.asks() if what.where is None else capture
            plan = make_plan(
                exchanges,
                allow_writes=what.allow_writes,
                shard=what.shard,
                where=what.where,
                buses=buses_of(_tapped(what), allow_writes=what.allow_messages),
            )
        if plan.message_buses:
            with open_capture(what.capture) as capture:
                plan = with_effects(plan, capture.asks())
        needs = NONE
        if is_worth_it(plan):
            with open_capture(what.capture) as capture:
                needs = needs_of(plan, capture)
    finally:
        gc.freeze()
        gc.enable()
    if not complete:
        _say(console, f"{what.capture} was not finished by its recorder: what it holds is replayed")
    if not plan.steps and not plan.left_out.get(OTHER_SHARD):
        raise CouldNotCheck(f"{what.capture}: nothing to replay{_why(plan)}", _hint(plan))
    return source, plan, needs


def _tapped(what: ReplayPlan) -> list[DownstreamSpec]:
    """The downstreams that the service reaches through a tap: what runs already was never told of one."""
    config = what.config if what.config is not None and what.config.service.is_started else None
    return [*(downstream for _, downstream in what.taps), *(config.downstreams if config is not None else ())]


async def _target(what: ReplayPlan, source: Manifest) -> tuple[Target | None, tuple[str, int] | None]:
    """The target and the address that is fired at, both None where the service has yet to be started."""
    if what.target is not None:
        return what.target, await resolve(what.target, source.hosts, what.allowed)
    assert what.config is not None
    url = what.config.service.url
    if url is None:
        return None, None
    target = parse_target(url, f"{what.config.path}: [service] url")
    return target, await resolve(target, source.hosts, what.allowed, configured=True)


def _tls(target: Target) -> ssl.SSLContext | None:
    return ssl.create_default_context() if target.scheme == "https" else None


def _manifest(what: ReplayPlan, source: Manifest, plan: Plan) -> Manifest:
    notes = {"pace": str(what.pace), "seed": str(what.seed)}
    if what.shard.count > 1:
        notes["shard"] = f"{what.shard.index}/{what.shard.count}"
    for change, count in plan.changed.items():
        notes[f"changed: {change}"] = str(count)
    return Manifest(
        capture_id=secrets.token_hex(8),
        created_us=time.time_ns() // 1000,
        tool=f"seamline {version('seamline')}",
        engine="replay",
        service=what.config.service.name if what.config is not None else source.service,
        # A run can be replayed too, and no more at the recorded service than the capture itself.
        hosts=source.hosts,
        replayed=source.capture_id,
        notes=notes,
    )


def _announce(plan: Plan, console: Console) -> None:
    """What will not be sent, and what is sent otherwise than recorded."""
    skipped = dict(plan.skipped)
    writes = skipped.pop(WRITE_NOT_ALLOWED, 0)
    if writes:
        _say(console, f"{writes} requests with side effects are skipped: --allow-writes sends them")
    for reason, count in sorted(skipped.items()):
        _say(console, f"{count} requests are skipped: {reason}")
    for change, count in sorted(plan.changed.items()):
        _say(console, f"{count} requests are sent with a change: {change}")


def _conclude(what: ReplayPlan, plan: Plan, played: Played, summary: Summary, console: Console) -> int:
    if played.failures:
        _say(console, "failed: " + ", ".join(f"{count} {kind}" for kind, count in sorted(played.failures.items())))
    _say(console, f"run {what.output}: {summary.recorded} exchanges, {_losses_shown(summary.losses)}")
    # The one line that --quiet leaves, as with `record`.
    click.echo(played.line(sum(plan.skipped.values()) + played.stopped + played.unsent), err=True)
    if summary.failed is not None:
        raise CouldNotCheck(f"the run is not whole: {summary.failed}")
    if played.fired and not played.answered:
        raise CouldNotCheck("nothing was answered", "is the target up?")
    if played.died:
        raise CouldNotCheck("the target went away", f"{played.failed} of {len(plan.steps)} requests failed")
    if played.stopped:
        raise CouldNotCheck(f"stopped before {played.stopped} of {len(plan.steps)} requests were sent")
    return 0


def _losses_shown(losses: Losses) -> str:
    """The run's losses that are not zero (what was skipped is said before): "dropped 2 (queue full 2)"."""
    counts = [f"{kind} {getattr(losses, kind)}" for kind in _KINDS if getattr(losses, kind)]
    if not counts:
        return "nothing lost"
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(losses.reasons.items()))
    return f"{', '.join(counts)} ({reasons})"


def _why(plan: Plan) -> str:
    reasons = sorted({**plan.skipped, **plan.left_out}.items())
    return "".join(f"; {count} {reason}" for reason, count in reasons)


def _hint(plan: Plan) -> str:
    if WRITE_NOT_ALLOWED in plan.skipped:
        return "--allow-writes fires requests with side effects"
    return "`seamline capture inspect` shows what it holds"


def _say(console: Console, line: str) -> None:
    console.print(Text(printable(line)), soft_wrap=True)
