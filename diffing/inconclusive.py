"""When a comparison proves nothing. "Same" is a claim: it needs requests that were answered, paired and compared."""

from collections.abc import Sequence

from ..capture.model import DECODER_FAILED
from .compare.body import UNREAD
from .comparison import Comparison
from .pair import inbound
from .protocols import failed
from .rounds import Round


def why_inconclusive(rounds: Sequence[Round], first: Comparison) -> tuple[str | None, bool]:
    """A sentence, or None; and whether it outweighs findings too (nothing can be held against a candidate whose
    baseline did not answer)."""
    asked, paired = len(inbound(rounds[0].baseline)), len(first.pairs)
    if not paired:
        counts = f"{asked} requests in the baseline, {len(inbound(rounds[0].candidate))} in the candidate"
        return f"no request could be paired: {counts}", True
    pairs = [pair for _, pair in first.pairs.values()]
    silent = sum(pair.before.response is None for pair in pairs)
    if 2 * silent > paired:
        return f"the baseline did not answer {silent} of {paired} requests", True
    failures = sum(failed(pair.before) and failed(pair.after) for pair in pairs)
    if 2 * failures > paired:
        return f"{failures} of {paired} requests failed on both sides", True
    return _partial(rounds, first, asked), False


def _partial(rounds: Sequence[Round], first: Comparison, asked: int) -> str | None:
    paired = len(first.pairs)
    if 2 * paired < asked:
        return f"only {paired} of {asked} requests have a counterpart in the candidate"
    incomplete = [
        name for name, run in (("baseline", rounds[0].baseline), ("candidate", rounds[0].candidate)) if not run.complete
    ]
    if incomplete and first.alone:
        return f"the {' and the '.join(incomplete)} was not recorded to its end, and requests are missing"
    blind = sum(
        count
        for run in (rounds[0].baseline, rounds[0].candidate)
        for reason, count in run.losses.reasons.items()
        if reason.startswith(DECODER_FAILED)
    )
    if blind:
        return f"{blind} connections to downstreams could not be read (a decoder failed): their calls were not compared"
    unread = sum(count for (_, why), count in first.unverified.items() if why in UNREAD)
    if unread >= paired:
        return f"no body of {paired} answers could be compared"
    return None
