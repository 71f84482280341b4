"""What values that differ by themselves still promise, and what breaks it."""

import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from seamline.diffing.noise.profile import Profile

Draw = Callable[[random.Random, int, int], Any]
"""A value by source, request and run."""


def learnt(draw: Draw, requests: int = 40, runs: int = 3) -> Profile:
    made = Profile()
    for request in range(requests):
        for run in range(runs):
            made.add(draw(random.Random(f"{request}/{run}"), request, run), f"c-{request}", run)
    return made


def coin(rng: random.Random, _request: int, _run: int) -> Any:
    return rng.choice(["heads", "tails"])


def token(rng: random.Random, _request: int, _run: int) -> Any:
    return "".join(rng.choices("abcdefghkmXYZWV0123_-", k=21))


def took(rng: random.Random, _request: int, _run: int) -> Any:
    return rng.uniform(1, 80)


def greeting(rng: random.Random, request: int, _run: int) -> Any:
    return f"{rng.choice(['Hello', 'Welcome', 'Good day'])}, number {request}"


def pod(_rng: random.Random, _request: int, run: int) -> Any:
    return f"orders-{('x7f2k', 'bq81z', 'kk0a9')[run]}"


def digest(rng: random.Random, _request: int, _run: int) -> Any:
    return f"{rng.getrandbits(128):032x}"


def free(rng: random.Random, _request: int, _run: int) -> Any:
    return " ".join(rng.choices(["red", "green", "blue", "warm", "cold"], k=rng.randrange(2, 6)))


# name: what the baseline says, a value of the candidate's, the kind of its breach or nothing
ROWS: list[tuple[str, Draw, Any, str]] = [
    ("one of the choices", coin, "heads", ""),
    ("none of the choices", coin, "edge", "value_changed"),
    ("a choice in another case", coin, "HEADS", "value_changed"),
    ("a token", token, "b0c-dX_fY1a2b3c1d2e3Z", ""),
    ("a shorter token", token, "b0c-dX_fY1a2", "shape_changed"),
    ("a counter for a token", token, "17", "shape_changed"),
    ("another alphabet", token, "b0c+dX/fY1a2b3c1d2e3Z", "shape_changed"),
    ("a uuid for a token", token, str(uuid.UUID(int=5, version=4)), "shape_changed"),
    ("as long as others", took, 44.5, ""),
    ("an order of magnitude more", took, 640.0, ""),
    ("milliseconds told in seconds", took, 0.0021, "format_changed"),
    ("seconds told in microseconds", took, 12_000_000.0, "format_changed"),
    ("negative", took, -4.0, "value_changed"),
    ("zero is no magnitude", took, 0, ""),
    ("a known wording", greeting, "Hello, number 90", ""),
    ("another wording", greeting, "Hello, customer 90", "value_changed"),
    ("another process", pod, "orders-9k3jd", ""),
    ("another name for it", pod, "10.0.0.7", "shape_changed"),
    ("another first word", pod, "payments-9k3jd", "shape_changed"),
    ("a digest", digest, "0f" * 16, ""),
    ("a digest of another length", digest, "0f" * 20, "shape_changed"),
    ("free text", free, "cold green cold blue red red", ""),
    ("null is told elsewhere", coin, None, ""),
    ("a list is told elsewhere", coin, ["heads"], ""),
]


@pytest.mark.parametrize(("draw", "value", "kind"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_breaches(draw: Draw, value: Any, kind: str) -> None:
    breach = learnt(draw).breach(value)
    assert (breach.kind if breach else "") == kind


@pytest.mark.parametrize("draw", [coin, token, took, greeting, pod, digest, free])
def test_another_run_of_the_baseline_breaks_nothing(draw: Draw) -> None:
    profile = learnt(draw)
    runs = range(3) if draw is pod else range(100, 103)
    found = [profile.breach(draw(random.Random(f"{n}/new"), n, run)) for n in range(40) for run in runs]
    assert [one for one in found if one] == []


@pytest.mark.parametrize("draw", [coin, token, took, greeting])
def test_a_few_values_promise_nothing(draw: Draw) -> None:
    profile = learnt(draw, requests=1, runs=2)
    assert [profile.breach(value) for value in ("x", "10.0.0.7", 10**12, -5)] == [None] * 4


def test_the_size_of_a_number_of_a_process_s_own_says_nothing() -> None:
    profile = learnt(lambda rng, request, run: 20_000 + 1_000 * run)
    assert profile.breach(7, measured=False) is None
    assert profile.breach(7) is not None


def test_texts_of_any_length_and_numbers_of_any_size_are_taken() -> None:
    profile = Profile()
    for value in ("x" * 10_000, 10**400, float("inf"), float("nan"), True, None):
        profile.add(value, "c-1", 0)
        assert profile.breach(value) is None
