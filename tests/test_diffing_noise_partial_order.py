"""Some elements always come first, though the list has no order."""

import random
from typing import Any

from seamline.diffing.noise.partial_order import MAX_ELEMENTS, MIN_SEEN, PartialOrder


def log(seed: int) -> list[Any]:
    middle = ["stock", "price", "tax"]
    random.Random(seed).shuffle(middle)
    return [{"step": step, "at": f"2026-11-24T10:00:00.{seed:03}Z"} for step in ("start", *middle, "end")]


def test_a_log_begins_with_its_start() -> None:
    order = PartialOrder([log(seed) for seed in range(60)])
    assert order.has_pairs
    assert all(order.broken_by(log(seed)) is None for seed in range(60, 120))
    turned = log(200)
    assert order.broken_by([turned[-1], *turned[:-1]]) == ("start", "end")


def test_a_shuffle_has_no_order() -> None:
    lists: list[list[Any]] = []
    for seed in range(60):
        one: list[Any] = ["a", "b", "c", "d"]
        random.Random(seed).shuffle(one)
        lists.append(one)
    order = PartialOrder(lists)
    assert not order.has_pairs
    assert order.broken_by(["d", "c", "b", "a"]) is None


def test_a_few_lists_say_nothing() -> None:
    order = PartialOrder([["a", "b"]] * (MIN_SEEN - 1))
    assert order.broken_by(["b", "a"]) is None
    assert PartialOrder([["a", "b"]] * MIN_SEEN).broken_by(["b", "a"]) == ('"a"', '"b"')


def test_lists_that_are_long_or_name_one_twice_are_passed_over() -> None:
    long: list[Any] = [*range(MAX_ELEMENTS + 1)]
    assert not PartialOrder([long] * 30).has_pairs
    assert not PartialOrder([["a", "a", "b"]] * 30).has_pairs
    assert PartialOrder([]).broken_by(["a"]) is None
