"""The result as Markdown: what `make benchmark` prints and docs/detection.md keeps. Pure."""

import math
import statistics
from collections.abc import Iterable, Sequence

from .score import Score
from .trial import Outcome, Trial
from .wilson import Rate

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
ORDER = ("all", "easy", "medium", "hard")
LEGEND = (
    "Each case is one `seamline verify` of the benchmark's shop, a regression or a refactoring switched on at the "
    "candidate. Found: a finding of the expected class and severity at the expected endpoint, path or call; everything "
    "else above info is counted as a false alarm. Intervals are Wilson's."
)


def markdown(result: Score, trials: Sequence[Trial], how: str) -> str:
    """Every figure, then every trial that did not come out as it should. `how` says what was run."""
    alarms = result.false_alarms
    parts = [
        how,
        "",
        LEGEND,
        "",
        "| regressions | found at their place | 95 % interval | at their place, under any name |",
        "|---|---|---|---|",
        *(_recall(name, rate, result.placed[name]) for name, rate in _ordered(result.recall)),
        "",
        "| | |",
        "|---|---|",
        f"| found inside noisy fields (masking) | {shown(result.masking)} |",
        f"| reports with a false alarm, of those with nothing wrong | {shown(alarms.reports)} |",
        f"| false alarms in 1,000 compared places of those | {_number(alarms.per_1000)} |",
        f"| reports of regressions with an alarm besides | {shown(alarms.strays)} |",
        f"| findings a cause | {_number(result.per_cause)} |",
        f"| mixtures: findings a cause, B-cubed F1 (medians) | {_mixtures(result)} |",
        f"| requests in a reproducer, median of {len(result.steps)} | {_median(result.steps)} |",
        f"| verifications without a verdict | {result.unjudged} |",
        *(f"| stated confidence from {one.least:g}: true | {shown(one.true)} |" for one in result.calibration),
    ]
    wrong = [row for trial in trials for row in _wrong(trial)]
    if wrong:
        parts += ["", "| case | seed | came out | what was said |", "|---|---|---|---|", *wrong]
    return "\n".join(parts) + "\n"


def shown(rate: Rate) -> str:
    """A rate with its interval."""
    if not rate.of:
        return "–"
    return f"{rate.hits} of {rate.of} ({100 * rate.low:.1f} to {100 * rate.high:.1f} %)"


def replaced(document: str, section: str) -> str:
    """`document` with `section` between the two marks; appended under a heading of its own where there are none."""
    block = f"{BEGIN}\n{section}{END}"
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        return before + block + after
    return f"{document.rstrip()}\n\n## Detection benchmark\n\n{block}\n".lstrip()


def _ordered(rates: dict[str, Rate]) -> Iterable[tuple[str, Rate]]:
    return ((name, rate) for name, rate in rates.items() if rate.of or name in ORDER)


def _recall(name: str, rate: Rate, placed: Rate) -> str:
    share = "–" if math.isnan(rate.share) else f"{rate.hits} of {rate.of}"
    return f"| {name} | {share} | {100 * rate.low:.1f} to {100 * rate.high:.1f} % | {placed.hits} of {placed.of} |"


def _number(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"


def _median(lengths: Sequence[int]) -> str:
    return f"{statistics.median(lengths):g}" if lengths else "–"


def _mixtures(result: Score) -> str:
    causes = [one.per_cause for one in result.mixtures if one.per_cause is not None]
    if not causes:
        return "–"
    return f"{statistics.median(causes):.2f}, {statistics.median(one.score.f1 for one in result.mixtures):.2f}"


def _wrong(trial: Trial) -> list[str]:
    if trial.outcome in (Outcome.HIT, Outcome.QUIET) and not trial.strays:
        return []
    said = "; ".join(trial.strays[:4]) or trial.reason or ""
    return [f"| {trial.case.id} | {trial.seed} | {trial.outcome.value} | {_cell(said)} |"]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("`", "'")
