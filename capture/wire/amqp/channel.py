"""One channel: what was published and asked on it, and what was delivered.

Two rules hold here. Confirmations and acknowledgements name deliveries by numbers counted from 1 in order, one at a
time or all up to one. Every call that is begun here is ended: by its answer, by the channel's end, or by `lose`.

After the AMQP 0-9-1 specification, 1.8, and rabbitmq.com, "Consumer Acknowledgements and Publisher Confirms".
"""

from collections import deque
from typing import Any

from pamqp.commands import Basic

from ...headers import Headers
from ...model import FailureKind, Role
from ..call import ERROR, OK, Call, CallEvents
from .frames import Malformed, plain
from .messages import Content, destination, json

UNACKNOWLEDGED = "unacknowledged"
MOST_OPEN = 65_536
LARGEST_OPEN = 64 << 20
"""Calls of one channel, and bytes of their bodies, that wait for their end."""

_JSON = Headers((("content-type", "application/json"),))


class Channel:
    """The state of one channel."""

    def __init__(self, name: str, events: CallEvents) -> None:
        self._name = name
        self._events = events
        self.asking: Content | None = None
        self.telling: Content | None = None
        self.confirms = False
        self._published = 0
        self._unconfirmed: dict[int, Call] = {}
        self._delivered: dict[int, Call] = {}
        self._weight = 0
        self._calls: deque[tuple[str, Call]] = deque()
        self._gets: deque[tuple[str, bool]] = deque()
        self._asked_consumers: deque[tuple[str, bool]] = deque()
        self._consumers: dict[str, tuple[str, bool]] = {}
        self._transactions = 0
        self._transaction: str | None = None

    @property
    def in_flight(self) -> bool:
        """Whether a call is begun and not ended."""
        return bool(self._unconfirmed or self._delivered or self._calls)

    def _begun(self, call: Call, lane: str | None) -> Call:
        call.lane = lane
        self._events.begun(call)
        return call

    def _ended(self, call: Call, status: int, reason: str, at_us: int, body: dict[str, Any] | None = None) -> None:
        if body is None:
            call.answer(status, at_us)
        else:
            call.answer(status, at_us, json(body).encode(), _JSON)
        call.reason = reason
        self._events.ended(call)

    def _lane(self) -> str | None:
        """What ties a call to others: a transaction, or the messages that are consumed on the same channel."""
        return self._transaction or (self._name if self._consumers else None)

    # Methods that are answered by one of their own.

    def ask(self, operation: str, target: str, arguments: dict[str, Any], at_us: int, *, nowait: bool) -> None:
        """A method that declares, binds, deletes …"""
        call = Call(at_us, operation.partition(".")[2].upper(), target, operation)
        call.arguments = json(plain(arguments))
        self._begun(call, self._lane())
        if nowait:
            self._ended(call, OK, UNACKNOWLEDGED, at_us)
        elif len(self._calls) >= MOST_OPEN:
            raise Malformed
        else:
            self._calls.append((operation, call))

    def answered(self, operation: str, said: dict[str, Any], at_us: int) -> None:
        """The server's -ok."""
        if not self._calls or self._calls[0][0] != operation:
            raise Malformed
        self._ended(self._calls.popleft()[1], OK, operation, at_us, plain(said) if said else None)

    def consume(self, tag: str, queue: str, *, no_ack: bool, nowait: bool) -> None:
        """A consumer is asked for."""
        if nowait:
            self._consumers[tag] = (queue, no_ack)
        self._asked_consumers.append((queue, no_ack))

    def consuming(self, tag: str) -> None:
        """The server names a consumer that was asked for."""
        if self._asked_consumers:
            self._consumers[tag] = self._asked_consumers.popleft()
        if len(self._consumers) > MOST_OPEN:
            raise Malformed

    def cancelled(self, tag: str) -> None:
        """A consumer is no more."""
        self._consumers.pop(tag, None)

    def get(self, queue: str, *, no_ack: bool) -> None:
        """One message is asked for."""
        if len(self._gets) >= MOST_OPEN:
            raise Malformed
        self._gets.append((queue, no_ack))

    def got_none(self) -> None:
        """There was none."""
        if self._gets:
            self._gets.popleft()

    def in_transactions(self) -> None:
        """From now on everything is in a transaction."""
        self._transactions += 1
        self._transaction = f"{self._name}.{self._transactions}"

    # Messages.

    def published(self, content: Content, at_us: int) -> None:
        """A message of the client's is whole."""
        method = content.method
        call = Call(content.at_us, "PUBLISH", destination(method.exchange, method.routing_key), "publish")
        arguments = {
            "exchange": method.exchange,
            "routing_key": method.routing_key,
            "mandatory": bool(method.mandatory),
        }
        call.arguments = json(arguments)
        content.describe(call)
        self._begun(call, self._lane())
        if not self.confirms:
            self._ended(call, OK, UNACKNOWLEDGED, at_us)
            return
        self._published += 1
        self._hold(self._unconfirmed, self._published, call, at_us)

    def delivered(self, content: Content, at_us: int) -> None:
        """A message for the client is whole."""
        method = content.method
        if isinstance(method, Basic.GetOk):
            queue, no_ack = self._gets.popleft() if self._gets else ("", False)
        else:
            queue, no_ack = self._consumers.get(method.consumer_tag or "", ("", False))
        call = Call(content.at_us, "CONSUME", queue or destination(method.exchange, method.routing_key), "consume")
        call.role = Role.INBOUND
        call.arguments = json(
            {
                "exchange": method.exchange,
                "routing_key": method.routing_key,
                "queue": queue,
                "redelivered": bool(method.redelivered),
            }
        )
        content.describe(call)
        self._begun(call, self._name)
        if no_ack:
            self._ended(call, OK, UNACKNOWLEDGED, at_us)
        else:
            self._hold(self._delivered, method.delivery_tag or 0, call, at_us)

    def returned(self, content: Content, at_us: int) -> None:
        """A message of the client's comes back: nobody wants it."""
        method = content.method
        target = destination(method.exchange, method.routing_key)
        said = {"code": method.reply_code, "message": method.reply_text}
        for call in self._unconfirmed.values():
            if call.target == target and not call.response_body:
                # Its confirmation is still to come, and ends it.
                call.response_body = json(said).encode()
                return
        call = Call(content.at_us, "RETURN", target, "return")
        call.arguments = json(said)
        content.describe(call)
        self._ended(self._begun(call, self._lane()), OK, UNACKNOWLEDGED, at_us)

    def confirmed(self, tag: int, *, multiple: bool, is_ack: bool, at_us: int) -> None:
        """The server has taken messages, or not."""
        for call in self._taken(self._unconfirmed, tag, multiple=multiple):
            if call.response_body:
                call.answer(ERROR, at_us, call.response_body, _JSON)
                call.reason = "returned"
                self._events.ended(call)
            else:
                self._ended(call, OK if is_ack else ERROR, "ack" if is_ack else "nack", at_us)

    def acknowledged(self, tag: int, *, multiple: bool, is_ack: bool, at_us: int) -> None:
        """The client is done with messages, or refuses them."""
        for call in self._taken(self._delivered, tag, multiple=multiple):
            self._ended(call, OK if is_ack else ERROR, "ack" if is_ack else "nack", at_us)

    def _hold(self, open_: dict[int, Call], tag: int, call: Call, at_us: int) -> None:
        known = open_.pop(tag, None)
        open_[tag] = call
        self._weight += len(call.body)
        while known is not None or len(open_) > MOST_OPEN or self._weight > LARGEST_OPEN:
            gone = known if known is not None else open_.pop(next(iter(open_)))
            known = None
            self._weight -= len(gone.body)
            gone.fail(FailureKind.PROTOCOL, "too many messages wait", at_us)
            self._events.ended(gone)
            if not open_:
                break

    def _taken(self, open_: dict[int, Call], tag: int, *, multiple: bool) -> list[Call]:
        tags = [each for each in open_ if each <= tag or not tag] if multiple else [tag]
        calls = [open_.pop(each) for each in tags if each in open_]
        self._weight -= sum(len(call.body) for call in calls)
        return calls

    # The end.

    def closed(self, code: int, text: str, at_us: int) -> None:
        """The server closes the channel for something that was asked or published on it."""
        said = {"code": code, "message": text}
        calls = [*self._unconfirmed.values(), *(call for _, call in self._calls)]
        self._unconfirmed.clear()
        self._calls.clear()
        for call in calls:
            self._ended(call, ERROR, str(code), at_us, said)
        self.lose(FailureKind.RESET, "the channel was closed by the server", at_us)

    def lose(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """Nothing that is open will be answered."""
        calls = [*self._unconfirmed.values(), *(call for _, call in self._calls), *self._delivered.values()]
        self._unconfirmed.clear()
        self._calls.clear()
        self._delivered.clear()
        self._weight = 0
        for call in calls:
            call.fail(kind, detail, at_us)
            self._events.ended(call)
