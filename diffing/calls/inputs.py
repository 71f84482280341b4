"""What both sides were told differently: values of the request itself and of the answers of their calls.

A service that passes on what it was told has not changed. An order's number that a database drew anew on each side and
the service hands to the next call is an input, not a finding.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from ...capture.model import Exchange
from ..canonical import TREES, canonical
from ..endpoints.templates import path_of
from ..pair import Pair
from ..report.model import Json

Both = tuple[Exchange, Exchange]
Told = tuple[str, str]

_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
MAX_LEAVES = 2_000
MAX_TOLD = 500
MIN_PART = 3
"""Shortest text that is looked for inside another."""


class Inputs:
    """Pairs of values, one for each side, that stood at the same place of what the sides were told. Collected when
    first asked for: most requests need none."""

    def __init__(self, pair: Pair, matched: Iterable[Both]) -> None:
        self._pair = pair
        self._matched = matched
        self._told: list[tuple[Both | None, set[Told]]] | None = None

    def tell(self, before: Json, after: Json, by: Both | None = None) -> bool:
        """Whether a value's change is explained by what the sides were told: before the calls `by` began, where they
        are given. A downstream's answer often repeats what it was asked, and explains nothing of that."""
        told = self._before(by)
        if not told:
            return False
        if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            return all(one == other or self.tell(one, other, by) for one, other in zip(before, after, strict=True))
        first, second = _word(before), _word(after)
        if first is None or second is None:
            return False
        return (first, second) in told or _inside(first, second, told)

    def names(self) -> dict[str, str]:
        """The baseline's word for each of the candidate's, where there is only one."""
        found: dict[str, str] = {}
        for before, after in sorted(self._before(None)):
            found[after] = before if found.get(after, before) == before else after
        return found

    def _before(self, by: Both | None) -> set[Told]:
        if self._told is None:
            self._told = list(self._collected())
        return {
            told
            for source, values in self._told
            if source is None or by is None or (_ended_by(source[0], by[0]) and _ended_by(source[1], by[1]))
            for told in values
        }

    def _collected(self) -> Iterator[tuple[Both | None, set[Told]]]:
        held = 0
        for source, old, new in self._sources():
            if held >= MAX_TOLD:
                break
            told = told_apart(old, new)
            held += len(told)
            yield source, told

    def _sources(self) -> Iterator[tuple[Both | None, Json, Json]]:
        first, second = self._pair.before.request, self._pair.after.request
        if first.target != second.target:
            yield None, _split(first.target), _split(second.target)
        if first.body != second.body:
            yield None, canonical(first.body, first.headers).value, canonical(second.body, second.headers).value
        for both in self._matched:
            old, new = both[0].response, both[1].response
            if old is not None and new is not None and old.body != new.body:
                bodies = [canonical(one.body, one.headers) for one in (old, new)]
                if bodies[0].form is bodies[1].form and bodies[0].form in TREES:
                    yield both, bodies[0].value, bodies[1].value


def _ended_by(source: Exchange, call: Exchange) -> bool:
    return source.started_us + source.latency_us <= call.started_us


def renamed(value: Json, names: Mapping[str, str]) -> Json:
    """`value`, a scalar or a shallow row of them, in the baseline's words."""
    if isinstance(value, dict):
        return {name: renamed(part, names) for name, part in value.items()}
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    told = names.get(str(value))
    if told is None:
        return value
    return int(told) if isinstance(value, int) and _INTEGER.fullmatch(told) else told


def _split(target: str) -> list[Json]:
    return [*path_of(target).split("/")]


def told_apart(before: Json, after: Json) -> set[tuple[str, str]]:
    """Scalars that stand at the same place of two values and differ."""
    found: set[tuple[str, str]] = set()
    stack: list[tuple[Json, Json]] = [(before, after)]
    seen = 0
    while stack and seen < MAX_LEAVES:
        old, new = stack.pop()
        seen += 1
        if isinstance(old, dict) and isinstance(new, dict):
            stack.extend((old[name], new[name]) for name in old if name in new)
        elif isinstance(old, list) and isinstance(new, list):
            stack.extend(zip(old, new, strict=False))
        else:
            first, second = _word(old), _word(new)
            if first is not None and second is not None and first != second:
                found.add((first, second))
    return found


def _word(value: Json) -> str | None:
    """A scalar as text: a number is the same in a path and in a body."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return None
    return str(value)


def _inside(before: str, after: str, told: set[tuple[str, str]]) -> bool:
    """Whether `after` is `before` with told values in it exchanged: "order-17.pdf" and "order-19.pdf"."""
    if len(before) > MAX_LEAVES:
        return False
    return any(len(old) >= MIN_PART and old in before and before.replace(old, new) == after for old, new in told)
