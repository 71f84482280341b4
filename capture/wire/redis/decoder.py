"""Redis on one connection: bytes in, calls out. What a call looks like stands in docs/format.md.

Three rules hold here. Replies answer commands in order, except push messages and what a subscription brings. A command
queued by MULTI is answered by its place in EXEC's array. What cannot be followed (replication, MONITOR) is told once.
"""

from collections import deque

from ...headers import Headers
from ...model import FailureKind
from ..call import ERROR, OK, Call, CallEvents
from .answers import body_of
from .bounded import Malformed
from .command_reader import CommandReader
from .commands import Args
from .conversation import Conversation, Said
from .pubsub import (
    CONFIRMATIONS,
    UNACKNOWLEDGED,
    Subscriptions,
    confirmation,
    consumed,
    consumed_cut,
    is_delivery,
)
from .reply_reader import ReplyReader
from .values import Cut, Fault, NullArray, Push, Simple, Value

MOST_WAITING = 100_000
"""Commands of one connection that may wait for their answers."""

LARGEST_WAITING = 64 << 20
"""Bytes of arguments that may wait with them."""

UNFOLLOWED = {
    "MONITOR": "MONITOR is not followed",
    "SYNC": "replication is not followed",
    "PSYNC": "replication is not followed",
    "REPLCONF": "replication is not followed",
}
"""Commands after which a connection is no conversation any more, and what is said of it."""


