"""All trials counted."""

from benchmark.score import is_met, score
from benchmark.trial import judge
from support.benchmarking import finding, neutral, regression, report

HARD = regression("R17", difficulty="H", masked=True)
STRAY = finding(endpoint="GET /stores")


def test_recall_by_group_and_difficulty() -> None:
    downstream = regression("D01", group="downstream", difficulty="M")
    result = score(
        [
            judge(report(finding()), regression(), 1),
            judge(report(finding("response.value_changed")), regression(), 2),
            judge(report(finding()), HARD, 1),
            judge(report(), downstream, 1),
        ]
    )
    counts = {name: (rate.hits, rate.of) for name, rate in result.recall.items()}
    assert counts == {
        "all": (2, 4),
        "easy": (1, 2),
        "medium": (0, 1),
        "hard": (1, 1),
        "responses": (2, 3),
        "responses, easy": (1, 2),
        "responses, hard": (1, 1),
        "downstream": (0, 1),
        "downstream, medium": (0, 1),
    }
    assert result.placed["easy"].hits == 2
    assert (result.masking.hits, result.masking.of) == (1, 1)


def test_false_alarms_are_counted_by_report_and_by_place() -> None:
    result = score(
        [
            judge(report(), neutral(), 1, comparisons=400),
            judge(report(STRAY, finding()), neutral(), 2, comparisons=600),
            judge(report(finding(), STRAY), regression(), 1),
            judge(None, neutral(), 3),
        ]
    )
    alarms = result.false_alarms
    assert (alarms.reports.hits, alarms.reports.of) == (1, 2)
    assert (alarms.strays.hits, alarms.strays.of) == (1, 1)
    assert alarms.per_1000 == 2.0
    assert result.unjudged == 1


def test_findings_a_cause_and_lengths() -> None:
    case = regression(also=(("GET /stores",),))
    result = score([judge(report(finding(steps=2), STRAY), case, 1), judge(report(finding(steps=4)), case, 2)])
    assert result.per_cause == 1.5
    assert result.steps == [2, 4]


def test_goals() -> None:
    good = [judge(report(finding()), regression(), 1), judge(report(finding()), HARD, 1), judge(report(), neutral(), 1)]
    assert is_met(score(good))
    assert not is_met(score([*good, judge(report(), regression(), 2)])), "an easy one missed"
    assert not is_met(score([*good, judge(report(finding()), neutral(), 2)])), "a false alarm"
    assert not is_met(score([*good, judge(None, neutral(), 2)])), "a verification without a verdict"
    missed = regression("D16", group="downstream", difficulty="H")
    assert not is_met(score([*good, judge(report(), missed, 1)])), "one of two hard ones is half"
    assert is_met(
        score([*good, *(judge(report(finding()), HARD, seed) for seed in (2, 3)), judge(report(), missed, 1)])
    )
