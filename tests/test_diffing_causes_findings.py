"""Findings in the order of a report, with their examples explained."""

import random
from collections.abc import Callable

import pytest

from seamline.diffing.causes.findings import rank
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

    def shop(total: int) -> Callable[[int, str], object]:
        def body(number: int, run: str) -> object:
            tags = ["a", "b", "c"]
            random.Random(f"{run}{number}").shuffle(tags)
            return {"tags": tags, "total": total}

        return body

    report = verdict_on(answers(shop(1)), answers(shop(2)), rounds=2, options=EXPLAINED)
    (one,) = of(report, "response.value_changed", "$.total")
    assert one.explanation
    assert not any("tags" in line for line in one.explanation)


OLD: dict[str, object] = {"id": 1, "first": "Ada Lovelace", "odd name": 1, "items": [{"sku": "a", "qty": 1}]}


@pytest.mark.parametrize(
    ("after", "own"),
    [
        pytest.param({k: v for k, v in OLD.items() if k != "first"}, {"first"}, id="removed"),
        pytest.param(OLD | {"extra": 5}, {"extra"}, id="added"),
        pytest.param({("firstName" if k == "first" else k): v for k, v in OLD.items()}, {"first", "firstName"}, id="renamed"),
        pytest.param(OLD | {"odd name": 2}, {"odd name"}, id="quoted"),
        pytest.param(OLD | {"items": [{"sku": "a", "qty": 2}]}, {"items"}, id="nested"),
    ],
)  # fmt: skip
def test_members_that_did_not_change_are_no_part_of_an_explanation(after: dict[str, object], own: set[str]) -> None:
    """A member on one side only was once told as "root changed", with all the rest of the body."""
    changed = verdict_on(answers(lambda n, run: OLD), answers(lambda n, run: after), rounds=2, options=EXPLAINED)
    (one,) = changed.findings
    told = " ".join(one.explanation)
    assert {name for name in (*OLD, *after) if f"'{name}'" in told} == own


def test_two_findings_at_one_request_are_each_explained_by_their_own_branch() -> None:
    explained = {one.path: " ".join(one.explanation) for one in report(total="5", name="b").findings}
    assert {path: ("total" in told, "name" in told) for path, told in explained.items()} == {
        "$.total": (True, False),
        "$.name": (False, True),
    }


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
