"""What a judgement is made of: runs, rounds of two runs, and the options.

A run is a capture that a replay wrote (each inbound exchange names its `origin`), or any capture at all: the differ
does not know who wrote it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..capture.model import Exchange, Losses, Manifest
from .report.model import Severity


@dataclass(frozen=True, slots=True)
class Run:
    """One side's exchanges, with what is missing from them. `complete` is False where the recorder was killed."""

    manifest: Manifest
    exchanges: Sequence[Exchange]
    losses: Losses = field(default_factory=Losses)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Round:
    """Baseline and candidate, replayed from the same capture at the same time."""

    baseline: Run
    candidate: Run


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """`reproduce` is a shell command with `{id}` where the exchange's id goes; `explain` lets deepdiff describe one
    example of each changed body (it never decides)."""

    fail_on: Severity = Severity.WARNING
    seed: int = 0
    reproduce: str = ""
    explain: bool = True
