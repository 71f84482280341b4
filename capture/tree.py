"""What one request caused, as a tree: its calls, and the calls of the services that it went through. PURE.

A call names the request that caused it, not the hop that made it. Hops are read off the times: a call that begins and
ends within a call to another service was made by that service. Where several calls enclose it at once, the one that
began last is taken; the tree is for reading, no verdict rests on it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .model import Exchange, Role

HOPS = frozenset({"http", "grpc"})
"""Protocols whose servers call others. A database or a cache answers out of itself."""
MAX_LOOKED_AT = 200
"""So many earlier calls are tried as the one that encloses; a request with thousands of calls stays readable work."""

MAX_CHAIN = 50
"""Messages that cause messages that cause messages …"""


@dataclass(slots=True)
class Branch:
    """An exchange and what it caused, in the order of their start."""

    exchange: Exchange
    children: list["Branch"] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Exchange]]:
        """Every exchange with its depth, causes before what they caused."""
        yield depth, self.exchange
        for child in self.children:
            yield from child.walk(depth + 1)


def tree_of(root: Exchange, caused: Mapping[str, Sequence[Exchange]]) -> Branch:
    """The tree below `root`; `caused` are exchanges by the id of their most likely cause (`by_cause`)."""
    return _grown(root, caused, frozenset())


def _grown(root: Exchange, caused: Mapping[str, Sequence[Exchange]], above: frozenset[str]) -> Branch:
    """A capture may say what it likes: what stands `above` already is not hung below itself."""
    above |= {root.id}
    trunk = Branch(root)
    branches: list[Branch] = []
    for exchange in sorted(caused.get(root.id, ()), key=lambda one: (one.started_us, one.seq)):
        if exchange.id in above or len(above) > MAX_CHAIN:
            continue
        # A consumed message causes calls of its own.
        branch = _grown(exchange, caused, above) if exchange.role is Role.INBOUND else Branch(exchange)
        (_holder(branches, exchange) or trunk).children.append(branch)
        branches.append(branch)
    return trunk


def by_cause(exchanges: Iterable[Exchange], root: str | None = None) -> dict[str, list[Exchange]]:
    """Exchanges by the id of their most likely cause; only what `root` caused, where it is given. They must come again
    for each step of the chain then, so `exchanges` is something that can be gone through more than once."""
    caused: dict[str, list[Exchange]] = defaultdict(list)
    if root is None:
        for exchange in exchanges:
            if exchange.parent is not None:
                caused[exchange.parent].append(exchange)
        return caused
    wanted = {root}
    while wanted:
        found = [exchange for exchange in exchanges if exchange.parent in wanted]
        for exchange in found:
            caused[exchange.parent or ""].append(exchange)
        wanted = {exchange.id for exchange in found if exchange.role is Role.INBOUND} - caused.keys()
    return caused


def _holder(branches: Sequence[Branch], exchange: Exchange) -> Branch | None:
    """The branch that `exchange` grows on: a message's publishing for its delivery, the enclosing call for a call."""
    for branch in branches[: -MAX_LOOKED_AT - 1 : -1]:
        if _delivers(branch.exchange, exchange) or _encloses(branch.exchange, exchange):
            return branch
    return None


def _delivers(published: Exchange, consumed: Exchange) -> bool:
    return (
        consumed.role is Role.INBOUND
        and published.role is Role.OUTBOUND
        and published.protocol == consumed.protocol
        and published.request.target == consumed.request.target
        and published.request.body == consumed.request.body
    )


def _encloses(outer: Exchange, inner: Exchange) -> bool:
    return (
        outer.protocol in HOPS
        and outer.service != inner.service
        and outer.started_us <= inner.started_us
        and inner.started_us + inner.latency_us <= outer.started_us + outer.latency_us
    )
