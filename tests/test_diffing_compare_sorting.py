"""How two orders relate."""

import pytest

from seamline.diffing.compare.sorting import sorted_how
from seamline.diffing.report.model import Json

COLLATED: list[Json] = ["Äpfel", "apple", "banana", "Zebra"]
BYTES: list[Json] = ["Zebra", "apple", "banana", "Äpfel"]


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [
        (COLLATED, BYTES, "sorted by collation→sorted by bytes"),
        (BYTES, COLLATED, "sorted by bytes→sorted by collation"),
        ([{"n": one, "x": 1} for one in COLLATED], [{"n": one, "x": 1} for one in BYTES], "sorted by collation→sorted by bytes"),
        (COLLATED[::-1], BYTES, "sorted by collation, descending→sorted by bytes"),
        (COLLATED, ["banana", "Zebra", "apple", "Äpfel"], ""),
        (["a", "b", "c"], ["b", "a", "c"], ""),
        ([1, 2, 3], [3, 1, 2], ""),
        (["b", "A"], ["A", "b"], ""),
        ([{"n": "a"}, 1, None], [None, 1, {"n": "a"}], ""),
    ],
)  # fmt: skip
def test_rules(before: list[Json], after: list[Json], how: str) -> None:
    assert sorted_how(before, after) == how
