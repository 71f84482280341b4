"""Numbers written as texts."""

import pytest

from seamline.diffing.compare.lexical import compare_lexical
from seamline.diffing.compare.scalars import Clocks


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("10", "10.0", "numeric_repr"),
        ("9.90", "9.9", "numeric_repr"),
        ("0.30000000000000004", "0.3", None),
        ("10", "1000", "value_changed"),
        ("007", "7", "value_changed"),
        ("paid", "PAID", "value_changed"),
        ("10", "ten", "value_changed"),
        ("0.123456789", "0.12345679", "numeric_precision"),
    ],
)
def test_kinds(before: str, after: str, kind: str | None) -> None:
    change = compare_lexical(before, after, Clocks())
    assert (change and change.kind) == kind
