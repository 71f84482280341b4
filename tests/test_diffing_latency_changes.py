"""What a report says of a change: how much, whose time it is, which requests show it."""

import math
import random

import pytest

from seamline.diffing.latency.bimodal import Class
from seamline.diffing.latency.changes import (
    attribute,
    change_of,
    location_change,
    percent,
    relative,
    rise_change,
    shifted_parts,
)
from seamline.diffing.latency.location import Estimate
from seamline.diffing.latency.samples import Sample
from seamline.diffing.latency.tail import Tail
from seamline.diffing.latency.trend import Trend

SURE = Estimate(math.log(1.5), 0.01, 50.0)


def divided(count: int = 40, **shifts: int) -> list[Sample]:
    """Requests of 10 ms, 4 of which are the service's own, 5 pricing's and 1 the database's; each part shifts."""
    rng = random.Random(1)
    usual = {"itself": 4_000, "pricing": 5_000, "db": 1_000}
    found = []
    for n in range(count):
        parts = [
            ("" if who == "itself" else who, took + rng.randrange(100), took + rng.randrange(100) + shifts.get(who, 0))
            for who, took in usual.items()
        ]
        before, after = sum(one for _, one, _ in parts), sum(one for _, _, one in parts)
        found.append(Sample(f"c-{n}", before, after, place=n, parts=tuple(parts)))
    return found


@pytest.mark.parametrize(
    ("shifts", "who"),
    [
        ({"pricing": 3_000}, "pricing"),
        ({"itself": 3_000}, None),
        ({"pricing": 2_000, "itself": 2_000}, None),
        ({"db": -600}, "db"),
    ],
)
def test_a_shift_is_whose_time_it_is(shifts: dict[str, int], who: str | None) -> None:
    service, (line,) = attribute(divided(**shifts))
    assert service == who
    assert line.startswith("where the time goes: ")
    assert "the service itself 4.0 → " in line or "the service itself 4.1 → " in line
    assert "pricing 5.1 → " in line


def test_without_taps_nobody_is_named() -> None:
    assert attribute([Sample("c", 1_000, 2_000)] * 9) == (None, ())


def test_a_location_names_the_slowest_requests_first() -> None:
    samples = [Sample(f"c-{n}", 10_000, 10_000 + 100 * n) for n in range(30)]
    change = location_change("GET /x", [samples], SURE)
    assert (change.kind, change.transition, change.requests, change.improved) == ("location", "+50 %", 30, False)
    assert change.keys[:2] == ("c-29", "c-28")
    assert len(change.keys) == 20
    assert change.confidence == 0.95
    assert location_change("GET /x", [samples, samples], SURE).confidence == 0.999


def test_a_class_and_a_tail_say_how_many() -> None:
    rounds = [[Sample(f"c-{n}", 5_000, 35_000 if n < 3 else 5_000) for n in range(20)]] * 2
    keys = ("c-0", "c-1", "c-2")
    found = change_of("GET /x", Class(1e-9, "the same requests in each round", 30_000.0, keys, 40, 0.0), rounds)
    assert (found.kind, found.transition, found.requests, found.of, found.keys) == (
        "bimodal", "+30.0 ms", 6, 40, keys,
    )  # fmt: skip
    assert (found.before_ms, found.after_ms) == (5.0, 35.0)
    heavy = change_of("GET /x", Tail(1e-9, 2.0, 6, 0, 40, keys), rounds)
    assert (heavy.kind, heavy.transition, heavy.requests, heavy.of) == ("tail", "6:0 beyond ×2", 6, 40)


def test_endpoints_that_rise_together_are_one_change() -> None:
    rounds = [[Sample(f"c-{n}", 5_000, 5_000 + 50 * n, place=n) for n in range(80)]] * 2
    rising = {name: Trend(1e-9, rise, 4_000.0, 0.01, ("c-79",)) for name, rise in (("a", 0.2), ("b", 0.4))}
    change = rise_change(rising, {"a": rounds, "b": rounds})
    assert (change.kind, change.endpoint, change.transition) == ("trend", "b", "+49 % over the run")
    assert "so do a" in change.lines


def test_a_cost_that_shifts_within_an_equal_whole_is_told() -> None:
    (one,) = shifted_parts({"GET /x": [divided(pricing=2_000, itself=-2_000)] * 4}, 500.0)
    assert (one.service, one.shifted, one.kind) == ("pricing", True, "location")
    assert shifted_parts({"GET /x": [divided()] * 4}, 500.0) == []


def test_figures_are_finite() -> None:
    assert percent(math.log(1.48)) == "+48 %"
    assert relative(1e9) == relative(7.0)
