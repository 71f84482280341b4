"""One client of the PostgreSQL stub: its messages in, recorded answers out.

Three rules hold here. A client's messages are read by the decoder's own functions, so that a call is the same as the
recorded one. Answers go out in the order of the messages. Any credentials are taken, and none is looked at.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from struct import Struct

from ...capture.headers import Headers
from ...capture.model import FailureKind, Response
from ...capture.wire.call import OK, Call
from ...capture.wire.postgres import write
from ...capture.wire.postgres.asked import Asked
from ...capture.wire.postgres.filter import PostgresFilter
from ...capture.wire.postgres.messages import CANCEL_REQUEST, Column, Framer, Malformed, parse_startup
from ...capture.wire.postgres.prepared import Portal, Prepared
from ...capture.wire.postgres.session import Expected, Session
from ...capture.wire.sql import Statement, arguments
from .answers import Answered, Answers
from .match import Step
from .postgres_replies import (
    Shape,
    Shapes,
    Unsaid,
    accepted,
    answer_of,
    columns_of,
    cursor_of,
    fetched_from,
    formatted,
    greeting,
    own_error,
    reply,
)
from .servers import HangUp

_FIRST = Struct("!II")
_LONGEST_STARTUP = 10_000
_MOST_CURSORS = 1000
_CHUNK = 64 << 10
_SILENT = frozenset({FailureKind.TIMEOUT, FailureKind.CANCELLED})


@dataclass(frozen=True, slots=True)
class Shared:
    """What all connections of a stub share. `waiting` are those that can be cancelled, by the number told to them."""

    name: str
    answers: Answers
    shapes: Shapes
    parameters: Headers
    waiting: dict[int, asyncio.Event]


class Broken(HangUp):
    """The recorded answer is that the connection broke."""


class _Unheard:
    """Nobody is told of calls as they begin: the stub asks for their answers itself."""

    def begun(self, call: Call) -> None:
        """The call is asked once it is whole."""

    def ended(self, call: Call) -> None:
        """`Answers` has recorded it."""

    def gap(self, reason: str) -> None:
        """The connection is closed instead."""


class Connection:
    """One client."""

    def __init__(
        self, shared: Shared, name: str, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = pid
        self.is_busy = False
        self.is_last = False
        """Whether what is under way is the last that is served."""
        self._shared = shared
        self._answers = shared.answers
        self._name = name
        self._reader = reader
        self._writer = writer
        self._session = Session(name, _Unheard())
        self._asked = Asked(self._session)
        self._framer = Framer()
        self._has_failed = False
        self._cancelled = asyncio.Event()
        self._cursors: dict[str, str] = {}
        """Names of cursors, and the fingerprints of the statements that declared them."""
        self._copying: Expected | None = None
        self._acts: dict[str, Callable[[Expected], Awaitable[None]]] = {
            "P": self._parsed,
            "B": self._bound,
            "C": self._closed,
            "D": self._described,
            "E": self._executed,
            "Q": self._queried,
            "S": self._synced,
            "F": self._called,
        }

    async def serve(self) -> None:
        """Talk until the client has gone."""
        rest = await self._start()
        if rest is None:
            return
        try:
            data = rest or await self._reader.read(_CHUNK)
            while data:
                self.is_busy = True
                for kind, body, size in self._framer.feed(data):
                    if kind == ord("X"):
                        return
                    await self._message(kind, body, size)
                await self._writer.drain()
                self.is_busy = False
                if self.is_last:
                    return
                data = await self._reader.read(_CHUNK)
        except Malformed:
            self._answers.gap("a stub's client sent bytes that are not PostgreSQL's")
            self._writer.write(own_error("this is not PostgreSQL's protocol", "08P01", "FATAL"))

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()

    # Start-up.

    async def _start(self) -> bytes | None:
        """Through the start-up; what has come after it, or None where the connection is over."""
        filter_ = PostgresFilter(("", 0))
        held = b""
        while True:
            data = await self._reader.read(_CHUNK)
            if not data:
                return None
            passed, answer = (data, b"") if filter_.is_done else filter_.client(data)
            self._writer.write(answer)
            held += passed
            if len(held) < 8:
                continue
            size, code = _FIRST.unpack_from(held)
            if not 8 <= size <= _LONGEST_STARTUP:
                self._answers.gap("a stub's client sent bytes that are not PostgreSQL's")
                return None
            if len(held) >= size:
                return await self._started(code, held[8:size], held[size:])

    async def _started(self, code: int, body: bytes, rest: bytes) -> bytes | None:
        if code == CANCEL_REQUEST:
            await self._cancel(body)
            return None
        try:
            parameters = parse_startup(body) if code >> 16 == 3 else None
        except Malformed:
            parameters = None
        if parameters is None:
            return None
        self._session.database = parameters.get("database") or parameters.get("user", "")
        if code & 0xFFFF:
            self._writer.write(write.negotiated())
        self._shared.waiting[self.pid] = self._cancelled
        self._writer.write(greeting(self._shared.parameters, self.pid, self.pid))
        return rest

    async def _cancel(self, body: bytes) -> None:
        call = Call(self._answers.now_us(), "CANCEL", operation="CANCEL")
        call.arguments = "{}"
        await self._answers.answer(call, self._name)
        waiting = self._shared.waiting.get(int.from_bytes(body[:4], "big"))
        if waiting is not None:
            waiting.set()

    # Messages.

    async def _message(self, kind: int, body: bytes, size: int) -> None:
        handler = self._asked.handlers.get(kind)
        if handler is None:
            raise Malformed
        if self._copying is not None and kind in b"cf":
            await self._copied(self._copying, failed=kind == ord("f"))
            return
        handler(body, size, self._answers.now_us())
        expected = self._session.expected
        # While a COPY's data comes in, its statement stays expected and nothing else is.
        while expected and self._copying is None:
            asked = expected.popleft()
            act = self._acts.get(asked.kind)
            if act is not None:
                await act(asked)

    async def _parsed(self, asked: Expected) -> None:
        self._writer.write(write.PARSE_COMPLETE)

    async def _bound(self, asked: Expected) -> None:
        self._writer.write(write.BIND_COMPLETE)

    async def _closed(self, asked: Expected) -> None:
        self._writer.write(write.CLOSE_COMPLETE)

    async def _synced(self, asked: Expected) -> None:
        self._ready()

    async def _called(self, asked: Expected) -> None:
        assert asked.call is not None
        await self._ask(asked.call)
        self._writer.write(own_error("the stub does not call functions by their OID", "0A000"))
        self._ready()

    def _ready(self) -> None:
        self._session.is_skipping = False
        in_transaction = b"E" if self._has_failed else b"T"
        self._has_failed = self._has_failed and self._session.transaction is not None
        self._writer.write(write.ready(b"I" if self._session.transaction is None else in_transaction))

    async def _described(self, asked: Expected) -> None:
        prepared = asked.portal.prepared if asked.portal is not None else asked.prepared
        if prepared is None:
            self._describe_cursor(asked.name)
            return
        shape = await self._shape(prepared, asked.portal, asked.at_us)
        if shape is None:
            return
        if asked.portal is None:
            oids = _parameters(prepared, shape)
            prepared.parameters(oids)
            self._writer.write(write.parameter_description(oids))
        columns = shape.columns
        if columns is None:
            self._writer.write(write.NO_DATA)
        else:
            told = formatted(columns, asked.portal.result_formats) if asked.portal is not None else columns
            self._writer.write(write.row_description(told))

    def _describe_cursor(self, name: str) -> None:
        """A portal that a DECLARE has made is not known by its messages."""
        shape = self._shared.shapes.of_cursor(self._cursors.get(name, ""))
        if shape is None or shape.columns is None:
            self._fail(own_error("there is no such statement or portal", "34000"))
        else:
            self._writer.write(write.row_description(shape.columns))

    def _known(self, statement: Statement) -> Shape | None:
        """The recorded shape of a statement."""
        shapes = self._shared.shapes
        cursor = self._cursors.get(fetched_from(statement.operation) or "")
        fetched = shapes.of_cursor(cursor) if cursor is not None else None
        return fetched or shapes.of(statement.operation, statement.fingerprint)

    async def _shape(self, prepared: Prepared, portal: Portal | None, at_us: int) -> Shape | None:
        """What the capture knows of a statement. One that it does not know is asked for: it may be near another; None
        where it is not, which the client has been told then."""
        statement = prepared.statement
        found = self._known(statement)
        if found is not None or _gives_nothing(statement):
            return found or Shape((), None)
        if portal is None:
            portal = Portal(prepared, arguments(statement), (), truncated=False)
        answered = await self._ask(self._session.begin_portal(portal, at_us))
        response = answered.response
        if response is None or response.status != OK:
            self._say(answered, None, statement.method, describes=False)
            return None
        return Shape((), _columns(response))

    async def _executed(self, asked: Expected) -> None:
        portal, call = asked.portal, asked.call
        assert portal is not None
        if call is None:
            self._writer.write(write.EMPTY_QUERY)
            return
        if _copies_in(call):
            self._begin_copy(asked)
            return
        answered = await self._ask(call)
        statement = portal.prepared.statement
        shape = self._known(statement)
        columns = shape.columns if shape is not None else _columns(answered.response)
        told = formatted(columns, portal.result_formats) if columns is not None else None
        self._say(answered, told, call.method, describes=False)

    async def _queried(self, asked: Expected) -> None:
        """A simple query: each of its statements is answered, up to the first error."""
        if asked.call is None:
            self._writer.write(write.EMPTY_QUERY)
            self._ready()
            return
        if await self._answer_script(asked):
            self._ready()

    async def _answer_script(self, asked: Expected) -> bool:
        """Whether all has been said; a COPY goes on with the client's data."""
        while True:
            call = asked.call
            assert call is not None
            if _copies_in(call):
                self._begin_copy(asked)
                return False
            is_well = self._say(await self._ask(call), None, call.method, describes=True)
            if not is_well or not asked.script:
                return True
            asked.call = self._session.begin_statement(asked.script.popleft(), self._answers.now_us())

    # COPY … FROM STDIN.

    def _begin_copy(self, asked: Expected) -> None:
        self._copying = asked
        self._session.is_copying_in = True
        self._session.expected.appendleft(asked)
        self._writer.write(write.copy_response(b"G", 0))

    async def _copied(self, asked: Expected, *, failed: bool) -> None:
        self._copying = None
        self._session.is_copying_in = False
        self._session.expected.clear()
        call = asked.call
        assert call is not None
        if asked.copy is not None:
            call.headers = Headers((*call.headers, *asked.copy.headers()))
            call.body = asked.copy.body()
        answered = await self._ask(call)
        is_query = asked.kind == "Q"
        if failed and (answered.response is None or answered.response.status == OK):
            self._fail(own_error("COPY failed", "57014"))
        elif self._say(answered, None, call.method, describes=is_query) and is_query and asked.script:
            asked.call = self._session.begin_statement(asked.script.popleft(), self._answers.now_us())
            if not await self._answer_script(asked):
                return
        if is_query:
            self._ready()

    # Answers.

    async def _ask(self, call: Call) -> Answered:
        answered = await self._answers.answer(call, self._name)
        cursor = cursor_of(call.operation)
        if cursor is not None and len(self._cursors) < _MOST_CURSORS:
            self._cursors[cursor] = call.headers.get("fingerprint") or ""
        if answered.delay_us:
            await asyncio.sleep(answered.delay_us / 1e6)
        failure = answered.failure
        if failure is None:
            return answered
        if failure.kind in _SILENT:
            await self._wait_in_vain()
            return answered
        await self._break()
        raise Broken

    async def _wait_in_vain(self) -> None:
        """Say nothing until the client cancels or leaves."""
        leaving = asyncio.ensure_future(self._reader.read(_CHUNK))
        cancelled = asyncio.ensure_future(self._cancelled.wait())
        done, pending = await asyncio.wait({leaving, cancelled}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if cancelled not in done:
            raise Broken
        self._cancelled.clear()

    async def _break(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()
        self._writer.transport.abort()

    def _say(self, answered: Answered, columns: tuple[Column, ...] | None, method: str, *, describes: bool) -> bool:
        """Write an answer; False for an error, after which the client's messages are passed over up to its Sync."""
        response = answered.response
        if response is None:
            self._fail(own_error("canceling statement due to user request", "57014"))
            return False
        tag = accepted(method)
        if answered.step == Step.MISSED and tag is not None:
            # A session may begin and end transactions as it likes: that is a difference, and no reason to stop.
            response = Response(OK, Headers(), reason="ROLLBACK" if tag == "COMMIT" and self._has_failed else tag)
        try:
            said = reply(response, columns, describes=describes, method=method)
        except Unsaid as why:
            self._fail(own_error(f"the stub of {self._shared.name} cannot say it: {why}"))
            return False
        if answered.cut:
            self._writer.write(said[: len(said) // 2])
            self._writer.close()
            raise Broken
        if response.status != OK:
            self._fail(said)
            return False
        if method in {"ROLLBACK", "COMMIT"}:
            self._has_failed = False
        self._writer.write(said)
        return True

    def _fail(self, said: bytes) -> None:
        self._writer.write(said)
        self._has_failed = self._session.transaction is not None
        # Asked puts nothing into the queue any more until a Sync or a Query comes.
        self._session.is_skipping = True


def _columns(response: Response | None) -> tuple[Column, ...] | None:
    return columns_of(answer_of(response.body)) if response is not None else None


def _parameters(prepared: Prepared, shape: Shape) -> tuple[int, ...]:
    """The types of a statement's parameters: the client's word, else the recorded, else text."""
    binds = [slot.bind for slot in prepared.statement.slots if slot.bind is not None]
    count = max(binds, default=-1) + 1
    known = dict(enumerate(shape.parameters)) | {at: oid for at, oid in enumerate(prepared.oids) if oid}
    return tuple(known.get(at) or 25 for at in range(min(count, 0xFFFF)))


def _gives_nothing(statement: Statement) -> bool:
    return accepted(statement.method) is not None or statement.method == "EMPTY"


def _copies_in(call: Call) -> bool:
    return call.method == "COPY" and " FROM STDIN" in call.operation.upper()
