"""A verification: rounds of sides started afresh, replayed side by side, judged until the findings are sure.

It stands in `cli` because it calls replay and diffing, which do not know each other. The first round has a second
baseline, whose differences from the first are noise. Where it finds something above info, the rounds after it must
find the same again at fresh processes.
"""

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from ..capture.errors import CouldNotCheck, UsageError
from ..capture.model import Exchange, Manifest, Role
from ..capture.sanitize.rules import Rules
from ..capture.store.reader import open_capture
from ..capture.text import printable
from ..diffing.judge import judge
from ..diffing.report.formats import render
from ..diffing.report.model import Compared, Coverage, Report, Severity, Verdict
from ..diffing.rounds import JudgeOptions, Round, Run
from ..replay.plan import Plan, make_plan
from ..replay.sides import SideSpec, check_reachable
from .config import Config
from .rounds import BASELINE, CANDIDATE, NOISE, RoundPlan, play_round


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """What to verify: the configuration and what the command line says beside it."""

    config: Config
    captures: tuple[Path, ...]
    budget_s: float
    repeats: int
    fail_on: Severity
    only: str | None
    allow_writes: bool
    rules: Rules
    key: bytes
    seed: int


class Verification:
    """One verification of one change. Its runs and reports are kept in `folder`, below `.seamline/runs`."""

    def __init__(self, plan: VerifyPlan, console: Console) -> None:
        self.plan = plan
        self.folder = _run_folder(plan.config.folder)
        self._console = console
        self._until = time.monotonic() + plan.budget_s
        self._began = self._until
        self._left_out: list[str] = []

    async def run(self) -> Report:
        """Verify; the report, also written to the run folder as JSON and HTML."""
        await check_reachable(self.plan.config.downstreams)
        reports = [await self._verify(path) for path in self.plan.captures]
        report = reports[0] if len(reports) == 1 else _joined(reports)
        for format_ in ("json", "html"):
            (self.folder / f"report.{format_}").write_text(render(format_, report), encoding="utf-8")
        self._say(f"report: {self.folder / 'report.html'}")
        return report

    async def _verify(self, capture: Path) -> Report:
        source, plan = self._load(capture)
        noise: list[Run] = []
        rounds: list[Round] = []
        report: Report | None = None
        for number in range(1, max(2, self.plan.repeats - 1) + 1):
            names = (BASELINE, NOISE, CANDIDATE) if number == 1 else (BASELINE, CANDIDATE)
            runs = await self._round(number, names, plan, source.manifest, capture)
            if runs is None:
                break
            rounds.append(Round(runs[BASELINE], runs[CANDIDATE]))
            noise += [runs[NOISE]] if NOISE in runs else []
            report = judge(rounds, noise, self._options(capture))
            if all(finding.severity is Severity.INFO for finding in report.findings):
                break
        if report is None:
            raise CouldNotCheck("the budget ended before a round was replayed", "--budget 5m")
        return _completed(report, source, plan, self._left_out)

    def _load(self, path: Path) -> tuple[Run, Plan]:
        with open_capture(path) as capture:
            source = Run(capture.manifest, tuple(capture), capture.losses, capture.complete)
        started_by_us = all(self.plan.config.side(name).command is not None for name in (BASELINE, CANDIDATE))
        allowed = self.plan.allow_writes or started_by_us
        plan = make_plan(source.exchanges, allow_writes=allowed, where=_only(source.exchanges, self.plan.only))
        if not plan.steps:
            reasons = "".join(f"; {count} {why}" for why, count in sorted(plan.skipped.items()))
            raise CouldNotCheck(f"{path}: nothing to replay{reasons}")
        return source, plan

    async def _round(
        self, number: int, names: tuple[str, ...], plan: Plan, source: Manifest, capture: Path
    ) -> dict[str, Run] | None:
        """The runs of one round by side, or None where there is no time left for a whole one."""
        began = time.monotonic()
        if number > 1 and began + (began - self._began) > self._until:
            self._left_out.append(f"round {number}: the budget of {self.plan.budget_s:.0f} s was used up")
            return None
        self._began = began
        columns = (TextColumn(f"round {number}"), BarColumn(), MofNCompleteColumn())
        drawn = self._console.is_terminal and not self._console.quiet
        with Progress(*columns, console=self._console, disable=not drawn, transient=True) as progress:
            bar = progress.add_task("", total=len(plan.steps))
            round_plan = RoundPlan(
                number=number,
                sides=tuple(self._side(name) for name in names),
                plan=plan,
                folder=self.folder,
                source=source,
                trusted=capture,
                rules=self.plan.rules,
                key=self.plan.key,
                seed=self.plan.seed,
                in_time=lambda: time.monotonic() < self._until,
                progress=(lambda: progress.advance(bar)) if drawn else None,
            )
            fired, runs = await play_round(round_plan)
        if fired < len(plan.steps):
            self._left_out.append(f"{len(plan.steps) - fired} requests of round {number}: the budget was used up")
        self._say(f"round {number}: {fired} requests to {', '.join(names)} in {time.monotonic() - began:.1f} s")
        return runs if fired else None

    def _side(self, name: str) -> SideSpec:
        service = self.plan.config.side(CANDIDATE if name == CANDIDATE else BASELINE)
        return SideSpec(name, service, self.plan.config.downstreams)

    def _options(self, capture: Path) -> JudgeOptions:
        command = ["seamline", "verify", "--config", str(self.plan.config.path)]
        if len(self.plan.captures) > 1 or capture not in self.plan.config.verify.capture:
            command += ["--capture", str(capture)]
        return JudgeOptions(self.plan.fail_on, self.plan.seed, shlex.join(command) + " --only {id}")

    def _say(self, line: str) -> None:
        self._console.print(Text(printable(line)), soft_wrap=True)


