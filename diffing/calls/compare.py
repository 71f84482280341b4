"""The downstream calls that one request caused, on both sides: which are missing, which are new, which multiplied, and
what they ask.

Two rules. A downstream's answer is an input to the service, never a finding; what follows from answers that differ is
no finding either. A call whose cause is uncertain is given to the request that turns out to lack it, and is otherwise
left out: it is no evidence.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...capture.model import Exchange
from ..addresses import Addresses, same_but_for_address
from ..compare.binary import compare_digests
from ..compare.scalars import Clocks
from ..difference import Difference
from ..endpoints.templates import Templates
from ..outbound import CallIndex
from ..pair import Pair
from ..propagation import compare_propagation
from ..protocols import failed, is_event, outcome
from ..report.model import Json, Surface
from . import cache
from .arguments import Asked, Constants, compare_arguments
from .counts import Groups, compare_counts
from .groups import claim, grouped, matched
from .inputs import Inputs
from .key import Key, counts, key_of
from .order import Matched, compare_events, compare_order
from .replaced import replacements
from .request import compare_requests, compare_sent, cut_digest, unread_body
from .totals import Totals, is_inferred
from .transactions import compare_transactions, ends, transactions

MAX_CALLS = 2_000
"""Most calls of one request that are compared one by one."""
WARM = "a cache was warm on one side only: reads behind it are not compared"

Unordered = Callable[[str, str], frozenset[str]]


@dataclass(slots=True)
class CallPairs:
    """Both runs' calls. `given` are uncertain calls that a request has already claimed; `constants` are learnt from
    the baseline's calls when they are first asked for."""

    before: CallIndex
    after: CallIndex
    templates: Templates
    left: Addresses
    right: Addresses
    comparable: bool = True
    given: set[str] = field(default_factory=set)
    learnt: Constants | None = None
    totals: Totals | None = None

    @property
    def constants(self) -> Constants:
        """What the baseline's code holds itself."""
        if self.learnt is None:
            self.learnt = Constants()
            for call in self.before.all_sure():
                if counts(call):
                    self.learnt.note(key_of(call, self.templates), call)
        return self.learnt

    @property
    def in_all(self) -> Totals:
        """All the calls of both runs."""
        if self.totals is None:
            self.totals = Totals(self.before.all(), self.after.all(), self.templates)
        return self.totals


@dataclass(slots=True)
class CallComparison:
    """`context` says what failed downstream on the candidate's side only; `told` are values that the sides
    passed on as they were told them, each side another one."""

    differences: list[Difference] = field(default_factory=list)
    unverified: str = ""
    context: str = ""
    told: list[tuple[Json, Json]] = field(default_factory=list)


def compare_calls(calls: CallPairs, pair: Pair, unordered: Unordered) -> CallComparison:
    """What the calls of a pair of requests do not share."""
    result = CallComparison()
    if not calls.comparable:
        return result
    everything = calls.before.sure_of(pair.before.id), calls.after.sure_of(pair.after.id)
    sides = [[call for call in one if counts(call)] for one in everything]
    if max(map(len, sides)) > MAX_CALLS:
        result.unverified = f"more than {MAX_CALLS} downstream calls"
        return result
    groups = grouped(sides[0], sides[1], calls.templates)
    claim(groups, pair, (calls.before, calls.after), calls.templates, calls.given)
    both = [(key, *two) for key, group in groups.items() for two in matched(*group)]
    inputs = Inputs(pair, [(first, second) for _, first, second in both])
    result.differences = _counted(calls, groups, inputs)
    if cache.told_differently((first, second) for _, first, second in both):
        kept = [one for one in result.differences if not cache.follows(one)]
        result.unverified = WARM if len(kept) < len(result.differences) else ""
        result.differences = kept
    for key, first, second in both:
        asked = _asked(calls, key, first, second, unordered)
        # An inferred cause may be the wrong one: then both sides make both calls, each at another request.
        doubt = (
            bool(asked) and is_inferred(first) and is_inferred(second) and calls.in_all.elsewhere(key, first, second)
        )
        for one in asked:
            if same_but_for_address(one.before, one.after, calls.left, calls.right):
                continue
            if inputs.tell(one.before, one.after, (first, second)):
                result.told.append((one.before, one.after))
            else:
                at = replace(one, service=key.service, operation=key.operation, is_doubtful=doubt)
                result.differences.append(at)
        result.unverified = result.unverified or unread_body(first, second)
    _relate(result, calls, pair, both)
    _put_in_order(result, calls, pair, groups, both, everything)
    result.context = _context(both)
    return result


