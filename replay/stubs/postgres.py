"""The PostgreSQL stub: a server that answers every statement from the capture. What it says to one client is in
`postgres_connection.py`."""

import asyncio

from ...capture.engines.listener import TapSpec
from ...capture.headers import Headers
from ...capture.model import Response
from ...capture.wire.call import OK
from .answers import Answers
from .postgres_connection import Connection, Shared
from .postgres_replies import Shapes, answer_of
from .servers import ConversationServer

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


class PostgresStub(ConversationServer[Connection]):
    """The server."""

    def __init__(self, spec: TapSpec, answers: Answers) -> None:
        super().__init__(spec, answers)
        calls = answers.calls
        self._shared = Shared(
            spec.name,
            answers,
            Shapes((call.request, call.response) for call in calls),
            _told_parameters([call.response for call in calls if call.request.method == "CONNECT"]),
            {},
        )

    def _conversation(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Connection:
        return Connection(self._shared, f"c-{number}", number, reader, writer)

    def _over(self, conversation: Connection) -> None:
        self._shared.waiting.pop(conversation.pid, None)


def _told_parameters(responses: list[Response | None]) -> Headers:
    """What the last recorded session was told."""
    told = dict(_PARAMETERS)
    for response in responses:
        if response is not None and response.status == OK:
            told |= {name: value for name, value in answer_of(response.body).items() if isinstance(value, str)}
    # The stub writes texts in nothing else, whatever was recorded.
    return Headers((told | {"client_encoding": "UTF8"}).items())
