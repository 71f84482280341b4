"""The PostgreSQL stub: a server that answers every statement from the capture. What it says to one client is in
`postgres_connection.py`."""

import asyncio
import contextlib

from ...capture.engines.listener import GRACE_S, TapSpec
from ...capture.engines.sockets import listening
from ...capture.headers import Headers
from ...capture.model import Response
from ...capture.wire.call import OK
from .answers import Answers
from .postgres_connection import Broken, Connection, Shared
from .postgres_replies import Shapes, answer_of

_PARAMETERS = {
    "server_version": "16.0",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
}
"""What is said of a session where the capture has none that began."""


class PostgresStub:
    """One listener. `answers` knows what to say."""

    def __init__(self, spec: TapSpec, answers: Answers) -> None:
        self.spec = spec
        calls = answers.calls
        self._shared = Shared(
            spec.name,
            answers,
            Shapes((call.request, call.response) for call in calls),
            _told_parameters([call.response for call in calls if call.request.method == "CONNECT"]),
            {},
            asyncio.Event(),
        )
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Connection] = {}
        self._accepted = 0

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""
        self._server = await asyncio.start_server(
            self._accept, **listening(self.spec.listen, self.spec.network), backlog=1024
        )
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Take no more connections, close each once it is idle, give calls in flight `grace_s` seconds."""
        if self._server is not None:
            self._server.close()
        self._shared.stopping.set()
        for task, connection in self._open.items():
            if not connection.is_busy:
                task.cancel()
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=grace_s)
            for task in late:
                task.cancel()

    @property
    def is_busy(self) -> bool:
        """Whether something is asked and not answered yet."""
        return any(connection.is_busy for connection in self._open.values())

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._accepted += 1
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(self._shared, f"c-{self._accepted}", self._accepted, reader, writer)
        self._open[task] = connection
        try:
            # A stopped stub cancels its connections; a client that has gone is nobody to tell.
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, Broken):
                await connection.serve()
        finally:
            self._open.pop(task, None)
            self._shared.waiting.pop(connection.pid, None)
            writer.close()


def _told_parameters(responses: list[Response | None]) -> Headers:
    """What the last recorded session was told."""
    told = dict(_PARAMETERS)
    for response in responses:
        if response is not None and response.status == OK:
            told |= {name: value for name, value in answer_of(response.body).items() if isinstance(value, str)}
    # The stub writes texts in nothing else, whatever was recorded.
    return Headers((told | {"client_encoding": "UTF8"}).items())
