"""Memory that grows with every request: found where the baselines stay flat, and nowhere else."""

import random
from typing import Any

import orjson
import pytest

from seamline.capture.headers import Headers
from seamline.capture.model import Exchange, Request, Response, Role
from seamline.diffing.judge import judge
from seamline.diffing.report.model import Finding
from seamline.diffing.resources import Growth, growth_of, is_leak, readings_of
from seamline.diffing.rounds import JudgeOptions, Round, Run
from support.traffic import Turn, a_run

MIB = 1024


def held(body: Any) -> Exchange:
    """The exchange that holds readings."""
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    return Exchange(
        "m-1", 1, Role.OUTBOUND, "process", "", "state", 1, 0, Request("STATE", "memory", Headers(), b"", "", "state"),
        Response(0, Headers([("content-type", "application/json")]), text),
    )  # fmt: skip


def run(name: str, kib_a_request: float, *, seed: int = 1, requests: int = 320, warm_mib: int = 30) -> Run:
    """A run whose process warms up by `warm_mib`, grows by so much a request, and flutters by 200 KiB."""
    rng = random.Random(seed)
    readings = [
        (n, int(80 * MIB + warm_mib * MIB * min(1, n / 60) + kib_a_request * n + rng.uniform(-100, 100)))
        for n in range(5, requests + 1, 5)
    ]
    return a_run([Turn(body={}) for _ in range(30)], name, states=[held({"resident_kib": readings})])


def found(rounds: list[tuple[float, float]], noise: float = 0.0) -> list[Finding]:
    """The resource findings of rounds of (baseline, candidate) growth in KiB a request."""
    played = [Round(run(f"a{n}", old, seed=n), run(f"b{n}", new, seed=50 + n)) for n, (old, new) in enumerate(rounds)]
    report = judge(played, [run("n", noise, seed=99)], JudgeOptions(explain=False))
    assert not [line for line in report.coverage.unverified if "process" in line]
    assert not [one for one in report.findings if one.surface.value != "resource"]
    return list(report.findings)


@pytest.mark.parametrize("leak", [50, 200, 4000])
def test_a_leak_is_one_finding(leak: float) -> None:
    (one,) = found([(0, leak), (0, leak)])
    assert (one.surface.value, one.kind, one.severity.word, one.endpoint, one.path) == (
        "resource", "trend", "warning", "*", "memory",
    )  # fmt: skip
    assert float(str(one.after)) == pytest.approx(leak, rel=0.1)
    assert one.confidence == 0.99
    assert "still rising" in one.explanation[0]


@pytest.mark.parametrize(
    ("rounds", "noise"),
    [
        ([(0, 0), (0, 0)], 0),  # nobody grows
        ([(200, 200), (200, 220)], 200),  # everybody does, as ever
        ([(0, 200), (0, 0)], 0),  # one round only
        ([(0, 10), (0, 10)], 0),  # too little to matter
        ([(0, 150), (0, 150)], 100),  # a baseline leaks too
    ],
)
def test_what_is_no_leak(rounds: list[tuple[float, float]], noise: float) -> None:
    assert found(rounds, noise) == []


def test_a_step_is_no_leak() -> None:
    """A cache that is filled once, a pool that is doubled."""
    steps = [(n, 80 * MIB + (40 * MIB if n > 200 else 0)) for n in range(5, 321, 5)]
    growth = growth_of(steps)
    assert growth is not None
    assert not growth.steady


def test_false_alarms_over_many_seeds() -> None:
    """Memory that wanders about by itself, 300 candidates against three baselines each."""
    rng = random.Random(7)

    def wander() -> Growth:
        at, readings = 100.0 * MIB, []
        for n in range(5, 321, 5):
            at += rng.gauss(0, 0.15 * MIB)
            readings.append((n, int(at)))
        growth = growth_of(readings)
        assert growth is not None
        return growth

    assert sum(is_leak(wander(), [wander() for _ in range(3)]) for _ in range(300)) == 0


@pytest.mark.parametrize(
    "body",
    [b"{", [], {}, {"resident_kib": 5}, {"resident_kib": [[1], ["a", 2], [1, -2], [None, 1], {"x": 1}]}, b"null"],
)
def test_hostile_readings_are_none(body: Any) -> None:
    assert readings_of(a_run([Turn(body={})], states=[held(body)])) == []


def test_readings_are_bounded() -> None:
    assert len(readings_of(a_run([], states=[held({"resident_kib": [[n, n] for n in range(5000)]})]))) == 1000


def test_few_readings_say_nothing() -> None:
    assert growth_of([]) is None
    assert growth_of([(n, n) for n in range(8)]) is None
    assert growth_of([(n, n) for n in range(40)]) is None
