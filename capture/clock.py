"""The one clock of a recording: wall time that never runs backwards."""

import time


class Clock:
    """Microseconds since the epoch, anchored once and then counted by the monotonic clock.

    A step of the wall clock (NTP, a leap second) in the middle of a recording changes no duration and no order.
    """

    __slots__ = ("_anchor_ns",)

    def __init__(self) -> None:
        self._anchor_ns = time.time_ns() - time.monotonic_ns()

    def now_us(self) -> int:
        """Now, microseconds since the epoch."""
        return (self._anchor_ns + time.monotonic_ns()) // 1000
