"""A recorder for runners that only remembers."""

from seamline.capture.clock import Clock
from seamline.capture.model import Exchange
from seamline.capture.wire.replayed import Replayed, ReplayedDecoder


class Kept:
    """A recorder that keeps what it is offered."""

    congested = False

    def __init__(self) -> None:
        self.clock = Clock()
        self.exchanges: list[Exchange] = []
        self.losses: dict[str, int] = {}
        self._seq = 0

    def next_id(self) -> tuple[str, int]:
        self._seq += 1
        return f"r-{self._seq}", self._seq

    def offer_replayed(self, values: Replayed) -> None:
        self.exchanges += ReplayedDecoder().exchanges([values])

    def offer(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def lost(self, kind: str, reason: str, count: int = 1) -> None:
        self.losses[f"{kind}: {reason}"] = self.losses.get(f"{kind}: {reason}", 0) + count
