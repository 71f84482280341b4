"""Whether something that happens by itself now happens more often, or the other way: "changed frequency".

What is drawn anew for each call does not show again at the same request, so that it cannot be confirmed there. Counted
over all rounds it still tells. Two exact tests: Fisher's, of how often the candidate differs from the baseline and the
baseline from itself; and McNemar's (1947), of which way the differing pairs go: between two runs of one code a value
is lost as often as it is gained. Both are asked for far more than the usual 5 %: every noisy place is a try, and so is
every further round.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..comparison import Comparison, Observation
from ..difference import Difference, type_name
from ..report.model import Json, Surface
from .significance import binomial_tail, fisher_greater

LEVEL = 1e-4
"""Largest p-value of a frequency that counts as changed."""
FAMILY = 0.005
"""Largest chance that any of a report's places is said to have changed although none has (Bonferroni's)."""
ITSELF = 0.005
"""A direction that two baselines show at this p-value is a difference between processes, not between codes."""
MIN_RATIO = 3
MAX_VALUES = 30
"""Of more different values each one's direction says nothing."""
MIN_PAIRS = 8

At = tuple[str, tuple[str, str, str, str]]
_GONE = {"field_removed": "present→missing", "missing": "present→missing"}
_COME = {"field_added": "missing→present", "extra": "missing→present"}
_VALUES = frozenset({"value_changed", "value_changed/tokens", "changed"})
_MEMBERS = frozenset({"multiset_changed", "length_changed"})


@dataclass(slots=True)
class Tally:
    """Differences at one place, per comparison: which requests, and which values were lost and gained. `first` are
    those of the first comparison."""

    keys: list[set[str]] = field(default_factory=list)
    lost: list[Counter[str]] = field(default_factory=list)
    gained: list[Counter[str]] = field(default_factory=list)
    first: list[Observation] = field(default_factory=list)

    def open(self, number: int) -> None:
        """Make room for the comparison `number`."""
        while len(self.keys) <= number:
            self.keys.append(set())
            self.lost.append(Counter())
            self.gained.append(Counter())

    def add(self, number: int, one: Observation) -> None:
        """Count one difference."""
        self.open(number)
        self.keys[number].add(one.key)
        if number == 0:
            self.first.append(one)
        before, after = _sides(one.difference)
        if before != after:
            self.lost[number][before] += 1
            self.gained[number][after] += 1


def _sides(one: Difference) -> tuple[str, str]:
    """What stood on either side, in a word; equal words where that cannot be said."""
    kind = one.inner or one.kind
    moved = _GONE.get(kind) or _COME.get(kind)
    if moved:
        before, _, after = moved.partition("→")
        return before, after
    if one.surface is Surface.STATUS:
        before, _, after = one.transition.partition("→")
        return before, after
    if kind in _MEMBERS:
        counts = one.transition.removesuffix(" elements").split("→")
        if len(counts) == 2 and all(part.isdigit() for part in counts):
            return ("shorter", "longer") if int(counts[0]) < int(counts[1]) else ("longer", "shorter")
        return "", ""
    return (_word(one.before), _word(one.after)) if one.grade in _VALUES and one.shift_us is None else ("", "")


def _word(value: Json) -> str:
    if isinstance(value, dict | list):
        return ""
    return f"{type_name(value)} {value}"[:80]


def _family(one: Difference) -> str:
    """Kinds that are two ends of one thing are counted together."""
    kind = one.inner or one.kind
    if kind in _GONE or kind in _COME:
        return "presence"
    return "members" if kind in _MEMBERS else "values" if one.grade in _VALUES else one.grade


Tallies = dict[tuple[At, str], Tally]


def tally(comparisons: Sequence[Comparison]) -> Tallies:
    """The differences of each comparison, by place."""
    held: Tallies = defaultdict(Tally)
    for number, comparison in enumerate(comparisons):
        for one in comparison.observations:
            if one.difference.surface is not Surface.STATE:
                held[(one.endpoint, one.difference.place), _family(one.difference)].add(number, one)
    for each in held.values():
        each.open(len(comparisons) - 1)
    return held


