"""The order of a request's downstream calls. Only a broken data dependency is a warning: independent calls may be
reordered or sent side by side."""

from itertools import combinations, islice

from ..capture.model import Exchange
from .canonical import canonical
from .difference import Difference
from .pair import Pair
from .report.model import Json, Surface

MAX_ORDERED = 40
"""Most calls of one request whose order is looked at: pairs grow with the square."""
MAX_LEAVES = 200
MIN_TEXT, MIN_NUMBER = 6, 100_000
"""A value is telling from here on: shorter ones coincide."""
LARGEST = 1 << 64
"""Beyond, a number is no id, and its digits take long to write out."""

Matched = tuple[str, str, Exchange, Exchange]


def compare_order(matched: list[Matched], pair: Pair) -> list[Difference]:
    """At most one difference a kind: `order.changed`, `order.reordered`, `order.concurrency_gained` or `…_lost`."""
    if not 2 <= len(matched) <= MAX_ORDERED:
        return []
    found: dict[str, Difference] = {}
    by_start = sorted(matched, key=lambda one: (one[2].started_us, one[2].seq))
    for first, second in combinations(by_start, 2):
        kind = _moved(first, second)
        if kind in {"reordered", "concurrency_gained"} and _depends(first[2], second[2], pair):
            kind = "changed"
        if kind and kind not in found:
            service, operation = second[:2]
            names = (f"{first[0]} {first[1]}", f"{service} {operation}")
            moved = f"{names[0]} then {names[1]}→{'side by side' if 'gained' in kind else 'the other way round'}"
            found[kind] = Difference(Surface.ORDER, kind, None, None, None, moved[:300], "", service, operation)
    return list(found.values())


def _ends(call: Exchange) -> int:
    return call.started_us + call.latency_us


def _moved(first: Matched, second: Matched) -> str:
    """How two calls moved against each other, in one word."""
    old, new = (first[2], second[2]), (first[3], second[3])
    if _ends(old[0]) <= old[1].started_us:
        if _ends(new[0]) <= new[1].started_us:
            return ""
        return "reordered" if _ends(new[1]) <= new[0].started_us else "concurrency_gained"
    nested = _ends(old[1]) <= _ends(old[0]) and first[0] != second[0]
    apart = _ends(new[0]) <= new[1].started_us or _ends(new[1]) <= new[0].started_us
    return "concurrency_lost" if apart and not nested else ""


def _depends(first: Exchange, second: Exchange, pair: Pair) -> bool:
    """Whether the second call sends something that only the first one's answer can have told."""
    if first.response is None:
        return False
    known = [_sent(pair.before), _sent(first)]
    sent = _sent(second)
    leaves = islice(_leaves(canonical(first.response.body, first.response.headers).value), MAX_LEAVES)
    return any(word in sent and not any(word in earlier for earlier in known) for word in leaves)


def _sent(exchange: Exchange) -> bytes:
    return exchange.request.target.encode("utf-8", "surrogatepass") + b"\n" + exchange.request.body


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
