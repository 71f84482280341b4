"""Where ids were seen to differ between two runs, in the order of time: the raw material of the bijection.

A sight is two tokens that stood at one place of two exchanges that answer to each other. It comes from a difference
(whatever noise will say of it), from what two sides were told, from two requests, or from two rows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from ..difference import Difference
from ..report.model import Json, Surface
from ..shapes import MAX_SHAPED, is_generated, shape
from .nouns import names_an_id, noun_of

if TYPE_CHECKING:
    from ..comparison import Comparison, Observation

MAX_TOKENS = 50
"""Most tokens of one text that are looked at."""
MIN_TOKEN = 8
"""Shortest text of letters and digits that is taken for drawn; a shorter one may be a word."""
MAX_SIGHTS = 2_000_000

TOKEN = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9_~-]+")
_WORD = re.compile(r"[A-Za-z_-]+")
_WHOLE = re.compile(r"[A-Za-z0-9_.~-]+")
_MOVED = frozenset({"value_changed", "changed", "shape_changed", "type_changed"})
_SURFACES = frozenset(
    {
        Surface.RESPONSE,
        Surface.HEADER,
        Surface.HTTP,
        Surface.GRPC,
        Surface.SQL,
        Surface.REDIS,
        Surface.BUS,
        Surface.STATE,
    }
)


class Trust(IntEnum):
    """What a sight proves of an id: what was asked by a client proves least, what a store holds most."""

    ASKED = 0
    ANSWERED = 1
    PASSED_ON = 2
    STORED = 3


class Spot(NamedTuple):
    """A place of an endpoint, and the part of the text there ("" for the whole): one column of tokens."""

    endpoint: str
    place: tuple[str, str, str, str]
    part: str = ""


class Named(NamedTuple):
    """A pair of values that two sides have at one place, outside any difference: what `Comparison.named` holds."""

    key: str
    spot: Spot
    before: str
    after: str
    trust: Trust


@dataclass(frozen=True, slots=True)
class Sight:
    """`before` and `after` as texts; `observation` is the difference that the sight comes from."""

    key: str
    spot: Spot
    before: str
    after: str
    trust: Trust
    is_number: bool
    noun: str = ""
    observation: "Observation | None" = None


class Part(NamedTuple):
    """One token of a text, on both sides; `after_word` is the last word before it."""

    after_word: str
    before: str
    after: str


def is_id(spot: Spot) -> bool:
    """Whether a place's name says that an id stands there."""
    return names_an_id(spot.place[1]) or spot.place[1].startswith(("path.", "key."))


def sights_of(comparison: "Comparison") -> list[Sight]:
    """Every sight of a comparison, requests in their order, within one: what was asked, what it caused, its answer.
    Collected once: what is compared again in the other side's names shows fewer."""
    if comparison.sights is None:
        comparison.sights = _collected(comparison)
    return comparison.sights


def _collected(comparison: "Comparison") -> list[Sight]:
    order = {key: index for index, key in enumerate(comparison.pairs)}
    found = [*_named(comparison.named), *_observed(comparison.observations)][:MAX_SIGHTS]
    found.sort(key=lambda one: (order.get(one.key, len(order)), _turn(one)))
    return found


def _turn(one: Sight) -> int:
    """Asked, told, passed on, answered in the body, answered in a header, left behind."""
    if one.trust is Trust.ASKED:
        return 0
    surface = one.spot.place[0]
    return {"response": 3, "header": 4, "state": 5}.get(surface, 1 if one.trust is Trust.STORED else 2)


def _named(named: Iterable[Named]) -> Iterator[Sight]:
    for one in named:
        for part in parts_of(one.before, one.after):
            yield _sight(one.key, one.spot, part, one.trust, None)


def _observed(observations: Iterable["Observation"]) -> Iterator[Sight]:
    for one in observations:
        difference = one.difference
        if not is_sight(difference):
            continue
        spot = Spot(one.endpoint, difference.place)
        for part in parts_of(difference.before, difference.after):
            yield _sight(one.key, spot, part, _trust(difference.surface), one)


def is_sight(one: Difference) -> bool:
    """Whether a difference may show two ids: scalars, no times, and not what travels with a trace."""
    kind = one.inner or one.kind
    return kind in _MOVED and one.surface in _SURFACES and one.shift_us is None and not one.is_doubtful


def _trust(surface: Surface) -> Trust:
    if surface is Surface.STATE:
        return Trust.STORED
    return Trust.ANSWERED if surface in (Surface.RESPONSE, Surface.HEADER) else Trust.PASSED_ON


def _sight(key: str, spot: Spot, part: Part, trust: Trust, observation: "Observation | None") -> Sight:
    at = spot._replace(part=part.after_word)
    number = part.before.isdecimal()
    return Sight(key, at, part.before, part.after, trust, number, noun_of(at.endpoint, at.place, at.part), observation)


def parts_of(before: Json, after: Json) -> list[Part]:
    """The drawn tokens of two values that differ: the values themselves, or what stands in two texts whose words are
    the same ("/orders/17" and "/orders/19")."""
    first, second = _text(before), _text(after)
    if first is None or second is None or max(len(first), len(second)) > MAX_SHAPED or first == second:
        return []
    if _is_time(first) or _is_time(second):
        return []
    if not (isinstance(before, str) and isinstance(after, str)) or (
        _WHOLE.fullmatch(first) and _WHOLE.fullmatch(second)
    ):
        return [Part("", first, second)] if is_drawn(first) or is_drawn(second) else []
    if TOKEN.sub("\0", first) != TOKEN.sub("\0", second):
        return []
    return list(_within(TOKEN.findall(first), TOKEN.findall(second)))


def _within(left: list[str], right: list[str]) -> Iterator[Part]:
    word = ""
    for old, new in list(zip(left, right, strict=True))[:MAX_TOKENS]:
        if old == new:
            word = old if _WORD.fullmatch(old) else word
        elif is_drawn(old) or is_drawn(new):
            yield Part(word or "…", old, new)


def _text(value: Json) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value) if isinstance(value, str) or abs(value) < 1 << 64 else ""
    return text or None


def _is_time(text: str) -> bool:
    return shape(text) in {"time", "date", "rfc1123", "jwt"}


def is_drawn(token: str) -> bool:
    """Whether a token may be an id by its looks: a number, or letters and digits that are no word."""
    return token.isdecimal() or is_strong_token(token)


def is_strong_token(token: str) -> bool:
    """Whether meeting a token again by chance is out of the question."""
    if token.isdecimal():
        return len(token) >= 15
    if is_generated(shape(token)):
        return True
    digits = sum(map(str.isdigit, token))
    return len(token) >= MIN_TOKEN and digits >= 2 and digits < len(token)
