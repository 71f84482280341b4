"""A verification: rounds of sides started afresh, replayed side by side, judged until the findings are sure.

It stands in `cli` because it calls replay and diffing, which do not know each other. The first round has a second
baseline, whose differences from the first are noise. Where it finds something above info, the rounds after it must
find the same again at fresh processes.
"""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from ..capture.errors import CouldNotCheck, UsageError
from ..capture.model import TRIED, Exchange, Manifest, Role
from ..capture.sanitize.rules import Rules
from ..capture.sanitize.sanitizer import Sanitizer
from ..capture.store.reader import open_capture
from ..capture.text import printable
from ..diffing.judge import judge_and_learn
from ..diffing.latency.stages import more_wanted, undecided
from ..diffing.noise.undecided import MOST_ROUNDS, wanted
from ..diffing.report.formats import render
from ..diffing.report.model import Report, Severity, Verdict
from ..diffing.rounds import JudgeOptions, Round, Run
from ..diffing.states.races import Overlapped, race_findings
from ..replay.buses import buses_of, check_buses
from ..replay.environments.spec import DownstreamSpec
from ..replay.isolation.door import Isolation
from ..replay.overlap import Beat, beats_of
from ..replay.plan import WRITE_NOT_ALLOWED, Plan, make_plan, with_effects
from ..replay.safety import is_write
from ..replay.sides import SideSpec, check_reachable
from ..replay.standins import stubbed_places
from ..replay.stubs.book import Book
from ..replay.stubs.tally import OTHER_KEY, missed_by_downstream
from ..replay.values.confirm import confirm
from ..replay.values.links import ValueLinks, find_links
from ..replay.values.needs import Needs, http_in_order, needs_of
from ..replay.values.session import Unsent
from .cascade import cascade
from .conclusion import conclude, join
from .config import Config
from .noise_memory import NoiseMemory
from .racing import ROUNDS, is_quiet, with_races
from .rounds import BASELINE, CANDIDATE, NOISE, RoundPlan, RoundResult, in_turn, play_round, untapped
from .selftest import with_self_test
from .timing import focused, unfinished


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
    allowed: tuple[str, ...]
    rules: Rules
    key: bytes
    seed: int
    self_test: bool = False


