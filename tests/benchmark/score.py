"""What all trials come to: recall by group and difficulty, masking, false alarms, calibration, clusters. Pure."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .calibration import Bin, calibrate
from .cases import DIFFICULTIES
from .clusters import BCubed
from .trial import Outcome, Trial
from .wilson import Rate


@dataclass(frozen=True, slots=True)
class Mixture:
    """How a mixture's report was clustered: findings above info for each cause that was found (None: none was), and
    B-cubed over its requests."""

    id: str
    seed: int
    per_cause: float | None
    score: BCubed


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """`reports`: reports with an alarm that no variant explains, of those where nothing at all was changed for the worse
    (neutral cases, the baseline against itself). `strays`: alarms beside the hits, in reports of regressions."""

    reports: Rate
    strays: Rate
    per_1000: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """The whole result. `recall` by the name of its group ("all", "easy", "responses, hard", …); `placed` likewise with
    misnamed and too weak findings counted as found."""

    recall: dict[str, Rate]
    placed: dict[str, Rate]
    masking: Rate
    false_alarms: FalseAlarms
    calibration: list[Bin]
    per_cause: float | None
    mixtures: list[Mixture]
    steps: list[int]
    unjudged: int


def score(trials: Iterable[Trial], mixtures: Sequence[Mixture] = ()) -> Score:
    """Count everything. Trials without a verdict are misses where something was to be found, and counted apart."""
    all_trials = list(trials)
    regressions = [trial for trial in all_trials if not trial.case.is_neutral]
    ratios = [trial.told for trial in regressions if trial.told]
    return Score(
        recall=by_group(regressions, lambda trial: trial.outcome is Outcome.HIT),
        placed=by_group(regressions, lambda trial: trial.outcome in (Outcome.HIT, Outcome.WEAK, Outcome.MISNAMED)),
        masking=rate((trial for trial in regressions if trial.case.masked), lambda trial: trial.outcome is Outcome.HIT),
        false_alarms=false_alarms(all_trials),
        calibration=calibrate(claim for trial in all_trials for claim in trial.stated),
        per_cause=statistics.fmean(ratios) if ratios else None,
        mixtures=list(mixtures),
        steps=[length for trial in regressions for length in trial.steps],
        unjudged=sum(trial.outcome is Outcome.UNJUDGED for trial in all_trials),
    )


def by_group(trials: Sequence[Trial], counts: Callable[[Trial], bool]) -> dict[str, Rate]:
    """A rate for all, for each difficulty, for each group, and for each group's difficulties."""
    names: dict[str, list[Trial]] = {"all": list(trials)}
    for letter, word in DIFFICULTIES.items():
        names[word] = [trial for trial in trials if trial.case.difficulty == letter]
    for trial in trials:
        names.setdefault(trial.case.group, []).append(trial)
        names.setdefault(f"{trial.case.group}, {DIFFICULTIES[trial.case.difficulty]}", []).append(trial)
    return {name: rate(members, counts) for name, members in names.items()}


def rate(trials: Iterable[Trial], counts: Callable[[Trial], bool]) -> Rate:
    """How many of `trials` count."""
    members = list(trials)
    return Rate.counted(sum(counts(trial) for trial in members), len(members))


def false_alarms(trials: Sequence[Trial]) -> FalseAlarms:
    """Alarms that nothing explains, by report and by compared place."""
    judged = [trial for trial in trials if trial.outcome is not Outcome.UNJUDGED]
    neutral = [trial for trial in judged if trial.case.is_neutral]
    compared = sum(trial.comparisons for trial in neutral)
    alarms = sum(len(trial.strays) for trial in neutral)
    return FalseAlarms(
        reports=rate(neutral, lambda trial: trial.outcome is Outcome.ALARMED),
        strays=rate((trial for trial in judged if not trial.case.is_neutral), lambda trial: bool(trial.strays)),
        per_1000=1000 * alarms / compared if compared else None,
    )


def is_met(result: Score) -> bool:
    """The goals of the benchmark: easy and medium all found, three quarters of the hard ones, nothing masked, no false
    alarm."""
    hard = result.recall["hard"]
    complete = (result.recall["easy"], result.recall["medium"], result.masking)
    return (
        all(found.hits == found.of for found in complete)
        and (hard.of == 0 or hard.share >= 0.75)
        and result.false_alarms.reports.hits == 0
        and result.unjudged == 0
    )
