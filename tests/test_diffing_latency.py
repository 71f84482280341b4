"""Latency on seeded samples: few false alarms over many seeds, power where it matters, no verdict without pairs."""

import math
import random

import pytest

from seamline.diffing.latency import Rounds, Sample, compare_latency, spread_between_runs, trimmed
from support.traffic import Turn, verdict_on

MS = 1_000


def samples(
    rng: random.Random, count: int, effect: float = 0.0, *, spread: float = 0.15, apart: int = 1_000
) -> list[Sample]:
    """Pairs of about 8 ms: a shared request effect, noise of each side, one per cent of spikes."""
    found = []
    for number in range(count):
        base = math.log(8 * MS) + rng.gauss(0, 0.4)
        times = [base + rng.gauss(0, spread) + (rng.paretovariate(2) if rng.random() < 0.01 else 0) for _ in range(2)]
        found.append(Sample(f"c-{number}", int(math.exp(times[0])), int(math.exp(times[1] + effect)), apart))
    return found


def rounds(rng: random.Random, endpoints: int, count: int, plays: int, luck: float, effect: float = 0.0) -> Rounds:
    """Each start of a process has its own luck at each endpoint."""
    return {
        f"GET /e{number}": [
            samples(rng, count, rng.gauss(0, luck) + (effect if number == 0 else 0.0)) for _ in range(plays)
        ]
        for number in range(endpoints)
    }


def alarms(seed: int, effect: float = 0.0, *, plays: int = 2, count: int = 60, luck: float = 0.02) -> list[str]:
    rng = random.Random(seed)
    noise = rounds(rng, 8, count, 1, luck)
    _, changed = compare_latency(rounds(rng, 8, count, plays, luck, effect), noise)
    return [one.row.endpoint for one in changed]


def test_no_change_alarms_in_less_than_one_report_of_a_hundred() -> None:
    """300 reports of 8 endpoints: at most one with an alarm."""
    assert sum(bool(alarms(seed)) for seed in range(300)) <= 1


def test_a_large_slowdown_is_found() -> None:
    found = [alarms(seed, math.log(1.4)) for seed in range(40)]
    assert sum(one == ["GET /e0"] for one in found) >= 37


def test_rounds_that_disagree_are_no_finding() -> None:
    rng = random.Random(1)
    plays = [samples(rng, 60, 0.5), samples(rng, 60, -0.05)]
    rows, changed = compare_latency({"GET /x": plays}, {})
    assert (rows[0].verdict, changed) == ("inconclusive", ())


def test_below_twenty_pairs_there_is_no_verdict() -> None:
    rows, changed = compare_latency({"GET /x": [samples(random.Random(1), 19, 2.0)]}, {})
    assert (rows[0].pairs, rows[0].verdict, changed) == (19, "inconclusive", ())


def test_runs_that_were_not_side_by_side_are_no_evidence() -> None:
    late = samples(random.Random(1), 100, 1.0, apart=60_000_000)
    rows, changed = compare_latency({"GET /x": [late]}, {})
    assert (rows[0].verdict, changed) == ("inconclusive", ())


def test_a_baseline_that_alarms_against_itself_closes_the_gate() -> None:
    rng = random.Random(1)
    rows, changed = compare_latency({"GET /x": [samples(rng, 200, 0.8)]}, {"GET /x": [samples(rng, 200, 0.3)]})
    assert (rows[0].verdict, changed) == ("inconclusive", ())


def test_less_than_a_millisecond_is_no_finding_and_a_speed_up_is_an_improvement() -> None:
    quick = [Sample(f"c-{n}", 500 + n % 7, 900 + n % 5, 10) for n in range(100)]
    assert compare_latency({"GET /x": [quick]}, {})[1] == ()
    (faster,) = compare_latency({"GET /x": [samples(random.Random(2), 200, -0.7)]}, {})[1]
    assert faster.row.verdict == "improved"


def test_equal_times_are_equivalent_and_the_interval_holds_the_estimate() -> None:
    rows, _ = compare_latency(
        {"GET /x": [samples(random.Random(3), 1000, spread=0.05)]},
        {"GET /x": [samples(random.Random(4), 1000, spread=0.05)]},
    )
    (row,) = rows
    assert row.verdict == "equivalent"
    assert row.low < row.estimate < row.high
    assert row.mde >= 0.05


def test_the_trimmed_mean_by_hand() -> None:
    """Ten values, two cut at each end: mean of 3..8, Winsorised sum of squares 2·(3·2.5² + 1.5² + 0.5²)."""
    mean, error, degrees = trimmed([1, 2, 3, 4, 5, 6, 7, 8, 9, 1000])
    assert mean == 5.5
    assert error == pytest.approx(math.sqrt(2 * (3 * 2.5**2 + 1.5**2 + 0.5**2) / (6 * 5)))
    assert degrees == 5


def test_the_spread_between_runs_is_floored_and_wide_where_nothing_is_known() -> None:
    assert spread_between_runs({}) == 0.03
    assert spread_between_runs(rounds(random.Random(1), 8, 400, 1, 0.0)) <= 0.015
    assert spread_between_runs(rounds(random.Random(1), 30, 400, 1, 0.1)) == pytest.approx(0.1, rel=0.4)


def test_a_slowdown_reaches_the_report() -> None:
    def side(extra: int):  # type: ignore[no-untyped-def]  # a play
        return lambda number, name: Turn(
            target=f"/orders/{number}",
            body={},
            takes_us=5_000 + random.Random(f"{name}{number}").randrange(400) + (extra if name[0] == "b" else 0),
        )

    report = verdict_on(side(0), side(2_500), count=60, rounds=2)
    (finding,) = report.findings
    assert (finding.surface.value, finding.kind, finding.severity.word, finding.path) == (
        "latency",
        "location",
        "warning",
        None,
    )
    assert finding.transition == "+48 %"
    assert 5 < float(str(finding.before)) < 5.5 < float(str(finding.after)) < 8
    assert report.latency[0].verdict == "regressed"
