"""A recording from its start to its summary: engines up, wait for the end, drain, count."""

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.text import Text

from ..capture.addresses import Address, TapText, shown
from ..capture.engines.door import Engine, EngineSpec, choose_engine, open_engine, open_tap
from ..capture.engines.listener import TapSpec
from ..capture.errors import CouldNotCheck, UsageError
from ..capture.linking.traces import with_defaults
from ..capture.links import LinkIndex
from ..capture.model import Manifest, Role
from ..capture.recorder import Recorder, Summary
from ..capture.sample import Sampler
from ..capture.sanitize.rules import Rules
from ..capture.text import printable
from ..replay.sides import Side, SideSpec
from ..replay.standins import as_recorded
from .config import Config

_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """What to record. With a `config` its service is started, with a tap on every downstream; `state` is the
    project's `.seamline` folder."""

    listen: Address | None
    upstream: str | None
    engine: str
    taps: tuple[TapText, ...]
    config: Config | None
    service: str
    output: Path
    duration_s: float | None
    most: int | None
    rules: Rules
    key: bytes
    state: Path
    sample: float
    body_cap: int


async def run_recording(plan: RecordPlan, console: Console) -> int:
    """Record until a signal, the duration or the number of exchanges ends it; the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    for listen in (plan.listen, *(tap.listen for tap in plan.taps)):
        _check_free(listen)
    manifest = _manifest(plan)
    earlier = _Earlier(plan.output)
    try:
        recorder = await Recorder.open(plan.output, manifest, key=plan.key, rules=plan.rules, most=plan.most)
    except BaseException:
        earlier.restore()
        raise
    session = _Session(plan, recorder, manifest.capture_id)
    try:
        async with session.engines:
            await _unless_stopped(session.start(console), stop)
            earlier.forget()
            await session.wait(stop, console)
    except BaseException:
        summary = await recorder.close()
        if session.begun:
            _conclude(summary)
        else:
            # An empty capture would only be mistaken for one.
            plan.output.unlink(missing_ok=True)
            earlier.restore()
        raise
    return _conclude(await recorder.close())


class _Earlier:
    """What stood at the capture's place: a recording that does not begin takes no earlier one away."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._kept: Path | None = None
        if place.is_file() and not place.is_symlink():
            self._kept = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
            place.rename(self._kept)

    def restore(self) -> None:
        """Put it back."""
        if self._kept is not None:
            self._kept.replace(self._place)

    def forget(self) -> None:
        """It is replaced."""
        if self._kept is not None:
            self._kept.unlink(missing_ok=True)
            self._kept = None


