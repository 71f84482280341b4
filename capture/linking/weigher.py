"""Weighs the candidates for the cause of a call: once when it begins, and again when more is known.

Two rules hold here. What binds (a transaction) is weighed before what leans (a connection, an habit, the time). The
work for one call is bounded by the candidates looked at.
"""

from collections.abc import Collection, Iterable
from itertools import islice

from ..model import Link, LinkKind
from .asked import Asked, Lane, Line
from .causes import Cause, Causes
from .habits import Habits
from .values import MOST_VALUES, GrowingValues
from .weighing import (
    LATE_CONFIDENCE,
    LONE_TIME_CONFIDENCE,
    MOST_CANDIDATES,
    TELLING,
    Scores,
    over_score,
    ranked,
    shared,
    shares,
    turn_scores,
    value_scores,
    with_habits,
    with_neighbour,
)

_MOST_WEIGHED = 128
"""Open exchanges that are weighed for one call, those with the latest event first, beside all that share a value."""
_MOST_LATE = MOST_CANDIDATES * 4
_EXPOSED_EVERY = 4
"""Of how many calls one is looked at for who could have made it: habits are slow, and looking costs."""
_MOST_OF_ONE = 8
"""Open exchanges that are looked at for being one request and its own messages."""
_LEAST_SHARE = 0.5
"""What all candidates together must have, so that a call is taken for anybody's."""
_LANE_START = 3.0
"""What it says for a candidate that it came on the very lane of the call: a message, answered on its channel."""
_TOO_LATE = -1.5
"""What it says against a candidate that it began after the connection was opened for the call."""
_OUTSTANDING, _AHEAD = 7.5, 5.0
"""Evidence by values that needs no weighing against the other candidates, and how far ahead of the next it must be."""


