"""The decoder of one AMQP connection: frames to their channels.

Three rules hold here. What stands in the SASL exchange is never looked at. A message is told once it is whole. What is
out of step is one `gap`, and then silence for the connection.

A message for the client is a call too (CONSUME), which its acknowledgement ends. Heartbeats, flow control and the
opening of channels are nothing; a get that finds nothing is nothing either.
"""

from collections.abc import Callable
from typing import Any

from pamqp.commands import Basic, Confirm, Connection, Exchange, Queue, Tx
from pamqp.commands import Channel as ChannelClass
from pamqp.header import ContentHeader

from ...headers import Headers
from ...model import FailureKind
from ..call import ERROR, OK, Call, CallEvents
from .channel import Channel
from .frames import BODY, HEADER, HEARTBEAT, PROTOCOL, Framer, Malformed, content, parse
from .messages import Content, json

MOST_CHANNELS = 65_536

_SETUP = (("setup", "yes"),)
_JSON = Headers((("content-type", "application/json"),))
_TARGETS: dict[type, str] = {
    Queue.Declare: "queue", Queue.Bind: "queue", Queue.Unbind: "queue", Queue.Purge: "queue", Queue.Delete: "queue",
    Exchange.Declare: "exchange", Exchange.Delete: "exchange", Exchange.Bind: "destination",
    Exchange.Unbind: "destination", Basic.Consume: "queue", Basic.Cancel: "consumer_tag",
    Tx.Select: "", Tx.Commit: "", Tx.Rollback: "",
}  # fmt: skip
"""Methods that are calls of their own, and what each is asked of."""

_ANSWERS: dict[type, str] = {
    Queue.DeclareOk: "queue.declare", Queue.BindOk: "queue.bind", Queue.UnbindOk: "queue.unbind",
    Queue.PurgeOk: "queue.purge", Queue.DeleteOk: "queue.delete", Exchange.DeclareOk: "exchange.declare",
    Exchange.DeleteOk: "exchange.delete", Exchange.BindOk: "exchange.bind", Exchange.UnbindOk: "exchange.unbind",
    Basic.ConsumeOk: "basic.consume", Basic.CancelOk: "basic.cancel", Tx.SelectOk: "tx.select",
    Tx.CommitOk: "tx.commit", Tx.RollbackOk: "tx.rollback",
}  # fmt: skip
_DROPPED = frozenset({"ticket", "nowait"})


