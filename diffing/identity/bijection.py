"""The session-wide bijection of ids: two runs are the same up to renaming ("alpha-equivalence").

Rules:
- An id of the baseline has one name on the other side and no two ids share one, within a domain: places whose values
  are the same ids. Which places those are, and whether they keep to it, is learnt from the baseline against itself.
- A number is an id only where a name, a slot of a path or the distance of two counters says so: an id that is 3 on one
  side and 7 on the other says nothing of a quantity of 3.
- Within a list it is not known which element answers to which: there the ids only have to be there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from .nouns import names_an_id
from .sights import Sight, Spot, is_strong_token

FAR = 100_000
"""Two counters this far apart, and always by the same distance, were started apart: their numbers are ids."""
MIN_FRESH = 5
"""From so many different tokens without any repeat on, a repeat is news."""
MIN_NUMBER_CHECKS = 2
"""How often a domain of numbers must have named an id again before it is believed; of drawn tokens once is enough."""
CONSTANT = 5
"""One token at more requests than this, or under one name only, is the side's own name (a host, a process), not an id
of what it does."""
MAX_SHARING = 30
"""Most places of one token that are held against each other."""

Domain = Mapping[Spot, int]


class Violation(NamedTuple):
    """A sight that contradicts the others: `expected` is the name of its id elsewhere; `reused` where the candidate
    gave two ids one name instead."""

    sight: Sight
    expected: str
    reused: bool


class Vote(NamedTuple):
    """What speaks for a pair: the best trust, at how many places, and how early (larger is earlier)."""

    trust: int
    places: int
    early: int


@dataclass(slots=True)
class Names:
    """Who stands for whom in one comparison, by domain: the pair that the most trusted, then the most sights show."""

    forward: dict[tuple[int, str], str] = field(default_factory=dict)
    backward: dict[tuple[int, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, groups: Mapping[tuple[int, str, Spot], Sequence[Sight]]) -> "Names":
        """Count the votes of sights that stand alone at their place."""
        votes: dict[tuple[int, str, str], Vote] = {}
        for place, ((domain, _, _), sights) in enumerate(groups.items()):
            if len(sights) == 1:
                pair = (domain, sights[0].before, sights[0].after)
                held = votes.get(pair, Vote(0, 0, -place))
                votes[pair] = Vote(max(held.trust, sights[0].trust), held.places + 1, held.early)
        names = cls()
        for domain, before, after in sorted(votes, key=lambda one: votes[one], reverse=True):
            names.forward.setdefault((domain, before), after)
            names.backward.setdefault((domain, after), before)
        return names


def grouped(sights: Iterable[Sight], domains: Domain) -> dict[tuple[int, str, Spot], list[Sight]]:
    """Sights by domain, request and place: several at one place are a list."""
    groups: dict[tuple[int, str, Spot], list[Sight]] = defaultdict(list)
    for one in sights:
        if one.spot in domains:
            groups[domains[one.spot], one.key, one.spot].append(one)
    return groups


class Held(NamedTuple):
    """Sights held against their domain's bijection: what contradicts it, and what is as it says."""

    broken: list[Violation]
    consistent: list[Sight]


def hold_against(sights: Sequence[Sight], domains: Domain) -> Held:
    """Which sights are what their domain's bijection says, and which are not."""
    groups = grouped(sights, domains)
    names = Names.of(groups)
    held = Held([], [])
    for (domain, _, _), group in groups.items():
        before, after = {one.before for one in group}, {one.after for one in group}
        for one in group:
            expected = names.forward.get((domain, one.before))
            owner = names.backward.get((domain, one.after))
            if expected is not None and expected != one.after and expected not in after:
                held.broken.append(Violation(one, expected, reused=False))
            elif owner is not None and owner != one.before and owner not in before:
                held.broken.append(Violation(one, owner, reused=True))
            elif expected is not None:
                held.consistent.append(one)
    return held


def contradictions(sights: Sequence[Sight], domains: Domain) -> list[Violation]:
    """The sights that are not what their domain's bijection says."""
    return hold_against(sights, domains).broken


@dataclass(slots=True)
class _Column:
    """What the baseline shows of one spot."""

    distinct: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    numbers: int = 0
    strong: int = 0
    seen: int = 0
    apart: set[int] = field(default_factory=set)
    noun: str = ""

    def note(self, one: Sight) -> None:
        self.seen += 1
        self.distinct.add(one.before)
        self.requests.add(one.key)
        self.noun = one.noun
        self.numbers += one.is_number
        self.strong += is_strong_token(one.before)
        if one.is_number and one.after.isdecimal() and len(self.apart) < 2:
            self.apart.add(int(one.after) - int(one.before))

    def holds_ids(self, spot: Spot) -> bool:
        """Whether what stands here are ids: drawn tokens, or numbers with evidence beyond their looks."""
        if self.strong == self.seen:
            return True
        if self.numbers != self.seen:
            return False
        path = spot.place[1]
        named = bool(spot.part and spot.part != "…") or names_an_id(path) or path.startswith(("path.", "key."))
        far = len(self.apart) == 1 and len(self.distinct) > 1 and abs(next(iter(self.apart))) >= FAR
        return named or far