@dataclass(frozen=True, slots=True)
class Tried:
    """A place whose frequency may have changed: `shown` are the differences of the first round that go that way,
    `among` how many places differ."""

    shown: tuple[Observation, ...]
    how: str
    p_value: float
    among: int = 1

    @property
    def endpoint(self) -> str:
        """The endpoint that shows it."""
        return self.shown[0].endpoint

    @property
    def surface(self) -> Surface:
        """Where it shows."""
        return self.shown[0].difference.surface

    @property
    def where(self) -> str:
        """Its place, in a word."""
        one = self.shown[0].difference
        return one.path or one.operation or one.surface.value


def try_frequencies(rounds: Sequence[Comparison], itself: Sequence[Comparison]) -> list[Tried]:
    """Every place at which the `rounds` show something more often, or another way, than the baseline does against
    `itself`, with the p-value of that; nothing where the latter was never looked at."""
    if not itself:
        return []
    seen, own = tally(rounds), tally(itself)
    found: list[Tried] = []
    for (at, family), mine in seen.items():
        theirs = own.get((at, family), Tally())
        theirs.open(len(itself) - 1)
        tried = (_more_often(at[0], mine, theirs, rounds, itself), _another_way(mine, theirs))
        best = min((one for one in tried if one is not None and one.shown), key=lambda one: one.p_value, default=None)
        found.extend([replace(best, among=len(seen))] if best else [])
    return found


def significant(tried: Sequence[Tried]) -> list[Tried]:
    """Those that are so at `LEVEL`, and at `FAMILY` over all places of the report that differ at all."""
    return [one for one in tried if one.p_value <= LEVEL and one.p_value * one.among <= FAMILY]


def _more_often(
    endpoint: str, mine: Tally, theirs: Tally, rounds: Sequence[Comparison], itself: Sequence[Comparison]
) -> Tried | None:
    if not all(mine.keys):
        return None
    hits, of = sum(map(len, mine.keys)), sum(one.endpoints[endpoint] for one in rounds)
    noise, trials = sum(map(len, theirs.keys)), sum(one.endpoints[endpoint] for one in itself)
    if not trials or hits * trials < MIN_RATIO * noise * of:
        return None
    if max(map(len, theirs.keys), default=0) * len(rounds) >= hits:
        # Two baselines that differ as much as any candidate does: the others may share what those two do not (where
        # their ids begin), and say nothing of it.
        return None
    p_value = fisher_greater(hits, of, min(noise, trials), trials)
    how = f"differs in {noise} of {trials} by itself, in {hits} of {of} now"
    return Tried(tuple(mine.first), how, p_value)


def _another_way(mine: Tally, theirs: Tally) -> Tried | None:
    lost, gained = sum(mine.lost, Counter()), sum(mine.gained, Counter())
    values = {*lost, *gained} - {""}
    if not 0 < len(values) <= MAX_VALUES:
        return None
    tested = [(_sign_test(gained[value], lost[value]), value) for value in sorted(values)]
    p_value, value = min(tested)
    up = gained[value] > lost[value]
    pairs = zip(mine.gained, mine.lost, strict=True)
    alike = all((more[value] > less[value]) is up and more[value] != less[value] for more, less in pairs)
    own = [(more[value], less[value]) for more, less in zip(theirs.gained, theirs.lost, strict=True)]
    leans = any(_sign_test(*each) < ITSELF for each in own)
    if not alike or gained[value] + lost[value] < MIN_PAIRS or leans or not any(map(any, own)):
        return None
    how = f"{value}: came {gained[value]} times and went {lost[value]} times"
    shown = tuple(one for one in mine.first if _sides(one.difference)[1 if up else 0] == value)
    return Tried(shown, how, min(1.0, p_value * len(values)))


def _sign_test(up: int, down: int) -> float:
    """Two-sided exact p-value of `up` and `down` being equally likely."""
    return min(1.0, 2 * binomial_tail(max(up, down), up + down, 0.5))
