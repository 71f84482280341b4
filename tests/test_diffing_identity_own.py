"""Values by which a side names itself."""

from typing import Any

import pytest

from seamline.diffing.comparison import Comparison, Observation
from seamline.diffing.difference import Difference
from seamline.diffing.identity.own import made_alike, own_names, own_places
from seamline.diffing.report.model import Surface


def comparison(*pairs: tuple[Any, Any]) -> Comparison:
    """A value a request, different on both sides."""
    return Comparison(
        [
            Observation(f"c-{n}", "GET /x", Difference(Surface.RESPONSE, "value_changed", "$.a", old, new, ""))
            for n, (old, new) in enumerate(pairs)
        ]
    )


def test_one_value_a_side_is_its_own_name() -> None:
    places = own_places([comparison(*[(11, 22)] * 4), comparison(*[(11, 33)] * 4)])
    assert len(own_names(comparison(*[(11, 44)] * 4), places)) == 4


@pytest.mark.parametrize(
    ("itself", "candidate"),
    [
        ([(11, 22)] * 2, [(11, 44)] * 4),
        ([(11, 22), (12, 22), (11, 22)], [(11, 44)] * 4),
        ([(11, 22)] * 4, [(11, 44), (11, 45), (11, 44)]),
        ([(11, 22)] * 4, [(11, "44")] * 4),
        ([("pod-a1", "pod-b2")] * 4, [("pod-a1", "node-c3")] * 4),
    ],
    ids=["too few", "not steady", "candidate not steady", "another type", "another make"],
)
def test_what_is_no_own_name(itself: list[tuple[Any, Any]], candidate: list[tuple[Any, Any]]) -> None:
    assert own_names(comparison(*candidate), own_places([comparison(*itself)])) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 2, True),
        (1, "2", False),
        ("17", "2019", True),
        ("8d3fa2c4-0000-4000-8000-000000000001", "8d3fa2c4-0000-4000-8000-000000000002", True),
        ("8d3fa2c4-0000-4000-8000-000000000001", "0f" * 16, False),
        ("ord_8f3a9c11", "ord_7e2b8d00", True),
        ("ord_8f3a9c11", "inv_7e2b8d00", False),
        ("ord_8f3a9c11", "ord_7e2b", False),
        ("orders-7f2", "orders-b41", True),
    ],
)
def test_what_is_made_alike(before: Any, after: Any, *, expected: bool) -> None:
    assert made_alike(before, after) is expected
