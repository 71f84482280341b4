"""Classes of requests that got slower while the rest did not."""

import random
from collections.abc import Set

import pytest

from seamline.diffing.latency.bimodal import SAME_REQUESTS, bimodal, explains
from seamline.diffing.latency.samples import FIRST_OF_SESSION, FIRST_OF_TARGET, Sample

LEAST = 500.0


def play(rng: random.Random, slow: Set[int], extra_us: int, first: Set[int] = frozenset()) -> list[Sample]:
    """A round of requests of about 5 ms; `slow` ones take so much longer, `first` ones are the first of their kind."""
    return [
        Sample(
            f"c-{n}", before := 5_000 + rng.randrange(-300, 300) + 200 * (n % 5),
            before + rng.randrange(-300, 300) + (extra_us if n in slow else 0),
            classes=(FIRST_OF_TARGET,) if n in first else (),
        )
        for n in range(40)
    ]  # fmt: skip


def test_a_cold_path_is_found_by_what_it_is() -> None:
    rng = random.Random(1)
    cold = set(range(0, 40, 4))
    found = bimodal([play(rng, cold, 30_000, cold) for _ in range(3)], [play(rng, set(), 0, cold)], LEAST)
    assert found is not None
    assert found.name in {FIRST_OF_TARGET, SAME_REQUESTS}
    assert found.p_value < 1e-6
    assert found.shift_us == pytest.approx(30_000, rel=0.05)
    assert set(found.keys) == {f"c-{n}" for n in cold}
    assert explains(found)


@pytest.mark.parametrize("slow", [{3, 17}, {3, 17, 20, 33}])
def test_the_same_few_requests_in_each_round_are_a_class(slow: set[int]) -> None:
    rng = random.Random(2)
    found = bimodal([play(rng, slow, 30_000) for _ in range(3)], [play(rng, set(), 0)], LEAST)
    assert found is not None
    assert (found.name, set(found.keys)) == (SAME_REQUESTS, {f"c-{n}" for n in slow})
    assert found.p_value < 1e-3
    assert found.of == 120


def test_other_requests_in_each_round_are_none() -> None:
    rng = random.Random(3)
    rounds = [play(rng, set(rng.sample(range(40), 3)), 30_000) for _ in range(3)]
    found = bimodal(rounds, [play(rng, set(), 0)], LEAST)
    assert found is None or found.p_value > 0.01


def test_noise_that_stands_out_by_itself_counts_against_it() -> None:
    """Where baseline and baseline differ as much, two requests twice are no proof."""
    rng = random.Random(4)
    rounds = [play(rng, {3, 17}, 30_000) for _ in range(2)]
    noise = [play(rng, set(rng.sample(range(40), 12)), 30_000) for _ in range(2)]
    wild, calm = bimodal(rounds, noise, LEAST), bimodal(rounds, [play(rng, set(), 0)], LEAST)
    assert wild is not None
    assert calm is not None
    assert wild.p_value > 0.05 > calm.p_value


def test_what_all_requests_share_is_no_class() -> None:
    rng = random.Random(5)
    assert bimodal([play(rng, set(range(40)), 30_000, set(range(0, 40, 4))) for _ in range(3)], [], LEAST) is None


def test_one_round_only_raises_a_suspicion() -> None:
    rng = random.Random(6)
    rounds = [play(rng, {3, 17, 30}, 30_000)]
    assert bimodal(rounds, [], LEAST) is None
    assert bimodal(rounds, [], LEAST, least_rounds=1) is not None


def test_no_change_is_no_class_over_many_seeds() -> None:
    found = []
    for seed in range(300):
        rng = random.Random(seed)
        first = set(range(0, 40, 4))
        found.append(bimodal([play(rng, set(), 0, first) for _ in range(2)], [play(rng, set(), 0, first)], LEAST))
    assert not [one for one in found if one is not None and one.p_value < 0.005]


def test_the_first_of_a_session_is_a_class_too() -> None:
    rng = random.Random(7)

    def session(_: int) -> list[Sample]:
        return [
            Sample(
                f"c-{n}", 5_000, 5_000 + rng.randrange(200) + (9_000 if n % 3 == 0 else 0),
                classes=(FIRST_OF_SESSION,) if n % 3 == 0 else (),
            )
            for n in range(30)
        ]  # fmt: skip

    found = bimodal([session(n) for n in range(3)], [], LEAST)
    assert found is not None
    assert found.keys[0] in {f"c-{n}" for n in range(0, 30, 3)}
