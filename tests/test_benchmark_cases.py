"""The benchmark's table: complete, well-formed, chosen by id."""

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmark.cases import all_cases, chosen, flags_of, noise_of


def test_every_row_of_the_specification_is_there() -> None:
    groups = Counter(case.group for case in all_cases().values())
    assert [groups[name] for name in ("responses", "statuses", "downstream", "latency")] == [35, 11, 23, 9]
    # One of the refactorings, HTTP/2, has nothing in the system that speaks it.
    assert [groups[name] for name in ("noise", "refactoring")] == [19, 17]


def test_ten_mixtures_of_three_regressions_and_five_refactorings() -> None:
    cases = all_cases()
    mixtures = [case for case in cases.values() if case.parts]
    assert len(mixtures) == 10
    for mixture in mixtures:
        parts = [cases[part] for part in mixture.parts]
        assert Counter(part.is_neutral for part in parts) == {False: 3, True: 5}
        # One side has one configuration: what needs a fault or a load of its own cannot be mixed in.
        assert {part.mode for part in parts} == {"plain"}


def test_six_cases_hide_in_noisy_fields() -> None:
    assert [case.id for case in all_cases().values() if case.masked] == ["R17", "R18", "R19", "R21", "R23", "R45"]


def test_an_id_is_a_flag() -> None:
    assert all(re.fullmatch(r"[A-Z]\d\d", name) for name in all_cases())


def test_what_a_case_switches_on() -> None:
    cases = all_cases()
    assert flags_of(cases["R04"], cases) == ("R04",)
    assert flags_of(cases["A01"], cases) == ()
    mixture = next(case for case in cases.values() if case.parts)
    assert set(flags_of(mixture, cases)) == set(mixture.parts)


def test_noise_is_on_every_side_but_for_habits() -> None:
    cases = all_cases()
    assert (flags_of(cases["N16"], cases), noise_of(cases["N16"], everything=False)) == ((), "N16")
    assert (flags_of(cases["N06"], cases), noise_of(cases["N06"], everything=False)) == (("N06",), "0")
    assert noise_of(cases["R04"], everything=False) == "0"
    assert noise_of(cases["R04"], everything=True) == "1"


def test_cases_are_chosen_by_id() -> None:
    cases = all_cases().values()
    assert [case.id for case in chosen(["R0*", "S01"], cases)] == [
        "R01",
        "R03",
        "R04",
        "R05",
        "R06",
        "R08",
        "R09",
        "S01",
    ]
    assert chosen([], cases) == list(cases)
    with pytest.raises(ValueError, match="no case fits 'Z1'"):
        chosen(["Z1"], cases)


@pytest.mark.parametrize(
    "row",
    [
        '[responses]\nR01 = { what = "w" }',
        '[nonsense]\nR01 = { what = "w" }',
        '[noise]\nN01 = { what = "w", mode = "fast" }',
        '[mixture]\nX01 = { what = "w", parts = ["R99"] }',
    ],
)
def test_a_row_that_cannot_be_scored_does_not_load(row: str, tmp_path: Path) -> None:
    table = tmp_path / "cases.toml"
    table.write_text(row)
    with pytest.raises(ValueError, match=r"R01|N01|X01"):
        all_cases(table)


def test_each_variant_has_a_place_in_the_system() -> None:
    folder = Path(__file__).parent / "benchmark" / "shop"
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    switched = [case for case in all_cases().values() if case.group not in ("itself", "mixture")]
    # Fresh ids and times need no switch: no service is without.
    assert [case.id for case in switched if not re.search(rf"""["']{case.id}["']""", code)] == ["N02", "N03"]