class Verification:
    """One verification of one change. Its runs and reports are kept in `folder`, below `.seamline/runs`."""

    def __init__(self, plan: VerifyPlan, console: Console) -> None:
        self.plan = plan
        self.folder = _run_folder(plan.config.folder)
        self._console = console
        self._isolation = Isolation(plan.config.service.env)
        # Where any capture's messages are produced.
        self._produced: frozenset[str] = frozenset()
        self._until = time.monotonic() + plan.budget_s
        self._began = self._until

    async def run(self) -> Report:
        """Verify; the report, also written to the run folder as JSON and HTML."""
        loaded = [self._load(path) for path in self.plan.captures]
        if any(side.service.is_started for side in self._sides()):
            await _reachable(self.plan.config.downstreams)
        for _, source, plan, _ in loaded:
            await check_buses(plan, self.plan.config.downstreams, source.manifest.hosts, self.plan.allowed)
            self._produced |= plan.message_buses
        try:
            reports = [await self._verify(*each) for each in loaded]
        finally:
            await self._drop_clones()
        report = reports[0] if len(reports) == 1 else join(reports)
        for format_ in ("json", "html"):
            (self.folder / f"report.{format_}").write_text(render(format_, report), encoding="utf-8")
        self._say(f"report: {self.folder / 'report.html'}")
        return report

    async def _verify(self, capture: Path, source: Run, plan: Plan, needs: Needs) -> Report:
        notes = self._unseen()
        book = self._book(source)
        if book is not None and not book.knows_key_of(source.manifest):
            notes.append(OTHER_KEY)
        noise: list[Run] = []
        rounds: list[Round] = []
        blank: set[str] = set()
        unsent: dict[str, Unsent] = {}
        memory = await NoiseMemory.of(self.plan.config.folder, self._side(BASELINE).service, source.manifest.capture_id)
        report, learnt = judge_and_learn(rounds, known=memory.known)
        replayed = 0
        for number in range(1, max(self._rounds, MOST_ROUNDS) + 1):
            names = (BASELINE, NOISE, CANDIDATE) if number == 1 else (BASELINE, CANDIDATE)
            if number > 1 and not self._time_for_another():
                notes.append(f"round {number}, to confirm: the budget of {self.plan.budget_s:g} s was used up")
                break
            fired, runs, values = await self._round(number, names, plan, source.manifest, capture, book, needs)
            if not fired:
                break
            if number == 1:
                found = confirm(needs, [values[BASELINE], values[NOISE]])
                notes += found.notes()
                self._say(found.line())
                unsent = values[BASELINE].unsent | values[CANDIDATE].unsent
            self._note(notes, [*_missed(runs), *_tried(runs)])
            blank |= _blank(book, runs[BASELINE])
            replayed = max(replayed, fired)
            rounds.append(Round(runs[BASELINE], runs[CANDIDATE]))
            noise += [runs[NOISE]] if NOISE in runs else []
            report, learnt = judge_and_learn(
                rounds, noise, self._options(capture), recording=source, known=memory.known
            )
            if wanted(report, number, least=self._rounds) is None:
                break
        what = (plan, source.manifest, capture, book, needs)
        played: list[Overlapped] = []
        if replayed == len(plan.steps) and is_quiet(report):
            played = await self._race(len(rounds) + 1, notes, beats_of(plan, source.exchanges), what)
        timing = await self._time_again(report, rounds, noise, notes, what, len(played))
        if timing:
            report, learnt = judge_and_learn(rounds, noise, self._options(capture), timing, source, memory.known)
        memory.keep(learnt, self._run_folder(capture))
        report = cascade(self._fair(report), source.exchanges, unsent, len(plan.steps))
        if len(played) == ROUNDS:
            report = with_races(report, race_findings(played), self.plan.fail_on)
        report = conclude(report, source, plan, replayed, notes, sorted(blank))
        return self._self_tested(report, rounds, noise) if self.plan.self_test else report

    def _self_tested(self, report: Report, rounds: Sequence[Round], noise: Sequence[Run]) -> Report:
        tested, line = with_self_test(report, rounds, noise, self.plan.seed)
        self._say(line)
        return tested

    async def _time_again(
        self,
        report: Report,
        rounds: Sequence[Round],
        noise: Sequence[Run],
        notes: list[str],
        what: tuple[Plan, Manifest, Path, Book | None, Needs],
        raced: int,
    ) -> list[Round]:
        """Rounds at fresh processes that replay only what may have got slower, as many as are needed to tell and the
        budget has room for. Their times alone count. Where the verdict stands already nobody waits for them: the next
        verification is that of the mended change."""
        plan, source, capture, book, needs = what
        sides = self._sides()
        if in_turn(sides, plan.message_buses) is not None or not all(side.service.is_started for side in sides):
            return []
        wanted = more_wanted(rounds, noise)
        timing: list[Round] = []
        if wanted is None:
            return timing
        if report.verdict is Verdict.DIVERGED:
            notes.append(unfinished(wanted, 0, "as the verdict stands without"))
            return timing
        part = focused(plan, wanted, needs)
        while undecided(wanted, timing):
            if not self._time_for_another():
                notes.append(unfinished(wanted, len(timing), f"the budget of {self.plan.budget_s:g} s was used up"))
                break
            number = len(rounds) + raced + len(timing) + 1
            try:
                fired, runs, _ = await self._round(number, (BASELINE, CANDIDATE), part, source, capture, book, needs)
            except CouldNotCheck as error:
                # What the rounds before it found stands.
                self._note(notes, [unfinished(wanted, len(timing), error.message)])
                break
            if fired < len(part.steps):
                break
            timing.append(Round(runs[BASELINE], runs[CANDIDATE]))
        return timing

    async def _race(
        self,
        number: int,
        notes: list[str],
        beats: tuple[Beat, ...],
        what: tuple[Plan, Manifest, Path, Book | None, Needs],
    ) -> list[Overlapped]:
        """Rounds, the first being `number`, in which requests overlap as they did when recorded: one where that shows
        nothing, else as many as it takes to rule out chance."""
        sides = self._sides()
        played: list[Overlapped] = []
        if not beats or in_turn(sides, what[0].message_buses) or not all(side.service.is_started for side in sides):
            return played
        while len(played) < ROUNDS:
            if not self._time_for_another():
                notes.append(f"races: {len(played)} of {ROUNDS} rounds with overlaps: the budget was used up")
                break
            names = (BASELINE, NOISE, CANDIDATE)
            try:
                fired, runs, _ = await self._round(number + len(played), names, *what, beats)
            except CouldNotCheck as error:
                # What the rounds before it found stands.
                self._note(notes, [f"races: {error.message}"])
                break
            if fired < len(what[0].steps):
                notes.append("races: a round with overlapping requests did not come to its end")
                break
            played.append(Overlapped((runs[BASELINE], runs[NOISE]), runs[CANDIDATE]))
            if not race_findings(played):
                break
        return played

    def _book(self, source: Run) -> Book | None:
        """The answers of the stubs, where there are any."""
        places = stubbed_places(self.plan.config.downstreams)
        if not places:
            return None
        sanitizer = Sanitizer(self.plan.key, self.plan.rules)
        sanitizer.trust_requests(source.exchanges)
        return Book(source.exchanges, places, sanitizer)

    def _note(self, notes: list[str], found: Sequence[str]) -> None:
        """Say once what was found in a round, and keep it for the report."""
        for note in found:
            if note not in notes:
                notes.append(note)
                self._say(note)

    @property
    def _rounds(self) -> int:
        """So many where anything is found: the first has two baselines, and one at least confirms. Where that is rare
        or noisy, there are more."""
        return max(2, self.plan.repeats - 1)

    async def _drop_clones(self) -> None:
        try:
            await self._isolation.close()
        except CouldNotCheck as error:
            # The verdict stands: what stays behind is found by the next run.
            self._say(str(error))

    def _load(self, path: Path) -> tuple[Path, Run, Plan, Needs]:
        with open_capture(path) as capture:
            source = Run(capture.manifest, tuple(capture), capture.losses, capture.complete)
        started_by_us = all(self.plan.config.side(name).is_started for name in (BASELINE, CANDIDATE))
        allowed = self.plan.allow_writes or started_by_us
        # Past every tap nobody sees a message consumed.
        tapped = self.plan.config.downstreams if started_by_us else ()
        links = find_links(http_in_order(source.exchanges))
        plan = make_plan(
            source.exchanges,
            allow_writes=allowed,
            where=_only(source.exchanges, self.plan.only, links),
            buses=buses_of(tapped, allow_writes=self.plan.allow_writes),
        )
        plan = with_effects(plan, source.exchanges)
        if not plan.steps:
            reasons = "".join(f"; {count} {why}" for why, count in sorted(plan.skipped.items()))
            hint = "--allow-writes fires requests with side effects" if WRITE_NOT_ALLOWED in plan.skipped else ""
            raise CouldNotCheck(f"{path}: nothing to replay{reasons}", hint)
        return path, source, plan, needs_of(plan, source.exchanges, links)

    def _time_for_another(self) -> bool:
        """Whether a round as long as the last one fits the budget."""
        now = time.monotonic()
        return now + (now - self._began) <= self._until

    async def _round(
        self,
        number: int,
        names: tuple[str, ...],
        plan: Plan,
        source: Manifest,
        capture: Path,
        book: Book | None,
        needs: Needs,
        beats: tuple[Beat, ...] = (),
    ) -> RoundResult:
        """What was fired of one round before the budget ended, and its runs by side; overlapping as `beats` say."""
        self._began = time.monotonic()
        columns = (TextColumn(f"round {number}"), BarColumn(), MofNCompleteColumn())
        drawn = self._console.is_terminal and not self._console.quiet
        sides = tuple(self._side(name) for name in names)
        # Side after side, each of them is sent the plan.
        total = len(plan.steps) * (len(sides) if in_turn(sides, plan.message_buses) is not None else 1)
        with Progress(*columns, console=self._console, disable=not drawn, transient=True) as progress:
            bar = progress.add_task("", total=total)
            round_plan = RoundPlan(
                number=number,
                sides=sides,
                plan=plan,
                folder=self._run_folder(capture),
                source=source,
                trusted=capture,
                rules=self.plan.rules,
                key=self.plan.key,
                seed=self.plan.seed,
                in_time=lambda: time.monotonic() < self._until,
                isolation=self._isolation,
                headers=self.plan.config.replay_headers,
                book=book,
                ahead=(self._side(BASELINE), self._side(CANDIDATE)) if number < self._rounds else (),
                allowed=self.plan.allowed,
                trace_headers=self.plan.config.record.trace_headers,
                needs=needs,
                beats=beats,
                progress=(lambda: progress.advance(bar)) if drawn else None,
            )
            result = await play_round(round_plan)
        took = time.monotonic() - self._began
        how = ", overlapping," if beats else ""
        said = f"{result.fired} of {len(plan.steps)} requests to {', '.join(names)}{how} in {took:.1f} s"
        self._say(f"round {number}: {said}")
        return result

    def _run_folder(self, capture: Path) -> Path:
        """Where the runs of one capture go: a folder each where there are several captures."""
        if len(self.plan.captures) == 1:
            return self.folder
        folder = self.folder / f"capture-{self.plan.captures.index(capture) + 1}"
        folder.mkdir(exist_ok=True)
        return folder

    def _sides(self) -> tuple[SideSpec, ...]:
        return tuple(self._side(name) for name in (BASELINE, NOISE, CANDIDATE))

    def _fair(self, report: Report) -> Report:
        """`report` without latencies where the sides did not run side by side."""
        return report if in_turn(self._sides(), self._produced) is None else replace(report, latency=())

    def _unseen(self) -> list[str]:
        """What the configuration keeps from being compared."""
        notes = []
        shared, blind = in_turn(self._sides(), self._produced), untapped(self._sides())
        if shared is not None:
            notes.append(f"latency: the sides share {shared} and ran one after another")
        if blind is not None:
            notes.append(f"downstream calls: {blind.name} runs already at {blind.service.url}, past every tap")
        return notes

    def _side(self, name: str) -> SideSpec:
        service = self.plan.config.side(CANDIDATE if name == CANDIDATE else BASELINE)
        return SideSpec(name, service, self.plan.config.downstreams)

    def _options(self, capture: Path) -> JudgeOptions:
        command = ["seamline", "verify", "--config", str(self.plan.config.path)]
        if len(self.plan.captures) > 1 or capture not in self.plan.config.verify.capture:
            command += ["--capture", str(capture)]
        return JudgeOptions(self.plan.fail_on, self.plan.seed, shlex.join(command) + " --only {id}")

    def _say(self, line: str) -> None:
        if line:
            self._console.print(Text(printable(line)), soft_wrap=True)


