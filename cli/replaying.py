"""A replay from its start to its summary: taps and service up, fire, count, say how it went."""

import asyncio
import secrets
import ssl
import statistics
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ..capture.addresses import TapText, shown
from ..capture.engines.tap import Tap, TapSpec
from ..capture.errors import CouldNotCheck, UsageError
from ..capture.links import LinkIndex
from ..capture.model import Exchange, Manifest, Role
from ..capture.recorder import Recorder, Summary
from ..capture.sanitize.rules import Rules
from ..capture.store.reader import open_capture
from ..capture.text import printable
from ..replay.pace import Pace
from ..replay.plan import WRITE_NOT_ALLOWED, Plan, make_plan
from ..replay.runner import Played, Runner, losses_shown
from ..replay.safety import Target, check_target, parse_target
from ..replay.shard import Shard
from ..replay.sides import Side, SideSpec
from ..replay.transport.http1 import Http1Transport
from .config import Config


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to replay, at what, and how. Either `target` or `config` is given."""

    capture: Path
    output: Path
    target: Target | None
    config: Config | None
    pace: Pace
    concurrency: int
    timeout_s: float
    taps: tuple[TapText, ...]
    allow_writes: bool
    allowed: tuple[str, ...]
    shard: Shard
    where: Callable[[Exchange], bool] | None
    key: bytes
    seed: int


async def run_replay(what: ReplayPlan, console: Console) -> int:
    """Replay; the exit code: 0 done, 3 where nothing was answered, the target went away or the run is not whole."""
    with open_capture(what.capture) as capture:
        source, complete = capture.manifest, capture.complete
        plan = make_plan(capture, allow_writes=what.allow_writes, shard=what.shard, where=what.where)
    if not complete:
        _say(console, f"{what.capture} was not finished by its recorder: what it holds is replayed")
    if not plan.steps:
        raise CouldNotCheck(f"{what.capture}: nothing to replay{_why(plan)}", _hint(plan))
    if what.output.resolve() == what.capture.resolve():
        raise UsageError(f"{what.output}: a run must not replace its capture", "name another file with -o")
    if what.target is not None:
        address = await _resolve(what.target, source.hosts, what.allowed)
    recorder = await Recorder.open(what.output, _manifest(source), key=what.key, rules=Rules(), trusted=what.capture)
    links = LinkIndex() if what.taps or what.config is not None else None
    try:
        async with AsyncExitStack() as stack:
            for text in what.taps:
                await _tap(text, recorder, links or LinkIndex(), stack)
            target = what.target
            if what.config is not None:
                side = Side(
                    SideSpec("service", what.config.service, what.config.downstreams), recorder, links or LinkIndex()
                )
                target = parse_target(await stack.enter_async_context(_up(side)))
                address = (target.host, target.port)
            assert target is not None
            transport = Http1Transport(
                address, target.authority, recorder.clock, timeout_s=what.timeout_s, tls=_tls(target),
                server_hostname=target.host,
            )  # fmt: skip
            stack.push_async_callback(transport.close)
            played = await _fire(what, plan, transport, recorder, links, console)
    except BaseException:
        await recorder.close()
        raise
    return _conclude(what, plan, played, await recorder.close(), console)


async def _fire(
    what: ReplayPlan,
    plan: Plan,
    transport: Http1Transport,
    recorder: Recorder,
    links: LinkIndex | None,
    console: Console,
) -> Played:
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # A bar that is drawn nowhere still costs a lock for each request.
    shown_bar = console.is_terminal and not console.quiet
    with Progress(*columns, console=console, disable=not shown_bar, transient=True) as progress:
        bar = progress.add_task("replaying", total=len(plan.steps))
        runner = Runner(
            plan,
            transport,
            recorder,
            pace=what.pace,
            concurrency=what.concurrency,
            service=recorder_service(what),
            links=links,
            seed=what.seed,
            progress=(lambda: progress.advance(bar)) if shown_bar else None,
        )
        return await runner.run()


def recorder_service(what: ReplayPlan) -> str:
    """What the replayed service is called."""
    return what.config.service.name if what.config is not None else "service"


class _up:  # noqa: N801  # reads as the verb it is: `async with _up(side) as url`
    """A side, up for the length of a block; its base URL."""

    def __init__(self, side: Side) -> None:
        self._side = side

    async def __aenter__(self) -> str:
        return await self._side.up()

    async def __aexit__(self, *_: object) -> None:
        await self._side.down()


async def _tap(text: TapText, recorder: Recorder, links: LinkIndex, stack: AsyncExitStack) -> None:
    assert text.upstream is not None
    tap = Tap(TapSpec(text.name, text.protocol, text.listen, text.upstream, Role.OUTBOUND), recorder, links)
    try:
        await tap.start()
    except OSError as error:
        raise UsageError(
            f"cannot listen on {shown(text.listen)}: {error.strerror}", "choose another address"
        ) from error
    stack.push_async_callback(tap.stop)


async def _resolve(target: Target, recorded: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, int]:
    """The one address that is fired at: resolved once, checked, then pinned."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=1)
    except OSError as error:
        raise UsageError(f"{target.host}: {error.strerror}", "--target names a host that can be reached") from error
    addresses = [str(each[4][0]) for each in found]
    check_target(target, addresses, recorded, allowed)
    return addresses[0], target.port


def _tls(target: Target) -> ssl.SSLContext | None:
    return ssl.create_default_context() if target.scheme == "https" else None


def _manifest(source: Manifest) -> Manifest:
    return Manifest(
        capture_id=secrets.token_hex(8),
        created_us=time.time_ns() // 1000,
        tool=f"seamline {version('seamline')}",
        engine="replay",
        service=source.service,
        replayed=source.capture_id,
    )


def _conclude(what: ReplayPlan, plan: Plan, played: Played, summary: Summary, console: Console) -> int:
    skipped = sum(plan.skipped.values())
    line = f"replayed {played.answered + played.failed}, failed {played.failed}, skipped {skipped}"
    if what.pace.timed and played.late_us:
        late = sorted(played.late_us)
        p99 = late[min(len(late) - 1, int(len(late) * 0.99))]
        line += f", late p50 {statistics.median(late) / 1000:.2f} ms p99 {p99 / 1000:.2f} ms"
        line += f", drift {played.drift * 100:.2f} %"
    if played.retried:
        line += f", sent again on a fresh connection {played.retried}"
    _say(console, line)
    if plan.skipped.get(WRITE_NOT_ALLOWED):
        _say(console, f"{plan.skipped[WRITE_NOT_ALLOWED]} requests with side effects were not sent: --allow-writes")
    _say(console, f"run {what.output}: {summary.recorded} exchanges, {losses_shown(summary.losses)}")
    if summary.failed is not None:
        raise CouldNotCheck(f"the run is not whole: {summary.failed}")
    if played.gone:
        raise CouldNotCheck("the target went away", f"{played.failed} of {len(plan.steps)} requests failed")
    if not played.answered:
        raise CouldNotCheck("nothing was answered", "is the target up?")
    return 0


def _why(plan: Plan) -> str:
    return "".join(f"; {count} {reason}" for reason, count in sorted(plan.skipped.items()))


def _hint(plan: Plan) -> str:
    if WRITE_NOT_ALLOWED in plan.skipped:
        return "--allow-writes fires requests with side effects"
    return "`seamline capture inspect` shows what it holds"


def _say(console: Console, line: str) -> None:
    console.print(Text(printable(line)), soft_wrap=True)
