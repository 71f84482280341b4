"""What follows from a finding is told under it; what follows from nothing keeps a verdict from passing."""

from dataclasses import replace

from seamline.cli.cascade import cascade
from seamline.diffing.report.model import Compared, Report, Verdict
from seamline.replay.values.session import Unsent
from support.linked_values import order_exchanges
from support.reports import finding

SAME = Report(Verdict.SAME, None, Compared())
EXCHANGES = order_exchanges()
WHY = Unsent("place", "POST /orders", "gave no $.id", "candidate")


def diverged(endpoint: str = "POST /orders", exchanges: tuple[str, ...] = ("place",)) -> Report:
    found = replace(finding(), endpoint=endpoint, exchanges=exchanges, explanation=("x",))
    return replace(SAME, verdict=Verdict.DIVERGED, findings=(finding(), found))


def test_consequences_stand_under_their_cause() -> None:
    report = cascade(diverged(), EXCHANGES, {"pay": WHY, "show": WHY}, 3)
    assert report.findings[0] == finding()
    assert report.findings[1].explanation == (
        "x",
        "followed by requests to GET /orders/{id} that could not be sent, because it gave no $.id: 1",
        "followed by requests to POST /orders/{id}/pay that could not be sent, because it gave no $.id: 1",
    )


def test_a_finding_of_the_producers_endpoint_is_a_cause_too() -> None:
    report = cascade(diverged(exchanges=("another",)), EXCHANGES, {"pay": WHY}, 3)
    assert report.findings[1].explanation[1:] == (
        "followed by requests to POST /orders/{id}/pay that could not be sent, because it gave no $.id: 1",
    )


def test_the_same_consequence_of_several_requests_is_one_line() -> None:
    exchanges = [*EXCHANGES, *(replace(each, id=f"{each.id}-2") for each in EXCHANGES)]
    unsent = {"pay": WHY, "pay-2": replace(WHY, producer="place-2")}
    [*_, line] = cascade(diverged(), exchanges, unsent, 6).findings[1].explanation
    assert line.endswith("because it gave no $.id: 2")


def test_what_only_the_candidate_was_not_sent_never_passes() -> None:
    report = cascade(SAME, EXCHANGES, {"pay": WHY}, 3)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason == (
        "1 requests could not be sent to the candidate: "
        "POST /orders/{id}/pay, because POST /orders gave no $.id (candidate)"
    )
    other = diverged(endpoint="GET /else", exchanges=())
    assert cascade(other, EXCHANGES, {"pay": WHY}, 3) == other


def test_what_the_baseline_cannot_give_is_no_doubt_about_the_candidate_unless_it_is_most() -> None:
    why = replace(WHY, side="baseline")
    assert cascade(SAME, EXCHANGES, {"pay": why}, 3) == SAME
    report = cascade(SAME, EXCHANGES, {"pay": why, "show": why}, 3)
    assert (report.verdict, report.reason) == (
        Verdict.INCONCLUSIVE,
        "only 1 of 3 requests could be sent: earlier ones gave no value for the rest",
    )


def test_a_whole_replay_is_left_alone() -> None:
    assert cascade(SAME, EXCHANGES, {}, 3) is SAME