class RedisDecoder:
    """One connection's commands as calls."""

    __slots__ = (
        "_asked",
        "_conversation",
        "_events",
        "_leaves",
        "_queued",
        "_replies",
        "_silent",
        "_subscriptions",
        "_waiting",
        "_weight",
    )

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._conversation = Conversation(connection)
        self._events = events
        self._asked = CommandReader()
        self._replies = ReplyReader()
        self._waiting: deque[Said] = deque()
        self._queued: list[Said] = []
        self._subscriptions = Subscriptions()
        self._weight = 0
        self._silent = False
        self._leaves = False

    @property
    def in_flight(self) -> bool:
        """Whether a command is not answered yet."""
        return bool(self._waiting or self._queued)

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        if self._silent:
            return
        commands: list[list[bytes | Cut]] = []
        wrong = ""
        try:
            self._asked.feed(data, commands)
        except Malformed as error:
            wrong = str(error)
        for args in commands:
            self._command(args, at_us)
        if wrong:
            self._give_up(wrong, at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        if self._silent:
            return
        replies: list[Value] = []
        wrong = ""
        try:
            self._replies.feed(data, replies)
        except Malformed as error:
            wrong = str(error)
        for value in replies:
            self._reply(value, at_us)
        if wrong:
            self._give_up(wrong, at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone."""
        self._silent = True
        for asked in (*self._queued, *self._waiting):
            asked.call.fail(kind, detail, at_us)
            self._events.ended(asked.call)
        self._queued.clear()
        self._waiting.clear()

    def _give_up(self, reason: str, at_us: int) -> None:
        if self._silent:
            return
        self._events.gap(reason)
        self.lost(FailureKind.PROTOCOL, "the connection could not be followed", at_us)

    # What the client says.

    def _command(self, args: Args, at_us: int) -> None:
        if self._silent:
            return
        said = self._conversation.say(args, at_us)
        call, part = said.call, said.known.part
        if part in UNFOLLOWED:
            self._give_up(UNFOLLOWED[part], at_us)
            return
        self._events.begun(call)
        if said.is_mute:
            call.reason = UNACKNOWLEDGED
            call.answer(OK, at_us)
            self._events.ended(call)
            return
        self._waiting.append(said)
        self._weight += len(call.arguments) + len(call.body)
        if self._weight > LARGEST_WAITING or len(self._waiting) + len(self._queued) > MOST_WAITING:
            self._give_up("more commands unanswered than are kept", at_us)

    # What the server says.

    def _reply(self, value: Value, at_us: int) -> None:
        if self._silent:
            return
        kind = type(value)
        waiting = self._waiting
        if (
            kind is Push or self._subscriptions.any or (waiting and waiting[0].known.part in _SUBSCRIPTIONS)
        ) and self._pushed(value, at_us):
            return
        if not waiting:
            self._give_up("an answer that nobody asked for", at_us)
            return
        asked = waiting.popleft()
        if asked.is_queued and kind is Simple and value == b"QUEUED":
            self._queued.append(asked)
            return
        if asked.known.part in _ANSWERED and not self._answered(asked, value, at_us):
            return
        self._end(asked, value, at_us)

    def _end(self, asked: Said, value: Value, at_us: int) -> None:
        call = asked.call
        body, headers = body_of(asked.known, asked.args, value)
        status = OK
        if isinstance(value, Fault):
            status = ERROR
            call.reason = value.code
        elif isinstance(value, Cut):
            call.truncated = True
        self._told(call, status, at_us, body, headers)

    def _told(self, call: Call, status: int, at_us: int, body: bytes, headers: Headers) -> None:
        self._weight -= len(call.arguments) + len(call.body)
        call.answer(status, at_us, body, headers)
        self._events.ended(call)

    def _answered(self, asked: Said, value: Value, at_us: int) -> bool:
        """What an answer changes; False where the call was ended here."""
        part = asked.known.part
        if part == "EXEC":
            return self._executed(asked, value, at_us)
        failed = isinstance(value, Fault)
        if part == "SELECT" and failed:
            self._conversation.unselect(asked)
        elif part == "ELSEWHERE" and not failed and not self._leaves:
            self._leaves = True
            self._events.gap("a cluster's client speaks to servers that are not tapped")
        elif part == "RESET" and not failed:
            self._subscriptions = Subscriptions()
        if part in _DISCARDING and not failed:
            self._drop_queued(Fault(b"DISCARD the transaction was discarded"), at_us)
        return True

    def _executed(self, asked: Said, value: Value, at_us: int) -> bool:
        """EXEC's array answers what was queued; EXEC itself is answered with how many that was."""
        if isinstance(value, Fault):
            self._drop_queued(value, at_us)
            return True
        if value is None or isinstance(value, NullArray):
            self._drop_queued(Fault(b"WATCH a watched key was changed"), at_us)
            return True
        queued, self._queued = self._queued, []
        each: list[Value] = value if isinstance(value, list) else [value] * len(queued)
        if len(each) != len(queued):
            self._queued = queued
            self._waiting.appendleft(asked)
            self._give_up("a transaction with another number of answers than commands", at_us)
            return False
        for held, answer in zip(queued, each, strict=True):
            self._end(held, answer, at_us)
        body, headers = body_of(asked.known, asked.args, len(queued))
        self._told(asked.call, OK, at_us, body, headers.with_value("resp", "array"))
        return False

    def _drop_queued(self, fault: Fault, at_us: int) -> None:
        queued, self._queued = self._queued, []
        for held in queued:
            self._end(held, fault, at_us)

    # Publish and subscribe.

    def _pushed(self, value: Value, at_us: int) -> bool:
        """Whether a reply belonged to a subscription, or to nothing that was asked for."""
        if isinstance(value, Cut):
            if value.kind != "push" and self._waiting:
                return False
            self._consumed(consumed_cut(value, at_us))
            return True
        if not isinstance(value, list):
            return False
        if is_delivery(value):
            self._consumed(consumed(value, at_us))
            return True
        confirmed = confirmation(value)
        if confirmed is None:
            return isinstance(value, Push)
        self._confirmed(*confirmed, at_us)
        return True

    def _consumed(self, call: Call) -> None:
        self._events.begun(call)
        self._events.ended(call)

    def _confirmed(self, kind: bytes, total: int, at_us: int) -> None:
        waiting = self._waiting
        if not waiting or waiting[0].known.part.lower().encode() != kind:
            # A server may end subscriptions itself: sharded ones, when their slot moves away.
            self._subscriptions.told(kind, total)
            return
        asked = waiting[0]
        if self._subscriptions.confirmed(asked.args, kind, total):
            waiting.popleft()
            self._end(asked, total, at_us)


_DISCARDING = frozenset({"DISCARD", "RESET"})
_ANSWERED = frozenset({"ELSEWHERE", "EXEC", "DISCARD", "RESET", "SELECT"})
_SUBSCRIPTIONS = frozenset(word.decode().upper() for word in CONFIRMATIONS)
