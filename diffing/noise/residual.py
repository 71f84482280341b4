"""What is still asserted at a noisy place, and where a candidate breaks it.

Noise takes equality away. What all of the baseline's values at the place share stays: their shape and size, the set
that they are drawn from, how far two answers to one request lie apart, how many members a list has and which, and
which of them come first. A breach is a difference of its own (trait "outside"), which noise at the place does not
excuse.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...capture.model import Response
from ..compare.arrays import content
from ..compare.body import body_of
from ..comparison import Comparison, Observation
from ..difference import Difference, bounded
from ..documents import values_at
from ..report.model import Json, Surface
from .partial_order import PartialOrder
from .profile import Breach, Profile
from .recurring import MIN_SEEN, Recurring

Place = tuple[str, str, str, str]
At = tuple[str, Place]
"""An endpoint and a place."""

VALUES = frozenset({"value_changed", "value_changed/tokens", "numeric_precision", "numeric_repr", "changed"})
MEMBERS = frozenset({"multiset_changed", "length_changed"})
MAX_REQUESTS = 300
"""Requests of an endpoint that a profile is learnt from, and lists of a run whose order is looked at."""
MAX_PLACES = 300
TOLERANCE = 8
"""A number may lie so many times further off than the baseline's own lie from each other, at most."""
MIN_SPREAD = 10
ONE_WAY = 0.15
WIDEST = 0.05
"""Relative spread from which on numbers are a measurement, of which the magnitude alone is asserted."""
LAST_DIGITS = 1e-6
_COUNTS = re.compile(r"(\d+)→(\d+) elements")


@dataclass(slots=True)
class Spread:
    """How far two baselines' numbers lie apart at one request, relatively: the most of `seen` pairs. `ways` counts by
    process which of the two is larger: a process whose numbers are all larger has an offset of its own, and of
    offsets only as many were seen as there were processes."""

    most: float = 0.0
    seen: int = 0
    ways: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, before: Json, after: Json, run: int) -> None:
        """Learn a pair; what are no two numbers is passed over."""
        gap = relative(before, after)
        if gap is not None and isinstance(before, int | float) and isinstance(after, int | float):
            self.most, self.seen = max(self.most, gap), self.seen + 1
            up, down = self.ways.get(run, (0, 0))
            self.ways[run] = (up + (after > before), down + (after < before))

    @property
    def is_measured(self) -> bool:
        """Whether the numbers go either way between any two processes."""
        return bool(self.ways) and all(min(each) >= ONE_WAY * sum(each) for each in self.ways.values())

    @property
    def bound(self) -> float | None:
        """The tolerance, or None where too little was seen or too much varies."""
        known = self.seen >= MIN_SPREAD and self.most <= WIDEST and self.is_measured
        return TOLERANCE * self.most if known else None


def relative(before: Json, after: Json) -> float | None:
    """The relative distance of two numbers."""
    if isinstance(before, bool) or isinstance(after, bool):
        return None
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return None
    largest = max(abs(before), abs(after))
    return abs(before - after) / largest if 0 < largest < 1e300 else None


@dataclass(slots=True)
class Lists:
    """Of lists whose members change: `uneven` where two answers to one request ever differ in length (of `seen`
    pairs); lengths at all; the members, where they recur."""

    seen: int = 0
    uneven: int = 0
    lengths: tuple[int, int] | None = None
    arrays: int = 0
    known: Recurring = field(default_factory=Recurring)

    def add(self, one: list[Json], request: str, run: int) -> None:
        """Learn one list; a request's lists come together."""
        self.arrays += 1
        low, high = self.lengths or (len(one), len(one))
        self.lengths = (min(low, len(one)), max(high, len(one)))
        for element in one[:MAX_REQUESTS]:
            self.known.add(_member(element), request, run)

    def breach(self, difference: Difference, arrays: Iterable[list[Json]]) -> Breach | None:
        """What a changed list breaks; `arrays` are the candidate's."""
        if self.seen >= MIN_SPREAD and not self.uneven and _COUNTS.search(difference.transition):
            return Breach(difference.kind, difference.transition)
        for one in arrays:
            low, high = self.lengths or (0, len(one))
            if self.arrays >= MIN_SEEN and not low / 2 <= len(one) <= 2 * high:
                return Breach("length_changed", f"{low}…{high}→{len(one)} elements")
            if self.known.is_closed() and any(_member(element) not in self.known for element in one[:MAX_REQUESTS]):
                return Breach("multiset_changed", "members never seen in the baseline")
        return None


