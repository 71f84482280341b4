"""The driver: for each seed one recording a load, for each case one `seamline verify`. Edge: starts processes, waits.

Rules: only the command line is used, as a user would; what has a report is not run again; one case that fails is a
trial without a report, never the end of the run.
"""

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, field
from pathlib import Path

from .cases import Case, flags_of, noise_of
from .comparisons import places
from .results import Results
from .system import SEAMLINE, Load, SystemFailed, configured, end, environment, record
from .trial import Report, Trial, judge, judge_mixture

Process = subprocess.Popen[str]
LOADS = {
    "plain": Load("plain", 160),
    "many": Load("many", 700, focus=True),
    "thousands": Load("thousands", 2300, focus=True),
    "concurrent": Load("concurrent", 240, clients=8),
}
LOAD_OF = {"fault": "plain"}
"""Modes that share another one's recording."""
BUDGET_S = {"plain": 180, "many": 400, "thousands": 1200, "concurrent": 180}
PATIENCE = 3
"""A verification that takes so many times its budget is hung."""


@dataclass(frozen=True, slots=True)
class Driver:
    """Runs cases. `say` is told of each one that has ended; `under_way` are verifications that have not."""

    results: Results
    ports: Mapping[str, int]
    cases: Mapping[str, Case]
    say: Callable[[str], None]
    under_way: set[Process] = field(default_factory=set)

    def run(self, chosen: Sequence[Case], seeds: Sequence[int], jobs: int) -> None:
        """Every chosen case with every seed, `jobs` at a time."""
        for seed in seeds:
            waiting = [case for case in chosen if self.results.report(case, seed) is None]
            for load in dict.fromkeys(load_of(case) for case in waiting):
                self._record(LOADS[load], seed)
            with ThreadPoolExecutor(jobs) as pool:
                futures = [pool.submit(self._verify, case, seed) for case in waiting]
                try:
                    for done in as_completed(futures):
                        self.say(done.result())
                except BaseException:
                    # What has not begun does not begin; what is under way is told to take down its services.
                    pool.shutdown(wait=False, cancel_futures=True)
                    self._stop(futures)
                    raise

    def _stop(self, futures: Sequence[Future[str]]) -> None:
        """End each verification once: a second signal would cut its teardown short."""
        told: set[Process] = set()
        while any(future.running() for future in futures):
            for process in tuple(self.under_way - told):
                process.terminate()
                told.add(process)
            wait(futures, timeout=0.2)

    def _record(self, load: Load, seed: int) -> None:
        """Record, and count the places, unless that was done before."""
        capture = self.results.capture(seed, load.name)
        if self.results.compared(seed, load.name).exists():
            return
        config = self.results.folder(seed) / f"{load.name}.toml"
        noise = "1" if self.results.noise else "0"
        config.write_text(configured(self.ports, flags=(), noise=noise, capture=capture), encoding="utf-8")
        self.say(f"seed {seed}, {load.name}: {record(config, load, seed)}")
        shown = subprocess.run(
            [*SEAMLINE, "capture", "inspect", str(capture), "--format", "json"],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if shown.returncode:
            raise SystemFailed(f"{capture} cannot be read: {shown.stderr.strip()[-400:]}")
        count = places(json.loads(line) for line in shown.stdout.splitlines())
        self.results.compared(seed, load.name).write_text(f"{count}\n", encoding="utf-8")

    def _verify(self, case: Case, seed: int) -> str:
        """One verification; a line that says what came of it."""
        began = time.monotonic()
        self.results.forget(case, seed)
        work, load = self.results.work(case, seed), load_of(case)
        work.mkdir()
        config = work / "seamline.toml"
        flags, noise = flags_of(case, self.cases), noise_of(case, everything=self.results.noise)
        capture = self.results.capture(seed, load)
        config.write_text(configured(self.ports, flags=flags, noise=noise, capture=capture), encoding="utf-8")
        unfinished = work / "report.json"
        faults = ["--fault", case.fault] if case.fault else []
        command = [*SEAMLINE, "verify", "--config", str(config), "--seed", str(seed), "--budget", f"{BUDGET_S[load]}s"]
        code, said = run_to_end(
            [*command, *faults, "--format", "json", "-o", str(unfinished)],
            work,
            PATIENCE * BUDGET_S[load],
            self.under_way,
        )
        (work / "said.txt").write_text(said, encoding="utf-8")
        if unfinished.exists():
            unfinished.replace(self.results.path(case, seed))
        trials = self.judged(case, seed)
        if all(trial.outcome.value in ("found", "quiet") and not trial.strays for trial in trials):
            self.results.tidy(case, seed)
        outcome = ", ".join(f"{trial.case.id} {trial.outcome.value}" for trial in trials)
        return f"{case.id} seed {seed}: {outcome} (exit code {code}, {time.monotonic() - began:.0f} s)"

    def judged(self, case: Case, seed: int) -> list[Trial]:
        """The trials of `case` and `seed` as its report stands."""
        return judged(self.results, self.cases, case, seed)


def judged(results: Results, cases: Mapping[str, Case], case: Case, seed: int) -> list[Trial]:
    """The trials that a stored report gives: several for a mixture."""
    report: Report | None = results.report(case, seed)
    if case.parts:
        return judge_mixture(report, [cases[part] for part in case.parts], seed)
    return [judge(report, case, seed, comparisons=results.places(seed, load_of(case)))]


def load_of(case: Case) -> str:
    """The recording that `case` is verified with."""
    return LOAD_OF.get(case.mode, case.mode)


def run_to_end(command: Sequence[str], folder: Path, within_s: float, under_way: set[Process]) -> tuple[int, str]:
    """Run; exit code and what was said. What is hung is ended, with the code of that."""
    with subprocess.Popen(
        list(command),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        under_way.add(process)
        try:
            _, said = process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            end(process)
            said = f"hung: ended after {within_s:.0f} s"
        except BaseException:
            end(process)
            raise
        finally:
            under_way.discard(process)
    return process.returncode, said
