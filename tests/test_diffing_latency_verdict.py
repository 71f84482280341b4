"""The verdict on latency over seeded samples: few false alarms over many seeds, power where it matters, no verdict without
pairs."""

import math
import random

import pytest

from seamline.diffing.latency.samples import Rounds, Sample
from seamline.diffing.latency.verdict import LatencyVerdict, judge_latency
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
    return [one.endpoint for one in judge_latency(rounds(rng, 8, count, plays, luck, effect), noise).changes]


def judged(plays: list[list[Sample]], noise: list[list[Sample]] | None = None) -> LatencyVerdict:
    """The verdict on one endpoint."""
    return judge_latency({"GET /x": plays}, {"GET /x": noise} if noise else {})


def test_no_change_alarms_in_less_than_one_report_of_a_hundred() -> None:
    """120 reports of 8 endpoints, two starts that lie 2 % apart; latency_power.py in the benchmark plays many more."""
    assert sum(bool(alarms(seed, count=30)) for seed in range(120)) == 0


def test_a_large_slowdown_is_found() -> None:
    found = [alarms(seed, math.log(1.4)) for seed in range(40)]
    assert sum(one == ["GET /e0"] for one in found) >= 38


def test_rounds_that_disagree_are_no_finding() -> None:
    rng = random.Random(1)
    found = judged([samples(rng, 60, 0.5), samples(rng, 60, -0.05)])
    assert (found.rows[0].verdict, found.changes) == ("inconclusive", ())


def test_below_twenty_pairs_there_is_no_verdict() -> None:
    found = judged([samples(random.Random(1), 19, 2.0)])
    (row,) = found.rows
    assert (row.pairs, row.verdict, row.why, found.changes) == (19, "inconclusive", "too few pairs", ())
    assert row.low < row.estimate < row.high


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_few_pairs_have_no_interval_at_all(count: int) -> None:
    (row,) = judged([samples(random.Random(1), count, 2.0)]).rows
    assert (row.pairs, row.verdict, row.why) == (count, "inconclusive", "too few pairs")
    assert all(map(math.isnan, (row.estimate, row.low, row.high, row.mde)))


def test_runs_that_were_not_side_by_side_are_no_evidence() -> None:
    found = judged([samples(random.Random(1), 100, 1.0, apart=60_000_000)])
    assert (found.rows[0].verdict, found.rows[0].why) == ("inconclusive", "not replayed side by side")
    assert not found.changes


def test_a_baseline_that_alarms_against_itself_closes_the_gate() -> None:
    rng = random.Random(1)
    found = judged([samples(rng, 200, 0.8)], [samples(rng, 200, 0.7)])
    assert found.rows[0].verdict == "inconclusive"
    assert found.rows[0].why.startswith("environment too noisy: the baseline differs from itself at GET /x")
    assert found.notes == (f"latency: {found.rows[0].why}",)
    assert not found.changes


def test_a_baseline_that_as_a_whole_lies_apart_from_itself_closes_it_for_all() -> None:
    rng = random.Random(1)
    plays = {f"GET /{n}": [samples(rng, 200, 0.4)] for n in range(5)}
    noise = {f"GET /{n}": [samples(rng, 200, 0.15)] for n in range(5)}
    assert all(row.why.startswith("environment too noisy") for row in judge_latency(plays, noise).rows)
    calm = {f"GET /{n}": [samples(rng, 200, 0.01)] for n in range(5)}
    assert not judge_latency(plays, calm).notes


def test_less_than_a_millisecond_is_no_finding_and_a_speed_up_is_an_improvement() -> None:
    quick = [Sample(f"c-{n}", 500 + n % 7, 900 + n % 5, 10) for n in range(100)]
    assert judged([quick]).changes == ()
    rng = random.Random(2)
    (faster,) = judged([samples(rng, 200, -0.7), samples(rng, 200, -0.7)]).changes
    assert (faster.kind, faster.improved, faster.transition) == ("location", True, "-51 %")


def test_equal_times_are_equivalent_and_the_interval_holds_the_estimate() -> None:
    rng = random.Random(3)
    plays = [samples(rng, 200, spread=0.05) for _ in range(12)]
    (row,) = judged(plays, [samples(rng, 200, spread=0.05) for _ in range(3)]).rows
    assert row.verdict == "equivalent"
    assert row.low < row.estimate < row.high
    assert 0.05 <= row.mde < 0.07


def test_five_per_cent_is_never_called_no_change() -> None:
    for seed in range(30):
        rng = random.Random(seed)
        (row,) = judged([samples(rng, 60, math.log(1.05)) for _ in range(6)]).rows
        assert row.verdict != "equivalent"


def test_what_all_endpoints_share_is_excused_no_further_than_luck_goes() -> None:
    """Twelve endpoints, of which one is a seventh slower, or all are a fifth."""

    def slower(common: float, own: float) -> list[str]:
        rng = random.Random(11)
        plays = {
            f"GET /{n}": [samples(rng, 100, common + (own if n == 0 else 0.0), spread=0.05) for _ in range(10)]
            for n in range(12)
        }
        return [one.endpoint for one in judge_latency(plays, {}).changes]

    assert slower(0.0, 0.14) == ["GET /0"]
    assert len(slower(0.2, 0.0)) == 12


def test_what_was_replayed_again_is_judged_by_that_alone() -> None:
    """The rounds that raised a suspicion do not confirm it."""
    rng = random.Random(5)
    lucky, true = [samples(rng, 60, 0.15)], [samples(rng, 60) for _ in range(8)]
    again = judge_latency({"GET /x": lucky}, {}, {"GET /x": true})
    assert not again.changes
    assert again.rows[0].pairs == 8 * 60


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
