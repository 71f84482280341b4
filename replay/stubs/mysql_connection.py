"""One client of the MySQL stub: its commands in, recorded answers out.

Three rules hold here. A client's commands are read by the decoder's own functions, so that a call is the same as the
recorded one. Answers go out in the order of the commands. Any credentials are taken, and none is looked at.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from ...capture.headers import Headers
from ...capture.model import FailureKind, Response
from ...capture.wire.call import BODY_CAP, OK, Call
from ...capture.wire.mysql.encode import PLUGIN, auth_switch, column, eof, greeting, ok
from ...capture.wire.mysql.handshake import Capability, parse_change_user, parse_greeting, parse_login
from ...capture.wire.mysql.packets import Framer, Malformed, Packet, framed, integer_at
from ...capture.wire.mysql.parameters import LongData, parse_execute, parse_query
from ...capture.wire.mysql.results import Outcome, Status
from ...capture.wire.mysql.session import SETUP, Prepared, Session, attribute_headers, binds_of
from ...capture.wire.sql import Statement, arguments
from ...capture.wire.sql.statement import EMPTY
from .answers import Answered, Answers
from .match import Step
from .mysql_replies import Unsaid, own_answer, own_error, reply
from .servers import HangUp

_CHUNK = 64 << 10
_CHALLENGE = b"seamline.stub.000000"
_SILENT = frozenset({FailureKind.TIMEOUT, FailureKind.CANCELLED})
"""Failures of somebody who waited in vain: the stub says nothing for as long as its client waits."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_GRANTED = Response(OK, Headers())
_OUTSIDE = frozenset({"COMMIT", "ROLLBACK", "SET", "USE", "SHOW", "UNKNOWN", "EMPTY", "KILL"})


class Broken(HangUp):
    """The connection ends here."""


