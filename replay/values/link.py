"""What a value link is. PURE."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .place import Place


@dataclass(frozen=True, slots=True)
class ValueLink:
    """`consumer` sent, at `sink`, the value that `producer` had answered at `source`. Both are recorded ids.

    `value` is the recorded value (after `sink.chain`, and likewise after `source.chain`); `why` names the rule that
    accepted it. `was_there` says that the answer only told of what was there (a product's id out of a list): where a
    side with the same state answers the recorded value, following the link changes nothing, but lets whatever another
    side gets wrong in that answer spoil the requests that follow.
    """

    producer: str
    source: Place
    consumer: str
    sink: Place
    value: str
    why: str
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that an answer held and `consumer` sent later, and that is no link all the same, or not surely one."""

    consumer: str
    sink: Place
    value: str
    why: str
    producer: str | None = None


@dataclass
class ValueLinks:
    """The links of a recording: one for each place of a request that depends on an earlier answer.

    `ambiguous` are those seen but refused, for the listing.
    """

    by_consumer: Mapping[str, tuple[ValueLink, ...]] = field(default_factory=dict)
    ambiguous: tuple[Refused, ...] = ()
    others: Mapping[ValueLink, tuple[ValueLink, ...]] = field(default_factory=dict)
    producers: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        both = (*self, *(other for each in self.others.values() for other in each))
        self.producers = frozenset(link.producer for link in both)

    def of(self, consumer_id: str) -> tuple[ValueLink, ...]:
        """The links that fill the request of `consumer_id`, at most one for each place of it."""
        return self.by_consumer.get(consumer_id, ())

    def alternatives(self, link: ValueLink) -> tuple[ValueLink, ...]:
        """Other sources of the same value for the same place, best first: the places where the same answer held it
        too, then where another answer did. Confirmation chooses among them."""
        return self.others.get(link, ())

    def __iter__(self) -> Iterator[ValueLink]:
        for links in self.by_consumer.values():
            yield from links

    def __len__(self) -> int:
        return sum(map(len, self.by_consumer.values()))
