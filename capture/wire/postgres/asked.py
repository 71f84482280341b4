"""What a client's messages mean: each that the server has to answer is put in the queue of what is expected.

After PostgreSQL 18 docs, 54.2 (message flow).
"""

from collections import deque

from ..sql.statement import EMPTY, UNREAD
from .copies import CopyRows
from .messages import Bind, Handler, Malformed, int4_at, name_at, parse_bind, parse_parse
from .prepared import Portal, Prepared
from .session import MOST_EXPECTED, Expected, Session


class Asked:
    """The client's half of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.handlers: dict[int, Handler] = {
            ord("Q"): self._query,
            ord("P"): self._parse,
            ord("B"): self._bind,
            ord("D"): self._describe,
            ord("E"): self._execute,
            ord("C"): self._close,
            ord("S"): self._sync,
            ord("F"): self._function,
            ord("d"): self._copy_data,
            ord("c"): self._copy_end,
            ord("f"): self._copy_end,
            ord("H"): self._nothing,
            ord("X"): self._nothing,
            ord("p"): self._nothing,
        }

    def _expect(self, kind: str, at_us: int) -> Expected | None:
        """Something that the server will answer; None where it will not."""
        session = self._session
        if session.is_skipping:
            return None
        queue = session.expected
        if len(queue) >= MOST_EXPECTED:
            raise Malformed
        expected = Expected(kind, at_us)
        queue.append(expected)
        return expected

    def _query(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        session.is_skipping = False
        script = session.script(body[:-1]) if len(body) == size else (UNREAD,)
        expected = self._expect("Q", at_us)
        assert expected is not None
        expected.script = deque(script)
        if script:
            expected.call = session.begin_statement(expected.script.popleft(), at_us)

    def _parse(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        expected = self._expect("P", at_us)
        if expected is None:
            return
        if len(body) == size:
            name, text, oids = parse_parse(body)
            prepared = session.prepare(text, oids)
        else:
            name, _ = name_at(body, 0)
            prepared = Prepared(UNREAD, ())
        expected.prepared = prepared
        session.statements.put(name, prepared, len(prepared.statement.operation))

    def _bind(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        expected = self._expect("B", at_us)
        if expected is None:
            return
        if len(body) == size:
            bind = parse_bind(body)
        else:
            portal, at = name_at(body, 0)
            bind = Bind(portal, name_at(body, at)[0], (), (), ())
        prepared = session.statements.get(bind.statement) or Prepared(UNREAD, ())
        said = prepared.arguments(bind)
        made = expected.portal = Portal(prepared, said, bind.result_formats, len(body) < size)
        session.portals.put(bind.portal, made, len(said))

    def _describe(self, body: bytes, size: int, at_us: int) -> None:
        expected = self._expect("D", at_us)
        if expected is None:
            return
        expected.name = name = name_at(body, 1)[0]
        if body[:1] == b"S":
            expected.prepared = self._session.statements.get(name)
        else:
            expected.portal = self._session.portals.get(name)

    def _execute(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        expected = self._expect("E", at_us)
        if expected is None:
            return
        name, at = name_at(body, 0)
        portal = session.portals.get(name) or Portal(Prepared(UNREAD, ()), "{}", (), True)
        limit = int4_at(body, at)
        portal.fetches += 1
        portal.prepared.has_run = True
        extra: tuple[tuple[str, str], ...] = ()
        if limit > 0 or portal.fetches > 1:
            extra = (("fetch", str(portal.fetches)), ("fetch-rows", str(max(limit, 0))))
        expected.portal = portal
        if portal.prepared.statement is not EMPTY:
            # A driver's ping asks for nothing.
            expected.call = session.begin_portal(portal, at_us, extra)

    def _close(self, body: bytes, size: int, at_us: int) -> None:
        if self._expect("C", at_us) is None:
            return
        name, _ = name_at(body, 1)
        if body[:1] == b"S":
            self._session.tell_described(self._session.statements.get(name))
            self._session.statements.drop(name)
        else:
            self._session.portals.drop(name)

    def _sync(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        # While it takes a COPY's data the server ignores Sync.
        if not session.is_copying_in:
            session.is_skipping = False
            self._expect("S", at_us)

    def _function(self, body: bytes, size: int, at_us: int) -> None:
        expected = self._expect("F", at_us)
        if expected is not None:
            oid = str(int4_at(body, 0) & 0xFFFFFFFF)
            expected.call = self._session.begin_other("FUNCTION", oid, "FUNCTION", at_us)

    def _copy_data(self, body: bytes, size: int, at_us: int) -> None:
        for expected in reversed(self._session.expected):
            if expected.kind in "QE":
                if expected.copy is None:
                    expected.copy = CopyRows(self._statement_of(expected), is_inward=True)
                expected.copy.add(body, size)
                return

    def _statement_of(self, expected: Expected) -> str:
        return expected.call.operation if expected.call is not None else ""

    def _copy_end(self, body: bytes, size: int, at_us: int) -> None:
        if self._session.is_copying_in:
            self._session.is_copying_in = False
        else:
            # The server has not said yet that it takes data; `Told` drops this mark once it does, or does not.
            self._expect("c", at_us)

    def _nothing(self, body: bytes, size: int, at_us: int) -> None:
        """Flush, Terminate, passwords: nothing that is answered, or nothing that may be known."""
