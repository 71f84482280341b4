"""Messages to RabbitMQ over AMQP 0-9-1; pamqp packs and unpacks the frames.

A message goes to the exchange and routing key that it was recorded with, or, where it came by the default exchange, to
its queue. It is published as mandatory on a channel with publisher confirms: one that no queue takes comes back, and
may be tried again (rabbitmq.com, "Consumer Acknowledgements and Publisher Confirms").
"""

import asyncio
import contextlib
import struct
from datetime import UTC, datetime
from typing import Any

from pamqp import body, commands, exceptions, frame, header, heartbeat

from ....capture.headers import Headers
from ....capture.model import FailureKind, Request
from .base import WITHIN_S, Access, Undelivered, arguments_of

_PROTOCOL = b"AMQP\x00\x00\x09\x01"
_LARGEST_FRAME = 128 << 10
_LONGEST_NAME = 128
_HEAD = 7
_CHANNEL = 1
_PROPERTIES = frozenset(
    {"content-type", "content-encoding", "correlation-id", "reply-to", "message-id", "app-id", "expiration"}
)
_NUMBERS = {"priority": range(256), "delivery-mode": range(1, 3)}
_BROKERS_OWN = frozenset({"user-id", "x-death", "x-delivery-count"})
"""Headers that the broker sets, or checks against who publishes."""


