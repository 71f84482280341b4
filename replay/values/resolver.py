"""Decides which answer each value of a request came from. PURE.

Rules of this file:
- an answer is a source only for requests that began after it was complete;
- a value that a client had before any answer held it is the client's own, and no link;
- what tells nothing by itself needs a name or a place that says the same at both ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from ...capture.model import Exchange
from .link import Refused, ValueLink, ValueLinks
from .place import Place
from .sinks import ANY, FIELD, TAG, UNSURE, Sink
from .sources import MOST_SESSIONS, Held, Holders
from .telling import STRONG, WEAK

CONSTANT = 0.3
"""A value that this share of the sessions has is nobody's (facts: 30 %)."""
ENOUGH_SESSIONS = 10
MOST_LINKS = 64
"""Links of one request."""
MOST_OTHERS = 4
MOST_REFUSED = 2_000
MOST_RELATED = 4
MOST_KNOWN = 500_000


class _Found(NamedTuple):
    """An answer that a value may come from, and by which rule."""

    held: Held
    key: str
    why: str


class _Use(NamedTuple):
    """A leaf of a request that is looked at."""

    exchange: Exchange
    place: Place

    def at(self, sink: Sink) -> Place:
        """The place of a value in it."""
        return Place(self.place.part, self.place.path, (*self.place.chain, *sink.chain))


class Resolver:
    """Decides, request by request in time order, which answer each value came from."""

    def __init__(self, exchanges: Sequence[Exchange], holders: Mapping[tuple[str, str], Holders]) -> None:
        self._exchanges = exchanges
        self._holders = holders
        self._sessions = len({one.session for one in exchanges})
        self._known: dict[tuple[str, str, str], _Found] = {}
        """What a session's value came from when it was first used: later answers that repeat it are no source."""
        self._own: set[tuple[str, str]] = set()
        """Values (with their keys) that a client had before any answer held them."""
        self._related: dict[str, dict[str, None]] = {}
        """Sessions whose answers a session's credentials came from: a login has a session of its own."""
        self._links: dict[str, tuple[ValueLink, ...]] = {}
        self._others: dict[ValueLink, tuple[ValueLink, ...]] = {}
        self._refused: list[Refused] = []

    def links(self) -> ValueLinks:
        """All that was found."""
        return ValueLinks(self._links, tuple(self._refused), self._others)

    def resolve(self, exchange: Exchange, sinks: Sequence[tuple[Place, Sink]]) -> None:
        """Find the sources of a request's values."""
        links: list[ValueLink] = []
        refused: list[Refused] = []
        for place, sink in sinks:
            links += self._sink(_Use(exchange, place), sink, refused)
        if links:
            self._links[exchange.id] = tuple(links[:MOST_LINKS])
        for each in refused:
            if len(self._refused) < MOST_REFUSED:
                self._refused.append(each)

    def _sink(self, use: _Use, sink: Sink, refused: list[Refused]) -> list[ValueLink]:
        """The links of `sink`: of the whole value, or else of what lies in it."""
        found = self._source(use, sink, refused) if sink.keys else None
        if found is not None:
            return [self._link(use, sink, found)]
        best: list[ValueLink] = []
        for _, group in groupby(sink.below, key=lambda one: _way(one.chain[-1])):
            links = [link for inner in group for link in self._sink(use, inner, refused)]
            # The same text may be split in several ways: the one that explains most of it is taken.
            if sum(len(link.value) for link in links) > sum(len(link.value) for link in best):
                best = links
        return best

    def _source(self, use: _Use, sink: Sink, refused: list[Refused]) -> _Found | None:
        session, start = use.exchange.session, use.exchange.started_us
        memo = (session, sink.value, ANY if sink.telling == STRONG else sink.keys[0])
        known = self._known.get(memo)
        if known is not None:
            return known
        is_own = any((sink.value, key) in self._own for key in sink.keys)
        visible = {key: holders for key in sink.keys if (holders := self._visible(sink.value, key, start))}
        for key in sink.keys:
            if key not in visible and key != UNSURE:
                self._own.add((sink.value, key))
        found = (
            self._made_before(sink, visible)
            or self._in_session(session, sink, visible, start)
            or self._anywhere(sink, visible, start)
        )
        if found is None:
            if not is_own:
                self._doubt(use, sink, visible, refused)
            return None
        if self._is_constant(sink, found):
            refused.append(self._refusal(use, sink, found.held, "a constant: many sessions have it"))
            return None
        if len(self._known) < MOST_KNOWN:
            self._known[memo] = found
        if found.held.session != session and found.key.startswith(("cookie:", "credential", ANY)):
            self._relate(use, session, found.held.session)
        return found

    def _visible(self, value: str, key: str, start: int) -> Holders | None:
        holders = self._holders.get((value, key))
        if holders is None or not holders.first or holders.first[0].end_us >= start:
            return None
        return holders

    def _keys(self, sink: Sink, visible: Mapping[str, Holders]) -> list[str]:
        """The keys of `sink` that may be believed, in the order in which they are tried."""
        keys = [key for key in sink.keys if key in visible and key != UNSURE and (sink.value, key) not in self._own]
        if sink.telling == STRONG and ANY in keys:
            # Its value says enough: the earliest answer counts, whatever its place is called. A tag is of a resource.
            return [key for key in keys if key.startswith((TAG, "cookie:"))] + [ANY]
        return keys

    def _made_before(self, sink: Sink, visible: Mapping[str, Holders]) -> _Found | None:
        """The request that made what the value is the id of. A list tells the same, but which element it is goes by
        its place there."""
        for key in self._keys(sink, visible):
            held = visible[key].first[0]
            if held.is_made and (key != ANY or sink.telling == STRONG):
                return _Found(held, key, f"made by an earlier request, {_said(key, sink)}")
        return None

    def _in_session(self, session: str, sink: Sink, visible: Mapping[str, Holders], start: int) -> _Found | None:
        for key in self._keys(sink, visible):
            held = self._of_sessions((session, *self._related.get(session, ())), visible[key], start)
            if held is not None:
                return _Found(held, key, f"answered earlier in the session, {_said(key, sink)}")
        return None

    def _of_sessions(self, sessions: Iterable[str], holders: Holders, start: int) -> Held | None:
        mine = (holders.by_session.get(session) for session in sessions)
        seen = [held for held in mine if held is not None and held.end_us < start]
        return min(seen, key=lambda held: held.end_us) if seen else None

    def _anywhere(self, sink: Sink, visible: Mapping[str, Holders], start: int) -> _Found | None:
        for key in self._keys(sink, visible):
            # A page that somebody else saw says nothing of what a field means.
            if sink.telling == STRONG if key == ANY else not key.startswith(FIELD):
                return _Found(visible[key].first[0], key, f"answered earlier to another session, {_said(key, sink)}")
        return None

    def _is_constant(self, sink: Sink, found: _Found) -> bool:
        """Whether so many sessions have the value that it is none of theirs. What a request created is somebody's."""
        if self._sessions < ENOUGH_SESSIONS or found.held.is_made or any(map(_is_personal, sink.keys)):
            return False
        holders = self._holders[sink.value, found.key]
        return len(holders.by_session) >= CONSTANT * min(self._sessions, MOST_SESSIONS)

    def _doubt(self, use: _Use, sink: Sink, visible: Mapping[str, Holders], refused: list[Refused]) -> None:
        """List a value that an answer held, where that may mean something."""
        if sink.telling > WEAK and ANY in visible and (sink.value, ANY) not in self._own:
            held = visible[ANY].first[0]
            refused.append(
                self._refusal(use, sink, held, "only another session's answer has it, and it could be chance")
            )
        elif UNSURE in visible:
            held_here = self._of_sessions((use.exchange.session,), visible[UNSURE], use.exchange.started_us)
            if held_here is not None:
                why = "an id of that value was answered, but no name or position says that it is the same thing"
                refused.append(self._refusal(use, sink, held_here, why))

    def _refusal(self, use: _Use, sink: Sink, held: Held, why: str) -> Refused:
        return Refused(use.exchange.id, use.at(sink), sink.value, why, self._exchanges[held.exchange].id)

    def _relate(self, use: _Use, session: str, other: str) -> None:
        if use.place.part == "cookie" or use.place.path.startswith(("authorization", "x-auth")):
            related = self._related.setdefault(session, {})
            if len(related) < MOST_RELATED:
                related[other] = None

    def _link(self, use: _Use, sink: Sink, found: _Found) -> ValueLink:
        made = [self._made(use, sink, found.held, place, found.why) for place in _ranked(sink, found.held)]
        link = made[0]
        others = made[1 : MOST_OTHERS + 1]
        if len(others) < MOST_OTHERS:
            others += self._elsewhere(use, sink, found)
        if others:
            self._others[link] = tuple(others)
        return link

    def _elsewhere(self, use: _Use, sink: Sink, found: _Found) -> list[ValueLink]:
        """The same value in the next answer that had it under that key."""
        for held in self._holders[sink.value, found.key].first:
            if held.exchange != found.held.exchange and found.held.end_us < held.end_us < use.exchange.started_us:
                place = _ranked(sink, held)[0]
                return [self._made(use, sink, held, place, "a later answer that repeated it")]
        return []

    def _made(self, use: _Use, sink: Sink, held: Held, place: Place, why: str) -> ValueLink:
        if place.part == "set-cookie" and not place.chain and use.place.part != "cookie":
            # Scripts decode a cookie before they send it elsewhere. A pseudonym may lack what was encoded.
            place = Place(place.part, place.path, ("percent",))
        producer = self._exchanges[held.exchange].id
        was_there = not held.is_creation and not place.chain and not any(map(_is_personal, sink.keys))
        return ValueLink(producer, place, use.exchange.id, use.at(sink), sink.value, why, was_there)


