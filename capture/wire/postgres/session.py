"""What both directions of one connection share: what is expected of the server, and what the session has named.

Two rules hold here. The server answers in the order in which it was asked, so `expected` is a queue and its head is
what the next answer belongs to. Every call that is begun here is ended by `Session.end` or `Session.fail`.
"""

from collections import deque

from ...headers import Headers
from ...model import FailureKind
from ..call import ERROR, OK, Call, CallEvents
from ..sql import POSTGRES, POSTGRES_BACKSLASH, Dialect, Statement, arguments, parse_script, parse_statement
from ..sql.statement import UNREAD
from .copies import CopyRows
from .layout import LateRows, Layout
from .prepared import Portal, Prepared, Registry

MOST_EXPECTED = 1 << 16
"""Answers that may be due at a time; a client that asks for more without listening is not followed."""

_MOST_KNOWN = 256
_LONGEST_KNOWN = 4096
_CODECS = {"UTF8": "utf-8", "UNICODE": "utf-8", "SQL_ASCII": "utf-8", "LATIN1": "latin-1", "WIN1252": "cp1252"}
_OPENS = frozenset({"BEGIN", "START"})
_CLOSES = frozenset({"COMMIT", "ROLLBACK", "END", "ABORT"})
_NO_HEADERS = Headers()


class Expected:
    """One answer that the server owes, by the letter of the message that asked for it."""

    # Defaults of the class: most answers that are due need none of them, and every message makes one.
    name = ""
    call: Call | None = None
    prepared: Prepared | None = None
    portal: Portal | None = None
    script: deque[Statement] | None = None
    layout: Layout | None = None
    rows: LateRows | None = None
    copy: CopyRows | None = None

    def __init__(self, kind: str, at_us: int) -> None:
        self.kind = kind
        self.at_us = at_us


