"""Which recorded answer belongs to a live call.

Three rules hold here. The answers of one inbound exchange are given to its own replay: another's only where the very
same was asked, and all who asked it were answered alike. What is ambiguous is refused, never guessed. A miss says
which recorded calls were nearest, and why they do not fit.

The steps, in this order: EXACT (same operation, same arguments), MAPPED (the same but for values that are made anew at
each run, and stand for the recorded ones consistently), SHAPE (same operation, arguments of the same names and types),
ELSEWHERE (exact, but another cause's), NEAREST (same operation, most arguments equal). Calls that were asked again and
again are answered in recorded order; when they run out, the last is repeated. SHAPE and NEAREST prefer calls not given
yet, and repeat one only where nothing else is left. PURE.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from ...capture.model import LinkKind
from .asked import Asked
from .index import ANYONE, BACKGROUND, CallIndex, Recorded
from .renamed import Renaming

LONE, CLEAR = 0.9, 0.98
"""Confidence from which a live call's cause counts as known: where nothing else can be it (a trace that was passed on,
one request under way), and where it was inferred."""

_MOST_LOOKED_AT = 500
_MOST_GIVEN = 64
_MOST_NEAR = 3
_MOST_WHYS = 3
_LONGEST_SHOWN = 60


Renamings = Callable[[str | None], Renaming]
"""A cause in, the renaming of its session out."""


class Step(StrEnum):
    """How an answer was found."""

    EXACT = "exact"
    MAPPED = "mapped"
    SHAPE = "shape"
    NEAREST = "nearest"
    ELSEWHERE = "elsewhere"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Scope:
    """The recorded exchanges that may be the live call's cause, each with its confidence, best first. `how` is what
    ties the call to the first; None where nothing is known that could be it."""

    causes: tuple[tuple[str, float], ...] = ()
    how: LinkKind | None = None

    @property
    def sure(self) -> str | None:
        """The cause, where there is no doubt."""
        if not self.causes:
            return None
        cause, confidence = self.causes[0]
        is_alone = len(self.causes) == 1 and self.how in (LinkKind.PROPAGATED, LinkKind.TIME)
        return cause if confidence >= (LONE if is_alone else CLEAR) else None

    def share(self, possible: Container[str], *, has_others: bool) -> tuple[str | None, float]:
        """Whose of the `possible` candidates the call is most likely, and how sure that is. `has_others`: it may also
        belong to somebody who is no candidate, and then what is left of the confidence is theirs."""
        known = {cause: confidence for cause, confidence in self.causes if cause in possible}
        if not any(known.values()):
            return None, 0.0
        rest = max(0.0, 1.0 - sum(confidence for _, confidence in self.causes)) if has_others else 0.0
        best = max(known, key=lambda cause: known[cause])
        return best, known[best] / (sum(known.values()) + rest)


@dataclass(frozen=True, slots=True)
class Match:
    """An answer was found. `repeated`: it had been given before."""

    step: Step
    call: Recorded
    cause: str | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """A recorded call that does not fit, and why."""

    id: str
    label: str
    whys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """No answer was found."""

    reason: str
    near: tuple[Near, ...] = ()


class Ambiguous(Exception):
    """Several recorded answers fit, and which one is right cannot be told."""


class Matcher:
    """The answers of one replay at one side: what has been given is remembered."""

    __slots__ = ("_first_left", "_given", "_index")

    def __init__(self, index: CallIndex) -> None:
        self._index = index
        self._given: set[int] = set()
        self._first_left: dict[int, int] = {}

    def match(self, what: Asked, scope: Scope, renamings: Renamings) -> Match | Miss:
        """The answer to `what`, asked within `scope`. `renamings` has the renaming of each cause, which learns from
        what is found."""
        try:
            found = self._found(what, scope, renamings)
        except Ambiguous as why:
            return Miss(str(why), self._near(what, scope))
        if found is None:
            return Miss("no recorded call fits", self._near(what, scope))
        if found.call.missing:
            return Miss(f"recorded, but {found.call.missing}", self._near(what, scope))
        self._given.add(found.call.position)
        if found.step is not Step.ELSEWHERE:
            renaming, recorded = renamings(found.cause), found.call.asked.leaves
            if found.step is not Step.EXACT:
                renaming.learn(recorded, what.leaves)
            if what.own:
                renaming.hear(recorded, what.leaves, what.own)
        return found

    def _found(self, what: Asked, scope: Scope, renamings: Renamings) -> Match | None:
        if scope.causes and scope.sure is None:
            return self._in_doubt(what, scope, renamings)
        cause = scope.sure if scope.causes else BACKGROUND
        return (
            self._exact(what, cause)
            # A call that outlived its answer looks like the next request's: the very same asked elsewhere tells.
            or (self._elsewhere(what, cause) if scope.how is not LinkKind.PROPAGATED else None)
            or self._mapped(what, cause, renamings)
            or self._shaped(what, cause, again=False)
            or self._elsewhere(what, cause)
            or self._nearest(what, cause, again=False)
            or self._shaped(what, cause, again=True)
            or self._nearest(what, cause, again=True)
        )

    # Within one scope.

    def _exact(self, what: Asked, cause: str | None) -> Match | None:
        found = self._index.exact(cause, what)
        if not found:
            return None
        if not all(call.is_sure for call in found) and not _alike(found):
            found = [call for call in found if call.is_sure]
            if not found:
                raise Ambiguous("several requests asked the very same, and which was answered what is not known")
        return self._next(found, Step.EXACT, cause)

    def _next(self, calls: Sequence[Recorded], step: Step, cause: str | None) -> Match:
        """The first that has not been given, else the last once more."""
        given = self._given
        first = self._first_left.get(id(calls), 0)
        for place in range(first, len(calls)):
            if calls[place].position not in given:
                self._remember(calls, first, place)
                return Match(step, calls[place], cause)
        self._remember(calls, first, len(calls))
        return Match(step, calls[-1], cause, repeated=True)

    def _remember(self, calls: Sequence[Recorded], first: int, place: int) -> None:
        """Where to go on in a long list next time. Only the index's own lists live long enough to be told by id."""
        if place - first > _MOST_GIVEN and self._index.owns(calls):
            self._first_left[id(calls)] = place

    def _mapped(self, what: Asked, cause: str | None, renamings: Renamings, *, fresh: bool = True) -> Match | None:
        calls = self._index.shaped(cause, what)
        if not calls:
            return None
        renaming = renamings(cause)
        fitting = [
            call for call in self._first(calls) if call.is_sure and _is_renamed(what, call, renaming, fresh=fresh)
        ]
        return self._next(_best(what, fitting), Step.MAPPED, cause) if fitting else None

    def _first(self, calls: Sequence[Recorded]) -> Sequence[Recorded]:
        """Not more than can be looked at for one call: those not given yet before the others."""
        if len(calls) <= _MOST_LOOKED_AT:
            return calls
        fresh = list(islice((call for call in calls if call.position not in self._given), _MOST_LOOKED_AT))
        return fresh or calls[-_MOST_LOOKED_AT:]

    def _shaped(self, what: Asked, cause: str | None, *, again: bool) -> Match | None:
        return self._closest(what, self._index.shaped(cause, what), Step.SHAPE, cause, again=again)

    def _nearest(self, what: Asked, cause: str | None, *, again: bool) -> Match | None:
        family = self._first(self._index.family(cause, what))
        near = [call for call in family if call.asked.operation == what.operation]
        return self._closest(what, near, Step.NEAREST, cause, again=again)

    def _closest(
        self, what: Asked, calls: Sequence[Recorded], step: Step, cause: str | None, *, again: bool
    ) -> Match | None:
        left = [call for call in self._first(calls) if call.is_sure and (call.position in self._given) is again]
        return Match(step, _best(what, left)[0], cause, repeated=again) if left else None

    # Beyond it.

    def _elsewhere(self, what: Asked, own: str | None) -> Match | None:
        background = self._index.exact(BACKGROUND, what) if own is not BACKGROUND else []
        if background and (all(call.is_sure for call in background) or _alike(background)):
            return self._next(background, Step.ELSEWHERE, BACKGROUND)
        found = self._index.exact(ANYONE, what)
        if not found:
            return None
        if not _alike(found):
            raise Ambiguous("other requests asked the very same, and were answered differently")
        return Match(Step.ELSEWHERE, found[0], _cause(found[0]))

    def _in_doubt(self, what: Asked, scope: Scope, renamings: Renamings) -> Match | None:
        """Several causes are possible: what was asked decides among them, or nothing does."""
        calls = self._index.exact(ANYONE, what)
        if not calls:
            return self._only_one(what, [cause for cause, _ in scope.causes], renamings)
        asking = {cause: len(self._index.exact(cause, what)) for cause, _ in scope.causes}
        possible = {cause for cause, count in asking.items() if count}
        cause, share = scope.share(possible, has_others=len(calls) > sum(asking.values()))
        theirs = self._index.exact(cause, what) if cause is not None else calls
        if share >= CLEAR and all(call.is_sure for call in theirs):
            return self._next(theirs, Step.EXACT, cause)
        if not _alike(calls):
            raise Ambiguous("the call may belong to several requests, whose recorded answers to it differ")
        return self._next(theirs, Step.EXACT if cause is not None else Step.ELSEWHERE, _cause(theirs[0]))

    def _only_one(self, what: Asked, causes: Iterable[str], renamings: Renamings) -> Match | None:
        """The one call among all causes' that differs only by ids which are known to stand for one another."""
        tried = [self._mapped(what, cause, renamings, fresh=False) for cause in sorted(causes)]
        found = [match for match in tried if match is not None]
        if len(found) > 1 and not _alike([match.call for match in found]):
            raise Ambiguous("the call may belong to several requests, and the ids in it to more than one")
        return found[0] if found else None

    # Explaining.

    def _near(self, what: Asked, scope: Scope) -> tuple[Near, ...]:
        """Up to three recorded calls that were nearest, those within the scope first."""
        index = self._index
        own = [call for cause, _ in scope.causes for call in index.family(cause, what)]
        others = index.family(ANYONE, what) or index.calls
        seen = {call.position for call in own[:_MOST_LOOKED_AT]}
        rest = [call for call in others[:_MOST_LOOKED_AT] if call.position not in seen]
        nearest = [
            *sorted(own[:_MOST_LOOKED_AT], key=lambda call: -_equal(what, call)),
            *sorted(rest, key=lambda call: -_equal(what, call)),
        ]
        return tuple(Near(call.id, _shown(call.asked.label), _whys(what, call, scope)) for call in nearest[:_MOST_NEAR])


