"""The recording as a third party."""

from dataclasses import replace
from typing import Any

from seamline.diffing.judge import JudgeOptions, judge
from seamline.diffing.noise.triangulation import AS_BASELINE, AS_CANDIDATE, AS_NEITHER, DRIFT
from seamline.diffing.report.model import Report, Verdict
from seamline.diffing.rounds import Round, Run
from support.traffic import answers, play


def run(name: str, **fields: Any) -> Run:
    return play(answers(lambda number, run: {"id": number, "total": 5, "rate": 7} | fields), name, 20)


def recorded(**fields: Any) -> Run:
    """The capture that the runs replay."""
    made = run("c", **fields)
    manifest = replace(made.manifest, capture_id="cap", replayed=None)
    exchanges = [replace(one, id=f"c-{number}", origin=None) for number, one in enumerate(made.exchanges)]
    return Run(manifest, exchanges)


def judged(recording: Run, before: dict[str, Any], after: dict[str, Any], rounds: int = 2) -> Report:
    played = [Round(run(f"a{n}", **before), run(f"b{n}", **after)) for n in range(rounds)]
    return judge(played, [run("n", **before)], JudgeOptions(explain=False), recording=recording)


def notes(report: Report) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(one.path, one.explanation) for one in report.findings]


def test_a_regression_is_what_only_the_candidate_answers_otherwise() -> None:
    report = judged(recorded(), {}, {"total": 6})
    assert notes(report) == [("$.total", (AS_BASELINE,))]
    assert report.verdict is Verdict.DIVERGED


def test_the_candidate_may_be_the_one_that_answers_as_recorded() -> None:
    assert notes(judged(recorded(), {"total": 6}, {})) == [("$.total", (AS_CANDIDATE,))]


def test_all_three_may_answer_otherwise() -> None:
    assert notes(judged(recorded(total=4), {}, {"total": 6})) == [("$.total", (AS_NEITHER,))]


def test_drift_is_listed_and_no_finding() -> None:
    report = judged(recorded(rate=9), {}, {})
    assert report.findings == ()
    assert report.verdict is Verdict.SAME
    assert [(one.path, one.kind, one.hides) for one in report.suppressed if DRIFT in one.why] == [
        ("$.rate", "value_changed", 20)
    ]


def test_drift_and_a_regression_are_told_apart() -> None:
    report = judged(recorded(rate=9), {}, {"total": 6})
    assert notes(report) == [("$.total", (AS_BASELINE,))]
    assert [one.path for one in report.suppressed if DRIFT in one.why] == ["$.rate"]


def test_a_recording_that_agrees_with_the_baseline_makes_a_finding_surer() -> None:
    def rare(number: int, name: str) -> Any:
        return {"id": number, "total": 6 if name[0] == "b" and number == 3 else 5, "rate": 7}

    played = [Round(run(f"a{n}"), play(answers(rare), f"b{n}", 20)) for n in range(2)]
    without = judge(played, [run("n")], JudgeOptions(explain=False))
    beside = judge(played, [run("n")], JudgeOptions(explain=False), recording=recorded())
    assert beside.findings[0].confidence > without.findings[0].confidence


def test_a_recording_of_something_else_says_nothing() -> None:
    other = recorded()
    other = Run(other.manifest, [replace(one, id=f"x-{one.id}") for one in other.exchanges])
    report = judged(other, {}, {"total": 6})
    assert notes(report) == [("$.total", ())]
