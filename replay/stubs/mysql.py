"""The MySQL stub: a server that answers every statement from the capture. What it says to one client is in
`mysql_connection.py`."""

import asyncio
import contextlib

from ...capture.engines.listener import GRACE_S, TapSpec
from .answers import Answers
from .mysql_connection import Broken, Connection
from .mysql_replies import DEFAULT_VERSION, version_of


class MysqlStub:
    """One listener. `answers` knows what to say."""

    def __init__(self, spec: TapSpec, answers: Answers) -> None:
        self.spec = spec
        self._answers = answers
        connects = [call.response for call in answers.calls if call.request.method == "CONNECT"]
        told = [version for version in map(version_of, connects) if version is not None]
        self._version = told[-1] if told else DEFAULT_VERSION
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Connection] = {}
        self._accepted = 0

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""
        self._server = await asyncio.start_server(self._accept, *self.spec.listen, backlog=1024)
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Take no more connections, close each once it is idle, give calls in flight `grace_s` seconds."""
        if self._server is not None:
            self._server.close()
        for task, connection in list(self._open.items()):
            connection.is_last = True
            if not connection.is_busy:
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
        return any(connection.is_busy for connection in self._open.values())

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted += 1
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(self._answers, self._version, self._accepted, reader, writer)
        self._open[task] = connection
        try:
            # A stopped stub cancels its connections; a client that has gone is nobody to tell.
            with contextlib.suppress(asyncio.CancelledError, OSError, Broken):
                await connection.serve()
        finally:
            self._open.pop(task, None)
            writer.close()
