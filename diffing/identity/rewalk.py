"""Answers that hold lists of ids, compared again in the candidate's names.

While each side has its own ids, no id says which element of a list answers to which, and a list of ids seems to have
quite other members. Once it is known who stands for whom, the baseline's answer is put into the candidate's names and
compared as any other: what still differs at an id is another thing's id.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..canonical import Form, canonical_key
from ..compare.body import body_of, compare_canonical
from ..compare.scalars import Clocks
from ..difference import Difference, child
from ..pair import Pair
from ..report.model import Json, Surface
from .bijection import Domain, Names
from .sights import TOKEN

if TYPE_CHECKING:
    from ..comparison import Comparison, Observation

MAX_SIZE = 4 << 20
"""A larger answer is left as it was compared."""

Unordered = Callable[[str, str, str], frozenset[str]]
_MEMBERS = frozenset({"multiset_changed", "length_changed", "order_changed"})


class Renaming:
    """The names that one comparison's ids have on the other side, for the places of one endpoint's answers."""

    def __init__(self, endpoint: str, domains: Domain, names: Names) -> None:
        self._names = names
        self._whole: dict[str, int] = {}
        self._parts: dict[str, set[int]] = defaultdict(set)
        for spot, domain in domains.items():
            if spot.endpoint == endpoint and spot.place[0] == Surface.RESPONSE.value:
                if spot.part:
                    self._parts[spot.place[1]].add(domain)
                else:
                    self._whole[spot.place[1]] = domain

    @property
    def has_lists(self) -> bool:
        """Whether any of the places is in a list."""
        return any("[*]" in path for path in (*self._whole, *self._parts))

    def tree(self, value: Json, path: str = "$") -> Json:
        """`value` in the other side's names. As deep as a canonical body may be."""
        if isinstance(value, dict):
            return {name: self.tree(inner, child(path, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.tree(inner, f"{path}[*]") for inner in value]
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        if path in self._whole:
            return self._scalar(value, self._whole[path])
        return self._text(value, self._parts[path]) if path in self._parts and isinstance(value, str) else value

    def _scalar(self, value: str | int, domain: int) -> Json:
        other = self._names.forward.get((domain, str(value)))
        if other is None:
            return value
        return int(other) if isinstance(value, int) and other.isdecimal() and len(other) < 19 else other

    def _text(self, text: str, domains: Iterable[int]) -> str:
        held = list(domains)

        def renamed(token: str) -> str:
            found = (self._names.forward.get((domain, token)) for domain in held)
            return next((one for one in found if one is not None), token)

        return TOKEN.sub(lambda match: renamed(match[0]), text)

    def is_known(self, path: str, before: Json, after: Json) -> bool:
        """Whether two different values at a place name two things that are known."""
        domain = self._whole.get(path)
        if domain is None:
            return False
        return (domain, str(before)) in self._names.backward and (domain, str(after)) in self._names.backward


def walk_again(comparison: "Comparison", domains: Domain, names: Names, unordered: Unordered) -> None:
    """Replace the observations on answers that hold lists of ids by what differs in the candidate's names."""
    renamings: dict[str, Renaming] = {}
    wanted = _wanted(comparison.observations)
    again: dict[str, list[Observation]] = {}
    for key in wanted:
        endpoint, pair = comparison.pairs[key]
        renaming = renamings.setdefault(endpoint, Renaming(endpoint, domains, names))
        if renaming.has_lists:
            found = _differences(pair, renaming, unordered(endpoint, "", ""))
            if found is not None:
                made = type(next(iter(wanted[key])))
                again[key] = [made(key, endpoint, one) for one in found]
    if again:
        kept = [one for one in comparison.observations if not (one.key in again and _is_body(one))]
        comparison.observations[:] = [*kept, *(one for found in again.values() for one in found)]


def _wanted(observations: Iterable["Observation"]) -> dict[str, list["Observation"]]:
    found: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        if _is_body(one) and ("[*]" in (one.difference.path or "") or one.difference.kind in _MEMBERS):
            found[one.key].append(one)
    return dict(found)


def _is_body(one: "Observation") -> bool:
    difference = one.difference
    return difference.surface is Surface.RESPONSE and (difference.path or "").startswith("$")


def _differences(pair: Pair, renaming: Renaming, unordered: frozenset[str]) -> list[Difference] | None:
    if pair.before.response is None or pair.after.response is None:
        return None
    left, right = body_of(pair.before.response), body_of(pair.after.response)
    if left.form is not Form.JSON or right.form is not Form.JSON or max(left.size, right.size) > MAX_SIZE:
        return None
    named = renaming.tree(left.value)
    clocks = Clocks(pair.before.started_us, pair.after.started_us)
    key = canonical_key(named)
    if key == right.key:
        return []
    found, _ = compare_canonical(replace(left, value=named, key=key), right, clocks, unordered)
    return [_told(one, renaming) for one in found]


def _told(one: Difference, renaming: Renaming) -> Difference:
    """An id that is known and is another's: noise at its place says nothing of that."""
    if one.kind == "value_changed" and renaming.is_known(one.path or "", one.before, one.after):
        return replace(one, kind="relation_broken", transition="one id→another's", trait="")
    return one
