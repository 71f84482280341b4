"""How a run's stubbed calls were answered, counted. PURE."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ...capture.model import Exchange, Role
from .match import Step

HEADER = "seamline-stub"
"""The header of an answer that says how it was found."""

FAULT, REAL, OWN = "fault", "real", "own"
"""What the header says where no recorded answer was looked for, or given: a fault, the real service's answer, the
stub's own word to what only keeps a session."""

_ORDER = tuple(step.value for step in Step)


class Tally:
    """Counts by downstream and step, beside how many answers were repeated, delayed or broken on purpose."""

    __slots__ = ("_faults", "_repeated", "_steps", "reasons")

    def __init__(self) -> None:
        self._steps: Counter[tuple[str, str]] = Counter()
        self._repeated = 0
        self._faults = 0
        self.reasons: Counter[str] = Counter()
        """Why calls were missed. Quotes no traffic."""

    def answered(self, downstream: str, step: str, *, repeated: bool = False) -> None:
        """One call has been answered."""
        self._steps[downstream, step] += 1
        self._repeated += repeated

    def missed(self, downstream: str, reason: str) -> None:
        """One call has found no answer."""
        self._steps[downstream, Step.MISSED] += 1
        self.reasons[reason] += 1

    def hit(self, count: int = 1) -> None:
        """So many calls were given a fault."""
        self._faults += count

    @property
    def steps(self) -> Mapping[str, int]:
        """Calls by step."""
        found: Counter[str] = Counter()
        for (_, step), count in self._steps.items():
            found[step] += count
        return found

    @property
    def misses(self) -> int:
        """Calls that no recorded answer was found for."""
        return self.steps.get(Step.MISSED, 0)

    def line(self) -> str:
        """For people: "stubs answered 12: exact 10, mapped 1, missed 1 (no recorded call fits 1)"; "" where nothing
        was asked."""
        steps = self.steps
        total = sum(steps.values())
        if not total:
            return ""
        counts = ", ".join(f"{step} {steps[step]}" for step in (*_ORDER, REAL, OWN, FAULT) if steps.get(step))
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items()))
        repeated = f", {self._repeated} repeated" if self._repeated else ""
        faults = f", {self._faults} hit by a fault" if self._faults else ""
        return f"stubs answered {total}: {counts}{f' ({why})' if why else ''}{repeated}{faults}"


OTHER_KEY = "stubs: the capture was made with another key, so values of the service's own configuration do not match"
"""What is said where pseudonyms cannot be recognised."""


def nothing_recorded(downstream: str) -> str:
    """What is said of a stub that can answer nothing."""
    return (
        f'stub "{downstream}": the capture holds no call to it '
        "(record one, or give the stub the name and the protocol that were recorded)"
    )


def missed_by_downstream(exchanges: Iterable[Exchange]) -> dict[str, int]:
    """How many of a run's stubbed calls found no recorded answer, by downstream."""
    found: Counter[str] = Counter()
    for exchange in exchanges:
        response = exchange.response if exchange.role is Role.OUTBOUND else None
        if response is not None and response.headers.get(HEADER) == Step.MISSED:
            found[exchange.service] += 1
    return dict(found)
