"""A connection's subscriptions: which replies belong to them, and when a SUBSCRIBE is answered.

In RESP3 they come as push messages, in RESP2 as arrays like any reply's. A SUBSCRIBE is answered once for each of its
channels (redis.io, "Pub/sub", "Wire protocol").
"""

import orjson

from ...headers import Headers
from ...model import Role
from ..call import BODY_CAP, OK, Call
from .answers import cut_headers
from .commands import Args
from .texts import label, text
from .values import Cut, Value

UNACKNOWLEDGED = "unacknowledged"

_SUBSCRIBING = frozenset({b"subscribe", b"psubscribe", b"ssubscribe"})
_UNSUBSCRIBING = frozenset({b"unsubscribe", b"punsubscribe", b"sunsubscribe"})
CONFIRMATIONS = _SUBSCRIBING | _UNSUBSCRIBING
_DELIVERIES = {b"message": 3, b"smessage": 3, b"pmessage": 4}


class Subscriptions:
    """How many channels, patterns and shard channels are subscribed to, by the server's word."""

    __slots__ = ("_counts", "_totals", "left")

    def __init__(self) -> None:
        self._counts: dict[bytes, int] = {}
        self._totals: dict[bool, int] = {}
        self.left = 0
        """Confirmations that the (un)subscription being answered still waits for; 0 where none has come yet."""

    @property
    def any(self) -> bool:
        """Whether the server may send messages."""
        return any(self._totals.values())

    def confirmed(self, args: Args, kind: bytes, total: int) -> bool:
        """One confirmation of the (un)subscription `args` with the number of subscriptions that are left; whether it
        was the last."""
        if not self.left:
            self.left = len(args) - 1 or max(1, self._counts.get(kind.replace(b"unsub", b"sub"), 0))
        self.told(kind, total)
        self.left -= 1
        return not self.left

    def told(self, kind: bytes, total: int) -> None:
        """The server has changed the number of subscriptions. It counts channels and patterns together, shard channels
        for themselves."""
        kept = kind.replace(b"unsub", b"sub")
        is_shard = kept == b"ssubscribe"
        self._counts[kept] = self._counts.get(kept, 0) + total - self._totals.get(is_shard, 0)
        self._totals[is_shard] = total


def is_delivery(value: list[Value]) -> bool:
    """Whether a push message (in RESP2 an array) is a message of a channel's."""
    kind = value[0] if value else None
    return isinstance(kind, bytes) and _DELIVERIES.get(kind) == len(value)


def confirmation(value: list[Value]) -> tuple[bytes, int] | None:
    """The kind and the count of a confirmation; None where it is none."""
    if len(value) != 3 or not isinstance(value[0], bytes) or not isinstance(value[2], int):
        return None
    return (value[0], value[2]) if value[0] in CONFIRMATIONS else None


def consumed(value: list[Value], at_us: int) -> Call:
    """A delivered message as a call that nobody answers."""
    channel, payload = value[-2], value[-1]
    call = Call(at_us, "CONSUME", label(channel) if isinstance(channel, bytes) else "", "consume")
    call.arguments = "{}"
    if len(value) == 4 and isinstance(value[1], bytes):
        call.arguments = orjson.dumps({"pattern": text(value[1])}).decode()
    body = payload if isinstance(payload, bytes) else b""
    call.truncated = len(body) > BODY_CAP
    call.body = b"" if call.truncated else body
    return _delivered(call, at_us)


def consumed_cut(cut: Cut, at_us: int) -> Call:
    """A delivered message that was too large to be kept."""
    call = Call(at_us, "CONSUME", "", "consume")
    call.arguments = "{}"
    call.truncated = True
    call.headers = cut_headers(cut)
    return _delivered(call, at_us)


def _delivered(call: Call, at_us: int) -> Call:
    call.role = Role.INBOUND
    call.reason = UNACKNOWLEDGED
    call.answer(OK, at_us, b"", Headers())
    return call
