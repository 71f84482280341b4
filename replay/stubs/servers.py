"""What the stubs of all protocols share: a listener, its connections, and the end of both.

A protocol says what one connection does. Two kinds of them exist: an `asyncio.Protocol`, told what comes, and a
conversation over streams, in a task of its own.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import Any, Protocol, cast

from ...capture.engines.listener import GRACE_S, TapSpec
from ...capture.engines.sockets import listening
from .answers import Answers

_BACKLOG = 1024


class HangUp(Exception):
    """A conversation ends here: it is broken, or was recorded so."""


class Told(Protocol):
    """A connection that is told what comes (an `asyncio.Protocol`)."""

    def close_when_idle(self) -> None:
        """Close now, or once what is under way has been answered."""

    def abort(self) -> None:
        """Close now."""


class Conversation(Protocol):
    """A connection that reads for itself. `is_busy` while something is asked and not answered; `is_last` says that
    nothing more is to be read after it."""

    is_busy: bool
    is_last: bool

    async def serve(self) -> None:
        """Answer until the client leaves. Raises HangUp and OSError, which end the connection."""

    def hang_up(self) -> None:
        """Close the connection."""


class _Listening(ABC):
    """A listener where `spec` says. `answers` knows what to say."""

    def __init__(self, spec: TapSpec, answers: Answers) -> None:
        self.spec = spec
        self.answers = answers
        self._accepted = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""
        # In the service's own network, where it has one.
        self._server = await self._listen(listening(self.spec.listen, self.spec.network))
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    @abstractmethod
    async def _listen(self, at: Any) -> asyncio.Server: ...

    def _take_no_more(self) -> None:
        if self._server is not None:
            self._server.close()


class ToldServer[C: Told](_Listening):
    """A listener whose connections are told what comes."""

    def __init__(self, spec: TapSpec, answers: Answers) -> None:
        super().__init__(spec, answers)
        self.connections: set[C] = set()
        self._drained: asyncio.Event | None = None

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Take no more connections, close each once it is idle, give calls in flight `grace_s` seconds."""
        self._take_no_more()
        self._drained = asyncio.Event()
        for connection in list(self.connections):
            connection.close_when_idle()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._drained.wait()
        for connection in list(self.connections):
            connection.abort()

    def gone(self, connection: C) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if self._drained is not None and not self.connections:
            self._drained.set()

    @abstractmethod
    def _connection(self, name: str) -> C:
        """A new connection, which is an `asyncio.Protocol`."""

    async def _listen(self, at: Any) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(self._accept, **at, backlog=_BACKLOG)

    def _accept(self) -> asyncio.Protocol:
        self._accepted += 1
        connection = self._connection(f"c-{self._accepted}")
        self.connections.add(connection)
        return cast(asyncio.Protocol, connection)


class ConversationServer[C: Conversation](_Listening):
    """A listener whose connections each converse in a task of their own."""

    def __init__(self, spec: TapSpec, answers: Answers) -> None:
        super().__init__(spec, answers)
        self._open: dict[asyncio.Task[None], C] = {}

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Take no more connections, close each once it is idle, give calls in flight `grace_s` seconds."""
        self._take_no_more()
        for task, conversation in list(self._open.items()):
            conversation.is_last = True
            if not conversation.is_busy:
                task.cancel()
        if self._open:
            _, late = await asyncio.wait(list(self._open), timeout=grace_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    @property
    def is_busy(self) -> bool:
        """Whether something is asked and not answered yet."""
        return any(conversation.is_busy for conversation in self._open.values())

    @abstractmethod
    def _conversation(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> C:
        """The conversation of the connection of this number, from 1."""

    def _over(self, conversation: C) -> None:
        """A conversation has ended."""

    async def _listen(self, at: Any) -> asyncio.Server:
        return await asyncio.start_server(self._accept, **at, backlog=_BACKLOG)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted += 1
        task = asyncio.current_task()
        assert task is not None
        conversation = self._open[task] = self._conversation(self._accepted, reader, writer)
        try:
            # A stopped stub cancels its conversations; a client that has gone is nobody to tell.
            with contextlib.suppress(asyncio.CancelledError, OSError, HangUp):
                await conversation.serve()
        finally:
            del self._open[task]
            self._over(conversation)
            conversation.hang_up()
