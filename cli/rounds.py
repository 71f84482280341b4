"""One round of a verification: sides up, the plan replayed side by side, sides down, the runs read back."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..capture.errors import CouldNotCheck, SeamlineError
from ..capture.links import LinkIndex
from ..capture.model import Manifest
from ..capture.recorder import Recorder
from ..capture.sanitize.rules import Rules
from ..capture.store.reader import open_capture
from ..diffing.rounds import Run
from ..replay.pace import AT_ONCE
from ..replay.paired import replay_paired
from ..replay.plan import Plan
from ..replay.runner import Runner
from ..replay.safety import parse_target
from ..replay.sides import Side, SideSpec
from ..replay.transport.http1 import Http1Transport

BASELINE, NOISE, CANDIDATE = "baseline", "noise", "candidate"


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What a round replays, at which sides. Runs are written to `folder` as `<side>-<number>.seam`; `source` is the
    manifest of the replayed capture and `trusted` its file, whose values pass unchanged."""

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
    progress: Callable[[], None] | None = None


async def play_round(what: RoundPlan) -> tuple[int, dict[str, Run]]:
    """Play the round; how many steps were fired, and the run of each side by its name."""
    async with AsyncExitStack() as stack:
        players = [_Player(what, spec) for spec in what.sides]
        # Taken down side by side too: each waits for its service to end.
        stack.push_async_callback(lambda: _side_by_side([player.down() for player in players]))
        await _side_by_side([player.up() for player in players])
        runners = [player.runner() for player in players]
        # Each round has an order of its own: an effect of the order does not show twice.
        fired = await replay_paired(
            what.plan, runners, seed=what.seed * 1000 + what.number, in_time=what.in_time, progress=what.progress
        )
        for player in players:
            player.check()
    return fired, {player.spec.name: player.run() for player in players}


class _Player:
    """A side with everything that belongs to it: recorder, links, transport, run file."""

    def __init__(self, what: RoundPlan, spec: SideSpec) -> None:
        self.spec = spec
        self._what = what
        self._path = what.folder / f"{spec.name}-{what.number}.seam"
        self._links = LinkIndex()
        self._recorder: Recorder | None = None
        self._side: Side | None = None
        self._transport: Http1Transport | None = None
        self._runner: Runner | None = None

    async def up(self) -> None:
        what = self._what
        self._recorder = await Recorder.open(
            self._path, _manifest(what.source, self.spec), key=what.key, rules=what.rules, trusted=what.trusted
        )
        self._side = Side(self.spec, self._recorder, self._links)
        target = parse_target(await self._side.up())
        address = (target.host, target.port)
        self._transport = Http1Transport(address, target.authority, self._recorder.clock)

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
            seed=self._what.seed,
        )
        return self._runner

    def check(self) -> None:
        """CouldNotCheck where the side did not live through the round, or answered nothing."""
        assert self._side is not None
        assert self._runner is not None
        self._side.check_alive()
        if not self._runner.played.answered:
            raise CouldNotCheck(f"{self.spec.name} answered none of {self._runner.played.failed} requests")

    async def down(self) -> None:
        if self._transport is not None:
            await self._transport.close()
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


async def _side_by_side(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all to their ends, whatever becomes of the others; the first error is raised then."""
    results = await asyncio.gather(*works, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    # A side that says why it failed says more than one that was cancelled for it.
    errors.sort(key=lambda error: not isinstance(error, SeamlineError))
    if errors:
        raise errors[0]


def _manifest(source: Manifest, spec: SideSpec) -> Manifest:
    return Manifest(
        capture_id=secrets.token_hex(8),
        created_us=time.time_ns() // 1000,
        tool=f"seamline {version('seamline')}",
        engine="verify",
        service=spec.service.name,
        replayed=source.capture_id,
        notes={"side": spec.name},
    )
