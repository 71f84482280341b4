"""The downstream calls that one request caused, on both sides: which are missing, which are new, which multiplied.

Calls are compared as a multiset of (service, method, path template), so that neither order nor concurrency matters
here. The downstream's answer is an input to the service, never a finding. A call whose cause is uncertain is given to
the request that turns out to lack it, and is otherwise left out: it is no evidence.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..capture.model import Exchange
from .addresses import Addresses
from .callorder import compare_order
from .callrequest import argument_key, compare_requests, unread_body
from .compare.status import outcome
from .difference import Difference
from .endpoint import Templates
from .outbound import CallIndex
from .pair import Pair
from .propagation import compare_propagation
from .report.model import Surface
from .severity import is_write

SCALING = 3
"""So many times as many calls, and so many more, is no retry but a loop."""
MAX_CALLS = 2_000
"""Most calls of one request that are compared one by one."""

Unordered = Callable[[str, str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two calls the same call: `operation` is "GET /stock/{sku}"."""

    service: str
    operation: str


@dataclass(slots=True)
class CallPairs:
    """Both runs' calls. `given` are uncertain calls that a request has already claimed."""

    before: CallIndex
    after: CallIndex
    templates: Templates
    left: Addresses
    right: Addresses
    comparable: bool = True
    given: set[str] = field(default_factory=set)

    def key(self, call: Exchange) -> Key:
        """The key of a call."""
        return Key(call.service, self.templates.endpoint(call))


@dataclass(slots=True)
class CallComparison:
    """`context` says what failed downstream on the candidate's side only."""

    differences: list[Difference] = field(default_factory=list)
    unverified: str = ""
    context: str = ""


Groups = dict[Key, tuple[list[Exchange], list[Exchange]]]


def compare_calls(calls: CallPairs, pair: Pair, unordered: Unordered) -> CallComparison:
    """What the calls of a pair of requests do not share."""
    result = CallComparison()
    if not calls.comparable:
        return result
    left, right = (_http(calls.before.sure_of(pair.before.id)), _http(calls.after.sure_of(pair.after.id)))
    if max(len(left), len(right)) > MAX_CALLS:
        result.unverified = f"more than {MAX_CALLS} downstream calls"
        return result
    groups = _grouped(calls, left, right)
    _claim(calls, pair, groups)
    for key in sorted(groups, key=lambda one: (one.service, one.operation)):
        result.differences.extend(_count(calls, groups, key))
    matched = [(key, *both) for key, group in groups.items() for both in _matched(*group)]
    for key, first, second in matched:
        found = compare_requests(
            first, second, calls.templates, unordered(key.service, key.operation), calls.left, calls.right
        )
        result.differences.extend(_at(key, found))
        result.unverified = result.unverified or unread_body(first, second)
    lost = [(key, one, second) for key, first, second in matched for one in compare_propagation(pair, first, second)]
    result.differences.extend(
        replace(one, service=key.service, operation=key.operation) for key, one in _outermost(lost)
    )
    if all(len(one) == len(other) for one, other in groups.values()):
        ordered = [(key.service, key.operation, first, second) for key, first, second in matched]
        result.differences.extend(compare_order(ordered, pair))
    result.context = _context(matched)
    return result


def _http(calls: list[Exchange]) -> list[Exchange]:
    return [call for call in calls if call.protocol == "http"]


def _grouped(calls: CallPairs, left: list[Exchange], right: list[Exchange]) -> Groups:
    groups: Groups = defaultdict(lambda: ([], []))
    for call in left:
        groups[calls.key(call)][0].append(call)
    for call in right:
        groups[calls.key(call)][1].append(call)
    return groups


def _claim(calls: CallPairs, pair: Pair, groups: Groups) -> None:
    """Fill up the shorter side of each group with calls that this request may have caused."""
    for index, parent, side in ((0, pair.before, calls.before), (1, pair.after, calls.after)):
        for call in _http(side.maybe_of(parent.id)):
            group = groups.get(calls.key(call))
            if group and len(group[index]) < len(group[1 - index]) and call.id not in calls.given:
                calls.given.add(call.id)
                group[index].append(call)


def _count(calls: CallPairs, groups: Groups, key: Key) -> list[Difference]:
    before, after = groups[key]
    old, new = len(before), len(after)
    if old == new:
        return []
    if new == 0:
        batch = _replacement(groups, key, side=1) if old >= 2 else None
        return [_improved(key, old, new, batch)] if batch else [_missing(key, before, old, new)]
    if old == 0:
        batch = _replacement(groups, key, side=0) if new >= 2 else None
        return [_scaled(key, old, new, batch)] if batch else [_extra(calls, key, after[0], old, new)]
    if new > old:
        if new - old >= SCALING and new >= SCALING * old:
            return [_scaled(key, old, new, None)]
        return [] if _retried(after, new - old) else [_extra(calls, key, after[-1], old, new)]
    if _retried(before, old - new):
        return [_http_difference("retry_removed", key, old, new)]
    return [_missing(key, before, old, new)] if is_write(key.operation) else [_improved(key, old, new, None)]


