"""What the steps of a plan need of each other: the value links of a recording that the plan can follow. PURE.

Two rules hold here. A request never waits for one that comes after it. A value whose producer is not replayed is sent
as it was recorded: whoever left that request out knows what the target holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...capture.linking.names import endpoint
from ...capture.model import Exchange, Role
from ..plan import MessageStep, Plan, Step
from ..safety import is_write
from .links import Refused, ValueLink, ValueLinks, find_links
from .place import Place


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a request that an earlier answer fills; `sources` are where its value may come from, best first."""

    link: ValueLink
    sources: tuple[ValueLink, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """`slots` by the request that they are in, `places` to read by the answer that they are in with what was `recorded`
    there, `names` and recorded `statuses` of all these; everything by recorded ids. `doubtful` are values that may have
    been an earlier answer's, and are sent as recorded."""

    slots: Mapping[str, tuple[Slot, ...]] = field(default_factory=dict)
    places: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, int | None] = field(default_factory=dict)
    doubtful: tuple[Refused, ...] = ()
    recorded: Mapping[tuple[str, Place], str] = field(default_factory=dict)

    @property
    def links(self) -> int:
        """How many places are filled."""
        return sum(map(len, self.slots.values()))

    def producers(self, consumer: str) -> frozenset[str]:
        """The requests that `consumer` may take values from."""
        return frozenset(source.producer for slot in self.slots.get(consumer, ()) for source in slot.sources)


NONE = Needs()
_ALWAYS = 1_000
"""Requests of a plan up to which its links are looked for whatever it does …"""
_MOST = 50_000
"""… and where it changes something: the search holds every answer (0.6 ms a request, tried on the sample shop)."""


def is_worth_it(plan: Plan) -> bool:
    """Whether a replay at full speed should look for links at all. One that only reads finds at its target what the
    recording found there; verify always looks."""
    return len(plan.steps) <= _ALWAYS or (
        len(plan.steps) <= _MOST and any(is_write(step.request) for step in plan.steps)
    )


def needs_of(plan: Plan, exchanges: Iterable[Exchange], links: ValueLinks | None = None) -> Needs:
    """What the steps of `plan` need, `exchanges` being the capture that it was made from."""
    asked = http_in_order(exchanges)
    return restricted(plan, asked, find_links(asked) if links is None else links)


def http_in_order(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The inbound HTTP exchanges of a capture in the order of their start."""
    asked = (each for each in exchanges if each.role is Role.INBOUND and each.protocol == "http")
    return sorted(asked, key=lambda each: (each.started_us, each.seq))


def restricted(plan: Plan, exchanges: Sequence[Exchange], links: ValueLinks) -> Needs:
    """`links` without those that `plan` cannot follow."""
    steps = {step.origin: (at, step) for at, step in enumerate(plan.steps) if type(step) is not MessageStep}
    slots: dict[str, tuple[Slot, ...]] = {}
    places: dict[str, dict[Place, None]] = {}
    for consumer, (at, _) in steps.items():
        found = [_slot(link, links, steps, at) for link in links.of(consumer)]
        kept = tuple(slot for slot in found if slot is not None)
        if kept:
            slots[consumer] = kept
        for slot in kept:
            for source in slot.sources:
                places.setdefault(source.producer, {})[source.source] = None
    sources = [source for kept in slots.values() for slot in kept for source in slot.sources]
    doubtful = tuple(each for each in links.ambiguous if each.consumer in steps)
    known = slots.keys() | places.keys() | {each.consumer for each in doubtful}
    return Needs(
        slots,
        {producer: tuple(wanted) for producer, wanted in places.items()},
        {origin: _name(steps[origin][1]) for origin in known},
        {each.id: each.status for each in exchanges if each.id in known},
        doubtful,
        {(source.producer, source.source): source.value for source in sources},
    )


def _slot(link: ValueLink, links: ValueLinks, steps: Mapping[str, tuple[int, Step]], at: int) -> Slot | None:
    replayed = tuple(
        each for each in (link, *links.alternatives(link)) if each.producer in steps and steps[each.producer][0] < at
    )
    return Slot(link, replayed) if replayed else None


def _name(step: Step) -> str:
    return endpoint(step.request.method, step.request.target).replace("{}", "{id}")
