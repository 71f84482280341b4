"""Requests that a replay could not send, because an earlier one gave no value for them: not compared, no finding."""

from ..capture.model import NOT_SENT
from .rounds import Round


def unsent_lines(first: Round) -> list[str]:
    """A line for each endpoint and reason, as the runs' losses count them; of both sides alike it is one."""
    counts: dict[str, int] = {}
    for run in (first.baseline, first.candidate):
        for reason, count in run.losses.reasons.items():
            if reason.startswith(NOT_SENT):
                counts[reason] = max(count, counts.get(reason, 0))
    return [_line(reason.removeprefix(NOT_SENT), count) for reason, count in sorted(counts.items())]


def _line(reason: str, count: int) -> str:
    endpoint, because, why = reason.partition(", because ")
    return f"{endpoint}: {count} not sent{because}{why}"
