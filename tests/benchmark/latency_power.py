"""Power and false alarms of the latency procedure on simulated reports, in the terms of docs/detection.md, "Latency".

`PYTHONPATH=.typing:tests python -m benchmark.latency_power [REPORTS]` prints the tables. Nothing is timed: the samples are drawn.

The generator. A report has 50 endpoints. The log of a service time is the request's own (sd .2 to .8, the same on both
sides), the machine's drift (a random walk of sd .15 and two noisy neighbours of +.1 to +.4, the same at both sides of a
pair), the order (the second of a pair is 4 % faster), the start (each process is off by 1.5 % as a whole and 1 % an
endpoint), noise of each execution (sd .08 to .30), and one in a hundred executions is a Pareto spike.
"""

import argparse
import math
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from seamline.diffing.latency.samples import Rounds, Sample
from seamline.diffing.latency.stages import suspects
from seamline.diffing.latency.verdict import LatencyVerdict, judge_latency

ENDPOINTS = 50
COMMON, OWN = 0.015, 0.010
ORDER = math.log(0.96)
Effect = Callable[[random.Random], float]
"""What a change adds to the log of one execution."""


def by(factor: float) -> Effect:
    """All executions take `factor` times as long."""
    shift = math.log(factor)
    return lambda _: shift


def tail_of(share: float, factor: float) -> Effect:
    """A `share` of the executions take `factor` times as long."""
    shift = math.log(factor)
    return lambda rng: shift if rng.random() < share else 0.0


