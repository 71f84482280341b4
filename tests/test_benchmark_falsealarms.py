"""A small, fixed part of the simulation: no alarm where nothing changed, and the changes that noise could hide."""

import pytest

from benchmark.falsealarms import alarms, is_found, named, verified
from benchmark.simulated import MUTATIONS, simulate


@pytest.mark.parametrize(("seed", "count"), [("fixed-1", 20), ("fixed-2", 40)])
def test_a_baseline_against_itself_is_no_finding(seed: str, count: int) -> None:
    assert [(named(one), one.path) for one in alarms(verified(seed, count))] == []


CHOSEN = [
    ("value", 40),
    ("load +10 %", 40),
    ("greeting changed", 60),
    ("log ends first", 40),
    ("negative duration", 40),
]
LARGE = [("price of drawn", 100), ("hint gone", 100), ("bucket 1 % to 30 %", 60), ("new randomness", 60)]


@pytest.mark.parametrize(("name", "count"), [*CHOSEN, *(pytest.param(*one, marks=pytest.mark.slow) for one in LARGE)])
def test_a_change_within_noise_is_found(name: str, count: int) -> None:
    (what,) = [one for one in MUTATIONS if one.name == name]
    report = verified("fixed-4", count, what.change)
    assert is_found(report, what)
    assert len(alarms(report)) == 1


def test_runs_of_one_seed_are_two_processes_asked_the_same() -> None:
    one, same, other = simulate("a", "s", 12), simulate("a", "s", 12), simulate("b", "s", 12)
    assert one.exchanges == same.exchanges
    assert [each.request.target for each in one.exchanges] != []
    asked = [[each.request.target for each in run.exchanges if each.origin] for run in (one, other)]
    assert asked[0] == asked[1]
    assert one.exchanges != other.exchanges