def _member(element: Json) -> bytes:
    """A list's member in a few bytes, however large it is."""
    return hashlib.sha256(content(element)).digest()[:16]


@dataclass(slots=True)
class Learnt:
    """Everything asserted of one noisy place."""

    profile: Profile = field(default_factory=Profile)
    spread: Spread = field(default_factory=Spread)
    lists: Lists = field(default_factory=Lists)
    order: PartialOrder | None = None


Learned = dict[At, Learnt]
Sights = list[tuple[str, int, Json]]
"""Values with the request and the baseline (0 for the first) that they come from; a request's stand together."""


def learn_places(comparisons: Sequence[Comparison], noisy: Mapping[At, frozenset[str]]) -> Learned:
    """What the values at the `noisy` places (with the grades of their noise) share, from baselines compared with each
    other."""
    wanted = dict(sorted(noisy.items())[:MAX_PLACES])
    learned: Learned = {at: Learnt() for at in wanted}
    said: dict[At, Sights] = defaultdict(list)
    for number, comparison in enumerate(comparisons, 1):
        for one in comparison.observations:
            at = (one.endpoint, one.difference.place)
            if at in learned:
                _learn_pair(learned[at], one.difference, number)
                said[at] += [(one.key, 0, one.difference.before), (one.key, number, one.difference.after)]
    documents = _documents(comparisons, {endpoint for endpoint, _ in learned})
    for (endpoint, place), learnt in learned.items():
        held = documents.get(endpoint, []) if _is_document(place) else []
        found = [(key, run, value) for key, run, document in held for value in values_at(document, place[1])]
        _learn_values(learnt, wanted[endpoint, place], found or sorted(said[endpoint, place], key=lambda one: one[0]))
    return learned


def _learn_pair(learnt: Learnt, one: Difference, run: int) -> None:
    if one.shift_us is None and one.grade in VALUES:
        learnt.spread.add(one.before, one.after, run)
    if (one.inner or one.kind) in MEMBERS:
        learnt.lists.seen += 1
        learnt.lists.uneven += bool(_COUNTS.search(one.transition))


def _learn_values(learnt: Learnt, grades: frozenset[str], found: Sights) -> None:
    arrays: list[list[Json]] = []
    for key, run, value in found:
        if isinstance(value, list):
            arrays.append(value)
            if grades & MEMBERS:
                learnt.lists.add(value, key, run)
        elif grades & VALUES:
            learnt.profile.add(value, key, run)
    if "order_changed" in grades:
        learnt.order = PartialOrder(arrays)


def _is_document(place: Place) -> bool:
    return place[0] == Surface.RESPONSE.value and place[1].startswith("$") and not place[2]


def _documents(comparisons: Sequence[Comparison], endpoints: set[str]) -> dict[str, Sights]:
    """The answers of all baselines, by endpoint."""
    held: dict[str, dict[str, Sights]] = defaultdict(dict)
    for number, comparison in enumerate(comparisons, 1):
        for key, (endpoint, pair) in comparison.pairs.items():
            mine = held[endpoint]
            if endpoint not in endpoints or (key not in mine and len(mine) >= MAX_REQUESTS):
                continue
            # The first baseline is on the left of each comparison.
            new = [] if key in mine else [(0, pair.before)]
            for run, exchange in (*new, (number, pair.after)):
                document = document_of(exchange.response)
                if document is not None:
                    mine.setdefault(key, []).append((key, run, document))
    return {endpoint: [one for each in mine.values() for one in each] for endpoint, mine in held.items()}


def document_of(response: Response | None) -> Json:
    """The document that an answer holds (members and elements, whatever it was written in), or None."""
    body = body_of(response) if response is not None else None
    return body.value if body is not None and isinstance(body.value, dict | list) and not body.broken else None