EFFECTS: dict[str, Effect] = {
    "+5 %": by(1.05),
    "+10 %": by(1.10),
    "+20 %": by(1.20),
    "+25 %": by(1.25),
    "tail 5 % x3": tail_of(0.05, 3.0),
    "tail 2 % x5": tail_of(0.02, 5.0),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint's nature: the log of its usual time in microseconds, and its two spreads."""

    name: str
    level: float
    requests: float
    noise: float


def endpoints(rng: random.Random) -> list[Endpoint]:
    """A report's endpoints, of 8 to 80 ms."""
    return [
        Endpoint(f"GET /e{n:02}", math.log(rng.uniform(8_000, 80_000)), rng.uniform(0.2, 0.8), rng.uniform(0.08, 0.30))
        for n in range(ENDPOINTS)
    ]


@dataclass(slots=True)
class Machine:
    """Where pairs are drawn. `luck` multiplies what two starts differ by."""

    rng: random.Random
    luck: float = 1.0

    def round(self, what: Iterable[Endpoint], pairs: int, effects: dict[str, Effect]) -> dict[str, list[Sample]]:
        """One round: two fresh processes, `pairs` pairs of each endpoint."""
        common = self.rng.gauss(0, COMMON * self.luck) - self.rng.gauss(0, COMMON * self.luck)
        drift = self._drift(pairs)
        return {one.name: self._pairs(one, drift, common, effects.get(one.name)) for one in what}

    def rounds(self, what: list[Endpoint], pairs: int, count: int, effects: dict[str, Effect]) -> Rounds:
        """`count` rounds, by endpoint."""
        played = [self.round(what, pairs, effects) for _ in range(count)]
        return {one.name: [each[one.name] for each in played] for one in what}

    def _drift(self, count: int) -> list[float]:
        rng, at, walk = self.rng, 0.0, []
        for _ in range(count):
            at += rng.gauss(0, 0.15 / math.sqrt(count))
            walk.append(at)
        for _ in range(2):
            since, much = rng.randrange(count), rng.uniform(0.1, 0.4)
            for place in range(since, min(count, since + count // 10)):
                walk[place] += much
        return walk

    def _pairs(self, one: Endpoint, drift: list[float], common: float, effect: Effect | None) -> list[Sample]:
        rng, found = self.rng, []
        start = common + rng.gauss(0, OWN * self.luck) - rng.gauss(0, OWN * self.luck)
        for place, weather in enumerate(drift):
            base = one.level + rng.gauss(0, one.requests) + weather
            before, after = base + self._execution(one.noise), base + self._execution(one.noise) + start
            if rng.random() < 0.5:
                before += ORDER
            else:
                after += ORDER
            if effect is not None:
                after += effect(rng)
            found.append(Sample(f"c-{place}", int(math.exp(before)), int(math.exp(after)), 20_000, place))
        return found

    def _execution(self, noise: float) -> float:
        spike = math.log(self.rng.paretovariate(1.5)) + 0.7 if self.rng.random() < 0.01 else 0.0
        return self.rng.gauss(0, noise) + spike


@dataclass(frozen=True, slots=True)
class Layout:
    """`pairs` an endpoint over `starts` rounds; then, of what is suspected, `again` pairs over `restarts`."""

    pairs: int
    starts: int
    again: int = 0
    restarts: int = 0

    def __str__(self) -> str:
        first = f"n={self.pairs}, R={self.starts}"
        return f"{first} → n={self.again}, R={self.restarts}" if self.again else first


def report(seed: int, layout: Layout, luck: float, effects: dict[str, Effect]) -> tuple[LatencyVerdict, float]:
    """One simulated report, and how many pairs it cost beyond the first rounds, relative to those."""
    machine = Machine(random.Random(seed), luck)
    what = endpoints(machine.rng)
    rounds = machine.rounds(what, layout.pairs // layout.starts, layout.starts, effects)
    noise = machine.rounds(what, layout.pairs // layout.starts, 1, {})
    if not layout.again:
        return judge_latency(rounds, noise), 0.0
    suspected = set(suspects(rounds, noise))
    again = [one for one in what if one.name in suspected]
    timing = machine.rounds(again, layout.again // layout.restarts, layout.restarts, effects)
    cost = len(again) * layout.again / (len(what) * layout.pairs)
    return judge_latency(rounds, noise, timing), cost


@dataclass(slots=True)
class Tally:
    """What came of the reports of one layout."""

    reports: int = 0
    alarmed: int = 0
    false: int = 0
    found: int = 0
    of: int = 0
    noisy: int = 0
    cost: float = 0.0


def play(seeds: Iterable[int], layout: Layout, luck: float, effect: Effect | None, slowed: int) -> Tally:
    """The tally of reports in which `effect` slows the first `slowed` endpoints."""
    tally = Tally()
    for seed in seeds:
        effects = {f"GET /e{n:02}": effect for n in range(slowed)} if effect is not None else {}
        verdict, cost = report(seed, layout, luck, effects)
        alarms = {one.endpoint for one in verdict.changes if not one.improved and not one.shifted}
        wrong = {one.endpoint for one in verdict.changes} - effects.keys()
        tally.reports += 1
        tally.alarmed += bool(wrong)
        tally.false += len(wrong)
        tally.found += len(alarms & effects.keys())
        tally.of += len(effects)
        tally.noisy += bool(verdict.notes)
        tally.cost += cost
    return tally


LAYOUTS = (Layout(50, 2), Layout(200, 5), Layout(50, 2, 300, 10), Layout(200, 2, 1000, 10), Layout(200, 2, 1000, 20))


def lines(reports: int, layouts: Iterable[Layout] = LAYOUTS, slowed: int = 5) -> Iterator[str]:
    """The tables, line by line."""
    yield "| layout | luck | false alarms in null reports | gated | " + " | ".join(EFFECTS) + " | extra pairs |"
    yield "|---|---|---|---|" + "---|" * len(EFFECTS) + "---|"
    few = max(1, reports // 15)
    for layout in layouts:
        for luck in (1.0, 2.0):
            null = play(range(reports), layout, luck, None, 0)
            power = [play(range(10_000, 10_000 + few), layout, luck, effect, slowed) for effect in EFFECTS.values()]
            cells = [f"{one.found / one.of:.2f}" + (f" ({one.false} false)" if one.false else "") for one in power]
            yield (
                f"| {layout} | ×{luck:g} | {null.alarmed} of {null.reports} | {null.noisy} | "
                + " | ".join(cells)
                + f" | {null.cost / null.reports:+.1f}× |"
            )


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("reports", nargs="?", type=int, default=300, help="null reports a row")
    chosen = parser.parse_args(arguments)
    began = time.perf_counter()
    for line in lines(chosen.reports):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    sys.stderr.write(f"{time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
