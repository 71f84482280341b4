"""The order of a request's downstream calls.

Independent calls may be reordered or sent side by side. What must stay in order is a call that sends what another
one's answer told, and what a COMMIT stands between: an event that goes out before the commit speaks of rows that may
never be there.
"""

from collections.abc import Iterable
from itertools import combinations, islice

from ...capture.model import Exchange
from ..canonical import canonical
from ..difference import Difference
from ..pair import Pair
from ..protocols import SQL, is_event
from ..report.model import Json, Surface
from .key import Key, is_end

MAX_ORDERED = 40
"""Most calls of one request whose order is looked at: pairs grow with the square."""
MAX_LEAVES = 200
MIN_TEXT, MIN_NUMBER = 6, 100_000
"""A value is telling from here on: shorter ones coincide."""
LARGEST = 1 << 64
"""Beyond, a number is no id, and its digits take long to write out."""

Matched = tuple[Key, Exchange, Exchange]


def compare_order(matched: list[Matched], pair: Pair) -> list[Difference]:
    """At most one difference a kind: `order_changed`, `reordered`, `concurrency_gained` or `concurrency_lost`."""
    matched = _bounded(matched)
    found: dict[str, Difference] = {}
    by_start = sorted(matched, key=lambda one: (one[1].started_us, one[1].seq))
    for first, second in combinations(by_start, 2):
        kind, trait = _moved(first, second), ""
        if kind in {"reordered", "concurrency_gained"}:
            trait = _bond(first, second, pair)
            kind = "order_changed" if trait else kind
        if kind and (kind not in found or (trait == "commit" and found[kind].trait != trait)):
            found[kind] = _difference(kind, trait, first[0], second[0])
    return list(found.values())


def _bounded(matched: list[Matched]) -> list[Matched]:
    """The calls whose order is looked at: of too many only those that change something, of still too many none."""
    if len(matched) > MAX_ORDERED:
        matched = [one for one in matched if one[0].is_write or is_end(one[1])]
    return matched if len(matched) <= MAX_ORDERED else []


def _difference(kind: str, trait: str, first: Key, second: Key) -> Difference:
    names = [f"{key.service} {key.operation}"[:140] for key in (first, second)]
    moved = f"{names[0]} then {names[1]}→{'side by side' if 'gained' in kind else 'the other way round'}"
    return Difference(Surface.ORDER, kind, None, None, None, moved, trait, second.service, second.operation)


def compare_events(matched: Iterable[Matched]) -> list[Difference]:
    """`bus.reordered` for a destination whose events of one key come in another order: readers of a partition rely on
    it (Kafka documentation, 4.6). Events without a key have no order to lose."""
    last: dict[tuple[Key, str], Exchange] = {}
    found: dict[Key, Difference] = {}
    for key, old, new in sorted(matched, key=lambda one: (one[1].started_us, one[1].seq)):
        name = old.request.arguments if old.request.arguments == new.request.arguments else ""
        if not is_event(old) or '"key"' not in name:
            continue
        earlier = last.get((key, name))
        if earlier is not None and (new.started_us, new.seq) < (earlier.started_us, earlier.seq) and key not in found:
            found[key] = Difference(
                Surface.BUS, "reordered", "key", None, None, "events of one key→in another order", "", key.service,
                key.operation,
            )  # fmt: skip
        last[key, name] = new
    return list(found.values())


def _ends(call: Exchange) -> int:
    return call.started_us + call.latency_us


def _moved(first: Matched, second: Matched) -> str:
    """How two calls moved against each other, in one word."""
    old, new = (first[1], second[1]), (first[2], second[2])
    if _ends(old[0]) <= old[1].started_us:
        if _ends(new[0]) <= new[1].started_us:
            return ""
        return "reordered" if _ends(new[1]) <= new[0].started_us else "concurrency_gained"
    nested = _ends(old[1]) <= _ends(old[0]) and first[0].service != second[0].service
    apart = _ends(new[0]) <= new[1].started_us or _ends(new[1]) <= new[0].started_us
    return "concurrency_lost" if apart and not nested else ""


def _bond(first: Matched, second: Matched, pair: Pair) -> str:
    """What holds two calls in their order: "commit" for a commit and the event after it, a write and the commit after
    it, a write and the event that tells of it; "data" for what one tells the other; "" for nothing. An event that waits
    for its commit now is none the worse for it."""
    if is_end(first[1]):
        return "commit" if is_event(second[1]) else ""
    if is_end(second[1]):
        return "commit" if first[0].is_write and first[0].service == second[0].service else ""
    if first[1].protocol in SQL and first[0].is_write and is_event(second[1]):
        return "commit"
    return "data" if _depends(first, second, pair.before) else ""


def _depends(first: Matched, second: Matched, asked: Exchange) -> bool:
    """Whether the second call sends something that only the first one's answer can have told, and still does: who sends
    what its own side has drawn before this answer tells it, has it from elsewhere."""
    answer = first[1].response
    if answer is None:
        return False
    known = [_sent(asked), _sent(first[1])]
    sent = _sent(second[1]), _sent(second[2])
    leaves = islice(_leaves(canonical(answer.body, answer.headers).value), MAX_LEAVES)
    return any(word in sent[0] and word in sent[1] and not any(word in one for one in known) for word in leaves)


def _sent(exchange: Exchange) -> bytes:
    request = exchange.request
    return f"{request.target}\n{request.arguments}\n".encode("utf-8", "surrogatepass") + request.body


def _leaves(value: Json) -> list[bytes]:
    found: list[bytes] = []
    stack = [value]
    while stack and len(found) < MAX_LEAVES:
        match stack.pop():
            case dict() as fields:
                stack.extend(fields.values())
            case list() as items:
                stack.extend(items[:MAX_LEAVES])
            case str() as text if len(text) >= MIN_TEXT:
                found.append(text.encode("utf-8", "surrogatepass"))
            case int() as number if MIN_NUMBER <= abs(number) < LARGEST:
                found.append(str(number).encode())
    return found
