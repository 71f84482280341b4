"""Whether the things seen so far are all there are: they keep coming back, at other requests and in other processes."""

from collections.abc import Hashable
from dataclasses import dataclass, field

MIN_SEEN = 30
"""Sights before a set counts as all there is (facts: membership when seen at least 30 times)."""
MAX_CHOICES = 2_000
UNSEEN = 0.005
"""Largest chance that the next one is new: by Good (1953, after Turing), the share of those that were seen once."""

Request = str
Sight = tuple[Request, int]


@dataclass(slots=True)
class Recurring:
    """Counts sights of things. A request that is always told the same is one sight however often it was asked; and what
    is seen at one request only, or by one process (`run`) only, has not come back."""

    total: int = 0
    is_cut: bool = False
    _held: dict[Hashable, tuple[Request, Request, int, bool]] = field(default_factory=dict)
    _once: int = 0

    def add(self, thing: Hashable, request: Request, run: int) -> None:
        """Count one sight; those of one request come together."""
        held = self._held.get(thing)
        if held is None:
            if len(self._held) >= MAX_CHOICES:
                self.is_cut = True
                return
            self._held[thing] = (request, request, run, False)
            self.total, self._once = self.total + 1, self._once + 1
            return
        first, last, one, back = held
        self.total += last != request
        many_runs = one != run
        now_back = back or ((last != request or first != request) and (many_runs or one < 0))
        self._once -= now_back and not back
        self._held[thing] = (first, request, -1 if many_runs else one, now_back)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, thing: Hashable) -> bool:
        return thing in self._held

    def is_closed(self, most: int = MAX_CHOICES) -> bool:
        """Whether these are all there are, `most` at most."""
        if self.is_cut or self.total < MIN_SEEN or not 0 < len(self._held) <= most:
            return False
        return self._once <= UNSEEN * self.total