def _run_folder(project: Path) -> Path:
    """A new folder for the runs of one verification, named by its time (UTC)."""
    runs = project / ".seamline" / "runs"
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 1000):
        folder = runs / f"{stamp}-{number}"
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise UsageError(f"{runs}: too many runs in one second")


def _only(exchanges: Sequence[Exchange], wanted: str | None) -> Callable[[Exchange], bool] | None:
    """Chooses the exchange `wanted` and what its session did before it; everything where None is wanted."""
    if wanted is None:
        return None
    found = next((each for each in exchanges if each.id == wanted and each.role is Role.INBOUND), None)
    if found is None:
        raise UsageError(f"--only {wanted}: the capture has no such inbound exchange", "`seamline capture inspect`")
    last = found

    def chosen(exchange: Exchange) -> bool:
        return exchange.session == last.session and exchange.started_us <= last.started_us

    return chosen


def _completed(report: Report, source: Run, plan: Plan, left_out: Sequence[str]) -> Report:
    """`report` with what the replayed capture itself lacks, and what was never sent."""
    losses = source.losses
    capture = Compared(
        sum(1 for each in source.exchanges if each.role is Role.INBOUND),
        losses.dropped,
        losses.withheld,
        losses.truncated,
        losses.expired,
    )
    unverified = [*left_out, *(f"{count} requests not sent: {why}" for why, count in sorted(plan.skipped.items()))]
    if not source.complete:
        unverified.append("the capture was not finished by its recorder")
    coverage = replace(report.coverage, unverified=(*report.coverage.unverified, *unverified))
    return replace(report, capture=capture, coverage=coverage)


def _joined(reports: Sequence[Report]) -> Report:
    """One report of several captures: the worst verdict, and everything that each of them says."""
    order = (Verdict.DIVERGED, Verdict.INCONCLUSIVE, Verdict.SAME)
    worst = min(reports, key=lambda report: order.index(report.verdict))
    return Report(
        verdict=worst.verdict,
        reason="; ".join(report.reason for report in reports if report.reason) or None,
        capture=Compared(
            *(sum(values) for values in zip(*(astuple(report.capture) for report in reports), strict=True))
        ),
        findings=tuple({finding.id: finding for report in reversed(reports) for finding in report.findings}.values()),
        suppressed=tuple(each for report in reports for each in report.suppressed),
        latency=tuple(each for report in reports for each in report.latency),
        coverage=Coverage(
            tuple(dict.fromkeys(each for report in reports for each in report.coverage.endpoints)),
            tuple(each for report in reports for each in report.coverage.unverified),
        ),
    )
