"""When a comparison proves nothing: "same" is a claim."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from seamline.capture.model import Losses
from seamline.diffing.judge import judge
from seamline.diffing.report.model import Verdict
from seamline.diffing.rounds import JudgeOptions, Round
from support.traffic import Turn, a_run

GOOD = [Turn(target=f"/orders/{number}", body={"id": number}) for number in range(4)]
SILENT = [Turn(target=f"/orders/{number}", status=0) for number in range(4)]
BROKEN = [Turn(target=f"/orders/{number}", status=503, body={"error": "x"}) for number in range(4)]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        pytest.param([], [], "no request could be paired", id="nothing at all"),
        pytest.param(GOOD, [], "no request could be paired", id="an empty candidate"),
        pytest.param(SILENT, GOOD, "the baseline did not answer 4 of 4", id="a silent baseline"),
        pytest.param(SILENT, SILENT, "the baseline did not answer 4 of 4", id="silence on both sides"),
        pytest.param(BROKEN, BROKEN, "4 of 4 requests failed on both sides", id="failing alike"),
        pytest.param(GOOD, GOOD[:1], "only 1 of 4 requests", id="most of it missing"),
    ],
)
def test_it_says_why(before: Sequence[Turn], after: Sequence[Turn], why: str) -> None:
    report = judge([Round(a_run(before, "a"), a_run(after, "b"))], [], JudgeOptions())
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert why in report.reason


def test_a_connection_that_a_decoder_could_not_follow_is_no_silence() -> None:
    baseline, candidate = a_run(GOOD, "a"), a_run(GOOD, "b")
    told = replace(
        candidate, losses=Losses(gaps=3, reasons={"decoder failed: NameError": 2, "a name that is not known": 1})
    )
    report = judge([Round(baseline, told)], [], JudgeOptions())
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert report.reason.startswith("2 connections to downstreams could not be read")


def test_a_candidate_that_fails_alone_has_diverged() -> None:
    report = judge([Round(a_run(GOOD, "a"), a_run(BROKEN, "b"))], [], JudgeOptions())
    assert report.verdict is Verdict.DIVERGED


def test_answers_that_were_compared_are_the_same() -> None:
    report = judge([Round(a_run(GOOD, "a"), a_run(GOOD, "b"))], [], JudgeOptions())
    assert (report.verdict, report.reason) == (Verdict.SAME, None)