class AmqpProducer:
    """One connection to one broker, with one channel."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._largest = _LARGEST_FRAME
        self._turn = asyncio.Lock()

    async def produce(self, message: Request) -> None:
        """Publish, and wait for the confirmation; see `Producer`."""
        async with self._turn:
            try:
                async with asyncio.timeout(WITHIN_S):
                    if self._stream is None:
                        await self._connect()
                    self._send(packed(message, self._largest))
                    await self._confirmed()
            except TimeoutError as error:
                await self.close()
                raise Undelivered(FailureKind.TIMEOUT, f"no word from the broker within {WITHIN_S:g} s") from error
            except (OSError, EOFError, exceptions.PAMQPException, ValueError, TypeError) as error:
                await self.close()
                raise Undelivered(FailureKind.RESET, f"the connection to the bus broke: {error}") from error
            except Undelivered as error:
                if not error.unheard:
                    await self.close()
                raise

    async def close(self) -> None:
        """Close the connection."""
        if self._stream is None:
            return
        _, writer = self._stream
        with contextlib.suppress(OSError):
            writer.write(frame.marshal(commands.Connection.Close(200, "done", 0, 0), 0))
            await writer.drain()
        writer.close()
        self._stream = None

    async def _connect(self) -> None:
        access = self._access
        self._stream = await access.connect()
        self._stream[1].write(_PROTOCOL)
        await self._next(commands.Connection.Start)
        login = "\0".join(("", access.user or "guest", access.password or "guest"))
        self._write((0, commands.Connection.StartOk({"product": "seamline"}, "PLAIN", login, "en_US")))
        tune = await self._next(commands.Connection.Tune)
        self._largest = min(tune.frame_max or _LARGEST_FRAME, _LARGEST_FRAME)
        self._write((0, commands.Connection.TuneOk(tune.channel_max or 0, self._largest, 0)))
        self._write((0, commands.Connection.Open(access.path or "/")))
        await self._next(commands.Connection.OpenOk)
        self._write((_CHANNEL, commands.Channel.Open()))
        await self._next(commands.Channel.OpenOk)
        self._write((_CHANNEL, commands.Confirm.Select()))
        await self._next(commands.Confirm.SelectOk)

    async def _confirmed(self) -> None:
        """Until the broker has confirmed what was published. A message that no queue takes is confirmed too, after it
        has come back."""
        returned = False
        while True:
            told = await self._next(object)
            if isinstance(told, commands.Basic.Return):
                returned = True
            elif isinstance(told, commands.Basic.Ack):
                if returned:
                    raise Undelivered(FailureKind.TIMEOUT, "no queue takes the message", unheard=True)
                return
            elif isinstance(told, commands.Basic.Nack):
                raise Undelivered(FailureKind.PROTOCOL, "the broker has not taken the message")

    async def _next(self, wanted: type[Any]) -> Any:
        """The next frame, which has to be a `wanted` one."""
        assert self._stream is not None
        reader, writer = self._stream
        while True:
            raw = await reader.readexactly(_HEAD)
            if not raw.startswith(b"AMQP"):
                raw += await reader.readexactly(int.from_bytes(raw[3:7]) + 1)
            told: Any = frame.unmarshal(raw)[2]
            if isinstance(told, heartbeat.Heartbeat):
                writer.write(heartbeat.Heartbeat().marshal())
            elif isinstance(told, commands.Connection.Close | commands.Channel.Close):
                missing = told.reply_code == 404
                text = f"the bus refuses: {told.reply_code} {str(told.reply_text)[:200]}"
                if missing:
                    # An exchange that is still to be declared: the channel is gone, and with it the connection.
                    await self.close()
                raise Undelivered(FailureKind.PROTOCOL, text, unheard=missing)
            elif isinstance(told, wanted):
                return told
            elif not isinstance(told, header.ContentHeader | body.ContentBody):
                raise Undelivered(FailureKind.PROTOCOL, "the bus does not speak AMQP 0-9-1 as expected")

    def _write(self, *frames: tuple[int, Any]) -> None:
        self._send(b"".join(frame.marshal(each, channel) for channel, each in frames))

    def _send(self, raw: bytes) -> None:
        assert self._stream is not None
        self._stream[1].write(raw)


def packed(message: Request, largest: int = _LARGEST_FRAME) -> bytes:
    """The bytes that publish `message`. Undelivered where AMQP cannot say it: the name of a header has more than 128
    bytes, another name more than 255."""
    try:
        return b"".join(frame.marshal(each, channel) for channel, each in encode(message, largest))
    except (exceptions.PAMQPException, ValueError, TypeError, struct.error) as error:
        detail = f"AMQP cannot say it: {type(error).__name__}"
        raise Undelivered(FailureKind.PROTOCOL, detail, unheard=False) from error


def encode(message: Request, largest: int = _LARGEST_FRAME) -> list[tuple[int, Any]]:
    """The frames that publish `message`, none over `largest` bytes. Undelivered where no exchange or queue is named."""
    asked = arguments_of(message)
    exchange, key = str(asked.get("exchange") or ""), str(asked.get("routing_key") or "")
    if not exchange:
        key = message.target
    if not (exchange or key):
        raise Undelivered(FailureKind.PROTOCOL, "the message names neither an exchange nor a queue")
    content, piece = message.body, largest - 8
    frames: list[Any] = [
        commands.Basic.Publish(0, exchange, key, True),
        header.ContentHeader(0, len(content), _properties(message.headers)),
        *(body.ContentBody(content[at : at + piece]) for at in range(0, len(content), piece)),
    ]
    return [(_CHANNEL, each) for each in frames]


def _properties(headers: Headers) -> commands.Basic.Properties:
    """The properties that a decoder has put among the headers, and the header table. What is left is text."""
    known: dict[str, Any] = {}
    table: dict[str, Any] = {}
    for name, value in headers.items:
        lower = name.lower()
        if lower in _PROPERTIES:
            known[lower.replace("-", "_")] = value
        elif lower == "type":
            known["message_type"] = value
        elif lower in _NUMBERS:
            # What a property cannot be is left out: AMQP 0-9-1 knows two delivery modes.
            if value.isdecimal() and int(value) in _NUMBERS[lower]:
                known[lower.replace("-", "_")] = int(value)
        elif lower == "timestamp":
            stamp = _instant(value)
            if stamp is not None:
                known["timestamp"] = stamp
        elif lower not in _BROKERS_OWN and not lower.startswith(("x-first-death-", "x-last-death-")):
            if len(name.encode()) > _LONGEST_NAME:
                # pamqp would cut it, and put it into a log.
                raise ValueError(_LONGEST_NAME)
            table[name] = value
    return commands.Basic.Properties(**known, headers=table or None)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text), UTC) if text.isdecimal() else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
