"""Messages on a bus: who published what a service consumes, and how long a consumed one is being worked on. PURE.

A service that tells itself something goes on with the request that told it: what its handler calls belongs to that
request. A message that nobody acknowledges ends without a word, so it counts as being worked on for a moment.
"""

import hashlib
from collections import OrderedDict, deque

from ..wire.call import Call
from .asked import Asked

LINGER_US = 250_000
"""How long a message without an acknowledgement is taken for being handled."""
UNACKNOWLEDGED = "unacknowledged"
"""The reason of an answer that none was due for (docs/protocols.md)."""
_MOST = 4_000
_TELLING = 16
"""Bytes of a payload that name it by themselves; a shorter one does so together with its destination."""
_REMEMBERED_US = 10_000_000


class Published:
    """The last messages that were published, by what was in them."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: OrderedDict[bytes, Asked] = OrderedDict()

    def told(self, call: Call, asked: Asked) -> None:
        """A message was published by `call`."""
        self._calls[_key(call)] = asked
        if len(self._calls) > _MOST:
            self._calls.popitem(last=False)

    def of(self, call: Call) -> Asked | None:
        """The publishing of what `call` delivers; any number of consumers may get it."""
        asked = self._calls.get(_key(call))
        if asked is None or not 0 <= call.started_us - asked.started_us <= _REMEMBERED_US:
            return None
        return asked


class Lingering:
    """Messages that count as being worked on, in the order in which they were delivered."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due: deque[tuple[int, str]] = deque()

    def add(self, exchange_id: str, ended_us: int) -> None:
        """A message was delivered, and nobody will say when it is done."""
        self._due.append((ended_us + LINGER_US, exchange_id))

    def over(self, at_us: int) -> list[tuple[int, str]]:
        """Those whose moment has passed, with its end."""
        if not self._due:
            return []
        over: list[tuple[int, str]] = []
        while self._due and self._due[0][0] <= at_us:
            over.append(self._due.popleft())
        return over


def _key(call: Call) -> bytes:
    digest = hashlib.blake2b(call.body, digest_size=16)
    if len(call.body) < _TELLING:
        digest.update(call.target.encode("utf-8", "surrogatepass"))
    return digest.digest()
