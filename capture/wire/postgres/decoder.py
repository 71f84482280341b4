"""The decoder of one PostgreSQL connection: the order in which messages come, start-up included.

Three rules hold here. A password or SASL message is never looked into. What is out of step is one `gap`, and then
silence for the connection. What each direction's messages mean is in `asked.py` (client) and `told.py` (server).

A connection itself is a call too (CONNECT): its answer is what the server says of the session. It is marked as `setup`,
for pools open connections as they like. A connection that turns to encryption or replicates (replication=…) cannot be
followed: a gap. Notices say nothing of a service's behaviour and are left out.
"""

from struct import Struct
from typing import Any

import orjson

from ...headers import Headers
from ...model import FailureKind
from ..call import ERROR, OK, Call, CallEvents
from .asked import Asked
from .errors import error_body
from .messages import (
    CANCEL_REQUEST,
    GSSENC_REQUEST,
    SSL_REQUEST,
    Framer,
    Malformed,
    parse_fields,
    parse_startup,
    text_until_zero,
)
from .session import Session
from .told import Told

_FIRST = Struct("!II")
_LONGEST_STARTUP = 10_000
"""PostgreSQL takes no longer start-up packet (MAX_STARTUP_PACKET_LENGTH)."""

_ASKS = {SSL_REQUEST, GSSENC_REQUEST}
_REPLICATES = frozenset({"true", "on", "yes", "1", "database"})
TOLD_PARAMETERS = frozenset(
    {
        "server_version",
        "server_encoding",
        "client_encoding",
        "DateStyle",
        "IntervalStyle",
        "TimeZone",
        "integer_datetimes",
        "standard_conforming_strings",
        "default_transaction_read_only",
        "in_hot_standby",
    }
)
"""What is kept of a server's words on a new session: what a driver goes by."""

_ERROR, _READY, _STATUS = 0x45, 0x5A, 0x53


class PostgresDecoder:
    """Bytes of one connection in, calls out. `connection` names its transactions."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._events = events
        self._session = Session(connection, events)
        self._asked = Asked(self._session)
        self._told = Told(self._session)
        self._client = Framer()
        self._server = Framer()
        self._first = b""
        self._is_started = False
        self._is_ready = False
        self._is_silent = False
        self._single_bytes = 0
        self._cancel: Call | None = None
        self._connect: Call | None = None
        self._parameters: dict[str, str] = {}

    @property
    def in_flight(self) -> bool:
        """Whether a call is begun and not ended."""
        return not self._is_silent and (self._session.open > 0 or self._cancel is not None or self._connect is not None)

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        if self._is_silent:
            return
        if not self._is_started:
            data = self._start(data, at_us)
        if not self._is_started or self._is_silent:
            return
        try:
            self._hear(data, at_us)
        except Malformed:
            self._fall_silent("client bytes that are not PostgreSQL's", at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        while data and self._single_bytes and not self._is_silent:
            self._single_bytes -= 1
            if data[:1] != b"N":
                self._fall_silent("a connection that turned to encryption", at_us)
            data = data[1:]
        if self._is_silent:
            return
        try:
            self._listen(data, at_us)
        except Malformed:
            self._fall_silent("server bytes that are not PostgreSQL's", at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: open calls fail with `kind`."""
        if self._cancel is not None:
            # Nothing else answers a cancel request.
            self._cancel.answer(OK, at_us)
            self._events.ended(self._cancel)
            self._cancel = None
        if self._connect is not None:
            self._connect.fail(kind, detail, at_us)
            self._connected()
        self._session.lose(kind, detail, at_us)
        self._is_silent = True

    def _hear(self, data: bytes, at_us: int) -> None:
        self._client.dispatch(data, self._asked.handlers, at_us)

    def _listen(self, data: bytes, at_us: int) -> None:
        if self._is_ready:
            self._server.dispatch(data, self._told.handlers, at_us)
            return
        for kind, body, size in self._server.feed(data):
            self._starting_or_ready(kind, body, size, at_us)

    def _starting_or_ready(self, kind: int, body: bytes, size: int, at_us: int) -> None:
        if not self._is_ready:
            self._starting(kind, body, at_us)
            return
        handler = self._told.handlers.get(kind)
        if handler is None:
            raise Malformed
        handler(body, size, at_us)

    def _fall_silent(self, reason: str, at_us: int) -> None:
        self._is_silent = True
        self._events.gap(reason)
        if self._connect is not None:
            self._connect.fail(FailureKind.PROTOCOL, reason, at_us)
            self._connected()
        self._session.lose(FailureKind.PROTOCOL, reason, at_us)

    def _start(self, data: bytes, at_us: int) -> bytes:
        """The client's first messages, which have no kind; what is left once they are through."""
        self._first += data
        while len(self._first) >= 8 and not self._is_started and not self._is_silent:
            size, code = _FIRST.unpack_from(self._first)
            if not 8 <= size <= _LONGEST_STARTUP:
                self._fall_silent("client bytes that are not PostgreSQL's", at_us)
            elif len(self._first) < size:
                break
            else:
                body, self._first = self._first[8:size], self._first[size:]
                self._first_message(code, body, at_us)
        rest, self._first = (self._first, b"") if self._is_started else (b"", self._first)
        return rest

    def _first_message(self, code: int, body: bytes, at_us: int) -> None:
        if code in _ASKS:
            self._single_bytes += 1
        elif code == CANCEL_REQUEST:
            self._cancel = call = Call(at_us, "CANCEL", operation="CANCEL")
            call.arguments = "{}"
            self._events.begun(call)
            self._is_started = self._is_ready = True
        elif code >> 16 == 3:
            self._startup(body, at_us)
        else:
            self._fall_silent("client bytes that are not PostgreSQL's", at_us)

    def _startup(self, body: bytes, at_us: int) -> None:
        try:
            parameters = parse_startup(body)
        except Malformed:
            self._fall_silent("client bytes that are not PostgreSQL's", at_us)
            return
        if parameters.get("replication", "").lower() in _REPLICATES:
            self._fall_silent("a replication connection", at_us)
            return
        database = self._session.database = parameters.get("database") or parameters.get("user", "")
        self._connect = call = Call(at_us, "CONNECT", database, "CONNECT")
        call.arguments = "{}"
        call.headers = Headers((("database", database), ("setup", "yes")))
        self._events.begun(call)
        self._is_started = True

    def _starting(self, kind: int, body: bytes, at_us: int) -> None:
        """A message of the server's before its first ReadyForQuery."""
        if kind == _READY:
            self._is_ready = True
            self._end_connect(OK, self._parameters, at_us)
        elif kind == _STATUS:
            name, at = text_until_zero(body, 0)
            value, _ = text_until_zero(body, at)
            self._parameter(name.decode("latin-1"), value.decode("utf-8", "replace"))
        elif kind == _ERROR:
            self._end_connect(ERROR, error_body(parse_fields(body)), at_us)
        elif chr(kind) not in "RKNvA":
            raise Malformed

    def _parameter(self, name: str, value: str) -> None:
        self._session.parameter(name, value)
        if name in TOLD_PARAMETERS:
            self._parameters[name] = value

    def _end_connect(self, status: int, body: dict[str, Any], at_us: int) -> None:
        call = self._connect
        if call is not None:
            call.answer(status, at_us, orjson.dumps(body), Headers((("content-type", "application/json"),)))
            call.reason = body["code"] if status == ERROR else "CONNECT"
            self._connected()

    def _connected(self) -> None:
        call, self._connect = self._connect, None
        assert call is not None
        self._events.ended(call)
