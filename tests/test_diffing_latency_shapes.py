"""Shapes over a whole report: one family of tests, the most precise account first."""

import random

from seamline.diffing.latency.samples import Sample
from seamline.diffing.latency.shapes import looks, shapes

LEAST = 500.0


def play(rng: random.Random, slow: float = 0.0, rise_us: int = 0, same: bool = False) -> list[Sample]:
    """A round of 100 pairs of about 10 ms, of which a share `slow` takes 30 ms more (the `same` each time, or any)."""
    found = []
    for n in range(100):
        hit = n < 100 * slow if same else rng.random() < slow
        base = 10_000 + rng.randrange(-1_500, 1_500)
        late = rise_us * n // 100
        found.append(
            Sample(f"c-{n * 7 % 100}", base, base + rng.randrange(-400, 400) + late + (30_000 if hit else 0), place=n)
        )
    return found


def test_each_shape_is_told_by_its_name() -> None:
    rng = random.Random(1)
    endpoints = {
        "tail": [play(rng, 0.06) for _ in range(5)],
        "class": [play(rng, 0.06, same=True) for _ in range(5)],
        "leak": [play(rng, rise_us=8_000) for _ in range(5)],
        "calm": [play(rng) for _ in range(5)],
    }
    found = shapes({name: (rounds, [play(rng)]) for name, rounds in endpoints.items()}, LEAST)
    assert {name: type(shape).__name__ for name, shape in found.items()} == {
        "tail": "Tail",
        "class": "Class",
        "leak": "Trend",
    }


def test_what_the_baseline_shows_against_itself_is_no_tail() -> None:
    rng = random.Random(2)
    rounds = [play(rng, 0.06) for _ in range(5)]
    assert "tail" in looks(rounds, [play(rng)], LEAST)
    assert "tail" not in looks(rounds, [play(rng, 0.2)], LEAST)


def test_no_change_has_no_shape() -> None:
    """100 reports of three endpoints."""
    for seed in range(100):
        rng = random.Random(seed)
        calm = {f"e{n}": ([play(rng), play(rng)], [play(rng)]) for n in range(3)}
        assert shapes(calm, LEAST) == {}
