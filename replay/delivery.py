"""One message under way: produced, consumed, acknowledged, and what follows it, until it is done. PURE.

A message is done when its consumer has acknowledged it, or could not, and nothing has come of it for a while. How long
a while is depends on what is known: little where it was acknowledged or has led to as many calls as when it was
recorded, else at least twice as long as its effects took then.
"""

from .effects import Effects

SETTLED_US = 30_000
"""Quiet after which a message is done that was acknowledged, or that led to all that it led to before."""
QUIET_US = 100_000
"""The same for one of which that is not known."""


class Delivery:
    """Instants are the run's clock, µs. `deadline_us` is when the message counts as never consumed, `hard_us` how long
    after its consumption it is done in any case. `acks_late`: the acknowledgement says nothing of one message and may
    come any time after it (a consumer of Kafka commits by a timer), so nobody waits for it."""

    __slots__ = (
        "_open", "acks_late", "calls", "consumed_us", "deadline_us", "effects", "ended", "hard_us", "is_acked",
        "is_over", "last_us",
    )  # fmt: skip

    def __init__(self, effects: Effects, deadline_us: int, hard_us: int, *, acks_late: bool = False) -> None:
        self.acks_late = acks_late
        self.effects = effects
        self.deadline_us = deadline_us
        self.hard_us = hard_us
        self.consumed_us: int | None = None
        self.ended = False
        self.is_acked = False
        self.is_over = False
        self.calls = 0
        self.last_us = 0
        self._open: set[str] = set()

    def consumed(self, at_us: int) -> None:
        """The service has been given it; a second time counts for nothing."""
        if self.consumed_us is None:
            self.consumed_us = self.last_us = at_us

    def answered(self, at_us: int, *, is_acked: bool) -> None:
        """It is acknowledged, refused, or no acknowledgement is due."""
        self.ended = True
        self.is_acked = self.is_acked or is_acked
        self.last_us = max(self.last_us, at_us)

    def call_begun(self, call_id: str, at_us: int) -> None:
        """A call that it may have caused has begun."""
        self._open.add(call_id)
        self.calls += 1
        self.last_us = max(self.last_us, at_us)

    def call_ended(self, call_id: str, at_us: int) -> None:
        """That call has ended."""
        self._open.discard(call_id)
        self.last_us = max(self.last_us, at_us)

    @property
    def is_handled(self) -> bool:
        """Whether it was consumed, and no acknowledgement is to be waited for any more."""
        return self.consumed_us is not None and (self.ended or self.acks_late)

    @property
    def due_us(self) -> int:
        """When it is over, should nothing more happen."""
        if self.consumed_us is None:
            return self.deadline_us
        hard_us = self.consumed_us + self.hard_us
        if self._open or not self.is_handled:
            return hard_us
        expected = self.effects
        if self.is_acked or (expected.calls and self.calls >= expected.calls):
            return min(hard_us, self.last_us + SETTLED_US)
        quiet_us = max(self.last_us, self.consumed_us + 2 * expected.span_us) + QUIET_US
        return min(hard_us, quiet_us)
