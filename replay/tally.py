"""How a replay went, in counts and times."""

from array import array
from dataclasses import dataclass, field

from ..capture.model import Failure, FailureKind
from .transport.base import Outcome

GONE_AFTER = 20
"""Requests in a row that found nobody (connect, timeout), after which a target counts as gone …"""
GONE_US = 1_000_000
"""… if they also spread over this long: a restart takes a moment."""

_UNREACHED = (FailureKind.CONNECT, FailureKind.TIMEOUT)


@dataclass(slots=True)
class Played:
    """Counts of a replay, also while it is under way. `untried` of the failed ones were never sent, because the
    target was `gone`; `unconsumed` are messages that were produced, or could not be, and that nobody consumed; `unsent`
    are requests for which an earlier one gave no value.
    `late_us` has the lateness of each send of an open loop.
    """

    answered: int = 0
    failed: int = 0
    untried: int = 0
    unconsumed: int = 0
    retried: int = 0
    stopped: int = 0
    unsent: int = 0
    gone: bool = False
    failures: dict[str, int] = field(default_factory=dict)
    late_us: "array[int]" = field(default_factory=lambda: array("q"))
    _first_us: tuple[int, int] | None = None
    _last_us: tuple[int, int] = (0, 0)
    _refused: int = 0
    _unreached: int = 0
    _unreached_since_us: int = 0

    @property
    def fired(self) -> int:
        """Requests that have ended, one way or the other."""
        return self.answered + self.failed

    def count(self, outcome: Outcome) -> None:
        """One more request has ended; `gone` may be true afterwards."""
        self.retried += outcome.retried
        failure = outcome.failure
        if failure is None:
            self.answered += 1
            self._unreached = self._refused = 0
            return
        self._failed(failure)
        self._refused = self._refused + 1 if failure.kind is FailureKind.CONNECT else 0
        if failure.kind not in _UNREACHED:
            self._unreached = 0
            return
        if not self._unreached:
            self._unreached_since_us = outcome.done_us
        self._unreached += 1
        if self._unreached >= GONE_AFTER and outcome.done_us - self._unreached_since_us >= GONE_US:
            self.gone = True

    def count_message(self, outcome: Outcome) -> None:
        """One more message has ended. That one is not consumed says nothing about the target of requests."""
        if outcome.failure is None:
            self.answered += 1
        else:
            self.unconsumed += 1
            self._failed(outcome.failure)

    def give_up(self, failure: Failure) -> None:
        """One request more fails without having been tried."""
        self.untried += 1
        self._failed(failure)

    def sent(self, intended_us: int, sent_us: int) -> None:
        """A request that was meant to go at `intended_us` went at `sent_us`."""
        self.late_us.append(sent_us - intended_us)
        pair = (intended_us, sent_us)
        if self._first_us is None or pair < self._first_us:
            self._first_us = pair
        self._last_us = max(self._last_us, pair)

    def is_whole(self, planned: int) -> bool:
        """Whether each of `planned` steps has come to its end, and none was given up untried."""
        return self.fired + self.unsent >= planned and not self.untried

    @property
    def died(self) -> bool:
        """Whether the target went away: it counts as gone, or it refused every connection at the end."""
        return self.gone or self._refused > 0

    def late_ms(self, share: float) -> float:
        """The lateness that `share` (0..1) of the requests do not exceed, milliseconds."""
        ordered = sorted(self.late_us)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000 if ordered else 0.0

    @property
    def drift(self) -> float:
        """How much longer it took from the first send to the last than intended, as a share of it."""
        if self._first_us is None:
            return 0.0
        intended_us = self._last_us[0] - self._first_us[0]
        return (self._last_us[1] - self._first_us[1] - intended_us) / intended_us if intended_us else 0.0

    def line(self, skipped: int) -> str:
        """The summary in one line."""
        times = f"late p50 {self.late_ms(0.5):.2f} ms p99 {self.late_ms(0.99):.2f} ms, drift {self.drift * 100:.2f} %"
        retried = f", sent again on a fresh connection {self.retried}" if self.retried else ""
        return f"replayed {self.fired}, failed {self.failed}, skipped {skipped}, {times}{retried}"

    def _failed(self, failure: Failure) -> None:
        self.failed += 1
        self.failures[failure.kind.value] = self.failures.get(failure.kind.value, 0) + 1