class AmqpDecoder:
    """Bytes of one connection in, calls out."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._connection = connection
        self._events = events
        self._client, self._server = Framer(), Framer()
        self._first: bytes | None = b""
        self._channels: dict[int, Channel] = {}
        self._connect: Call | None = None
        self._is_silent = False

    @property
    def in_flight(self) -> bool:
        """Whether a call is begun and not ended."""
        return self._connect is not None or any(channel.in_flight for channel in self._channels.values())

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        if self._first is not None and not self._is_silent:
            data = self._start(data, at_us)
        self._follow(self._client, data, self._asked, "client bytes that are not AMQP's", at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        self._follow(self._server, data, self._told, "server bytes that are not AMQP's", at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: open calls fail with `kind`."""
        self._is_silent = True
        if self._connect is not None:
            self._connect.fail(kind, detail, at_us)
            self._connected()
        for channel in self._channels.values():
            channel.lose(kind, detail, at_us)
        self._channels.clear()

    def _fall_silent(self, reason: str, at_us: int) -> None:
        self._events.gap(reason)
        self.lost(FailureKind.PROTOCOL, reason, at_us)

    def _start(self, data: bytes, at_us: int) -> bytes:
        """The client's protocol header; what is left after it."""
        assert self._first is not None
        first = self._first + data
        if not PROTOCOL.startswith(first[: len(PROTOCOL)]):
            self._fall_silent("a connection that is not AMQP 0-9-1 in clear text", at_us)
            return b""
        self._first = first if len(first) < len(PROTOCOL) else None
        return first[len(PROTOCOL) :]

    def _follow(
        self, framer: Framer, data: bytes, take: Callable[[int, int, bytes, int], None], wrong: str, at_us: int
    ) -> None:
        if self._is_silent:
            return
        try:
            for kind, channel, raw in framer.feed(data):
                if kind != HEARTBEAT:
                    take(kind, channel, raw, at_us)
                if self._is_over():
                    return
        except Malformed:
            self._fall_silent(wrong, at_us)

    def _is_over(self) -> bool:
        return self._is_silent

    def _channel(self, number: int) -> Channel:
        channel = self._channels.get(number)
        if channel is None:
            if len(self._channels) >= MOST_CHANNELS:
                raise Malformed
            channel = self._channels[number] = Channel(f"{self._connection}/{number}", self._events)
        return channel

    # What the client says.

    def _asked(self, kind: int, number: int, raw: bytes, at_us: int) -> None:
        channel = self._channel(number)
        if kind in {HEADER, BODY}:
            done = _collect(channel.asking, kind, raw)
            if done is not None:
                channel.asking = None
                channel.published(done, at_us)
            return
        method: Any = parse(raw)
        if isinstance(method, Basic.Publish):
            channel.asking = Content(method, at_us)
        elif type(method) in _TARGETS:
            self._ask(channel, method, at_us)
        else:
            self._asked_other(channel, number, method, at_us)

    def _ask(self, channel: Channel, method: Any, at_us: int) -> None:
        nowait = bool(getattr(method, "nowait", False))
        if isinstance(method, Basic.Consume):
            channel.consume(method.consumer_tag or "", method.queue or "", no_ack=bool(method.no_ack), nowait=nowait)
        elif isinstance(method, Basic.Cancel):
            channel.cancelled(method.consumer_tag or "")
        named = {name: value for name, value in dict(method).items() if name not in _DROPPED and value is not None}
        target = named.get(_TARGETS[type(method)], "")
        channel.ask(_operation(method), str(target), named, at_us, nowait=nowait)

    def _asked_other(self, channel: Channel, number: int, method: Any, at_us: int) -> None:
        if isinstance(method, Basic.Ack):
            tag = method.delivery_tag or 0
            channel.acknowledged(tag, multiple=bool(method.multiple), is_ack=True, at_us=at_us)
        elif isinstance(method, Basic.Nack):
            tag = method.delivery_tag or 0
            channel.acknowledged(tag, multiple=bool(method.multiple), is_ack=False, at_us=at_us)
        elif isinstance(method, Basic.Reject):
            channel.acknowledged(method.delivery_tag or 0, multiple=False, is_ack=False, at_us=at_us)
        elif isinstance(method, Basic.Get):
            channel.get(method.queue or "", no_ack=bool(method.no_ack))
        elif isinstance(method, Confirm.Select):
            channel.confirms = True
        elif isinstance(method, Connection.StartOk):
            self._connect = call = Call(at_us, "CONNECT", "", "connect")
            call.headers = Headers(_SETUP)
            call.arguments = "{}"
            self._events.begun(call)
        elif isinstance(method, Connection.Open) and self._connect is not None:
            self._connect.target = method.virtual_host or ""
        elif isinstance(method, ChannelClass.Close | ChannelClass.CloseOk):
            self._drop(number, at_us)

    def _drop(self, number: int, at_us: int) -> None:
        channel = self._channels.pop(number, None)
        if channel is not None:
            channel.lose(FailureKind.CANCELLED, "the channel was closed", at_us)

    # What the server says.

    def _told(self, kind: int, number: int, raw: bytes, at_us: int) -> None:
        channel = self._channel(number)
        if kind in {HEADER, BODY}:
            done = _collect(channel.telling, kind, raw)
            if done is not None:
                channel.telling = None
                self._came(channel, done, at_us)
            return
        method: Any = parse(raw)
        if isinstance(method, Basic.Deliver | Basic.GetOk | Basic.Return):
            channel.telling = Content(method, at_us)
        elif type(method) in _ANSWERS:
            self._answered(channel, method, at_us)
        else:
            self._told_other(channel, number, method, at_us)

    def _came(self, channel: Channel, message: Content, at_us: int) -> None:
        if isinstance(message.method, Basic.Return):
            channel.returned(message, at_us)
        else:
            channel.delivered(message, at_us)

    def _answered(self, channel: Channel, method: Any, at_us: int) -> None:
        if isinstance(method, Basic.ConsumeOk):
            channel.consuming(method.consumer_tag or "")
        elif isinstance(method, Tx.SelectOk | Tx.CommitOk | Tx.RollbackOk):
            channel.answered(_ANSWERS[type(method)], {}, at_us)
            channel.in_transactions()
            return
        channel.answered(_ANSWERS[type(method)], dict(method), at_us)

    def _told_other(self, channel: Channel, number: int, method: Any, at_us: int) -> None:
        if isinstance(method, Basic.Ack | Basic.Nack):
            is_ack = isinstance(method, Basic.Ack)
            tag = method.delivery_tag or 0
            channel.confirmed(tag, multiple=bool(method.multiple), is_ack=is_ack, at_us=at_us)
        elif isinstance(method, Basic.GetEmpty):
            channel.got_none()
        elif isinstance(method, Basic.Cancel):
            channel.cancelled(method.consumer_tag or "")
        elif isinstance(method, Connection.OpenOk) and self._connect is not None:
            self._connect.answer(OK, at_us)
            self._connected()
        elif isinstance(method, ChannelClass.Close):
            channel.closed(method.reply_code or 0, method.reply_text or "", at_us)
        elif isinstance(method, Connection.Close):
            self._closed(method, at_us)

    def _connected(self) -> None:
        call, self._connect = self._connect, None
        assert call is not None
        self._events.ended(call)

    def _closed(self, method: Any, at_us: int) -> None:
        code, text = method.reply_code or 0, method.reply_text or ""
        if self._connect is not None:
            self._connect.answer(ERROR, at_us, json({"code": code, "message": text}).encode(), _JSON)
            self._connect.reason = str(code)
            self._connected()
        for channel in self._channels.values():
            channel.closed(code, text, at_us)


def _collect(open_: Content | None, kind: int, raw: bytes) -> Content | None:
    """One more frame of a message; the message, once it is whole."""
    if open_ is None:
        raise Malformed
    if kind == BODY:
        return open_ if open_.add(content(raw)) else None
    header = parse(raw)
    if not isinstance(header, ContentHeader):
        raise Malformed
    return open_ if open_.head(header) else None


def _operation(method: Any) -> str:
    return f"{method.name}".lower()
