"""Two texts that are no JSON: which lines differ, and whether only generated parts do."""

from ..difference import Difference, bounded
from ..report.model import Surface
from .scalars import Clocks, compare_texts

MAX_LINES = 20_000


def compare_text(before: str, after: str, clocks: Clocks) -> Difference | None:
    """One `value_changed` at the document, shown by the first line that differs."""
    if before == after:
        return None
    change = compare_texts(before, after, clocks)
    old, new = first_difference(before, after)
    kind = change.kind if change.kind == "value_changed" else "shape_changed"
    return Difference(Surface.RESPONSE, kind, "$", bounded(old), bounded(new), change.transition, change.trait)


def first_difference(before: str, after: str) -> tuple[str, str]:
    """The first lines that differ; a missing line is empty."""
    left, right = before.split("\n", MAX_LINES), after.split("\n", MAX_LINES)
    for index in range(max(len(left), len(right))):
        old = left[index] if index < len(left) else ""
        new = right[index] if index < len(right) else ""
        if old != new:
            return old, new
    return "", ""
