"""A connection of Seamline's own to a Redis server: one command after another, in RESP2."""

import asyncio
import contextlib
from collections.abc import Sequence

from ...capture.errors import CouldNotCheck
from ...capture.wire.redis.bounded import Malformed
from ...capture.wire.redis.encode import encode_command
from ...capture.wire.redis.reply_reader import ReplyReader
from ...capture.wire.redis.values import Fault, Value
from .access import Access

CONNECT_WITHIN_S = 10.0
ANSWER_WITHIN_S = 60.0
_CHUNK = 64 << 10
_BATCH = 200
"""Commands that are sent at once: neither side's buffers fill up."""

Word = str | bytes


class Refused(Exception):
    """The server answers a command with an error; the text is the server's."""


class RedisLink:
    """Open one with `open`. `what` begins every message of an error. Commands of several tasks take turns."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: str) -> None:
        self._reader = reader
        self._writer = writer
        self._what = what
        self._replies = ReplyReader()
        self._turn = asyncio.Lock()
        self._database = 0

    @classmethod
    async def open(cls, access: Access, what: str) -> "RedisLink":
        """Connect, and say who comes. CouldNotCheck where that fails."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                reader, writer = await asyncio.open_connection(access.host, access.port)
        except (OSError, TimeoutError) as error:
            raise CouldNotCheck(
                f"{what} no Redis at {access.host}:{access.port}", "start it, or name another address"
            ) from error
        link = cls(reader, writer, what)
        if access.password:
            try:
                await link.run(0, ["AUTH", *filter(None, [access.user]), access.password])
            except Refused as error:
                await link.close()
                raise CouldNotCheck(f"{what} Redis does not let us in", "mend the password in its URL") from error
        return link

    async def run(self, database: int, command: Sequence[Word]) -> Value:
        """One command in `database`. Raises Refused; CouldNotCheck where the connection fails."""
        (value,) = await self.run_all(database, [command])
        if isinstance(value, Fault):
            raise Refused(value.decode("utf-8", "replace"))
        return value

    async def run_all(self, database: int, commands: Sequence[Sequence[Word]]) -> list[Value]:
        """Many commands in `database`, their answers in order, errors among them."""
        async with self._turn:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    if database != self._database:
                        await self._select(database)
                    answers: list[Value] = []
                    for begin in range(0, len(commands), _BATCH):
                        answers += await self._exchange(commands[begin : begin + _BATCH])
                    return answers
            except (OSError, TimeoutError, Malformed) as error:
                raise CouldNotCheck(f"{self._what} the connection to Redis broke", "look at its log") from error

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _select(self, database: int) -> None:
        (value,) = await self._exchange([["SELECT", str(database)]])
        if isinstance(value, Fault):
            raise Refused(value.decode("utf-8", "replace"))
        self._database = database

    async def _exchange(self, commands: Sequence[Sequence[Word]]) -> list[Value]:
        self._writer.write(b"".join(map(encode_command, commands)))
        await self._writer.drain()
        answers: list[Value] = []
        while len(answers) < len(commands):
            data = await self._reader.read(_CHUNK)
            if not data:
                raise ConnectionResetError("the server hung up")
            self._replies.feed(data, answers)
        return answers