class Connection:
    """One client."""

    def __init__(
        self, answers: Answers, version: str, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.is_busy = False
        self.is_last = False
        """Whether what is under way is the last that is served."""
        self._answers = answers
        self._version = version
        self._number = number
        self._name = f"c-{number}"
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self._packets: list[Packet] = []
        self._session = Session(self._name)
        self._status = int(Status.AUTOCOMMIT)
        self._sequence = 0
        self._statements = 0
        self._commands: dict[int, Callable[[Packet], Awaitable[None]]] = {
            0x01: self._quit,
            0x02: self._init_db,
            0x03: self._query,
            0x04: self._no_fields,
            0x09: self._statistics,
            0x0E: self._agreed,
            0x11: self._change_user,
            0x16: self._prepare,
            0x17: self._execute,
            0x18: self._long_data,
            0x19: self._close,
            0x1A: self._reset_statement,
            0x1B: self._no_fields,
            0x1F: self._reset,
        }

    async def serve(self) -> None:
        """Talk until the client has gone. Raises Broken, OSError."""
        try:
            await self._log_in()
            while not self.is_last:
                packet = await self._next()
                self.is_busy = True
                self._sequence = packet.sequence + 1
                command = self._commands.get(packet.body[0]) if packet.body else None
                if command is None:
                    self._write(own_error("seamline: a stub has nothing to say to this command", "08S01"))
                else:
                    await command(packet)
                await self._writer.drain()
                self.is_busy = False
        except Malformed:
            self._answers.gap("a stub's client sent bytes that are not MySQL's")
            self._write(own_error("this is not MySQL's protocol", "08S01"))

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def _next(self) -> Packet:
        while not self._packets:
            data = await self._reader.read(_CHUNK)
            if not data:
                raise Broken
            self._packets.extend(self._framer.feed(data))
        return self._packets.pop(0)

    def _write(self, *bodies: bytes) -> None:
        for body in bodies:
            self._writer.write(framed(self._sequence, body))
            self._sequence += 1

    # Start-up.

    async def _log_in(self) -> None:
        offered = greeting(self._version, self._number, _CHALLENGE, self._status)
        self._write(offered)
        packet = await self._next()
        self._sequence = packet.sequence + 1
        login = parse_login(packet.body, parse_greeting(offered).capabilities)
        if login.turns_to_tls:
            raise Malformed
        self._session.capabilities, self._session.database = login.capabilities, login.database
        self._session.collation(login.collation)
        await self._let_in(packet.body)

    async def _let_in(self, asked: bytes) -> None:
        """Accept whoever comes. Who wants to prove himself in another way is asked for the simplest one."""
        if self._session.capabilities & Capability.PLUGIN_AUTH and PLUGIN not in asked:
            self._write(auth_switch(_CHALLENGE))
            await self._writer.drain()
            packet = await self._next()
            self._sequence = packet.sequence + 1
        self._write(ok(self._status))
        await self._writer.drain()

    async def _change_user(self, packet: Packet) -> None:
        self._session.database, collation = parse_change_user(packet.body)
        self._session.collation(collation)
        self._session.reset()
        self._status = int(Status.AUTOCOMMIT)
        await self._let_in(packet.body)

    # What is said about the connection.

    async def _quit(self, packet: Packet) -> None:
        raise Broken

    async def _agreed(self, packet: Packet) -> None:
        self._write(ok(self._status))

    async def _no_fields(self, packet: Packet) -> None:
        """Field list, set option: an end, and nothing before it."""
        is_modern = self._session.capabilities & Capability.DEPRECATE_EOF
        self._write(ok(self._status, head=0xFE) if is_modern else eof(self._status))

    async def _statistics(self, packet: Packet) -> None:
        self._write(b"Uptime: 1")

    async def _init_db(self, packet: Packet) -> None:
        self._session.database = packet.body[1:].decode("utf-8", "backslashreplace")
        self._write(ok(self._status))

    async def _reset(self, packet: Packet) -> None:
        self._session.reset()
        self._status = int(Status.AUTOCOMMIT)
        self._write(ok(self._status))

    # Statements.

    async def _query(self, packet: Packet) -> None:
        if not packet.is_whole:
            self._write(own_error("seamline: this statement is too long for a stub"))
            return
        text, attributes = parse_query(packet.body, self._session.capabilities)
        script = self._session.script(text) or (EMPTY,)
        # Without leave to send several, a text is one statement, as a procedure's is.
        if not self._session.capabilities & Capability.MULTI_STATEMENTS:
            script = script[:1]
        for number, statement in enumerate(script, 1):
            call = self._session.statement_call(statement, self._answers.now_us(), attributes)
            if statement.method == "LOAD":
                await self._take_file(call)
            if not await self._answer(call, statement, is_binary=False, has_more=number < len(script)):
                return

    async def _take_file(self, call: Call) -> None:
        """Ask for the file of a LOAD DATA LOCAL, which is part of what is asked."""
        if " LOCAL " not in call.operation.upper():
            return
        self._write(b"\xfbfile")
        await self._writer.drain()
        parts, size = [], 0
        while (packet := await self._next()).size:
            size += packet.size
            if size <= BODY_CAP:
                parts.append(packet.body)
        self._sequence = packet.sequence + 1
        told = (("content-type", "application/octet-stream"), ("size", str(size)))
        call.headers = Headers((*call.headers, *told))
        call.body = b"".join(parts) if size <= BODY_CAP else b""

    async def _prepare(self, packet: Packet) -> None:
        script = self._session.script(packet.body[1:]) if packet.is_whole else ()
        statement = script[0] if script else EMPTY
        parameters = binds_of(statement)
        self._statements += 1
        self._session.prepare(self._statements, Prepared(statement, parameters))
        # Its columns are told with its answer, when they are known.
        numbers = self._statements.to_bytes(4, "little") + b"\0\0" + parameters.to_bytes(2, "little")
        self._write(b"\0" + numbers + b"\0\0\0", *[column("?", "varchar")] * parameters)
        if parameters and not self._session.capabilities & Capability.DEPRECATE_EOF:
            self._write(eof(self._status))

    async def _execute(self, packet: Packet) -> None:
        prepared = self._prepared(packet)
        if not packet.is_whole or not prepared.statement.is_read:
            self._write(own_error("seamline: a stub does not know this statement", "HY000"))
            return
        bound, prepared.types = parse_execute(
            packet.body, self._session.capabilities, prepared.parameters, prepared.types, prepared.long
        )
        prepared.long = LongData()
        said = arguments(prepared.statement, bound.values)
        call = self._session.call(prepared.statement, said, self._answers.now_us(), attribute_headers(bound.attributes))
        await self._answer(call, prepared.statement, is_binary=True)

    def _prepared(self, packet: Packet) -> Prepared:
        return self._session.prepared(integer_at(packet.body, 1, 4)[0])

    async def _long_data(self, packet: Packet) -> None:
        index, at = integer_at(packet.body, 5, 2)
        self._prepared(packet).long.add(index, packet.body[at:])

    async def _close(self, packet: Packet) -> None:
        self._session.close(integer_at(packet.body, 1, 4)[0])

    async def _reset_statement(self, packet: Packet) -> None:
        self._prepared(packet).long = LongData()
        self._write(ok(self._status))

    async def _answer(self, call: Call, statement: Statement, *, is_binary: bool, has_more: bool = False) -> bool:
        """Say what the capture has to say; whether it was no error."""
        if SETUP[0] in call.headers.items:
            # What a client does for its connection is no business of the capture's.
            self._after(call, statement)
            self._write(*reply(_GRANTED, self._status, self._session.capabilities, is_binary=False, has_more=has_more))
            return True
        own = own_answer(statement, self._session.database, self._version)
        answered = await self._answers.answer(call, self._name, own)
        if answered.delay_us > 0:
            await self._writer.drain()
            await asyncio.sleep(answered.delay_us / 1e6)
        if answered.response is None:
            raise await self._failed(answered)
        packets, is_ok = self._packets_of(call, statement, answered.response, is_binary=is_binary, has_more=has_more)
        if answered.cut:
            whole = b"".join(framed(self._sequence + at, body) for at, body in enumerate(packets))
            self._writer.write(whole[: len(whole) // 2])
            raise Broken
        self._write(*packets)
        return is_ok

    def _packets_of(
        self, call: Call, statement: Statement, response: Response, *, is_binary: bool, has_more: bool
    ) -> tuple[list[bytes], bool]:
        is_ok = response.status == OK
        if is_ok:
            self._after(call, statement)
        try:
            capabilities = self._session.capabilities
            packets = reply(response, self._status, capabilities, is_binary=is_binary, has_more=has_more and is_ok)
        except Unsaid as wrong:
            self._answers.gap("a recorded answer that is not whole")
            return [own_error(f"seamline: {wrong}")], False
        return packets, is_ok

    async def _failed(self, answered: Answered) -> Broken:
        """Nothing was answered: stay silent, or break the connection, as it was recorded."""
        failure = answered.failure
        if failure is not None and failure.kind in _SILENT:
            self.is_busy = False
            while await self._reader.read(_CHUNK):
                continue
        elif answered.step != Step.MISSED:
            sock = self._writer.get_extra_info("socket")
            # The socket may be gone already, and then there is nothing to reset.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._writer.transport.abort()
        return Broken()

    def _after(self, call: Call, statement: Statement) -> None:
        """The session's state once a statement is done: what the next answers' flags say."""
        method, words = statement.method, call.operation.upper()
        if method == "SET" and "AUTOCOMMIT" in words:
            self._set_autocommit(statement)
        elif method == "USE":
            self._session.database = call.operation.split()[-1].strip("`;")
        elif method in {"BEGIN", "START"}:
            self._status |= Status.IN_TRANSACTION
        elif method in {"COMMIT", "ROLLBACK"} and " TO " not in words and " CHAIN" not in words:
            self._status &= ~Status.IN_TRANSACTION
        elif not self._status & Status.AUTOCOMMIT and method not in _OUTSIDE:
            self._status |= Status.IN_TRANSACTION
        self._session.told(Outcome(self._status))

    def _set_autocommit(self, statement: Statement) -> None:
        value: Any = next((slot.literal for slot in statement.slots), None)
        is_off = value in {0, "0", "off", "OFF"} or statement.operation.upper().endswith("OFF")
        if is_off:
            self._status &= ~Status.AUTOCOMMIT
        else:
            # It commits what is open.
            self._status = (self._status | Status.AUTOCOMMIT) & ~Status.IN_TRANSACTION