def _alike(calls: Sequence[Recorded]) -> bool:
    """Whether all were answered the same."""
    return all(call.answer == calls[0].answer for call in calls)


def _cause(call: Recorded) -> str | None:
    return next(iter(call.causes))


def _is_renamed(what: Asked, call: Recorded, renaming: Renaming, *, fresh: bool) -> bool:
    """Whether the two differ only in values that can stand for one another."""
    return (
        call.asked.side == what.side
        and len(call.asked.leaves) == len(what.leaves)
        and all(
            there.path == live.path and renaming.agrees(there, live, fresh=fresh)
            for there, live in zip(call.asked.leaves, what.leaves, strict=True)
        )
    )


def _best(what: Asked, calls: Sequence[Recorded]) -> list[Recorded]:
    """Those of `calls` that share most with `what`, in recorded order."""
    if len(calls) < 2:
        return list(calls)
    scores = [_equal(what, call) for call in calls]
    most = max(scores)
    return [call for call, score in zip(calls, scores, strict=True) if score == most]


def _equal(what: Asked, call: Recorded) -> int:
    """How many arguments are equal."""
    mine = {(leaf.path, leaf.kind, leaf.value) for leaf in (*what.leaves, *what.side)}
    theirs = (*call.asked.leaves, *call.asked.side)
    return sum((leaf.path, leaf.kind, leaf.value) in mine for leaf in theirs) + _equal_words(what, call)