def _replacement(groups: Groups, key: Key, side: int) -> Key | None:
    """The other read of the same service that `key`'s calls replace (side 0) or are replaced by (side 1): fewer
    calls, and only on that side."""
    if is_write(key.operation):
        return None
    for other, group in groups.items():
        alone = bool(group[side]) and not group[1 - side] and len(group[side]) < len(groups[key][1 - side])
        if other.service == key.service and other != key and not is_write(other.operation) and alone:
            return other
    return None


def _retried(calls: list[Exchange], more: int) -> bool:
    """Whether `more` of the calls repeat one that failed before them."""
    failed = [argument_key(call) for call in calls if _failed(call)]
    repeats = sum(argument_key(call) in failed[:index] for index, call in enumerate(calls) if failed)
    return (
        more <= max(repeats, len(failed)) and bool(failed) and len({argument_key(call) for call in calls}) < len(calls)
    )


def _failed(call: Exchange) -> bool:
    return call.response is None or call.response.status >= 500


def _http_difference(
    kind: str, key: Key, old: int, new: int, transition: str = "", trait: str = "", inner: str = ""
) -> Difference:
    moved = transition or f"{old}→{new} calls"
    return Difference(Surface.HTTP, kind, None, old, new, moved, trait, key.service, key.operation, inner=inner)


def _missing(key: Key, before: list[Exchange], old: int, new: int) -> Difference:
    moved = "present→missing" if new == 0 else f"{old}→{new} calls"
    one = _http_difference("missing", key, old, new, moved)
    return replace(one, before=_glimpse(before[0]), after=None) if new == 0 else one


def _extra(calls: CallPairs, key: Key, call: Exchange, old: int, new: int) -> Difference:
    if old:
        return _http_difference("extra", key, old, new)
    new_service = key.service not in calls.before.services
    moved = "new service" if new_service else "missing→present"
    one = _http_difference("extra", key, old, new, moved, "security" if new_service else "")
    return replace(one, before=None, after=_glimpse(call))


def _scaled(key: Key, old: int, new: int, batch: Key | None) -> Difference:
    moved = f"one {batch.operation} → a call an item" if batch else f"×{new / old:.0f}"
    return _http_difference("count_scaling", key, old, new, moved, inner=batch.operation if batch else "")


def _improved(key: Key, old: int, new: int, batch: Key | None) -> Difference:
    moved = f"a call an item → one {batch.operation}" if batch else "fewer calls"
    return _http_difference("count_scaling", key, old, new, moved, "improved", batch.operation if batch else "")


def _glimpse(call: Exchange) -> str:
    return f"{call.request.method} {call.request.target}"[:300]


def _matched(before: list[Exchange], after: list[Exchange]) -> list[tuple[Exchange, Exchange]]:
    """Calls of one key that answer to each other: equal arguments first, the rest in order where the counts agree."""
    if len(before) != len(after):
        return _equal(before, after)[0]
    pairs, left, right = _equal(before, after)
    return pairs + list(zip(left, right, strict=True))


def _equal(
    before: list[Exchange], after: list[Exchange]
) -> tuple[list[tuple[Exchange, Exchange]], list[Exchange], list[Exchange]]:
    if len(before) == len(after) == 1:
        return [(before[0], after[0])], [], []
    free: dict[bytes, list[Exchange]] = defaultdict(list)
    for call in reversed(after):
        free[argument_key(call)].append(call)
    pairs: list[tuple[Exchange, Exchange]] = []
    left: list[Exchange] = []
    for call in before:
        same = free.get(argument_key(call))
        if same:
            pairs.append((call, same.pop()))
        else:
            left.append(call)
    taken = {id(second) for _, second in pairs}
    return pairs, left, [call for call in after if id(call) not in taken]


def _at(key: Key, differences: list[Difference]) -> list[Difference]:
    return [replace(one, service=key.service, operation=key.operation) for one in differences]


def _outermost(lost: list[tuple[Key, Difference, Exchange]]) -> list[tuple[Key, Difference]]:
    """Without what follows from an enclosing call: an inner hop cannot pass on what never reached it."""
    kept: list[tuple[Key, Difference]] = []
    for key, one, call in lost:
        outer = any(
            other.path == one.path and other.kind == one.kind and _encloses(around, call) for _, other, around in lost
        )
        if not outer:
            kept.append((key, one))
    return kept


def _encloses(outer: Exchange, inner: Exchange) -> bool:
    ends = (outer.started_us + outer.latency_us, inner.started_us + inner.latency_us)
    return (
        outer is not inner
        and outer.started_us <= inner.started_us
        and ends[1] <= ends[0]
        and outer.service != inner.service
    )


def _context(matched: list[tuple[Key, Exchange, Exchange]]) -> str:
    for key, first, second in matched:
        if _failed(second) and not _failed(first):
            call = f"{key.service} {key.operation}"
            return f"{call} came to {outcome(second)} on the candidate's side, {outcome(first)} on the baseline's"
    return ""
