"""What a noise is called, and what stays."""

import random
from typing import Any

import pytest

from seamline.diffing.noise.classes import noise_class
from seamline.diffing.noise.partial_order import PartialOrder
from seamline.diffing.noise.profile import Profile
from seamline.diffing.noise.residual import Learnt, Spread


def numbers(*pairs: tuple[float, float]) -> Learnt:
    learnt = Learnt(spread=Spread())
    for run, (before, after) in enumerate(pairs):
        learnt.spread.add(before, after, run % 2)
    return learnt


def texts(draw: Any) -> Learnt:
    profile = Profile()
    for request in range(40):
        for run in range(2):
            profile.add(draw(random.Random(f"{request}/{run}")), f"c-{request}", run)
    return Learnt(profile=profile)


CLOSE = numbers(*[(1.0, 1.0 + step * 1e-11) for step in (1, 1, -2, -2, 3, 3, -1, -1, 2, 2, -1, -1, 1, 1)])
WIDE = numbers(*[(5.0, 9.0), (5.0, 8.0), (9.0, 5.0), (8.0, 5.0)] * 4)
OFFSET = numbers(*[(5.0, 9.0)] * 20)
LOG = Learnt(order=PartialOrder([["start", "end"]] * 30))
# name: grade, differs, trials, learnt, is a time, the class
ROWS: list[tuple[str, str, int, int, Learnt | None, bool, str]] = [
    ("a shuffle", "order_changed", 9, 60, None, False, "order.unordered"),
    ("threads", "order_changed", 9, 60, LOG, False, "order.concurrent"),
    ("comes and goes", "field_removed", 9, 60, None, False, "presence"),
    ("drawn members", "multiset_changed", 50, 60, None, False, "value.stochastic"),
    ("now", "value_changed/tokens", 60, 60, None, True, "time.now"),
    ("an id", "value_changed/tokens", 60, 60, None, False, "id.generated"),
    ("rare", "value_changed", 1, 60, None, False, "rare.stochastic"),
    ("the last bits", "numeric_precision", 40, 60, CLOSE, False, "float.ulp"),
    ("a duration", "value_changed", 60, 60, WIDE, False, "duration.measure"),
    ("a process's number", "value_changed", 60, 60, OFFSET, False, "env.identity"),
    ("a coin", "value_changed", 30, 60, texts(lambda rng: rng.choice(["a", "b"])), False, "value.stochastic"),
    ("a text", "value_changed", 60, 60, texts(lambda rng: f"took {rng.randrange(10**9)} steps"), False, "text.template"),
    ("a token", "value_changed", 60, 60, texts(lambda rng: "".join(rng.choices("abcdefghij", k=20))), False, "token.opaque"),
    ("another kind", "type_changed", 30, 60, None, False, "noise"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("grade", "differs", "trials", "learnt", "is_time", "name"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS]
)
def test_classes(grade: str, differs: int, trials: int, learnt: Learnt | None, is_time: bool, name: str) -> None:
    found, still = noise_class(grade, differs, trials, learnt, is_time=is_time)
    assert found == name
    assert still
