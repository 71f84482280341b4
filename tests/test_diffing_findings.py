"""Findings in the order of a report, with their examples explained."""

import random

from seamline.diffing.findings import rank
from seamline.diffing.report.model import Report
from seamline.diffing.rounds import JudgeOptions
from support.traffic import Turn, answers, of, verdict_on

EXPLAINED = JudgeOptions(reproduce="seamline verify --only {id}")


def report(**fields: object) -> Report:
    return verdict_on(
        answers(lambda number, run: {"id": number, "total": 5, "name": "a"}),
        answers(lambda number, run: {"id": number, "total": 5, "name": "a"} | fields),
        rounds=2,
        options=EXPLAINED,
    )


def test_worst_first_then_surest_then_most_frequent() -> None:
    findings = list(report(total="5", extra=1, name="b").findings)
    severities = [one.severity for one in findings]
    assert severities == sorted(severities, reverse=True)
    shuffled = findings.copy()
    random.Random(3).shuffle(shuffled)
    assert sorted(shuffled, key=rank) == findings


def test_a_changed_body_is_explained_and_says_how_to_see_it_again() -> None:
    (one,) = of(report(total="5"), "response.type_changed", "$.total")
    assert any("total" in line for line in one.explanation)
    assert one.reproduce == f"seamline verify --only {one.exchanges[0]}"


def test_an_explanation_speaks_of_its_own_finding_only() -> None:
    """A finding at $.available also told that the tags, a shuffled set, had changed places."""

    def shop(total: int) -> object:
        def body(number: int, run: str) -> object:
            tags = ["a", "b", "c"]
            random.Random(f"{run}{number}").shuffle(tags)
            return {"tags": tags, "total": total}

        return body

    (one,) = of(
        verdict_on(answers(shop(1)), answers(shop(2)), rounds=2, options=EXPLAINED), "response.value_changed", "$.total"
    )  # type: ignore[arg-type]
    assert one.explanation
    assert not any("tags" in line for line in one.explanation)


def test_a_slower_endpoint_is_a_finding_with_its_medians() -> None:
    slow = verdict_on(
        lambda number, run: Turn(body={"a": 1}, takes_us=4_000 + 10 * number),
        lambda number, run: Turn(body={"a": 1}, takes_us=8_000 + 10 * number),
        rounds=2,
    )
    (one,) = of(slow, "latency.location")
    assert (one.path, one.severity.word) == (None, "warning")
    assert isinstance(one.before, float)
    assert isinstance(one.after, float)
    assert one.after > one.before
