"""Attempts to call past the downstreams: the candidate's own are findings, the usual ones are not."""

from collections.abc import Mapping

import pytest

from seamline.capture.model import TRIED, Losses, Manifest
from seamline.diffing.egress import CONFIRMED, ONCE, egress_findings
from seamline.diffing.report.model import Severity
from seamline.diffing.rounds import Round, Run

NEW, USUAL = f"{TRIED}payments.example:443", f"{TRIED}telemetry.example:4318"


def a_run(*reasons: str) -> Run:
    counted: Mapping[str, int] = dict.fromkeys(reasons, 2)
    return Run(Manifest("run", 0, "t", "e"), (), Losses(gaps=2 * len(reasons), reasons=counted))


def test_what_only_the_candidate_tries_is_a_call_to_a_new_service() -> None:
    [found] = egress_findings([Round(a_run(USUAL), a_run(NEW, USUAL))], [])
    assert (found.surface, found.kind, found.severity) == ("http", "extra", Severity.BREAKING)
    assert (found.service, found.transition, found.requests) == ("payments.example:443", "new service", 2)
    assert found.confidence == ONCE


def test_a_second_round_makes_it_surer() -> None:
    rounds = [Round(a_run(), a_run(NEW))] * 2
    assert egress_findings(rounds, [])[0].confidence == CONFIRMED


@pytest.mark.parametrize(
    ("rounds", "noise"),
    [
        pytest.param([Round(a_run(NEW), a_run(NEW))], [], id="both try"),
        pytest.param([Round(a_run(), a_run(NEW))], [a_run(NEW)], id="another baseline tries"),
        pytest.param([Round(a_run(), a_run(NEW)), Round(a_run(), a_run())], [], id="not in every round"),
        pytest.param([Round(a_run(NEW), a_run())], [], id="only the baseline tries"),
        pytest.param([Round(a_run(), a_run("queue full"))], [], id="another loss"),
        pytest.param([], [], id="no round"),
    ],
)
def test_what_the_change_did_not_bring_is_none(rounds: list[Round], noise: list[Run]) -> None:
    assert egress_findings(rounds, noise) == []
