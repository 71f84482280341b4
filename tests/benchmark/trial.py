"""One verification of one case, judged: what the report said against what the case says. Pure.

Unit of everything that is counted later: (case, seed). A mixture is one trial for each regression in it, and one for
what was said besides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .cases import Case
from .locus import Finding, belongs, class_of, is_alarm, is_called, is_loud, stands

Report = Mapping[str, Any]


class Outcome(StrEnum):
    """What came of a trial. Of a regression only HIT is found; of a neutral case only QUIET is right."""

    HIT = "found"
    WEAK = "too weak"  # its place and name, a severity below the expected one
    MISNAMED = "misnamed"  # its place, under a name that is not accepted
    ELSEWHERE = "elsewhere"  # alarms, none of them at the place
    MISSED = "missed"
    QUIET = "quiet"
    ALARMED = "false alarm"
    UNJUDGED = "unjudged"  # no report, or an inconclusive one


@dataclass(frozen=True, slots=True)
class Stated:
    """A finding's claim: how sure it said to be, and whether it told of something that is there."""

    confidence: float
    true: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """A judged verification. `told` are the findings above info that tell of the case, `strays` those that do not (as
    one line each), `stated` the claims of all of them, `comparisons` how many places of answers were compared, `steps`
    the lengths of the reproducers of what was found."""

    case: Case
    seed: int
    outcome: Outcome
    told: int = 0
    strays: tuple[str, ...] = ()
    stated: tuple[Stated, ...] = ()
    comparisons: int = 0
    steps: tuple[int, ...] = ()
    infos: int = 0
    reason: str | None = None


def judge(report: Report | None, case: Case, seed: int, *, comparisons: int = 0) -> Trial:
    """The trial that `report` is of `case`; None is a verification that gave no report."""
    if report is None:
        return Trial(case, seed, Outcome.UNJUDGED, reason="no report")
    alarms = [finding for finding in report["findings"] if is_alarm(finding)]
    about = [finding for finding in alarms if belongs(finding, case)]
    strays = [finding for finding in alarms if not belongs(finding, case)]
    return Trial(
        case,
        seed,
        outcome_of(report, case, alarms),
        told=len(about),
        strays=tuple(line(finding) for finding in strays),
        stated=tuple(Stated(float(finding["confidence"]), belongs(finding, case)) for finding in alarms),
        comparisons=comparisons,
        steps=tuple(length for finding in about if (length := steps_of(finding)) is not None),
        infos=len(report["findings"]) - len(alarms),
        reason=report.get("reason"),
    )


def judge_mixture(report: Report | None, parts: Sequence[Case], seed: int) -> list[Trial]:
    """A trial for each regression of a mixture; the first one carries what belongs to none of the parts."""
    if report is None:
        return [judge(None, part, seed) for part in parts if not part.is_neutral]
    trials: list[Trial] = []
    for part in parts:
        if part.is_neutral:
            continue
        # What another part explains is no stray of this one's.
        foreign = [other for other in parts if other is not part]
        trial = judge(report, part, seed)
        strays = tuple(
            line(finding)
            for finding in report["findings"]
            if is_alarm(finding) and not belongs(finding, part) and not any(belongs(finding, one) for one in foreign)
        )
        trials.append(
            Trial(part, seed, trial.outcome, told=trial.told, strays=() if trials else strays, reason=trial.reason)
        )
    return trials


def outcome_of(report: Report, case: Case, alarms: Sequence[Finding]) -> Outcome:
    """What came of it."""
    judged = report["verdict"] != "inconclusive"
    if case.is_neutral:
        if alarms:
            return Outcome.ALARMED
        return Outcome.QUIET if judged else Outcome.UNJUDGED
    placed = [finding for finding in report["findings"] if stands(finding, case.places)]
    named = [finding for finding in placed if is_called(finding, case)]
    if any(is_loud(finding, case) for finding in named):
        return Outcome.HIT
    if says_so(report, case):
        return Outcome.HIT
    if not judged:
        return Outcome.UNJUDGED
    if named:
        return Outcome.WEAK
    if any(is_alarm(finding) for finding in placed):
        return Outcome.MISNAMED
    return Outcome.ELSEWHERE if alarms else Outcome.MISSED


def says_so(report: Report, case: Case) -> bool:
    """Whether the latency table gives an answer that the case accepts, where no finding does."""
    return any(
        row["verdict"] in case.rows and stands({**row, "surface": "latency", "kind": "row"}, case.places)
        for row in report["latency"]
    )


def line(finding: Finding) -> str:
    """A finding in one line."""
    parts = [finding.get(key) for key in ("endpoint", "path", "service", "operation", "transition")]
    words = " · ".join(str(part)[:120] for part in parts if part)
    return f"{class_of(finding)} ({finding['severity']}, {finding['requests']} of {finding['of']}): {words}"


def steps_of(finding: Finding) -> int | None:
    """How many requests the finding's smallest sequence has, where the report says it."""
    steps = finding.get("steps")
    if isinstance(steps, list):
        return len(steps)
    return steps if isinstance(steps, int) and not isinstance(steps, bool) else None
