"""Which exchange of one run answers to which of the other.

A run names the `origin` of each exchange, so runs of one capture pair by origin, and a run pairs with its capture by
the capture's ids. Two captures that know nothing of each other pair by the order of equal requests within a session.
What finds no partner is never passed over: it is returned with the nearest candidates.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..capture.model import Exchange, Role
from .canonical import Form, canonical
from .compare.arrays import content
from .endpoints.templates import path_of
from .protocols import is_event
from .rounds import Run

MAX_NEAREST = 3
Key = Callable[[Exchange], str]


@dataclass(frozen=True, slots=True)
class Pair:
    """`key` is the exchange's id in the replayed capture (in the left capture where nothing was replayed)."""

    key: str
    before: Exchange
    after: Exchange


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs in the left run's order, and what stands alone on either side."""

    pairs: tuple[Pair, ...]
    only_before: tuple[Exchange, ...]
    only_after: tuple[Exchange, ...]


def pair_up(before: Run, after: Run) -> Pairing:
    """The inbound exchanges of two runs, paired."""
    left, right = inbound(before), inbound(after)
    keys = _keys(before, after, left, right)
    answers = _keyed(right, keys[1])
    pairs: list[Pair] = []
    alone: list[Exchange] = []
    for key, exchange in _keyed(left, keys[0]).items():
        partner = answers.pop(key, None)
        if partner is None:
            alone.append(exchange)
        else:
            pairs.append(Pair(exchange.id if keys[2] else key, exchange, partner))
    return Pairing(tuple(pairs), tuple(alone), tuple(answers.values()))


def inbound(run: Run) -> list[Exchange]:
    """The exchanges with the service under test, in the order of their start. A message that it is given because of
    another exchange is no request of its own: its calls count among its cause's."""
    found = [exchange for exchange in run.exchanges if exchange.role is Role.INBOUND and not exchange.links]
    return sorted(found, key=lambda one: (one.started_us, one.seq))


def _keys(before: Run, after: Run, left: list[Exchange], right: list[Exchange]) -> tuple[Key, Key, bool]:
    """How each side's exchanges are named, and whether pairs go by the left one's own id."""
    if after.manifest.replayed and after.manifest.replayed == before.manifest.capture_id:
        return _id, _origin, False
    if before.manifest.replayed and before.manifest.replayed == after.manifest.capture_id:
        return _origin, _id, False
    if any(one.origin for one in left) or any(one.origin for one in right):
        return _origin, _origin, False
    if before.manifest.capture_id == after.manifest.capture_id:
        return _id, _id, False
    known = {one.session for one in left} & {one.session for one in right}
    by_request = _by_session if known else _by_request
    return by_request, by_request, True


def _id(exchange: Exchange) -> str:
    return exchange.id


def _origin(exchange: Exchange) -> str:
    if exchange.origin is None and is_event(exchange):
        # A message that nobody replayed: one that the service sent and is given itself. It goes by what it says.
        said = canonical(exchange.request.body, exchange.request.headers)
        meant = content(said.value) if said.form is Form.JSON else said.key
        return f"{exchange.request.method.lower()} {exchange.request.target} {hashlib.sha256(meant).hexdigest()[:12]}"
    return exchange.origin or exchange.id


def _by_request(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.target}"


def _by_session(exchange: Exchange) -> str:
    return f"{exchange.session} {_by_request(exchange)}"


def _keyed(exchanges: Iterable[Exchange], key: Key) -> dict[str, Exchange]:
    """By key; the second, third … of one key get a number, so that repeats pair up in order."""
    seen: dict[str, int] = defaultdict(int)
    keyed: dict[str, Exchange] = {}
    for exchange in exchanges:
        name = key(exchange)
        seen[name] += 1
        keyed[name if seen[name] == 1 else f"{name}#{seen[name]}"] = exchange
    return keyed


def nearest(alone: Exchange, others: Iterable[Exchange]) -> list[str]:
    """The exchanges most like `alone`, best first, each with what matches: "id x: same method, path; other query"."""
    scored = sorted(
        ((_likeness(alone, other), other.id) for other in others), key=lambda item: (-len(item[0]), item[1])
    )
    return [f"{name}: same {', '.join(same)}" for same, name in scored[:MAX_NEAREST] if same]


def _likeness(one: Exchange, other: Exchange) -> list[str]:
    same: list[str] = []
    if one.request.method == other.request.method:
        same.append("method")
    if path_of(one.request.target) == path_of(other.request.target):
        same.append("path")
    if one.request.target == other.request.target:
        same.append("query")
    if one.request.body == other.request.body and one.request.body:
        same.append("body")
    return same
