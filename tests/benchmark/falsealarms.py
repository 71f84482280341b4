"""How often the judge alarms where nothing changed, and what it misses where something did.

Run it from the project's root: `PYTHONPATH=.typing:tests python -m benchmark.falsealarms [REPORTS] [SEEDS]`.
Simulated runs (simulated.py), judged as `verify` judges: a round, and more where `wanted` asks for them.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter

from seamline.diffing.judge import JudgeOptions, judge
from seamline.diffing.noise.undecided import MOST_ROUNDS, wanted
from seamline.diffing.report.model import Finding, Report, Severity
from seamline.diffing.rounds import Round, Run

from .simulated import MUTATIONS, Change, Mutation, simulate
from .wilson import wilson

OPTIONS = JudgeOptions(explain=False)
COUNTS = (20, 60, 150)


def verified(seed: str, count: int, change: Change | None = None) -> Report:
    """The report on one verification: rounds as long as `wanted` asks for them."""
    rounds: list[Round] = []
    noise: list[Run] = [simulate("noise", seed, count)]
    report = judge(rounds)
    for number in range(1, MOST_ROUNDS + 1):
        baseline = simulate(f"baseline-{number}", seed, count)
        rounds.append(Round(baseline, simulate(f"candidate-{number}", seed, count, change)))
        report = judge(rounds, noise, OPTIONS)
        if wanted(report, number) is None:
            break
    return report


def alarms(report: Report) -> list[Finding]:
    return [one for one in report.findings if one.severity > Severity.INFO]


def named(one: Finding) -> str:
    return f"{one.surface.value}.{one.kind}"


def is_found(report: Report, what: Mutation) -> bool:
    return any(
        named(one) in what.kinds and (not what.path or (one.path or "").startswith(what.path))
        for one in report.findings
    )


@dataclass
class Alarms:
    """Reports of a baseline against itself: `alarmed` of `reports`, and by what."""

    reports: int = 0
    alarmed: int = 0
    by: Counter[str] = field(default_factory=Counter)

    def add(self, report: Report) -> None:
        found = alarms(report)
        self.reports += 1
        self.alarmed += bool(found)
        self.by.update(f"{named(one)} {one.endpoint} {one.path or one.operation or ''}" for one in found)


def false_alarms(reports: int, count: int, first: int = 0) -> Alarms:
    """`reports` verifications of no change at all, of `count` requests each; seeds from `first` on."""
    found = Alarms()
    for number in range(first, first + reports):
        found.add(verified(f"aa-{count}-{number}", count))
    return found


@dataclass
class Recall:
    """Of one mutation: `found` at its place in `trials`, and what else was said."""

    found: int = 0
    trials: int = 0
    beside: Counter[str] = field(default_factory=Counter)


def recall(what: Mutation, seeds: int, count: int) -> Recall:
    """How often a mutation is found."""
    one = Recall()
    for seed in range(seeds):
        report = verified(f"mutation-{seed}", count, what.change)
        one.trials += 1
        one.found += is_found(report, what)
        one.beside.update(f"{named(each)} {each.path or ''}" for each in alarms(report))
    return one


def say(line: str) -> None:
    """Print a line as soon as it is known: the whole takes minutes."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(reports: int = 100, seeds: int = 3) -> None:
    """Print both tables."""
    began = perf_counter()
    say("| requests | reports | with a finding above info | upper bound (95 %) | by |\n|---|---|---|---|---|")
    for count in COUNTS:
        found = false_alarms(reports, count)
        high = wilson(found.alarmed, found.reports)[1]
        by = ", ".join(f"{each} ×{times}" for each, times in found.by.most_common(6))
        say(f"| {count} | {found.reports} | {found.alarmed} | {high:.1%} | {by} |")
    say("\n| mutation | inside noise | found | all that was said |\n|---|---|---|---|")
    total = Counter[bool]()
    hits = Counter[bool]()
    for what in MUTATIONS:
        one = recall(what, seeds, 120)
        said = ", ".join(f"{each} ×{times}" for each, times in one.beside.most_common(4))
        say(f"| {what.name} | {'yes' if what.inside else ''} | {one.found} of {one.trials} | {said} |")
        total[what.inside] += one.trials
        hits[what.inside] += one.found
    for where, words in ((False, "beside noise"), (True, "inside noise")):
        low, high = wilson(hits[where], total[where])
        say(f"recall {words}: {hits[where]} of {total[where]} ({low:.1%} to {high:.1%})")
    say(f"took {perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:3]))
