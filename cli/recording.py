"""A recording from its start to its summary: engines up, wait for the end, drain, count."""

import asyncio
import secrets
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from ..capture.addresses import Address, TapText, shown
from ..capture.engines.door import EngineSpec, choose_engine, open_engine
from ..capture.engines.tap import Tap, TapSpec
from ..capture.errors import SeamlineError, UsageError
from ..capture.links import LinkIndex
from ..capture.model import Manifest, Role
from ..capture.recorder import Recorder, Summary
from ..capture.sample import Sampler
from ..capture.sanitize.rules import Rules
from ..capture.text import printable
from ..replay.sides import Side, SideSpec
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
    manifest = _manifest(plan)
    recorder = await Recorder.open(plan.output, manifest, key=plan.key, rules=plan.rules, most=plan.most)
    summary: Summary | None = None
    try:
        async with AsyncExitStack() as engines:
            session = _Session(plan, recorder, manifest.capture_id, engines)
            await _unless_stopped(session.start(console), stop)
            await session.wait(stop, console)
    finally:
        summary = await recorder.close()
    return _conclude(summary)


class _Session:
    """The engines of one recording, stopped in reverse order by `engines`."""

    def __init__(self, plan: RecordPlan, recorder: Recorder, salt: str, engines: AsyncExitStack) -> None:
        self._plan = plan
        self._recorder = recorder
        self._links = LinkIndex()
        self._sampler = Sampler(plan.sample, salt) if plan.sample < 1 else None
        self._engines = engines
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
        where = "the taps"
        if plan.listen is not None:
            spec = EngineSpec(
                plan.listen, upstream, plan.service, plan.state / "proxy", body_cap=plan.body_cap
            )
            engine = open_engine(plan.engine, spec, self._recorder, self._links, sampler=self._sampler)
            place = await self._started(engine, plan.listen)
            where = f"http://{shown(place)} -> {upstream or 'any host'}"
        _say(console, f"recording {where} into {plan.output}")

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

    def _tap(self, spec: TapSpec) -> Tap:
        return Tap(spec, self._recorder, self._links, sampler=self._sampler, body_cap=self._plan.body_cap)

    async def _started(self, engine: "Tap | object", listen: Address) -> Address:
        raise NotImplementedError

    async def _service(self, config: Config) -> str:
        side = Side(SideSpec("service", config.service, config.downstreams), self._recorder, self._links)
        self._engines.push_async_callback(side.down)
        self._side = side
        return await side.up()
