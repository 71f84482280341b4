"""Status lines, and answers that never came. A changed status says more than the bodies under it."""

from ...capture.model import Exchange
from ..difference import Difference
from ..protocols import outcome
from ..report.model import Surface


def compare_status(before: Exchange, after: Exchange) -> Difference | None:
    """`status.changed`, or None where both came to the same."""
    old, new = outcome(before), outcome(after)
    if old == new:
        return None
    detail = after.failure.detail[:200] if after.failure else ""
    return Difference(Surface.STATUS, "changed", None, _shown(old), detail or _shown(new), f"{old}→{new}")


def _shown(word: str) -> int | str:
    return int(word) if word.isdigit() else word