def _equal_words(what: Asked, call: Recorded) -> int:
    """How many words of the operations are equal, place by place."""
    pairs = zip(_words(what.operation), _words(call.asked.operation), strict=False)
    return sum(mine == theirs for mine, theirs in pairs)


def _words(operation: str) -> list[str]:
    """The words of an operation."""
    return operation.replace("/", " ").split()


def _whys(what: Asked, call: Recorded, scope: Scope) -> tuple[str, ...]:
    """Why a recorded call does not fit, in a few words each."""
    whys = []
    if scope.causes and not any(cause in call.causes for cause, _ in scope.causes):
        whys.append("it belongs to another request")
    if call.missing:
        whys.append(call.missing)
    if what.operation != call.asked.operation:
        whys.append(f"asked {_shown(call.asked.operation)}, not {_shown(what.operation)}")
    mine = {leaf.path: leaf for leaf in (*what.leaves, *what.side)}
    theirs = {leaf.path: leaf for leaf in (*call.asked.leaves, *call.asked.side)}
    for path in [*theirs, *(path for path in mine if path not in theirs)]:
        there, here = theirs.get(path), mine.get(path)
        if there is None:
            whys.append(f"{path} is new")
        elif here is None:
            whys.append(f"{path} is missing")
        elif (there.kind, there.value) != (here.kind, here.value):
            whys.append(f"{path} was {_shown(repr(there.value))}, is {_shown(repr(here.value))}")
    return tuple(whys[:_MOST_WHYS])


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
