"""What begins late in a run: a pool that is used up, a leak, a quota. The finding is what failed; this hints at why."""

from collections.abc import Collection

from ..comparison import Comparison

MIN_HITS = 3
LATE = 0.3
"""Part of an endpoint's requests that went well before."""
THROUGHOUT = 0.8
"""Part of those after the first that fails which fail too."""


def late_note(keys: Collection[str], endpoint: str, first: Comparison) -> str:
    """A line where the requests `keys` of `endpoint` are nearly all of those from some point of the run on; else ""."""
    own = [(place, key) for place, (key, (name, _)) in enumerate(first.pairs.items()) if name == endpoint]
    hits = [at for at, (_, key) in enumerate(own) if key in keys]
    if len(hits) < MIN_HITS or hits[0] < LATE * len(own) or len(hits) < THROUGHOUT * (len(own) - hits[0]):
        return ""
    return f"late in the run: from request {own[hits[0]][0] + 1} of {len(first.pairs)} on"