def breaches(comparison: Comparison, learned: Learned) -> list[Observation]:
    """Where the candidate breaks what is asserted at noisy places."""
    found = [made for one in comparison.observations if (made := _broken(one, comparison, learned)) is not None]
    return [*found, *_orders(comparison, learned)]


def is_tolerated(one: Observation, learned: Learned) -> bool:
    """Whether a number lies as near as the baseline's own numbers do, in their last digits only: a summation's order
    may show at any request. Where more than that varies, each request has to speak for itself."""
    difference = one.difference
    learnt = learned.get((one.endpoint, difference.place))
    gap = relative(difference.before, difference.after)
    if learnt is None or gap is None or difference.shift_us is not None or difference.grade not in VALUES:
        return False
    bound = learnt.spread.bound
    return bound is not None and gap <= bound <= LAST_DIGITS


def _broken(one: Observation, comparison: Comparison, learned: Learned) -> Observation | None:
    difference = one.difference
    learnt = learned.get((one.endpoint, difference.place))
    if learnt is None:
        return None
    breach: Breach | None = None
    if (difference.inner or difference.kind) in MEMBERS:
        breach = learnt.lists.breach(difference, _arrays(one, comparison)) if not difference.inner else None
    elif difference.grade in VALUES and difference.shift_us is None:
        breach = _value_breach(difference, learnt)
    return None if breach is None else replace(one, difference=_outside(difference, breach))


def _value_breach(difference: Difference, learnt: Learnt) -> Breach | None:
    gap, bound = relative(difference.before, difference.after), learnt.spread.bound
    if gap is not None and bound is not None and gap > max(bound, 1e-12):
        kind = "numeric_precision" if difference.kind == "numeric_precision" else "value_changed"
        return Breach(kind, f"{gap:.2g} apart, by itself {bound / TOLERANCE:.2g} at most")
    return learnt.profile.breach(difference.after, measured=learnt.spread.is_measured)


def _outside(difference: Difference, breach: Breach) -> Difference:
    """`difference` as a breach. Of calls the kind says what was changed, and the breach what within it."""
    if difference.inner:
        return replace(difference, trait=breach.trait, inner=breach.kind, transition=breach.transition)
    if difference.surface is not Surface.RESPONSE:
        return replace(difference, trait=breach.trait, transition=breach.transition)
    return replace(difference, kind=breach.kind, trait=breach.trait, transition=breach.transition)


def _arrays(one: Observation, comparison: Comparison) -> list[list[Json]]:
    if one.key not in comparison.pairs or not _is_document(one.difference.place):
        return []
    document = document_of(comparison.pairs[one.key][1].after.response)
    return [value for value in values_at(document, one.difference.path or "") if isinstance(value, list)]


def _orders(comparison: Comparison, learned: Learned) -> list[Observation]:
    """Lists without an order of their own that turn round what always stood in one order."""
    asked: dict[str, list[tuple[Place, PartialOrder]]] = defaultdict(list)
    for (endpoint, place), learnt in learned.items():
        if learnt.order is not None and _is_document(place):
            asked[endpoint].append((place, learnt.order))
    found: list[Observation] = []
    looked: Counter[str] = Counter()
    for key, (endpoint, pair) in comparison.pairs.items():
        looked[endpoint] += 1
        if endpoint not in asked or looked[endpoint] > MAX_REQUESTS:
            continue
        documents = (document_of(pair.before.response), document_of(pair.after.response))
        for place, order in asked[endpoint]:
            for one in values_at(documents[1], place[1]):
                turned = order.broken_by(one) if isinstance(one, list) else None
                if turned is not None:
                    found.append(Observation(key, endpoint, _turned(place[1], documents, turned)))
                    break
    return found


def _turned(path: str, documents: tuple[Json, Json], turned: tuple[str, str]) -> Difference:
    before, after = (next(iter(values_at(document, path)), None) for document in documents)
    moved = f"{turned[0]} before {turned[1]}→after it"
    return Difference(Surface.RESPONSE, "order_changed", path, bounded(before), bounded(after), moved, "outside")