async def _reachable(downstreams: Sequence[DownstreamSpec]) -> None:
    try:
        await check_reachable(downstreams)
    except CouldNotCheck as error:
        raise CouldNotCheck(error.message, 'start it, or let the capture answer for it: mode = "stub"') from error


def _tried(runs: Mapping[str, Run]) -> list[str]:
    """Where services wanted to call past their downstreams, and were refused."""
    return [
        f"{side} {reason}, which is no downstream: it was refused"
        for side, run in runs.items()
        for reason in sorted(run.losses.reasons)
        if reason.startswith(TRIED)
    ]


def _missed(runs: Mapping[str, Run]) -> list[str]:
    """What the stubs had no answer to."""
    return [
        f'{side}: {count} calls to the stub of "{downstream}" found no recorded answer'
        for side, run in runs.items()
        for downstream, count in sorted(missed_by_downstream(run.exchanges).items())
    ]


def _blank(book: Book | None, baseline: Run) -> set[str]:
    """The downstreams that the baseline called, and of which the stubs' capture has nothing."""
    return set() if book is None else set(missed_by_downstream(baseline.exchanges)) & book.blank


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


def _only(exchanges: Sequence[Exchange], wanted: str | None, links: ValueLinks) -> Callable[[Exchange], bool] | None:
    """Chooses the exchange `wanted` and what it may depend on: what its session did before it, every write before it,
    whoever made it, and whatever gave a value to any of these. Everything where None is wanted."""
    if wanted is None:
        return None
    found = next((each for each in exchanges if each.id == wanted and each.role is Role.INBOUND), None)
    if found is None:
        raise UsageError(f"--only {wanted}: the capture has no such inbound exchange", "`seamline capture inspect`")
    last = found

    def concerns(exchange: Exchange) -> bool:
        own = exchange.session == last.session or is_write(exchange.request)
        return own and exchange.started_us <= last.started_us

    needed = {each.id for each in exchanges if each.role is Role.INBOUND and concerns(each)}
    left = list(needed)
    while left:
        given = {link.producer for link in links.of(left.pop())} - needed
        needed |= given
        left += given
    return lambda exchange: exchange.id in needed or concerns(exchange)