class Session:
    """One connection after its start-up."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self.connection = connection
        self.events = events
        self.database = ""
        self.expected: deque[Expected] = deque()
        self.statements: Registry[Prepared] = Registry()
        self.portals: Registry[Portal] = Registry()
        self.transaction: str | None = None
        self.is_copying_in = False
        self.is_skipping = False
        """After an error the server ignores everything up to the next Sync."""
        self.open = 0
        """Calls begun and not ended."""
        self._transactions = 0
        self._described: dict[Prepared, int] = {}
        self._prepared: dict[tuple[bytes, tuple[int, ...]], Prepared] = {}
        self._known_fixed: dict[str, tuple[tuple[str, str], ...]] = {}
        self._codec: str | None = "utf-8"
        self._dialect: Dialect = POSTGRES

    def parameter(self, name: str, value: str) -> None:
        """A ParameterStatus message."""
        if name == "client_encoding":
            self._codec = _CODECS.get(value)
            self._prepared.clear()
        elif name == "standard_conforming_strings":
            self._dialect = POSTGRES if value == "on" else POSTGRES_BACKSLASH
            self._prepared.clear()

    def script(self, text: bytes) -> tuple[Statement, ...]:
        """The statements of a text. In an encoding in which a byte of a character may look like a quote, or in none,
        a text is not read."""
        if self._codec is None:
            return (UNREAD,)
        try:
            return parse_script(text.decode(self._codec), self._dialect)
        except UnicodeDecodeError:
            return (UNREAD,)

    def statement(self, text: bytes) -> Statement:
        """The one statement of a text."""
        script = self.script(text)
        return script[0] if script else parse_statement("")

    def prepare(self, text: bytes, oids: tuple[int, ...]) -> Prepared:
        """A prepared statement. Clients without names for them prepare the same text again and again: what has been
        learnt of it serves the next one too."""
        known = self._prepared.get((text, oids))
        if known is not None:
            return known
        made = Prepared(self.statement(text), oids)
        if len(text) <= _LONGEST_KNOWN:
            if len(self._prepared) >= _MOST_KNOWN:
                self._prepared.clear()
            self._prepared[text, oids] = made
        return made

    def note_described(self, prepared: Prepared, at_us: int) -> None:
        """The server has said what a statement gives; whether it is ever run is not known yet."""
        if not prepared.has_run and len(self._described) < _MOST_KNOWN:
            self._described[prepared] = at_us

    def tell_described(self, prepared: Prepared | None) -> None:
        """A call for a statement that was only ever described (for the types of a table, by bulk loaders), now that it
        is dropped: a stub has to know what it gives."""
        described_us = self._described.pop(prepared, None) if prepared is not None else None
        if prepared is None or described_us is None or prepared.has_run:
            return
        layout = prepared.layout(())
        call = self._begin(prepared.statement, "{}", self._fixed(prepared.statement, prepared.types()), described_us)
        call.method = "DESCRIBE"
        call.headers = Headers((*call.headers, ("setup", "yes")))
        self.events.begun(call)
        asked = Expected("D", described_us)
        asked.call, asked.layout = call, layout
        self.end(asked, "DESCRIBE", described_us)

    def begin_portal(self, portal: Portal, at_us: int, extra: tuple[tuple[str, str], ...] = ()) -> Call:
        """A call for an Execute."""
        prepared = portal.prepared
        fixed = prepared.fixed
        if fixed is None:
            fixed = prepared.fixed = self._fixed(prepared.statement, prepared.types())
        call = self._begin(prepared.statement, portal.arguments, (*fixed, *extra) if extra else fixed, at_us)
        call.truncated = call.truncated or portal.truncated
        self.events.begun(call)
        return call

    def begin_statement(self, statement: Statement, at_us: int) -> Call:
        """A call for a statement of a simple query."""
        fixed = self._known_fixed.get(statement.fingerprint)
        if fixed is None or statement.comment:
            fixed = self._fixed(statement, "")
            if not statement.comment and len(self._known_fixed) < _MOST_KNOWN:
                self._known_fixed[statement.fingerprint] = fixed
        call = self._begin(statement, arguments(statement), fixed, at_us)
        self.events.begun(call)
        return call

    def begin_other(self, method: str, target: str, operation: str, at_us: int) -> Call:
        """A call that is no SQL."""
        call = Call(at_us, method, target, operation)
        call.arguments = "{}"
        call.headers = Headers((("database", self.database),))
        call.lane = self.transaction
        self.open += 1
        self.events.begun(call)
        return call

    def _fixed(self, statement: Statement, types: str) -> tuple[tuple[str, str], ...]:
        own: tuple[tuple[str, str], ...] = (("database", self.database), ("fingerprint", statement.fingerprint))
        if types:
            own = (*own, ("parameter-types", types))
        return (*own, *statement.comment.items())

    def _begin(self, statement: Statement, said: str, headers: tuple[tuple[str, str], ...], at_us: int) -> Call:
        method = statement.method
        if method in _OPENS and self.transaction is None:
            self._open_transaction()
        call = Call(at_us, method, statement.target, statement.operation)
        call.arguments = said
        if self.transaction is not None:
            headers = (*headers, ("transaction", self.transaction))
        call.headers = Headers.of_pairs(headers)
        call.lane = self.transaction
        call.truncated = not statement.is_read
        if method in _CLOSES and self.transaction is not None:
            said_so = statement.operation.upper()
            if " TO " not in said_so and "CHAIN" not in said_so:
                self.transaction = None
        self.open += 1
        return call

    def _open_transaction(self) -> None:
        self._transactions += 1
        self.transaction = f"{self.connection}.{self._transactions}"

    def ready(self, status: int) -> None:
        """The server waits for the next question; `status` is I (idle), T (in a transaction) or E (in a failed one)."""
        if self.expected:
            # More was asked meanwhile, and what that opens or closes is known already.
            return
        if status == 0x49:
            self.transaction = None
            self.portals.clear()
        elif self.transaction is None:
            self._open_transaction()

    def end(self, asked: Expected, tag: str, at_us: int) -> None:
        """The call of `asked` is answered."""
        call = asked.call
        if call is None:
            return
        rows, headers = asked.rows, _NO_HEADERS
        body: bytes | LateRows = b""
        if rows is None and asked.layout is not None:
            rows = asked.layout.rows()
        if rows is not None:
            headers, body = Headers.of_pairs(rows.headers()), rows
            call.truncated = call.truncated or rows.is_cut
        if asked.copy is not None:
            if asked.copy.is_inward:
                self._take_copy(call, asked.copy)
            else:
                headers, body = Headers.of_pairs(asked.copy.headers()), asked.copy.body()
                call.truncated = call.truncated or asked.copy.is_cut
        call.answer(OK, at_us, body, headers)
        call.reason = tag
        self._ended(asked)

    def refuse(self, asked: Expected, code: str, body: bytes, at_us: int) -> None:
        """The call of `asked` is answered by an error."""
        call = asked.call
        if call is None:
            return
        if asked.copy is not None and asked.copy.is_inward:
            self._take_copy(call, asked.copy)
        call.answer(ERROR, at_us, body, Headers((("content-type", "application/json"),)))
        call.reason = code
        self._ended(asked)

    def fail(self, asked: Expected, kind: FailureKind, detail: str, at_us: int) -> None:
        """The call of `asked`, if it has one, gets no answer."""
        if asked.call is not None:
            asked.call.fail(kind, detail, at_us)
            self._ended(asked)

    def _take_copy(self, call: Call, copy: CopyRows) -> None:
        call.headers, call.body = Headers((*call.headers, *copy.headers())), copy.body()
        call.truncated = call.truncated or copy.is_cut

    def _ended(self, asked: Expected) -> None:
        call, asked.call, asked.rows, asked.layout, asked.copy = asked.call, None, None, None, None
        assert call is not None
        self.open -= 1
        self.events.ended(call)

    def lose(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """Nothing that is expected will come."""
        for prepared in list(self._described):
            self.tell_described(prepared)
        while self.expected:
            self.fail(self.expected.popleft(), kind, detail, at_us)
