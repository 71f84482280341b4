"""Where the answers held the values that requests sent. PURE.

Only values that some request sent are kept, so what this costs in memory goes with the requests, which are small, and
not with the answers. An answer's leaf is looked up as it is; only where it looks coded or joined is it opened.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...capture.model import Exchange, Request, Response
from ...capture.sanitize.vocabulary import words as word_set
from . import expanding, names, walk
from .bodies import HTML, JSON, Body
from .decodings import MAX_STEPS
from .expanding import Inner
from .names import LONGEST_NAME
from .place import Place
from .sinks import ANY, FIELD, UNSURE, Target, target_of
from .subject import Subject

MOST_PLACES = 8
"""Places that are kept of one value in one answer."""
MOST_SESSIONS = 512
"""Sessions whose first answer with a value is kept; the others fall back on the first of all."""
_LONGEST = 16 << 10

_DULL = word_set(
    "date server content-type content-length content-encoding transfer-encoding connection cache-control vary expires "
    "age keep-alive pragma via set-cookie strict-transport-security x-content-type-options x-frame-options allow "
    "x-xss-protection content-security-policy referrer-policy permissions-policy server-timing accept-ranges trailer "
    "content-language x-powered-by alt-svc nel report-to upgrade x-runtime"
)
_JOINED = re.compile(r"[?&=;,:| /#\"'()<>]+")
_PARTED = re.compile(r"[^A-Za-z0-9]+")
_CODED = ("eyJ", "H4sI", "W3si", "{", "[", "/", '"', "W/")
_NAMED = re.compile(r"[A-Za-z_]{2,40}[:/#_.-]\d{1,12}")
_MOST_OPENED = 200
"""Texts that are looked at within one, and ten times as many within one answer."""
_MOST_PLAIN = 50_000
_MOST_FIRST = 2
_NOTHING: frozenset[str] = frozenset()

Wanted = Mapping[str, Collection[str]]
"""Values that requests sent, and the keys that each is looked for under."""


@dataclass(slots=True)
class Held:
    """One answer with one value, under one key: `exchange` is its number, `end_us` when it was complete. The places
    have the keys that they go by, best first. `is_creation` says that its request was one that makes things, `is_made`
    that the value is the id of what it made."""

    exchange: int
    end_us: int
    session: str
    is_creation: bool
    places: list[tuple[tuple[str, ...], Place]] = field(default_factory=list)
    is_made: bool = False


@dataclass(slots=True)
class Holders:
    """The answers with one value under one key: the first of each session, and the first ones of all."""

    first: list[Held] = field(default_factory=list)
    by_session: dict[str, Held] = field(default_factory=dict)


class _Within(NamedTuple):
    """A wanted value within a leaf: its own keys (None: the leaf's), and the way to it."""

    text: str
    keys: tuple[str, ...] | None
    chain: tuple[str, ...]


class Sources:
    """The index of answers. Add them in the order in which they were complete."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._numbers = frozenset(int(value) for value in wanted if _is_number(value))
        self._telling = frozenset(value for value, keys in wanted.items() if ANY in keys)
        self._plain: set[str] = set()
        self.holders: dict[tuple[str, str], Holders] = {}
        self._held = Held(0, 0, "", False)
        self._left = 0

    def add(self, number: int, exchange: Exchange, end_us: int) -> None:
        """Take what `exchange`, the `number`th, answered."""
        response = exchange.response
        if response is None:
            return
        is_creation = exchange.request.method in ("POST", "PUT", "PATCH") and response.status < 400
        self._held = Held(number, end_us, exchange.session, is_creation)
        self._left = 10 * _MOST_OPENED
        target = target_of(exchange.request.target)
        self._headers(response, target)
        if response.body:
            self._body(exchange.request, response, target)

    def _headers(self, response: Response, target: Target) -> None:
        counts: dict[str, int] = {}
        for raw_name, value in response.headers.items:
            name = raw_name.lower()
            number = counts[name] = counts.get(name, -1) + 1
            if name == "set-cookie":
                self._cookie(value)
            if name in _DULL or len(value) > _LONGEST:
                continue
            where = f"{name}#{number}" if number else name
            if name == "etag":
                self._leaf(value, _tag_keys(response, target), "header", where)
            elif name == "last-modified":
                self._leaf(value, (f"modified:{target.path}",), "header", where)
            else:
                self._leaf(value, names.source_keys(name[:LONGEST_NAME].removeprefix("x-"), ()), "header", where)

    def _cookie(self, value: str) -> None:
        name, equals, rest = value.partition("=")
        text = rest.partition(";")[0].strip()
        if equals and text:
            name = name.strip()
            self._leaf(text, (f"cookie:{name}", *names.source_keys(name[:LONGEST_NAME], ())), "set-cookie", name)

    def _body(self, request: Request, response: Response, target: Target) -> None:
        body = Body(response.headers, response.body)
        if body.kind == JSON:
            self._json(body, request, target)
            return
        for leaf in body.leaves():
            keys = names.source_keys(leaf.name[:LONGEST_NAME], target.about) if leaf.name else ()
            if leaf.field and body.kind == HTML:
                keys = (f"{FIELD}{leaf.field}", *keys)
            self._leaf(leaf.text, keys, "body", leaf.path)

    def _json(self, body: Body, request: Request, target: Target) -> None:
        wanted, numbers, plain = self._wanted, self._numbers, self._plain
        subject = Subject(body.document, request, target)
        for spot, key, value in walk.leaves(body.document):
            if isinstance(value, int):
                if value in numbers:
                    text = str(value)
                    keys = subject.keys(spot, key)
                    if self._news(text, keys):
                        self._take(text, keys, Place("body", walk.path_of(spot, key, text)))
                continue
            if value in wanted:
                keys = subject.keys(spot, key)
                if self._news(value, keys):
                    self._take(value, keys, Place("body", walk.path_of(spot, key, value)))
            if value not in plain and len(value) >= 3:
                inner = self._inner(value)
                if inner:
                    self._take_inner(inner, subject.keys(spot, key), Place("body", walk.path_of(spot, key, value)))

    def _leaf(self, text: str, keys: tuple[str, ...], part: str, path: str) -> None:
        """A leaf that is no JSON document's."""
        place = Place(part, path)
        if text in self._wanted:
            self._take(text, keys, place)
        if len(text) >= 3 and text not in self._plain:
            self._take_inner(self._inner(text), keys, place)

    def _take_inner(self, inner: Sequence[_Within], keys: tuple[str, ...], place: Place) -> None:
        for one in inner:
            self._take(one.text, keys if one.keys is None else one.keys, Place(place.part, place.path, one.chain))

    def _inner(self, text: str) -> Sequence[_Within]:
        """The wanted values within `text`. What holds none is remembered, as many answers say the same."""
        found: list[_Within] = []
        if self._may_hold(text):
            left = [min(_MOST_OPENED, self._left)]
            before = left[0]
            self._open(text, None, (), found, left)
            self._left -= before - max(left[0], 0)
        if not found and len(text) <= 500:
            if len(self._plain) >= _MOST_PLAIN:
                self._plain.clear()
            self._plain.add(text)
        return found

    def _may_hold(self, text: str) -> bool:
        """Whether opening `text` may bring a wanted value: it looks coded, or a piece of it is wanted."""
        if text.isalnum() or len(text) > _LONGEST * 4:
            return text.startswith(_CODED)
        if text.startswith(_CODED) or "%" in text or "://" in text[:32]:
            return True
        if _NAMED.fullmatch(text):
            return True
        telling = self._telling
        return not telling.isdisjoint(_JOINED.split(text)) or not telling.isdisjoint(_PARTED.split(text))

    def _open(
        self,
        text: str,
        keys: tuple[str, ...] | None,
        chain: tuple[str, ...],
        found: list[_Within],
        left: list[int],
    ) -> None:
        for inner in expanding.inner_of(text):
            left[0] -= 1
            if left[0] < 0:
                return
            inner_chain = (*chain, inner.step)
            inner_keys = _inner_keys(inner, keys)
            if inner.text in self._wanted and (inner_keys is None or self._matching(inner.text, inner_keys)):
                found.append(_Within(inner.text, inner_keys, inner_chain))
            if len(inner_chain) < MAX_STEPS and len(inner.text) >= 3 and self._may_hold(inner.text):
                self._open(inner.text, inner_keys, inner_chain, found, left)

    def _matching(self, value: str, keys: tuple[str, ...]) -> list[str]:
        """The keys that some request looks for `value` under, and that a leaf with `keys` answers to."""
        wanted = self._wanted.get(value, _NOTHING)
        return [key for key in ((*keys, ANY, UNSURE) if keys else (ANY,)) if key in wanted]

    def _news(self, value: str, keys: tuple[str, ...]) -> list[str]:
        """Those of them under which this answer is not one too many."""
        return [key for key in self._matching(value, keys) if self._is_news((value, key))]

    def _is_news(self, key: tuple[str, str]) -> bool:
        holders = self.holders.get(key)
        if holders is None or len(holders.first) < _MOST_FIRST:
            return True
        mine = holders.by_session.get(self._held.session)
        if mine is None:
            return len(holders.by_session) < MOST_SESSIONS
        return any(
            held.exchange == self._held.exchange and len(held.places) < MOST_PLACES for held in (mine, *holders.first)
        )

    def _take(self, value: str, keys: tuple[str, ...], place: Place) -> None:
        for key in self._news(value, keys):
            self._note((value, key), keys, place)

    def _note(self, key: tuple[str, str], keys: tuple[str, ...], place: Place) -> None:
        holders = self.holders.get(key)
        if holders is None:
            holders = self.holders[key] = Holders()
        here = self._held
        mine = holders.by_session.get(here.session)
        if mine is None:
            mine = _copy(here)
            if len(holders.by_session) < MOST_SESSIONS:
                holders.by_session[here.session] = mine
        if len(holders.first) < _MOST_FIRST and all(held.exchange != here.exchange for held in holders.first):
            holders.first.append(mine if mine.exchange == here.exchange else _copy(here))
        for held in {id(held): held for held in (mine, *holders.first)}.values():
            if held.exchange == here.exchange and len(held.places) < MOST_PLACES:
                held.places.append((keys, place))
                held.is_made = held.is_made or (here.is_creation and _names_one(keys, place))


def _names_one(keys: tuple[str, ...], place: Place) -> bool:
    """Whether the place is that of the id of one thing, at which it can be asked for."""
    return bool(keys) and keys[0].startswith("at:") and "[" not in place.path


def _tag_keys(response: Response, target: Target) -> tuple[str, ...]:
    """A tag is of the resource that was asked for, or of the one that was made."""
    location = response.headers.get("location") if response.status == 201 else None
    made = (f"etag:{target_of(location).path}",) if location else ()
    return (f"etag:{target.path}", *made)


def _copy(held: Held) -> Held:
    return Held(held.exchange, held.end_us, held.session, held.is_creation)


def _is_number(value: str) -> bool:
    return len(value) <= 19 and value.isascii() and value.isdigit() and (value[0] != "0" or value == "0")


def _inner_keys(inner: Inner, own: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The keys of a text within another; None where they are those of the leaf that it is in."""
    if inner.above:
        # A word is an action (/orders/7/cancel) more often than a name.
        is_named = inner.noun and not inner.text.isalpha()
        return (f"at:{inner.above}", *names.noun_keys(inner.noun)) if is_named else ()
    if inner.name:
        return names.source_keys(inner.name[:LONGEST_NAME], (inner.noun,) if inner.noun else ())
    if inner.noun:
        return names.noun_keys(inner.noun)
    return own if expanding.keeps_meaning(inner.step) else ()
