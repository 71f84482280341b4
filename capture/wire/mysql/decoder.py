"""The decoder of one MySQL or MariaDB connection: the order of packets, and what each command makes of them.

Three rules hold here. Packets with credentials are stepped over. Answers come in the order of the commands, so
`_pending` is a queue and its head is what the next packet belongs to. What is out of step is one `gap`, and then
silence for the connection.

A connection that turns to encryption or compression, and one that replicates, cannot be followed: a gap. What only
keeps a connection alive (ping, reset, statistics) is no call.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from ...headers import Headers
from ...model import FailureKind
from ..call import BODY_CAP, ERROR, OK, Call, CallEvents
from ..sql import Rows, Statement, arguments
from ..sql.statement import EMPTY
from .errors import error_body
from .handshake import Capability, Greeting, parse_change_user, parse_greeting, parse_login
from .packets import Framer, Malformed, Packet, integer_at
from .parameters import LongData, parse_bulk, parse_execute, parse_query
from .results import FieldsReader, LoginReader, OneReader, Outcome, PrepareReader, Reader, ResultReader
from .session import LAST_PREPARED, SETUP, Prepared, Session, attribute_headers, binds_of

MOST_PENDING = 1 << 16
"""Commands that may wait for their answers at a time."""

MOST_RESULTS = 32
"""Results of one call that are kept beyond its first."""

Handler = Callable[[Packet, int], None]

_JSON = (("content-type", "application/json"),)
_ENCRYPTED = Capability.COMPRESS | Capability.ZSTD
_COUNTING = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "CALL", "WITH"})
_QUIT, _QUERY, _CHANGE_USER = 0x01, 0x03, 0x11


class _Pending:
    """A command that waits for its answer; `done` is told what it was."""

    __slots__ = ("at_us", "attributes", "call", "done", "more", "prepared", "reader", "rows", "script")

    def __init__(self, at_us: int, reader: Reader, done: Callable[["_Pending", Outcome, int], bool]) -> None:
        self.at_us = at_us
        self.reader = reader
        self.done = done
        self.call: Call | None = None
        self.script: deque[Statement] = deque()
        self.attributes: dict[str, Any] = {}
        self.prepared: Prepared | None = None
        self.rows: Rows | None = None
        self.more: list[Rows] = []


class MysqlDecoder:
    """Bytes of one connection in, calls out. `connection` names its transactions."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._events = events
        self._session = Session(connection)
        self._client, self._server = Framer(), Framer()
        self._pending: deque[_Pending] = deque()
        self._greeting: Greeting | None = None
        self._has_login = self._is_silent = self._takes_file = False
        self._file: list[bytes] = []
        self._file_size = 0
        self._open = 0
        self._commands: dict[int, Handler] = {
            _QUIT: self._nothing,
            0x02: self._init_db,
            _QUERY: self._query,
            0x04: self._field_list,
            0x09: self._statistics,
            _CHANGE_USER: self._change_user,
            0x16: self._prepare,
            0x17: self._execute,
            0x18: self._long_data,
            0x19: self._close,
            0x1A: self._reset_statement,
            0x1C: self._fetch,
            0x1F: self._reset_connection,
            0xFA: self._bulk,
        }

    @property
    def in_flight(self) -> bool:
        """Whether a call is open."""
        return self._open > 0

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        self._follow(self._client.feed(data), self._asked, "client bytes that are not MySQL's", at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        self._follow(self._server.feed(data), self._told, "server bytes that are not MySQL's", at_us)

    def _follow(self, packets: Iterator[Packet], take: Handler, wrong: str, at_us: int) -> None:
        if self._is_silent:
            return
        try:
            for packet in packets:
                take(packet, at_us)
                if self._is_over():
                    return
        except Malformed:
            self._fall_silent(wrong, at_us)

    def _is_over(self) -> bool:
        return self._is_silent

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: open calls fail with `kind`."""
        self._is_silent = True
        while self._pending:
            call = self._pending.popleft().call
            if call is not None:
                call.fail(kind, detail, at_us)
                self._ended(call)

    def _fall_silent(self, reason: str, at_us: int) -> None:
        self._events.gap(reason)
        self.lost(FailureKind.PROTOCOL, reason, at_us)

    def _begun(self, call: Call) -> Call:
        self._open += 1
        self._events.begun(call)
        return call

    def _ended(self, call: Call) -> None:
        self._open -= 1
        self._events.ended(call)

    def _expect(self, at_us: int, reader: Reader, done: Callable[[_Pending, Outcome, int], bool]) -> _Pending:
        if len(self._pending) >= MOST_PENDING:
            raise Malformed
        pending = _Pending(at_us, reader, done)
        self._pending.append(pending)
        return pending

    # What the client says.

    def _asked(self, packet: Packet, at_us: int) -> None:
        if not self._has_login:
            self._login(packet, at_us)
        elif self._takes_file:
            self._file_part(packet)
        elif not packet.sequence:
            command = self._commands.get(packet.body[0]) if packet.body else None
            if command is not None:
                command(packet, at_us)
            elif packet.body and packet.body[0] in _OTHERS:
                self._other(packet, at_us)
            else:
                raise Malformed
        # Else: credentials, on a server's request.

    def _login(self, packet: Packet, at_us: int) -> None:
        if self._greeting is None:
            self._fall_silent("a MySQL connection whose beginning was not seen", at_us)
            return
        login = parse_login(packet.body, self._greeting.capabilities)
        if login.turns_to_tls or login.capabilities & _ENCRYPTED:
            self._fall_silent("a MySQL connection that turned to encryption or compression", at_us)
            return
        self._has_login = True
        session = self._session
        session.capabilities, session.database = login.capabilities, login.database
        session.collation(login.collation)
        pending = self._expect(at_us, LoginReader(login.capabilities), self._logged_in)
        pending.call = self._begun(session.other_call("CONNECT", at_us, SETUP))

    def _nothing(self, packet: Packet, at_us: int) -> None:
        """Nothing that is answered."""

    def _init_db(self, packet: Packet, at_us: int) -> None:
        database = packet.body[1:].decode("utf-8", "backslashreplace")
        pending = self._expect(at_us, ResultReader(self._session.capabilities), self._database_taken)
        pending.attributes = {"database": database}
        call = self._session.other_call("USE", at_us, SETUP)
        call.headers = call.headers.with_value("database", database)
        pending.call = self._begun(call)

    def _query(self, packet: Packet, at_us: int) -> None:
        session = self._session
        text, attributes = parse_query(packet.body, session.capabilities)
        script = (session.script(text) if packet.is_whole else session.script(b"'")) or (EMPTY,)
        pending = self._expect(at_us, ResultReader(session.capabilities), self._answered)
        pending.attributes = attributes
        pending.script.extend(script)
        pending.call = self._begun(session.statement_call(pending.script.popleft(), at_us, attributes))

    def _prepare(self, packet: Packet, at_us: int) -> None:
        session = self._session
        script = session.script(packet.body[1:] if packet.is_whole else b"'") or (EMPTY,)
        pending = self._expect(at_us, PrepareReader(session.capabilities), self._prepared)
        pending.prepared = Prepared(script[0], binds_of(script[0]))

    def _execute(self, packet: Packet, at_us: int) -> None:
        session = self._session
        number, _ = integer_at(packet.body, 1, 4)
        prepared = self._of_number(number)
        said = prepared.arguments
        extra: tuple[tuple[str, str], ...] = ()
        is_cut = not packet.is_whole or prepared.long.is_cut
        if packet.is_whole and prepared.statement.is_read:
            bound, prepared.types = parse_execute(
                packet.body, session.capabilities, prepared.parameters, prepared.types, prepared.long
            )
            said, extra = arguments(prepared.statement, bound.values), attribute_headers(bound.attributes)
        prepared.long, prepared.arguments, prepared.fetches = LongData(), said, 0
        pending = self._expect(at_us, ResultReader(session.capabilities, is_binary=True), self._answered)
        pending.prepared = prepared
        call = session.call(prepared.statement, said, at_us, extra)
        call.truncated = call.truncated or is_cut
        pending.call = self._begun(call)

    def _of_number(self, number: int) -> Prepared:
        """The statement of a number. A client that does not wait for its number says "the last one", which may still
        wait for its own answer."""
        if number == LAST_PREPARED:
            for pending in reversed(self._pending):
                if isinstance(pending.reader, PrepareReader) and pending.prepared is not None:
                    return pending.prepared
        return self._session.prepared(number)

    def _bulk(self, packet: Packet, at_us: int) -> None:
        session = self._session
        prepared = self._of_number(integer_at(packet.body, 1, 4)[0])
        said = "{}"
        if packet.is_whole and prepared.parameters:
            lists, prepared.types = parse_bulk(packet.body, prepared.parameters, prepared.types)
            said = arguments(prepared.statement, lists)
        pending = self._expect(at_us, ResultReader(session.capabilities, is_binary=True), self._answered)
        call = session.call(prepared.statement, said, at_us, (("bulk", "yes"),))
        call.truncated = call.truncated or said == "{}"
        pending.call = self._begun(call)

    def _fetch(self, packet: Packet, at_us: int) -> None:
        session = self._session
        prepared = self._of_number(integer_at(packet.body, 1, 4)[0])
        wanted, _ = integer_at(packet.body, 5, 4)
        if prepared.columns is None:
            self._fall_silent("rows of a cursor that was not seen", at_us)
            return
        prepared.fetches += 1
        reader = ResultReader(session.capabilities, is_binary=True, columns=prepared.columns)
        pending = self._expect(at_us, reader, self._answered)
        extra = (("fetch", str(prepared.fetches)), ("fetch-rows", str(wanted)))
        pending.call = self._begun(session.call(prepared.statement, prepared.arguments, at_us, extra))

    def _long_data(self, packet: Packet, at_us: int) -> None:
        number, at = integer_at(packet.body, 1, 4)
        index, at = integer_at(packet.body, at, 2)
        self._of_number(number).long.add(index, packet.body[at:])

    def _close(self, packet: Packet, at_us: int) -> None:
        self._session.close(integer_at(packet.body, 1, 4)[0])

    def _reset_statement(self, packet: Packet, at_us: int) -> None:
        self._of_number(integer_at(packet.body, 1, 4)[0]).long = LongData()
        self._expect(at_us, ResultReader(self._session.capabilities), self._noticed)

    def _field_list(self, packet: Packet, at_us: int) -> None:
        self._expect(at_us, FieldsReader(), self._noticed)

    def _statistics(self, packet: Packet, at_us: int) -> None:
        self._expect(at_us, OneReader(), self._noticed)

    def _reset_connection(self, packet: Packet, at_us: int) -> None:
        self._expect(at_us, ResultReader(self._session.capabilities), self._begins_anew)

    def _change_user(self, packet: Packet, at_us: int) -> None:
        database, collation = parse_change_user(packet.body)
        pending = self._expect(at_us, LoginReader(self._session.capabilities), self._begins_anew)
        pending.attributes = {"database": database}
        self._session.collation(collation)

    def _other(self, packet: Packet, at_us: int) -> None:
        name = _OTHERS[packet.body[0]]
        session = self._session
        if name is None:
            self._expect(at_us, ResultReader(session.capabilities), self._noticed)
            return
        pending = self._expect(at_us, ResultReader(session.capabilities), self._answered)
        pending.call = self._begun(session.other_call(name, at_us))

    def _file_part(self, packet: Packet) -> None:
        """A piece of the file that the server asked for; an empty one is its end."""
        call = self._pending[0].call if self._pending else None
        if packet.size:
            self._file_size += packet.size
            if self._file_size <= BODY_CAP:
                self._file.append(packet.body)
            return
        self._takes_file = False
        if call is not None:
            size = (("content-type", "application/octet-stream"), ("size", str(self._file_size)))
            call.headers = Headers((*call.headers, *size))
            call.truncated = call.truncated or self._file_size > BODY_CAP
            call.body = b"" if self._file_size > BODY_CAP else b"".join(self._file)
        self._file, self._file_size = [], 0

    # What the server says.

    def _told(self, packet: Packet, at_us: int) -> None:
        if self._greeting is None:
            self._greeted(packet, at_us)
            return
        if not self._pending:
            if packet.body[:1] == b"\xff":
                return  # It says goodbye to an idle session.
            raise Malformed
        head = self._pending[0]
        said = head.reader.take(packet)
        if said is None:
            return
        if said.infile:
            self._takes_file = True
            head.reader = ResultReader(self._session.capabilities)
        elif head.done(head, said, at_us):
            self._pending.popleft()

    def _greeted(self, packet: Packet, at_us: int) -> None:
        if packet.body[:1] != b"\xff":
            self._greeting = parse_greeting(packet.body)
            return
        # Too many connections, or this host is blocked.
        call = self._begun(self._session.other_call("CONNECT", at_us, SETUP))
        self._refuse(call, packet.body, at_us)
        self._is_silent = True

    def _logged_in(self, pending: _Pending, said: Outcome, at_us: int) -> bool:
        call = pending.call
        assert call is not None
        assert self._greeting is not None
        if said.error is not None:
            return self._refuse(call, said.error, at_us)
        self._session.told(said)
        call.answer(OK, at_us, orjson.dumps({"server_version": self._greeting.version}), Headers(_JSON))
        call.reason = "CONNECT"
        self._ended(call)
        return True

    def _database_taken(self, pending: _Pending, said: Outcome, at_us: int) -> bool:
        if said.error is None:
            self._session.database = pending.attributes["database"]
        return self._answered(pending, said, at_us)

    def _begins_anew(self, pending: _Pending, said: Outcome, at_us: int) -> bool:
        if said.error is None:
            self._session.reset()
            self._session.database = pending.attributes.get("database", self._session.database)
            self._session.told(said)
        return True

    def _noticed(self, pending: _Pending, said: Outcome, at_us: int) -> bool:
        self._session.told(said)
        return True

    def _prepared(self, pending: _Pending, said: Outcome, at_us: int) -> bool:
        prepared = pending.prepared
        assert prepared is not None
        if said.error is not None:
            # What cannot be prepared is never executed: this is its answer.
            call = self._begun(self._session.call(prepared.statement, arguments(prepared.statement), pending.at_us))
            return self._refuse(call, said.error, at_us)
        prepared.parameters = said.parameters
        self._session.prepare(said.statement_id, prepared)
        return True

    def _answered(self, pending: _Pending, said: Outcome, at_us: int) -> bool:
        """One result; whether it was the command's last one."""
        call = pending.call
        assert call is not None
        if said.error is not None:
            return self._refuse(call, said.error, at_us)
        self._session.told(said)
        if pending.prepared is not None:
            pending.prepared.columns = said.columns or pending.prepared.columns
        if said.has_more:
            pending.reader = ResultReader(self._session.capabilities, is_binary=pending.prepared is not None)
            if not pending.script or (call.method == "CALL" and said.rows is not None):
                self._keep(pending, said)
                return False
        self._answer(pending, call, said, at_us)
        if not said.has_more:
            return True
        pending.call = self._begun(self._session.statement_call(pending.script.popleft(), at_us, pending.attributes))
        return False

    def _keep(self, pending: _Pending, said: Outcome) -> None:
        """A result that another one of the same call follows."""
        if said.rows is None:
            return
        if pending.rows is None:
            pending.rows = said.rows
        elif len(pending.more) < MOST_RESULTS:
            pending.more.append(said.rows)
        elif pending.call is not None:
            pending.call.truncated = True

    def _answer(self, pending: _Pending, call: Call, said: Outcome, at_us: int) -> None:
        self._keep(pending, said)
        rows, more = pending.rows, pending.more
        pending.rows, pending.more = None, []
        if rows is not None:
            call.truncated = call.truncated or rows.is_cut or any(each.is_cut for each in more)
            body = rows.body()
            if more:
                body = b'%b,"more":[%b]}' % (body[:-1], b",".join(each.body() for each in more))
            call.answer(OK, at_us, body, Headers.of_pairs(rows.headers()))
            call.reason = f"{call.method} {rows.count}"
        elif said.affected or said.insert_id or call.method in _COUNTING:
            counts = {"affected_rows": said.affected}
            if said.insert_id:
                counts["insert_id"] = said.insert_id
            call.answer(OK, at_us, orjson.dumps(counts), Headers(_JSON))
            call.reason = f"{call.method} {said.affected}"
        else:
            call.answer(OK, at_us)
            call.reason = call.method
        self._session.chained(call)
        self._ended(call)

    def _refuse(self, call: Call, error: bytes, at_us: int) -> bool:
        said = error_body(error)
        call.answer(ERROR, at_us, orjson.dumps(said), Headers(_JSON))
        call.reason = said["code"]
        self._ended(call)
        return True


_OTHERS: dict[int, str | None] = {
    0x05: "CREATE DB",
    0x06: "DROP DB",
    0x07: "REFRESH",
    0x08: "SHUTDOWN",
    0x0A: "PROCESS INFO",
    0x0C: "KILL",
    0x0D: None,
    0x0E: None,
    0x1B: None,
}
"""Commands that are answered by one result; those without a name are no calls: debug, ping, set option."""
