"""The MySQL stub: a server that answers every statement from the capture. What it says to one client is in
`mysql_connection.py`."""

import asyncio

from ...capture.engines.listener import TapSpec
from .answers import Answers
from .mysql_connection import Connection
from .mysql_replies import DEFAULT_VERSION, version_of
from .servers import ConversationServer


class MysqlStub(ConversationServer[Connection]):
    """The server."""

    def __init__(self, spec: TapSpec, answers: Answers) -> None:
        super().__init__(spec, answers)
        connects = [call.response for call in answers.calls if call.request.method == "CONNECT"]
        told = [version for version in map(version_of, connects) if version is not None]
        self._version = told[-1] if told else DEFAULT_VERSION

    def _conversation(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Connection:
        return Connection(self.answers, self._version, number, reader, writer)
