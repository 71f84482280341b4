"""deepdiff's account of one changed pair, for people. It decides nothing: the walk has decided before.

The only file that imports deepdiff, and only when there is something to explain.
"""

from .canonical import within_depth
from .report.model import Json

MAX_BYTES = 64 << 10
"""Largest body that is explained: deepdiff takes milliseconds a kilobyte."""
MAX_DEPTH = 30
MAX_LINES = 6
MAX_LINE = 200


def explain(before: Json, after: Json, size: int) -> tuple[str, ...]:
    """Some lines on what changed between two values of together `size` bytes; none where they are too large."""
    if size > MAX_BYTES or not within_depth(before, MAX_DEPTH) or not within_depth(after, MAX_DEPTH):
        return ()
    from deepdiff import DeepDiff  # noqa: PLC0415  # a third of a second, only for the few pairs that are shown

    found = DeepDiff(before, after, verbose_level=1, max_passes=1, max_diffs=2_000)
    lines = str(found.pretty()).splitlines()
    shown = tuple(line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…" for line in lines[:MAX_LINES])
    return (*shown, f"and {len(lines) - MAX_LINES} more") if len(lines) > MAX_LINES else shown
