"""`verify --self-test`: the figures in the report, and what would not be seen."""

from pathlib import Path

from seamline.cli.selftest import with_self_test
from seamline.diffing.judge import judge
from seamline.diffing.rounds import Round
from support.projects import write_project
from support.traffic import Turn, a_run
from support.verifications import a_plan, verify

STEADY = [Turn(body={"total": 5}) for _ in range(4)]


def picks(name: str) -> list[Turn]:
    return [Turn(body={"picks": [f"{name}{number}{place}" for place in range(40)]}) for number in range(4)]


def test_all_is_seen_where_nothing_is_noise() -> None:
    rounds, noise = [Round(a_run(STEADY, "a"), a_run(STEADY, "b"))], [a_run(STEADY, "c")]
    report, line = with_self_test(judge(rounds, noise), rounds, noise, 1)
    assert report.self_test is not None
    assert report.self_test["mutants"] == report.self_test["killed"] > 0
    assert (
        line == f"self-test: {report.self_test['killed']} of {report.self_test['mutants']} planted changes were found"
    )
    assert report.coverage.unverified == ()


def test_what_would_not_be_seen_is_not_verified() -> None:
    rounds, noise = [Round(a_run(picks("a"), "a"), a_run(picks("b"), "b"))], [a_run(picks("c"), "c")]
    report, _ = with_self_test(judge(rounds, noise), rounds, noise, 1)
    assert report.self_test is not None
    assert report.self_test["mutants"] > report.self_test["killed"]
    assert any(each.startswith("self-test: would not be found: GET /orders") for each in report.coverage.unverified)


def test_without_a_second_baseline_there_is_nothing_to_plant_in() -> None:
    rounds = [Round(a_run(STEADY, "a"), a_run(STEADY, "b"))]
    report, line = with_self_test(judge(rounds), rounds, [], 1)
    assert report.self_test is None
    assert "no second run" in line


def test_a_verification_says_how_good_it_was(tmp_path: Path) -> None:
    report, said, _ = verify(a_plan(write_project(tmp_path), self_test=True))
    assert report.self_test is not None
    assert report.self_test["killed"] >= 0.9 * report.self_test["mutants"] > 0
    assert any(line.startswith("self-test: ") for line in said)
