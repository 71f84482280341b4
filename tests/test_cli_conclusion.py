"""What a verification adds to the judge's report."""

from dataclasses import replace

import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Losses, Request, Role
from seamline.cli.conclusion import conclude, join
from seamline.diffing.report.model import Compared, Coverage, EndpointLatency, Report, Suppressed, Verdict
from seamline.diffing.rounds import Run
from seamline.replay.plan import make_plan
from support.captures import MANIFEST, an_exchange
from support.reports import finding

FINDING = finding()
SAME = Report(Verdict.SAME, None, Compared(), coverage=Coverage(("GET /orders/{id}",), ("x",)))
DIVERGED = replace(SAME, verdict=Verdict.DIVERGED, findings=(FINDING,))
EXCHANGES = (
    *(an_exchange(number) for number in range(6)),
    an_exchange(6, request=Request("POST", "/pay", Headers())),
    an_exchange(7, role=Role.OUTBOUND),
)
SOURCE = Run(MANIFEST, EXCHANGES, Losses(dropped=2, withheld=1, truncated=3))
PLAN = make_plan(EXCHANGES, allow_writes=False)


def test_a_whole_replay_keeps_the_verdict_and_tells_the_captures_losses() -> None:
    report = conclude(SAME, SOURCE, PLAN, len(PLAN.steps), ["a note"])
    assert (report.verdict, report.reason) == (Verdict.SAME, None)
    assert report.capture == Compared(exchanges=7, dropped=2, withheld=1, truncated=3)
    assert report.coverage.endpoints == ("GET /orders/{id}",)
    assert report.coverage.unverified == ("x", "a note", "1 requests not sent: write not allowed")


def test_what_the_budget_cut_off_is_named_and_never_passes() -> None:
    report = conclude(SAME, SOURCE, PLAN, 4, [])
    assert (report.verdict, report.reason) == (Verdict.INCONCLUSIVE, "the budget ended after 4 of 6 requests")
    assert "GET /orders/{id}: 2 requests not replayed: the budget ended" in report.coverage.unverified


def test_nothing_replayed_is_the_budgets_doing_too() -> None:
    nothing = Report(Verdict.INCONCLUSIVE, "no round was replayed", Compared())
    report = conclude(nothing, SOURCE, PLAN, 0, [])
    assert (report.verdict, report.reason) == (Verdict.INCONCLUSIVE, "the budget ended after 0 of 6 requests")


def test_an_unfinished_capture_does_not_pass() -> None:
    report = conclude(SAME, replace(SOURCE, complete=False), PLAN, 6, [])
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert "not finished by its recorder" in report.reason
    assert any("its end is missing" in line for line in report.coverage.unverified)


def test_sides_that_agree_on_a_stubs_error_do_not_pass() -> None:
    report = conclude(SAME, SOURCE, PLAN, 6, [], ["stock"])
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reason is not None
    assert 'stub "stock": the capture holds no call to it' in report.reason
    assert conclude(DIVERGED, SOURCE, PLAN, 6, [], ["stock"]).verdict is Verdict.DIVERGED


@pytest.mark.parametrize("fired", [3, 6])
def test_a_finding_stays_a_finding(fired: int) -> None:
    report = conclude(DIVERGED, replace(SOURCE, complete=False), PLAN, fired, [])
    assert (report.verdict, report.findings) == (Verdict.DIVERGED, (FINDING,))


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ((Verdict.SAME, Verdict.SAME), Verdict.SAME),
        ((Verdict.SAME, Verdict.INCONCLUSIVE), Verdict.INCONCLUSIVE),
        ((Verdict.INCONCLUSIVE, Verdict.DIVERGED, Verdict.SAME), Verdict.DIVERGED),
    ],
)
def test_the_worst_verdict_stands_for_several_captures(verdicts: tuple[Verdict, ...], worst: Verdict) -> None:
    assert join([replace(SAME, verdict=verdict) for verdict in verdicts]).verdict is worst


def test_joined_reports_lose_nothing_and_say_nothing_twice() -> None:
    row = EndpointLatency("GET /a", 20, 0, 0, 0, 0, "equivalent")
    noise = Suppressed("$.at", "value_changed", "time", 3)
    one = replace(DIVERGED, capture=Compared(1, 2, 3, 4, 5), reason="a", latency=(row,), suppressed=(noise,))
    report = join([one, one])
    assert report.findings == (FINDING,)
    assert report.capture == Compared(2, 4, 6, 8, 10)
    assert (report.latency, report.suppressed) == ((row, row), (noise, noise))
    assert report.coverage == SAME.coverage
    assert report.reason == "a; a"