class Weigher:
    """Weighs calls against `causes`, by what they share and by the service's `habits`."""

    __slots__ = ("_causes", "_exposures", "_habits", "_quiet_from_us")

    def __init__(self, causes: Causes, habits: Habits) -> None:
        self._causes = causes
        self._habits = habits
        self._exposures = 0
        self._quiet_from_us: int | None = None

    # Silence, in which a call is nobody's.

    def busy_from(self, at_us: int) -> None:
        """The first of some inbound exchanges is open."""
        if self._quiet_from_us is not None:
            self._habits.passed(0, at_us - self._quiet_from_us)
        self._quiet_from_us = at_us

    def quiet_from(self, at_us: int) -> None:
        """The last of them has ended."""
        if self._quiet_from_us is not None:
            self._habits.passed(at_us - self._quiet_from_us, 0)
        self._quiet_from_us = at_us

    def _quiet_us(self, at_us: int) -> int:
        # What a service does while it starts is no habit of its quiet hours.
        return 0 if self._quiet_from_us is None else at_us - self._quiet_from_us

    # A call that begins.

    def traced(self, asked: Asked, cause: Cause) -> None:
        """A call brought the trace id of `cause` alone: there is nothing to weigh."""
        asked.how = LinkKind.PROPAGATED
        self._is(asked, cause, 1.0)

    def begin(self, asked: Asked, line: Line, lane: str | None, values: Iterable[str], traced: list[Cause]) -> None:
        """Weigh by all that is known when a call begins; `traced` are those whose trace id it has, if there are."""
        # They are gathered only once it is sure that nothing binds the call.
        are_many = not traced and self._are_several()
        candidates = [] if are_many else traced or self._candidates(asked.started_us)
        history = asked.lane is not None and bool(asked.lane.scores)
        somebody = are_many or bool(candidates) or history
        self._habits.seen(asked.operation, None if somebody else self._quiet_us(asked.started_us))
        if not somebody:
            self._begin_late(asked, values)
            return
        if asked.lane is not None and history:
            asked.nobody = asked.lane.nobody
        elif not traced:
            asked.nobody = self._habits.unprompted(asked.operation)
        if _are_one(candidates) and not history:
            # Also where all others pass a trace id on: that this one does not may be the very change to be found.
            self._is(asked, candidates[0], LONE_TIME_CONFIDENCE * (1 - asked.nobody))
            return
        if not traced and not history:
            asked.nobody = max(asked.nobody, self._habits.strays_untraced(asked.tap))
        self._causes.read()
        asked.values = list(islice(values, MOST_VALUES))
        if isinstance(values, GrowingValues) and not values.is_whole:
            asked.source = values
        told = self._told(asked)
        if asked.lane is not None and history:
            lone = next(iter(asked.lane.scores))
            if len(asked.lane.scores) == 1 and told.get(lone, 0.0) < TELLING:
                # The transaction began when nobody else was there, whoever has its values too.
                self._is(asked, lone, LONE_TIME_CONFIDENCE * (1 - asked.nobody))
            else:
                self._begin_in_lane(asked, asked.lane, told)
            return
        if are_many:
            candidates = self._candidates(asked.started_us)
        if _are_one(candidates) and not told:
            self._is(asked, candidates[0], LONE_TIME_CONFIDENCE * (1 - asked.nobody))
        else:
            self._begin_alone(asked, candidates, told, line, lane, traced=bool(traced))

    def _are_several(self) -> bool:
        """Whether more than one exchange is open; a message and the request that published it are one."""
        causes = self._causes.open
        return len(causes) > 1 and not _are_one(causes.values())

    def _candidates(self, at_us: int) -> list[Cause]:
        """What was open at `at_us`, the latest event first."""
        opened = self._causes.open
        if len(opened) < 2 and not self._causes.has_just_closed(at_us):
            return [cause for cause in opened.values() if cause.started_us <= at_us]
        latest = islice(reversed(self._causes.open.values()), _MOST_WEIGHED)
        return [*self._causes.just_closed(at_us, _MOST_LATE), *(each for each in latest if each.started_us <= at_us)]

    def _is(self, asked: Asked, cause: Cause, confidence: float) -> None:
        """`cause` is the only candidate."""
        asked.own = asked.shares = {cause: confidence}
        asked.links = (Link(cause.named, asked.how, confidence),) if confidence >= _LEAST_SHARE else ()
        if asked.lane is not None and not asked.lane.scores:
            asked.lane.prior = {cause: 0.0}
            asked.lane.scores = {cause: 0.0}
            asked.lane.nobody = asked.nobody

    def _begin_late(self, asked: Asked, values: Iterable[str]) -> None:
        """Nothing is open: the work of a request that is answered already, or nobody's."""
        late = self._causes.late(asked.started_us, _MOST_LATE)
        if not late:
            return
        asked.values = list(islice(values, MOST_VALUES))
        self._causes.read_closed()
        told = self._told(asked)
        if any(cause in told for cause in late):
            scores = {cause: told.get(cause, 0.0) for cause in late}
            asked.shares = shares(scores, dict.fromkeys(late, 0.0), LATE_CONFIDENCE)
            asked.links = ranked(asked.shares, LinkKind.VALUE)
        elif self._habits.unprompted(asked.operation) < 0.5:
            asked.links = shared(late, LinkKind.TIME, LATE_CONFIDENCE, ceiling=LATE_CONFIDENCE)

    def _begin_in_lane(self, asked: Asked, lane: Lane, told: Scores) -> None:
        """A further call of a transaction: what it says is said of all of them."""
        usual = with_habits(lane.scores, asked.operation, self._habits)
        scores = {cause: score + told.get(cause, 0.0) for cause, score in usual.items()}
        asked.prior = lane.prior
        self._conclude(asked, scores, told, is_bound=True)
        lane.scores = scores

    def _begin_alone(
        self, asked: Asked, candidates: list[Cause], told: Scores, line: Line, lane: str | None, *, traced: bool
    ) -> None:
        """A call that nothing before it binds."""
        if traced:
            asked.how = LinkKind.PROPAGATED
        outstanding = None if traced else _outstanding(told, asked.started_us)
        if outstanding is not None:
            prior = {outstanding: 0.0}
        else:
            prior = self._prior(asked, candidates, () if traced else told, line, lane)
        asked.prior = prior
        scores = {cause: score + told.get(cause, 0.0) for cause, score in prior.items()}
        self._conclude(asked, scores, told, is_bound=False)
        asked.prior = {cause: prior[cause] for cause in asked.shares}
        if asked.lane is not None:
            asked.lane.prior = asked.prior
            asked.lane.scores = {cause: scores[cause] for cause in asked.prior}
            asked.lane.nobody = asked.nobody

    def _prior(
        self, asked: Asked, candidates: list[Cause], more: Iterable[Cause], line: Line, lane: str | None
    ) -> Scores:
        """What speaks for each candidate before values do; `more` are those that share a value, open or not."""
        at_us = asked.started_us
        turns = turn_scores(candidates, at_us)
        self._exposures += 1
        if self._exposures % _EXPOSED_EVERY == 0:
            for cause, share in shares(turns, turns, 0.0).items():
                self._habits.exposed(cause.endpoint, share * _EXPOSED_EVERY)
        left_out = [cause for cause in more if cause not in turns and cause.could_be_open(at_us)]
        if left_out:
            turns.update(turn_scores(left_out, at_us))
        prior = with_habits(turns, asked.operation, self._habits)
        for cause in prior:
            if lane is not None and cause.lane == lane:
                prior[cause] += _LANE_START
            if line.opened_us is not None and cause.started_us > line.opened_us:
                prior[cause] += _TOO_LATE
        return prior

    def _told(self, asked: Asked) -> Scores:
        """What its values say; and learn whether they say anything."""
        causes, habits = self._causes, self._habits
        holders = causes.holders
        told = value_scores(asked.values, holders, habits, asked.operation, causes.known)
        if asked.values:
            fewest = 0
            for value in asked.values:
                having = holders.get(value)
                if having is None:
                    habits.stray(value)
                elif not fewest or len(having) < fewest:
                    fewest = len(having)
            held = any(cause.could_be_open(asked.started_us) for cause in told)
            habits.told(asked.operation, held=held, others=max(fewest - 1, 0), possible=causes.known)
        return told

    # A call that has ended.

    def again(self, asked: Asked) -> None:
        """Weigh once more, by what has come since the call began: its answer, its neighbours, the ends of candidates
        and their answers."""
        if not asked.prior or asked.how is LinkKind.PROPAGATED:
            return
        causes, lane = self._causes, asked.lane
        causes.read()
        told = value_scores(asked.values, causes.holders, self._habits, asked.operation, causes.known)
        last_us = asked.ended_us or asked.started_us
        if lane is None:
            base = {cause: score + told.get(cause, 0.0) for cause, score in asked.prior.items()}
            came_back = self._came_back(asked)
        else:
            base, last_us = lane.scores, max(last_us, lane.last_us)
            came_back = {}
            for call in lane.calls:
                for cause, score in self._came_back(call).items():
                    came_back[cause] = max(came_back.get(cause, 0.0), score)
        scores = {
            cause: score + came_back.get(cause, 0.0) + over_score(cause, last_us) for cause, score in base.items()
        }
        for cause, score in came_back.items():
            told[cause] = max(told.get(cause, 0.0), score)
        self._conclude(asked, scores, told, is_bound=lane is not None and len(lane.calls) > 1)

    def _came_back(self, asked: Asked) -> Scores:
        """What a call's answer says: its values turn up in the answer of the request that it was made for."""
        if not asked.answer:
            return {}
        return value_scores(asked.answer, self._causes.holders, self._habits, "", self._causes.known)

    # What it comes to.

    def _conclude(self, asked: Asked, scores: Scores, told: Scores, *, is_bound: bool) -> None:
        """Probabilities and links from scores, with what the neighbours on the connection add."""
        asked.own = asked.shares = shares(scores, asked.prior, asked.nobody)
        if not is_bound and len(scores) > 1:
            tied = self._tied(asked, scores)
            if tied is not scores:
                asked.shares = shares(tied, asked.prior, asked.nobody)
        best = asked.best
        if best is None or sum(asked.shares.values()) < _LEAST_SHARE:
            asked.links = ()
            return
        if asked.how is not LinkKind.PROPAGATED:
            asked.how = _named(asked, best, told)
        asked.links = ranked(asked.shares, asked.how)

    def _tied(self, asked: Asked, scores: Scores) -> Scores:
        """A connection that stays with its cause: its neighbours speak for theirs."""
        result = scores
        before, after = asked.before, asked.after
        if before is not None and before.shares:
            result = with_neighbour(result, before.shares, self._habits.stays(asked.tap, asked.gap_us))
        if after is not None and after.own:
            result = with_neighbour(result, after.own, self._habits.stays(asked.tap, after.gap_us))
        return result


def _are_one(causes: Collection[Cause]) -> bool:
    """Whether these are one exchange, or one with its own messages."""
    count = len(causes)
    return count == 1 or (1 < count <= _MOST_OF_ONE and len({cause.named for cause in causes}) == 1)


def _named(asked: Asked, best: Cause, told: Scores) -> LinkKind:
    """What the evidence for `best` is called after."""
    lane = asked.lane
    if told.get(best, 0.0) >= TELLING:
        if lane is not None:
            lane.has_values = True
        return LinkKind.VALUE
    if (lane is not None and lane.has_values) or asked.shares[best] > 2 * asked.own.get(best, 0.0):
        return LinkKind.LANE
    return LinkKind.TIME


def _outstanding(told: Scores, at_us: int) -> Cause | None:
    """The one open cause whose values leave no doubt, if there is one."""
    if not told:
        return None
    best = max(told, key=told.__getitem__)
    score = told[best]
    if score < _OUTSTANDING or not best.could_be_open(at_us):
        return None
    return best if all(cause is best or other <= score - _AHEAD for cause, other in told.items()) else None