def _ranked(sink: Sink, held: Held) -> list[Place]:
    """The places of one answer, those first that say most clearly that they are what `sink` asks for."""
    wanted = {key: rank for rank, key in enumerate(sink.keys)}
    last = len(wanted)

    def rank(item: tuple[int, tuple[tuple[str, ...], Place]]) -> tuple[int, int, int, int]:
        number, (keys, place) = item
        pairs = [(wanted[key], position) for position, key in enumerate(keys) if key in wanted]
        best, position = min(pairs, default=(last, 0))
        return best, position, len(place.chain), number

    places = (place for _, (_, place) in sorted(enumerate(held.places), key=rank))
    return list(dict.fromkeys(places))


def _is_personal(key: str) -> bool:
    """Whether it is a key of what an answer makes for whoever asks, also without being asked to make anything."""
    return key in ("csrf", "credential", "cursor") or key.startswith(("cookie:", TAG, "modified:"))


def _way(step: str) -> str:
    """What steps have in common whose values do not overlap: those of one document, or of one separator."""
    return step[:7] if step.startswith("split:") else step.partition(":")[0]


def _said(key: str, sink: Sink) -> str:
    if key == ANY:
        return "by its value" if sink.telling == STRONG else "by its value, within the session"
    kind, _, about = key.replace("~", ":").partition(":")
    if kind == "at":
        return f"at a place below {about}"
    return f"as {kind} of {about}" if about else f"as {kind}"
