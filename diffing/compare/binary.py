"""Two bodies of which only size and digest are known: binary ones, withheld ones, and those beyond our bounds."""

from ..difference import Difference
from ..report.model import Surface


def compare_digests(before: tuple[str, int], after: tuple[str, int], what: str = "digest") -> Difference | None:
    """Digests and sizes in bytes; `value_changed` at the document where they differ."""
    if before == after:
        return None
    transition = f"{what} differs" if before[1] == after[1] else f"{what} and size differ"
    return Difference(Surface.RESPONSE, "value_changed", "$", _shown(before), _shown(after), transition, "digest")


def _shown(body: tuple[str, int]) -> str:
    return f"{body[1]} bytes, {body[0][:16]}"
