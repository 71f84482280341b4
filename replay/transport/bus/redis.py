"""Messages to the channels of a Redis server, spoken by hand; its replies are read as a tap reads them.

PUBLISH answers how many clients got the message. Where it is none, SPUBLISH (Redis 7) asks those that subscribe to a
shard's channel; where nobody does that either it is no delivery, and may be tried again.
"""

import asyncio

from ....capture.model import FailureKind, Request
from ....capture.wire.redis.reply_reader import ReplyReader
from ....capture.wire.redis.values import Fault, Value
from .base import WITHIN_S, Access, Undelivered

_AT_ONCE = 64 << 10


class RedisProducer:
    """One connection to one server."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._replies = ReplyReader()
        self._turn = asyncio.Lock()

    async def produce(self, message: Request) -> None:
        """Publish to the channel; see `Producer`."""
        channel = message.target.encode("utf-8", "surrogateescape")
        async with self._turn:
            try:
                async with asyncio.timeout(WITHIN_S):
                    if self._stream is None:
                        await self._connect()
                    heard = await self._ask(b"PUBLISH", channel, message.body)
                    if heard == 0:
                        heard = await self._ask(b"SPUBLISH", channel, message.body)
            except TimeoutError as error:
                await self.close()
                raise Undelivered(FailureKind.TIMEOUT, f"no word from the server within {WITHIN_S:g} s") from error
            except (OSError, EOFError, ValueError) as error:
                await self.close()
                raise Undelivered(FailureKind.RESET, f"the connection to the bus broke: {error}") from error
        if isinstance(heard, Fault) and not heard.lower().startswith(b"err unknown command"):
            raise Undelivered(FailureKind.PROTOCOL, _refusal(heard))
        if not isinstance(heard, int) or heard == 0:
            raise Undelivered(FailureKind.TIMEOUT, "nobody is subscribed to the channel", unheard=True)

    async def close(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream[1].close()
            self._stream = None
            self._replies = ReplyReader()

    async def _connect(self) -> None:
        access = self._access
        self._stream = await access.connect()
        if access.password:
            words = (b"AUTH", access.user.encode(), access.password.encode())
            said = await self._ask(*(word for word in words if word))
            if isinstance(said, Fault):
                await self.close()
                raise Undelivered(FailureKind.CONNECT, _refusal(said))

    async def _ask(self, *words: bytes) -> Value:
        assert self._stream is not None
        reader, writer = self._stream
        writer.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
        said: list[Value] = []
        while not said:
            data = await reader.read(_AT_ONCE)
            if not data:
                raise EOFError("closed by the server")
            self._replies.feed(data, said)
        return said[0]


def _refusal(fault: Fault) -> str:
    return f"the bus refuses: {fault.decode('utf-8', 'replace')[:200]}"
