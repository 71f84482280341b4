"""A candidate that differs from itself where the baseline does not."""

import random
from typing import Any

from seamline.diffing.noise.nondeterminism import root_of
from seamline.diffing.report.model import Verdict
from support.traffic import answers, of, told, verdict_on


def order(number: int, _run: str) -> Any:
    return {"id": number, "qty": 3, "lines": [{"sku": f"p{place}", "n": place} for place in range(5)]}


def drawn(number: int, run: str) -> Any:
    return order(number, run) | {"qty": random.Random(f"{run}/{number}").randrange(10, 99)}


def shuffled(number: int, run: str) -> Any:
    body = order(number, run)
    random.Random(f"{run}/{number}").shuffle(body["lines"])
    return body


def typed(number: int, run: str) -> Any:
    return drawn(number, run) | {"id": str(number)}


def test_a_value_that_is_drawn_anew_is_one_finding() -> None:
    report = verdict_on(answers(order), answers(drawn), rounds=2)
    assert told(report) == [("response.nondeterministic", "$.qty", "warning")]
    (finding,) = report.findings
    assert finding.transition.startswith("steady→differs from itself in ")
    assert finding.requests == finding.of == 30


def test_an_order_that_is_no_longer_kept_is_one_finding() -> None:
    report = verdict_on(answers(order), answers(shuffled), rounds=2)
    assert told(report) == [("response.nondeterministic", "$.lines", "warning")]


def test_what_is_steady_beside_it_keeps_its_name() -> None:
    report = verdict_on(answers(order), answers(typed), rounds=2)
    assert {kind for kind, _, _ in told(report)} == {"response.nondeterministic", "response.type_changed"}


def test_a_steady_change_is_none() -> None:
    report = verdict_on(answers(order), answers(lambda n, r: order(n, r) | {"qty": 4}), rounds=2)
    assert told(report) == [("response.value_changed", "$.qty", "breaking")]


def test_what_both_draw_is_noise() -> None:
    report = verdict_on(answers(drawn), answers(drawn), rounds=2)
    assert told(report) == []
    assert report.verdict is Verdict.SAME


def test_one_round_s_bad_luck_is_none() -> None:
    def once(number: int, run: str) -> Any:
        return drawn(number, run) if run == "b0" else order(number, run)

    assert of(verdict_on(answers(order), answers(once), rounds=2), "response.nondeterministic") == []


def test_the_list_that_a_path_is_in() -> None:
    assert root_of("$.items[*].tags[*]") == "$.items"
    assert root_of("$.total") == "$.total"
