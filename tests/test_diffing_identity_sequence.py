"""Counters keep the order of creation."""

import random

import pytest

from seamline.diffing.identity.bijection import Names
from seamline.diffing.identity.sequence import MIN_ORDERED, ordered_domains, out_of_order
from seamline.diffing.identity.sights import Sight, Spot, Trust

SPOT = Spot("POST /orders", ("response", "$.id", "", ""))
DOMAINS = {SPOT: 7}


def names(numbers: list[int]) -> Names:
    """The ids 0, 1, 2 … and what they are called on the other side."""
    return Names({(7, str(old)): str(new) for old, new in enumerate(numbers)}, {})


def sights(numbers: list[int]) -> list[Sight]:
    return [Sight(f"c-{old}", SPOT, str(old), str(new), Trust.ANSWERED, True) for old, new in enumerate(numbers)]


COUNTED = list(range(500, 520))
OVERTAKEN = [*COUNTED[:5], COUNTED[6], COUNTED[5], *COUNTED[7:]]
DRAWN = random.Random(4).sample(range(1000), 20)


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        ([COUNTED], {7}),
        ([COUNTED, OVERTAKEN], set()),
        ([COUNTED[: MIN_ORDERED - 1]], set()),
        ([], set()),
    ],
    ids=["kept", "overtaken in one", "too few", "nothing"],
)
def test_whose_numbers_keep_the_order(baselines: list[list[int]], expected: set[int]) -> None:
    assert ordered_domains([names(one) for one in baselines]) == expected


@pytest.mark.parametrize(
    ("candidate", "broken"),
    [(COUNTED, 0), (OVERTAKEN, 0), (COUNTED[::-1], 19)],
    ids=["counted", "one overtaken", "counted down"],
)
def test_what_comes_too_early(candidate: list[int], broken: int) -> None:
    found = out_of_order(sights(candidate), names(candidate), DOMAINS, frozenset({7}))
    assert len(found) == broken


def test_drawn_numbers_come_in_any_order_and_texts_in_none() -> None:
    assert len(out_of_order(sights(DRAWN), names(DRAWN), DOMAINS, frozenset({7}))) > 10
    assert out_of_order(sights(DRAWN), names(DRAWN), DOMAINS, frozenset()) == []
    texts = Names({(7, f"a{n}"): f"b{20 - n}" for n in range(20)}, {})
    assert ordered_domains([texts]) == frozenset()
