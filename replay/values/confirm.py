"""What a replay of the baseline says of the links: followed, never needed, or not borne out. PURE.

A link is confirmed where the request that it fills is answered as it was recorded. One whose value is the recorded one
on every baseline is constant: following it changes nothing. What is neither is listed, never hidden.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .needs import Needs, Slot
from .session import SideValues

Answered = tuple[str, int | None, int | None]
"""An endpoint, how the recording had it answered, how the baseline did."""

_SENT, _MAYBE = "with values of earlier answers", "whose values may be an earlier answer's"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """`links` in `requests`, of which `constant` ones carried the recorded value; `unconfirmed` requests answered
    otherwise, and `doubtful` ones that were answered otherwise and may have held an earlier answer's value."""

    links: int = 0
    requests: int = 0
    constant: int = 0
    unconfirmed: Counter[Answered] = field(default_factory=Counter)
    doubtful: Counter[Answered] = field(default_factory=Counter)

    def line(self) -> str:
        """In one line; "" where there is nothing to say."""
        if not self.links:
            return ""
        parts = [f"values: {self.links} links in {self.requests} requests"]
        if self.constant:
            parts.append(f"{self.constant} constant")
        parts.append(f"{self.unconfirmed.total()} unconfirmed")
        return ", ".join(parts)

    def notes(self) -> list[str]:
        """What is not sure, a line an endpoint and answer."""
        return [
            *(_note(each, count, _SENT) for each, count in _in_order(self.unconfirmed)),
            *(_note(each, count, _MAYBE) for each, count in _in_order(self.doubtful)),
        ]


def confirm(needs: Needs, baselines: Sequence[SideValues]) -> Confirmed:
    """What `baselines`, sides that were replayed alike, say of the links in `needs`."""
    slots = [slot for each in needs.slots.values() for slot in each]
    constant = sum(_is_constant(slot, baselines) for slot in slots)
    unconfirmed: Counter[Answered] = Counter()
    for consumer, own in needs.slots.items():
        if not all(_is_constant(slot, baselines) for slot in own):
            unconfirmed.update(_otherwise(needs, consumer, baselines))
    doubtful: Counter[Answered] = Counter()
    for consumer in {each.consumer for each in needs.doubtful} - needs.slots.keys():
        doubtful.update(_otherwise(needs, consumer, baselines))
    return Confirmed(len(slots), len(needs.slots), constant, unconfirmed, doubtful)


def _is_constant(slot: Slot, baselines: Sequence[SideValues]) -> bool:
    source = slot.sources[0]
    return all(side.given(source.producer, source.source) == slot.link.value for side in baselines)


def _otherwise(needs: Needs, consumer: str, baselines: Sequence[SideValues]) -> list[Answered]:
    """How the first baseline answered a request that it answered otherwise than the recording; what was not sent is
    counted elsewhere."""
    for side in baselines:
        if consumer in side.statuses and side.statuses[consumer] != needs.statuses.get(consumer):
            return [(needs.names[consumer], needs.statuses.get(consumer), side.statuses[consumer])]
    return []


def _in_order(counts: Counter[Answered]) -> list[tuple[Answered, int]]:
    """Counts in a fixed order."""
    return sorted(counts.items(), key=lambda item: (item[0][0], str(item[0])))


def _note(answered: Answered, count: int, what: str) -> str:
    endpoint, recorded, now = answered
    answers = f"answered {_shown(now)} by the baseline, {_shown(recorded)} when recorded"
    return f"{endpoint}: {count} requests {what} were {answers}"


def _shown(status: int | None) -> str:
    return "not at all" if status is None else str(status)
