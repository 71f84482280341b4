"""What noise does not excuse: each promise of a noisy place is kept by the baseline and broken by a change."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from seamline.diffing.comparison import Comparison, Observation, Side, compare_runs
from seamline.diffing.difference import Difference
from seamline.diffing.endpoints.templates import Templates
from seamline.diffing.noise.model import NoiseModel, learn_noise
from seamline.diffing.noise.residual import Spread, breaches, is_tolerated, relative
from seamline.diffing.report.model import Surface
from support.traffic import answers, play

Body = Callable[[random.Random, int], Any]
COUNT = 40


def side(body: Body, name: str) -> Side:
    return Side.of(play(answers(lambda n, run: body(random.Random(f"{run}/{n}"), n)), name, COUNT))


def learnt(body: Body) -> NoiseModel:
    return learn_noise([side(body, name) for name in ("a0", "n", "a1")], Templates())[0]


def compared(before: Body, after: Body, model: NoiseModel) -> Comparison:
    return compare_runs(side(before, "a0"), side(after, "b0"), Templates(), model.unordered)


def broken(before: Body, after: Body) -> set[tuple[str, str | None]]:
    model = learnt(before)
    found = breaches(compared(before, after, model), model.learned)
    return {(one.difference.kind, one.difference.path) for one in found}


def product(number: int) -> Any:
    return {"sku": f"p{number}", "title": f"Product {number}", "price": 10 + number}


def drawn(rng: random.Random, _: int) -> Any:
    return {"items": [product(pick) for pick in rng.sample(range(12), 4)]}


def log(rng: random.Random, _: int) -> Any:
    return {"log": ["start", *rng.sample(["stock", "price", "tax"], 3), "end"]}


def load(rng: random.Random, _: int) -> Any:
    return {"load": 0.42 * (1 + rng.uniform(-0.001, 0.001))}


def coin(rng: random.Random, _: int) -> Any:
    return {"coin": rng.choice(["heads", "tails"])}


def lengths(rng: random.Random, _: int) -> Any:
    return {"seen": rng.sample(range(900), rng.randrange(3, 7))}


def edited(body: Body, name: str, edit: Callable[[Any], Any]) -> Body:
    def after(rng: random.Random, number: int) -> Any:
        made = body(rng, number)
        return made | {name: edit(made[name])}

    return after


# name: the noisy service, the member that is changed, how, the kinds at its place that break
ROWS: list[tuple[str, Body, str, Callable[[Any], Any], set[str]]] = [
    ("one fewer of those drawn", drawn, "items", lambda v: v[1:], {"multiset_changed", "length_changed"}),
    ("drawn from elsewhere", drawn, "items", lambda v: [product(n + 500) for n in range(4)], {"multiset_changed"}),
    ("the end is written first", log, "log", lambda v: [v[-1], *v[:-1]], {"order_changed"}),
    ("ten per cent more", load, "load", lambda v: v * 1.1, {"value_changed"}),
    ("a value that is none of them", coin, "coin", lambda v: "edge", {"value_changed"}),
    ("many more", lengths, "seen", lambda v: [*v, *range(1000, 1040)], {"length_changed"}),
    ("none", lengths, "seen", lambda v: [], {"length_changed"}),
]


@pytest.mark.parametrize(("body", "name", "edit", "kinds"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_a_promise_is_broken_by_a_change_alone(
    body: Body, name: str, edit: Callable[[Any], Any], kinds: set[str]
) -> None:
    found = broken(body, edited(body, name, edit))
    assert found
    assert found <= {(kind, f"$.{name}") for kind in kinds}
    assert broken(body, body) == set()


def summed(rng: random.Random, _: int) -> Any:
    return {"sum": 0.42 * (1 + rng.uniform(-1e-10, 1e-10))}


def near(path: str, before: float, after: float, endpoint: str = "GET /orders/{id}") -> Observation:
    return Observation("c-99", endpoint, Difference(Surface.RESPONSE, "numeric_precision", path, before, after, ""))


def test_last_digits_that_lie_as_near_as_the_baseline_s_own_are_tolerated() -> None:
    learned = learnt(summed).learned
    assert is_tolerated(near("$.sum", 0.42, 0.42 + 1e-11), learned)
    assert not is_tolerated(near("$.sum", 0.42, 0.42 + 1e-7), learned)
    assert not is_tolerated(near("$.sum", 0.42, 0.42 + 1e-11, "GET /other"), learned)


def test_a_measurement_s_spread_tolerates_nothing_at_requests_that_do_not_vary() -> None:
    assert not is_tolerated(near("$.load", 0.42, 0.4201), learnt(load).learned)


def test_numbers_of_which_each_process_has_its_own_have_no_spread() -> None:
    spread = Spread()
    for number in range(40):
        spread.add(1000 + number, 1010 + number, 1)
        spread.add(1000 + number, 990 + number, 2)
    assert not spread.is_measured
    assert spread.bound is None


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [(10, 11, 1 / 11), (0, 0, None), (True, 5, None), ("a", 5, None), (10**301, 1, None), (-5, 5, 2.0)],
)
def test_relative_distances(before: Any, after: Any, gap: float | None) -> None:
    assert relative(before, after) == (pytest.approx(gap) if gap else None)


def test_a_quiet_place_promises_nothing_here() -> None:
    model = learnt(lambda rng, number: {"total": number})
    found = compared(lambda rng, n: {"total": n}, lambda rng, n: {"total": n + 1}, model)
    assert breaches(found, model.learned) == []