class _Session:
    """The engines of one recording, stopped in reverse order when `engines` is left."""

    def __init__(self, plan: RecordPlan, recorder: Recorder, salt: str) -> None:
        self.engines = AsyncExitStack()
        self.begun = False
        self._plan = plan
        self._recorder = recorder
        downstream = plan.taps or (plan.config is not None and plan.config.downstreams)
        chosen = plan.config.record.trace_headers if plan.config is not None else ()
        self._links = LinkIndex(with_defaults(chosen)) if downstream else None
        self._sampler = Sampler(plan.sample, salt) if plan.sample < 1 else None
        self._side: Side | None = None

    async def start(self, console: Console) -> None:
        """Downstream taps first, then the service, the inbound listener last: nothing passes unseen."""
        plan = self._plan
        for text in plan.taps:
            assert text.upstream is not None
            spec = TapSpec(text.name, text.protocol, text.listen, text.upstream, Role.OUTBOUND)
            place = await self._started(self._tap(spec), text.listen)
            _say(console, f"tap {text.name}: {shown(place)} -> {shown(text.upstream)}")
        upstream = plan.upstream
        if plan.config is not None:
            upstream = await self._service(plan.config)
        where, certificate = "the taps", None
        if plan.listen is not None:
            confdir = plan.state / "proxy"
            how = EngineSpec(plan.listen, upstream, plan.service, confdir, body_cap=plan.body_cap)
            engine = open_engine(plan.engine, how, self._recorder, self._links, sampler=self._sampler)
            place = await self._started(engine, plan.listen)
            where = f"http://{shown(place)} -> {upstream or 'any host'}"
            certificate = engine.certificate
        self.begun = True
        _say(console, f"recording {where} into {plan.output}")
        if certificate is not None:
            _say(console, f"clients have to trust {certificate}")

    async def wait(self, stop: asyncio.Event, console: Console) -> None:
        """Until something ends the recording. A dead sanitizer does not: the traffic still needs its way through."""
        loop = asyncio.get_running_loop()
        until = None if self._plan.duration_s is None else loop.time() + self._plan.duration_s
        told = False
        ends = [loop.create_task(event.wait()) for event in (stop, self._recorder.filled)]
        try:
            while until is None or loop.time() < until:
                left = _LOOK_EVERY_S if until is None else min(_LOOK_EVERY_S, max(0.0, until - loop.time()))
                done, _ = await asyncio.wait(ends, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    return
                if self._side is not None:
                    self._side.check_alive()
                if self._recorder.failed and not told:
                    told = True
                    _say(console, f"{self._recorder.failed}: traffic goes on, but nothing is recorded any more")
        finally:
            for end in ends:
                end.cancel()

    def _tap(self, spec: TapSpec) -> Engine:
        return open_tap(spec, self._recorder, self._links, sampler=self._sampler, body_cap=self._plan.body_cap)

    async def _started(self, engine: Engine, listen: Address) -> Address:
        try:
            place = await engine.start()
        except OSError as error:
            raise _cannot_listen(listen, error) from error
        self.engines.push_async_callback(engine.stop)
        return place

    async def _service(self, config: Config) -> str:
        spec = SideSpec("service", config.service, as_recorded(config.downstreams))
        # What it calls past its taps is real traffic: a recording stands in nobody's way.
        side = Side(spec, self._recorder, self._links or LinkIndex(), guarded=False)
        self.engines.push_async_callback(side.down)
        self._side = side
        return await side.up()


def _check_free(listen: Address | None) -> None:
    """Look before the capture is opened: an address in use must not cost the capture that stands there."""
    if listen is None or listen[1] == 0:
        return
    try:
        family, kind, proto, _, address = socket.getaddrinfo(*listen, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise _cannot_listen(listen, error) from error


def _cannot_listen(listen: Address, error: OSError) -> UsageError:
    # A resolver's error numbers are negative and its sentence is its own; the system's have a word each.
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return UsageError(f"cannot listen on {shown(listen)}: {reason}", "choose another address")


def _manifest(plan: RecordPlan) -> Manifest:
    hosts = [shown(tap.upstream) for tap in plan.taps if tap.upstream is not None]
    if plan.config is not None:
        hosts += [shown(each.address) for each in plan.config.downstreams if each.address is not None]
    elif plan.upstream is not None:
        hosts.append(urlsplit(plan.upstream).netloc.rpartition("@")[2])
    return Manifest(
        capture_id=secrets.token_hex(8),
        created_us=time.time_ns() // 1000,
        tool=f"seamline {version('seamline')}",
        engine="tap" if plan.config is not None or plan.listen is None else choose_engine(plan.engine, plan.upstream),
        service=plan.service,
        hosts=tuple(hosts),
        notes={"sample": f"{plan.sample:g}"} if plan.sample < 1 else {},
    )


async def _unless_stopped(start: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Start, unless a signal comes first: then what has started is taken down again."""
    starting = asyncio.ensure_future(start)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
        try:
            await starting
        except asyncio.CancelledError as error:
            raise CouldNotCheck("stopped before the recording had begun") from error
    finally:
        stopping.cancel()


def _conclude(summary: Summary) -> int:
    """The contract's last line, and the exit code."""
    losses = summary.losses
    if summary.failed is not None:
        click.echo(f"seamline: {printable(summary.failed)}", err=True)
    if losses.reasons:
        # Before the contract's line, which stays the last: what is missing, and why.
        reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(losses.reasons.items()))
        click.echo(f"lost: {printable(reasons, 2000)}", err=True)
    counts = (summary.recorded, losses.dropped, losses.withheld, losses.truncated)
    click.echo("recorded {}, dropped {}, withheld {}, truncated {}".format(*counts), err=True)
    return 0 if summary.failed is None else 3


def _say(console: Console, line: str) -> None:
    console.print(Text(printable(line)), soft_wrap=True)
