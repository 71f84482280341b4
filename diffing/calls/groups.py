"""The calls of both sides by key, and which of them answer to each other."""

from collections import defaultdict
from collections.abc import Sequence

from ...capture.model import Exchange
from ..endpoints.templates import Templates
from ..outbound import CallIndex
from ..pair import Pair
from .arguments import argument_key
from .counts import Groups
from .key import counts, key_of

Both = tuple[Exchange, Exchange]


def grouped(left: Sequence[Exchange], right: Sequence[Exchange], templates: Templates) -> Groups:
    """Calls by key."""
    groups: Groups = defaultdict(lambda: ([], []))
    for side, calls in enumerate((left, right)):
        for call in calls:
            groups[key_of(call, templates)][side].append(call)
    return groups


def claim(
    groups: Groups, pair: Pair, sides: tuple[CallIndex, CallIndex], templates: Templates, given: set[str]
) -> None:
    """Fill up the shorter side of each group with calls that this request may have caused; `given` are those that a
    request has already claimed."""
    for index, parent in ((0, pair.before), (1, pair.after)):
        for call in sides[index].maybe_of(parent.id):
            if not counts(call) or call.id in given:
                continue
            group = groups.get(key_of(call, templates))
            if group and len(group[index]) < len(group[1 - index]):
                given.add(call.id)
                group[index].append(call)


def matched(before: list[Exchange], after: list[Exchange]) -> list[Both]:
    """Calls of one key that answer to each other: equal arguments first, the rest in order where the counts agree."""
    if len(before) == len(after) == 1:
        return [(before[0], after[0])]
    if not before or not after:
        return []
    pairs, left, right = _equal(before, after)
    return pairs + list(zip(left, right, strict=True)) if len(before) == len(after) else pairs


def _equal(before: list[Exchange], after: list[Exchange]) -> tuple[list[Both], list[Exchange], list[Exchange]]:
    free: dict[bytes, list[Exchange]] = defaultdict(list)
    for call in reversed(after):
        free[argument_key(call)].append(call)
    pairs: list[Both] = []
    left: list[Exchange] = []
    for call in before:
        same = free.get(argument_key(call))
        if same:
            pairs.append((call, same.pop()))
        else:
            left.append(call)
    taken = {id(second) for _, second in pairs}
    return pairs, left, [call for call in after if id(call) not in taken]
