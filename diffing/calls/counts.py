"""How often a request makes a call: missing, extra, multiplied, retried.

Calls count as a multiset, so neither their order nor their concurrency matters here.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from ...capture.model import Exchange
from ..compare.arrays import content
from ..difference import Difference, bounded
from ..protocols import failed
from ..report.model import Json, Surface
from .arguments import argument_key, arguments_of
from .inputs import renamed
from .key import Key
from .statement import parts_of

SCALING = 3
"""So many times as many calls, and so many more, is no retry but a loop."""

NO_NAMES: Mapping[str, str] = MappingProxyType({})
Groups = dict[Key, tuple[list[Exchange], list[Exchange]]]


def compare_counts(
    groups: Groups, key: Key, known: Collection[str], names: Mapping[str, str] = NO_NAMES
) -> list[Difference]:
    """What differs in the number of `key`'s calls; `known` are the services that the baseline calls at all, `names` the
    baseline's words for the candidate's."""
    before, after = groups[key]
    old, new = len(before), len(after)
    if old == new:
        return []
    if new == 0:
        batch = _replacement(groups, key, side=1) if old >= 2 else None
        return [_improved(key, old, new, batch)] if batch else [_missing(key, before, old, new)]
    if old == 0:
        batch = _replacement(groups, key, side=0) if new >= 2 else None
        looped = batch is not None or (key.service in known and _is_loop(key, after))
        return [_scaled(key, old, new, batch)] if looped else [_extra(known, key, after[0], old, new)]
    if key.is_write and key.surface is Surface.SQL and _same_values(before, after, names):
        return [_spread(key, old, new) if new > old else _improved(key, old, new, None)]
    if new > old:
        if new - old >= SCALING and new >= SCALING * old:
            return [_scaled(key, old, new, None)]
        return [] if _retried(after, new - old) else [_extra(known, key, after[-1], old, new)]
    if _retried(before, old - new):
        return [_difference("retry_removed", key, old, new)]
    return [_missing(key, before, old, new)] if key.is_write else [_improved(key, old, new, None)]


def _replacement(groups: Groups, key: Key, side: int) -> Key | None:
    """The other read of the same service that `key`'s calls replace (side 0) or are replaced by (side 1): fewer
    calls, and only on that side."""
    if key.is_write:
        return None
    for other, group in groups.items():
        alone = bool(group[side]) and not group[1 - side] and len(group[side]) < len(groups[key][1 - side])
        if other.service == key.service and other != key and not other.is_write and alone:
            return other
    return None


def _is_loop(key: Key, calls: list[Exchange]) -> bool:
    """Whether a read that the baseline never makes comes once for each of many things."""
    return not key.is_write and len(calls) >= SCALING and len({argument_key(call) for call in calls}) >= SCALING


def _same_values(before: list[Exchange], after: list[Exchange], names: Mapping[str, str]) -> bool:
    """Whether as many rows in more or fewer statements are the same rows."""
    return flat_values(before) == flat_values(after, names)


def flat_values(calls: Collection[Exchange], names: Mapping[str, str] = NO_NAMES) -> list[bytes]:
    """All that the calls' arguments hold, lists taken apart, fresh ids and times by their shape, what `names` knows in
    the baseline's words; sorted."""
    found: list[bytes] = []
    for call in calls:
        given = arguments_of(call)
        stack: list[Json] = [*(given.values() if isinstance(given, dict) else [given])]
        while stack:
            value = stack.pop()
            if isinstance(value, list):
                stack.extend(value)
            else:
                found.append(content(renamed(value, names)))
    return sorted(found)


def _retried(calls: list[Exchange], more: int) -> bool:
    """Whether `more` of the calls repeat one that failed before them."""
    lost = [argument_key(call) for call in calls if failed(call)]
    repeats = sum(argument_key(call) in lost[:index] for index, call in enumerate(calls) if lost)
    return more <= max(repeats, len(lost)) and bool(lost) and len({argument_key(call) for call in calls}) < len(calls)


def _difference(
    kind: str, key: Key, old: int, new: int, transition: str = "", trait: str = "", inner: str = ""
) -> Difference:
    moved = transition or f"{old}→{new} calls"
    return Difference(key.surface, kind, None, old, new, moved, trait, key.service, key.operation, inner=inner)


def _missing(key: Key, before: list[Exchange], old: int, new: int) -> Difference:
    moved = "present→missing" if new == 0 else f"{old}→{new} calls"
    lock = key.surface is Surface.SQL and not key.is_write and parts_of(key.operation).locks
    one = _difference("missing", key, old, new, moved, "lock" if lock else "")
    return replace(one, before=glimpse(before[0]), after=None) if new == 0 else one


def _extra(known: Collection[str], key: Key, call: Exchange, old: int, new: int) -> Difference:
    kind = "extra_write" if key.surface is Surface.SQL and key.is_write else "extra"
    if old:
        return _difference(kind, key, old, new)
    # A host that is called for the first time may be anyone's; a database or a bus is one of the service's own.
    new_service = key.service not in known and key.surface in (Surface.HTTP, Surface.GRPC)
    moved = "new service" if new_service else "missing→present"
    # One that fails is no consequence of the request's failing: rather its cause.
    trait = "security" if new_service else "failed" if failed(call) else ""
    return replace(_difference(kind, key, old, new, moved, trait), before=None, after=glimpse(call))


def _scaled(key: Key, old: int, new: int, batch: Key | None) -> Difference:
    grown = f"×{new / old:.0f}" if old else "a call an item"
    moved = f"one {_named(batch)} → a call an item" if batch else grown
    return _difference("count_scaling", key, old, new, moved, inner=batch.operation if batch else "")


def _spread(key: Key, old: int, new: int) -> Difference:
    """The same rows, written by more statements: dearer, and no more than that."""
    return _difference("count_scaling", key, old, new, "one statement → a statement a row", "spread")


def _improved(key: Key, old: int, new: int, batch: Key | None) -> Difference:
    moved = f"a call an item → one {_named(batch)}" if batch else "fewer calls"
    return _difference("count_scaling", key, old, new, moved, "improved", batch.operation if batch else "")


def _named(batch: Key) -> str:
    return batch.operation[:120]


def glimpse(call: Exchange) -> Json:
    """A call in a line, with what it was asked with."""
    request = call.request
    if call.protocol == "http":
        return f"{request.method} {request.target}"[:300]
    return bounded(f"{request.operation or request.target} {request.arguments}".strip())
