"""A report judged against a case: each outcome, and what is counted of each."""

from typing import Any

import pytest

from benchmark.cases import Case
from benchmark.trial import Outcome, Stated, judge, judge_mixture
from support.benchmarking import finding, neutral, regression, report

TOTAL = finding()
ELSEWHERE = finding(endpoint="GET /stores", path="$.open")


@pytest.mark.parametrize(
    ("case", "told", "expected"),
    [
        (regression(), report(TOTAL), Outcome.HIT),
        (regression(level="warning"), report(TOTAL), Outcome.HIT),
        (regression(), report(TOTAL, ELSEWHERE), Outcome.HIT),
        (regression(), report(finding(severity="warning")), Outcome.WEAK),
        (regression(), report(finding(severity="info")), Outcome.WEAK),
        (regression(), report(finding("response.value_changed")), Outcome.MISNAMED),
        (regression(), report(ELSEWHERE), Outcome.ELSEWHERE),
        (regression(), report(), Outcome.MISSED),
        (regression(), report(verdict="inconclusive"), Outcome.UNJUDGED),
        (regression(), None, Outcome.UNJUDGED),
        (neutral(), report(), Outcome.QUIET),
        (neutral(), report(finding(severity="info")), Outcome.QUIET),
        (neutral(), report(TOTAL), Outcome.ALARMED),
        (neutral(), report(TOTAL, verdict="inconclusive"), Outcome.ALARMED),
        (neutral(), report(verdict="inconclusive"), Outcome.UNJUDGED),
        (neutral(), None, Outcome.UNJUDGED),
    ],
)
def test_outcomes(case: Case, told: dict[str, Any] | None, expected: Outcome) -> None:
    assert judge(told, case, 1).outcome is expected


def test_an_alarm_at_the_wrong_place_is_a_miss_and_a_stray() -> None:
    trial = judge(report(ELSEWHERE), regression(), 1)
    assert (trial.outcome, trial.told) == (Outcome.ELSEWHERE, 0)
    assert trial.strays == ("response.type_changed (breaking, 3 of 9): GET /stores · $.open · int→string",)
    assert trial.stated == (Stated(0.999, true=False),)


def test_a_consequence_is_no_stray() -> None:
    case = regression(also=(("POST /orders",),))
    trial = judge(report(TOTAL, finding("state.row_changed", endpoint="POST /orders")), case, 1)
    assert (trial.outcome, trial.told, trial.strays) == (Outcome.HIT, 2, ())


@pytest.mark.parametrize(("verdict", "expected"), [("inconclusive", Outcome.HIT), ("equivalent", Outcome.MISSED)])
def test_an_honest_row_of_the_latency_table_counts_where_the_case_says_so(verdict: str, expected: Outcome) -> None:
    case = regression(
        "L03", group="latency", kinds=("latency.location",), places=(("GET /quote",),), rows=("inconclusive",)
    )
    rows = [{"endpoint": "GET /quote", "verdict": verdict}, {"endpoint": "GET /stores", "verdict": "inconclusive"}]
    assert judge(report(latency=rows), case, 1).outcome is expected


@pytest.mark.parametrize(("steps", "expected"), [(2, (2,)), (["a", "b", "c"], (3,)), (None, ()), (True, ())])
def test_lengths_of_reproducers(steps: object, expected: tuple[int, ...]) -> None:
    assert judge(report(finding(steps=steps)), regression(), 1).steps == expected


def test_a_mixture_is_a_trial_for_each_regression() -> None:
    first, second = (
        regression("R04"),
        regression("S02", kinds=("status.changed",), places=(("201→200",),), level="warning"),
    )
    told = report(
        TOTAL, ELSEWHERE, finding("status.changed", "warning", endpoint="POST /orders", transition="201→200", path=None)
    )
    trials = judge_mixture(told, [first, second, neutral()], 3)
    assert [(trial.case.id, trial.outcome, len(trial.strays)) for trial in trials] == [
        ("R04", Outcome.HIT, 1),
        ("S02", Outcome.HIT, 0),
    ]
    assert [trial.outcome for trial in judge_mixture(None, [first, neutral()], 3)] == [Outcome.UNJUDGED]
