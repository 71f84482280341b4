"""The simulated service: what may differ between two runs does, and a change is of the candidate's alone."""

import json

from benchmark.simulated import MUTATIONS, simulate


def test_names_are_unique() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS)


def test_each_change_shows() -> None:
    plain = simulate("a", "s", 48)
    for what in MUTATIONS:
        changed = simulate("a", "s", 48, what.change)
        assert changed.exchanges != plain.exchanges, what.name


def test_answers_are_json() -> None:
    held = [one.response for one in simulate("a", "s", 12).exchanges if one.origin and one.response]
    assert all(isinstance(json.loads(one.body), dict) for one in held)
