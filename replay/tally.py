"""How a replay went, in counts and times."""

from array import array
from dataclasses import dataclass, field

from ..capture.model import FailureKind
from .transport.base import Outcome

GONE_AFTER = 20
"""Failures to get any answer, one after the other, after which a target may count as gone …"""
GONE_US = 1_000_000
"""… if they also spread over this long: a restart takes a moment."""

_UNREACHED = (FailureKind.CONNECT, FailureKind.TIMEOUT)


@dataclass(slots=True)
class Tally:
    """Counts of a run under way. `lateness_us` has one entry for each request that was tried at a timed pace."""

    planned: int = 0
    answered: int = 0
    failed: int = 0
    untried: int = 0
    retried: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    lateness_us: array[int] = field(default_factory=lambda: array("q"))
    first_sent_us: int | None = None
    last_sent_us: int = 0
    first_intended_us: int = 0
    last_intended_us: int = 0
    refused_in_row: int = 0
    unreached_in_row: int = 0
    unreached_since_us: int = 0

    @property
    def fired(self) -> int:
        """Requests that have ended, one way or the other."""
        return self.answered + self.failed

    def count(self, outcome: Outcome) -> None:
        """One more request has ended."""
        self.retried += outcome.retries
        failure = outcome.failure
        if failure is None:
            self.answered += 1
            self.unreached_in_row = self.refused_in_row = 0
            return
        self.failed += 1
        self.failures[failure.kind.value] = self.failures.get(failure.kind.value, 0) + 1
        self.refused_in_row = self.refused_in_row + 1 if failure.kind is FailureKind.CONNECT else 0
        if failure.kind not in _UNREACHED:
            self.unreached_in_row = 0
            return
        if not self.unreached_in_row:
            self.unreached_since_us = outcome.done_us
        self.unreached_in_row += 1

    def sent(self, intended_us: int, sent_us: int) -> None:
        """A request that was meant to go at `intended_us` went at `sent_us`."""
        self.lateness_us.append(sent_us - intended_us)
        if self.first_sent_us is None:
            self.first_sent_us, self.first_intended_us = sent_us, intended_us
        if intended_us >= self.last_intended_us:
            self.last_sent_us, self.last_intended_us = sent_us, intended_us

    def is_gone(self, now_us: int) -> bool:
        """Whether the target has stopped answering for good, as far as can be told."""
        return self.unreached_in_row >= GONE_AFTER and now_us - self.unreached_since_us >= GONE_US

    @property
    def died(self) -> bool:
        """Whether the target answered once and refused every connection at the end."""
        return self.answered > 0 and (self.refused_in_row > 0 or self.untried > 0)

    def late_ms(self, share: float) -> float:
        """The lateness that `share` (0..1) of the requests do not exceed, milliseconds."""
        ordered = sorted(self.lateness_us)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000 if ordered else 0.0

    @property
    def drift_percent(self) -> float:
        """How much longer (or shorter) it took from the first send to the last than it was meant to."""
        intended_us = self.last_intended_us - self.first_intended_us
        if self.first_sent_us is None or intended_us <= 0:
            return 0.0
        return (self.last_sent_us - self.first_sent_us - intended_us) / intended_us * 100

    def line(self, skipped: int) -> str:
        """The last line of a replay."""
        times = f"late p50 {self.late_ms(0.5):.2f} ms p99 {self.late_ms(0.99):.2f} ms, drift {self.drift_percent:.2f} %"
        retried = f", retried {self.retried}" if self.retried else ""
        return f"replayed {self.fired}, failed {self.failed}, skipped {skipped}{retried}, {times}"
