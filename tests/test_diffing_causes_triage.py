"""From differences to findings: noise proves nothing, what does not show again is not reported, all of it is listed."""

import uuid
from collections import Counter

import pytest

from seamline.diffing.causes.triage import triage
from seamline.diffing.comparison import Comparison, Observation
from seamline.diffing.difference import Difference
from seamline.diffing.noise.model import NoiseModel
from seamline.diffing.report.model import Surface, Verdict
from support.traffic import Turn, answers, of, told, verdict_on


def plain(total: int = 5) -> object:
    return lambda number, run: {"id": number, "total": total}


def test_a_change_that_shows_again_is_reported() -> None:
    report = verdict_on(answers(plain()), answers(plain(6)), rounds=2)  # type: ignore[arg-type]
    assert told(report) == [("response.value_changed", "$.total", "breaking")]


def test_a_change_that_a_later_round_does_not_show_is_listed_as_not_reproduced() -> None:
    def flaky(number: int, run: str) -> object:
        return {"id": number, "total": 6 if (run, number) == ("b0", 3) else 5}

    report = verdict_on(answers(plain()), answers(flaky), rounds=3)  # type: ignore[arg-type]
    assert report.verdict is Verdict.SAME
    assert [(one.path, one.hides) for one in report.suppressed if "reproduced" in one.why] == [("$.total", 1)]


def test_what_differs_in_the_baseline_itself_is_listed_as_noise() -> None:
    def fresh(number: int, run: str) -> object:
        return {"reference": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run}{number}"))}

    report = verdict_on(answers(fresh), answers(fresh), rounds=2)
    assert report.verdict is Verdict.SAME
    assert any(one.path == "$.reference" and one.hides > 0 for one in report.suppressed)


def test_noise_at_a_place_does_not_excuse_another_kind_of_change_there() -> None:
    def fresh(number: int, run: str) -> object:
        return {"reference": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{run}{number}"))}

    report = verdict_on(answers(fresh), answers(lambda number, run: {"reference": number}), rounds=2)
    assert [(kind, path) for kind, path, _ in told(report)] == [("response.shape_changed", "$.reference")]


def test_a_changed_status_absorbs_the_body_of_its_answer() -> None:
    report = verdict_on(
        lambda number, run: Turn(target=f"/orders/{number}", body={"id": number}),
        lambda number, run: Turn(target=f"/orders/{number}", status=500, body={"error": "x"}),
        rounds=2,
    )
    assert len(report.findings) == 1
    assert of(report, "status.changed")[0].transition == "200→500"


@pytest.mark.parametrize(("count", "reported"), [(1, False), (5, True)])
def test_a_few_calls_that_may_be_another_request_s_are_listed_and_not_reported(count: int, reported: bool) -> None:
    doubtful = Difference(
        Surface.SQL, "argument_changed", "$.id", 1, 2, "number", service="db", operation="UPDATE x", is_doubtful=True
    )
    first = Comparison(
        observations=[Observation(f"c-{place}", "GET /x", doubtful) for place in range(count)],
        endpoints=Counter({"GET /x": 10}),
    )
    triaged = triage([first], NoiseModel([]))
    assert bool(triaged.clusters) is reported
    assert bool(triaged.suppressed) is not reported