class Domains:
    """Learnt from comparisons of baselines with each other; empty where there were none."""

    def __init__(self, comparisons: Sequence[Sequence[Sight]]) -> None:
        self._columns = _columns(comparisons)
        spots = [spot for spot, column in self._columns.items() if column.holds_ids(spot)]
        alone = {spot: index for index, spot in enumerate(spots)}
        broken = {one.sight.spot for sights in comparisons for one in contradictions(sights, alone)}
        self.spots: dict[Spot, int] = self._joined([one for one in spots if one not in broken], comparisons)
        # A place that was wrongly joined contradicts its domain in the baseline already.
        for _ in range(2):
            for spot in {one.sight.spot for sights in comparisons for one in contradictions(sights, self.spots)}:
                del self.spots[spot]
        self._keep_proven(comparisons)

    def _joined(self, spots: Sequence[Spot], comparisons: Sequence[Sequence[Sight]]) -> dict[Spot, int]:
        known = set(spots)
        shared: dict[tuple[Spot, Spot], int] = defaultdict(int)
        apart: dict[Spot, set[Spot]] = defaultdict(set)
        for sights in comparisons:
            for by_name in _by_token(sights, known).values():
                _compare_names(by_name, shared, apart)
        union = _Union(spots, apart, {spot: self._columns[spot].noun for spot in spots})
        for pair in sorted(shared, key=lambda one: (-shared[one], one)):
            numbers = all(self._columns[spot].numbers for spot in pair)
            union.join(pair, numbers=numbers)
        return {spot: union.of(spot) for spot in spots}

    def _keep_proven(self, comparisons: Sequence[Sequence[Sight]]) -> None:
        """Only domains that named an id again (or never did, often enough), and that are not a side's own name."""
        again: dict[int, int] = defaultdict(int)
        tokens: dict[int, set[str]] = defaultdict(set)
        requests: dict[int, set[str]] = defaultdict(set)
        for sights in comparisons:
            seen: set[tuple[int, str]] = set()
            for domain, key, spot in (groups := grouped(sights, self.spots)):
                requests[domain].add(key)
                for one in groups[domain, key, spot]:
                    again[domain] += (domain, one.before) in seen
                    seen.add((domain, one.before))
                    tokens[domain].add(one.before)
        numbers = {self.spots[spot] for spot in self.spots if self._columns[spot].numbers}
        paths: dict[int, set[str]] = defaultdict(set)
        for spot, domain in self.spots.items():
            paths[domain].add(spot.place[1])
        for spot, domain in list(self.spots.items()):
            own_name = len(tokens[domain]) == 1 and (len(requests[domain]) > CONSTANT or len(paths[domain]) == 1)
            proven = again[domain] >= (MIN_NUMBER_CHECKS if domain in numbers else 1)
            if own_name or not (proven or len(tokens[domain]) >= MIN_FRESH):
                del self.spots[spot]

    def names(self, sights: Sequence[Sight]) -> Names:
        """Who stands for whom in a comparison."""
        return Names.of(grouped(sights, self.spots))


def _columns(comparisons: Sequence[Sequence[Sight]]) -> dict[Spot, _Column]:
    columns: dict[Spot, _Column] = defaultdict(_Column)
    for sights in comparisons:
        for one in sights:
            columns[one.spot].note(one)
    return columns


def _by_token(sights: Iterable[Sight], known: set[Spot]) -> dict[str, dict[Spot, set[str]]]:
    found: dict[str, dict[Spot, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in sights:
        if one.spot in known:
            found[one.before][one.spot].add(one.after)
    return found


def _compare_names(
    by_spot: Mapping[Spot, set[str]], shared: dict[tuple[Spot, Spot], int], apart: dict[Spot, set[Spot]]
) -> None:
    """Places that call one token alike have evidence of being one domain, others are none."""
    for first, second in combinations(sorted(by_spot)[:MAX_SHARING], 2):
        if by_spot[first] & by_spot[second]:
            shared[first, second] += 1
        else:
            apart[first].add(second)
            apart[second].add(first)


class _Union:
    """Union-find that keeps apart what must not meet."""

    def __init__(self, spots: Sequence[Spot], apart: Mapping[Spot, set[Spot]], nouns: Mapping[Spot, str]) -> None:
        self._of = {spot: index for index, spot in enumerate(spots)}
        self._members = {index: [spot] for index, spot in enumerate(spots)}
        self._nouns = {index: {nouns[spot]} - {""} for index, spot in enumerate(spots)}
        self._apart = apart

    def of(self, spot: Spot) -> int:
        return self._of[spot]

    def join(self, pair: tuple[Spot, Spot], *, numbers: bool) -> None:
        first, second = self._of[pair[0]], self._of[pair[1]]
        if first == second:
            return
        if numbers and not _agree(self._nouns[first], self._nouns[second]):
            return
        held = set(self._members[second])
        if any(held & self._apart.get(spot, set()) for spot in self._members[first]):
            return
        for spot in self._members.pop(second):
            self._of[spot] = first
            self._members[first].append(spot)
        self._nouns[first] |= self._nouns.pop(second)


def _agree(first: set[str], second: set[str]) -> bool:
    """Whether all nouns may be one: the same, one the end of the other ("billing_order"), or not known."""
    return all(
        one == other or one.endswith(f"_{other}") or other.endswith(f"_{one}") for one in first for other in second
    )


def established(names: Names) -> frozenset[tuple[str, str]]:
    """The pairs that a bijection says both ways, whichever domain they are of."""
    return frozenset(
        (before, after)
        for (domain, before), after in names.forward.items()
        if names.backward.get((domain, after)) == before
    )