def _counted(calls: CallPairs, groups: Groups, inputs: Inputs) -> list[Difference]:
    if all(len(old) == len(new) for old, new in groups.values()):
        return []
    names = inputs.names()
    found, replaced = replacements(groups, names)
    for key in sorted(groups, key=lambda one: (one.service, one.operation)):
        if key not in replaced and not _is_misplaced(calls, groups, key):
            found.extend(compare_counts(groups, key, calls.before.services, names))
    return found


def _is_misplaced(calls: CallPairs, groups: Groups, key: Key) -> bool:
    """Whether a call too many or too few is one that was given to the wrong request: its cause is inferred, and the run
    as a whole has not more (or fewer) of them than the other one, or has others one for one in their place."""
    before, after = groups[key]
    more = after if len(after) > len(before) else before
    if len(after) == len(before) or not all(map(is_inferred, more)):
        return False
    old, new = calls.in_all.of(key)
    if (new <= old) if more is after else (new >= old):
        return True
    return not (before and after) and calls.in_all.is_swapped(key)


def _asked(calls: CallPairs, key: Key, first: Exchange, second: Exchange, unordered: Unordered) -> list[Difference]:
    """What two calls of one key ask."""
    if key.surface is Surface.HTTP:
        free = unordered(key.service, key.operation)
        return compare_requests(first, second, calls.templates, free, calls.left, calls.right)
    asked: list[Difference] = []
    same = first.request.arguments == second.request.arguments and first.request.target == second.request.target
    if not same or first.withheld:
        free = unordered(key.service, key.operation)
        asked = compare_arguments(key, first, second, Asked(calls.templates, calls.constants, free))
    cut = cut_digest(first), cut_digest(second)
    if cut[0] and cut[1]:
        changed = compare_digests(cut[0], cut[1], "cut body's digest")
        asked += [_sent(key, first, changed)] if changed else []
    elif first.request.body != second.request.body or first.withheld:
        free = unordered(key.service, key.operation)
        clocks = Clocks(first.started_us, second.started_us)
        asked += [_sent(key, first, one) for one in compare_sent(first, second, clocks, free)]
    return asked


def _sent(key: Key, call: Exchange, one: Difference) -> Difference:
    kind = "payload_changed" if is_event(call) else "request_changed"
    return replace(one, surface=key.surface, kind=kind, inner=one.kind)


def _relate(result: CallComparison, calls: CallPairs, pair: Pair, both: list[Matched]) -> None:
    """What is handed on from the request to its calls."""
    lost = [(key, one, second) for key, first, second in both for one in compare_propagation(pair, first, second)]
    result.differences.extend(
        replace(one, service=key.service, operation=key.operation) for key, one in _outermost(lost)
    )


def _put_in_order(
    result: CallComparison,
    calls: CallPairs,
    pair: Pair,
    groups: Groups,
    both: list[Matched],
    everything: tuple[list[Exchange], list[Exchange]],
) -> None:
    """Transactions and order: of calls that are there as often on both sides, commits among them."""
    held = [transactions(side, calls.templates) for side in everything]
    if any(held):
        writes = Counter(key.operation for key, (_, new) in groups.items() if key.is_write for _ in new)
        result.differences.extend(compare_transactions(held[0], held[1], writes))
    even = [one for one in both if len(groups[one[0]][0]) == len(groups[one[0]][1])]
    even.extend((Key(one.service, one.verdict, Surface.SQL), old, new) for one, old, new in ends(held[0], held[1]))
    # What a message's handler does goes on beside the request: their calls have no order among each other.
    own = pair.before.id, pair.after.id
    even = [one for one in even if (one[1].parent, one[2].parent) == own]
    if len(even) > 1:
        result.differences.extend(compare_order(even, pair))
        result.differences.extend(compare_events(even))


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


def _context(both: list[Matched]) -> str:
    for key, first, second in both:
        if failed(second) and not failed(first):
            call = f"{key.service} {key.operation}"
            return f"{call} came to {outcome(second)} on the candidate's side, {outcome(first)} on the baseline's"
    return ""
