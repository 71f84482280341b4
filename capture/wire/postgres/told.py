"""What a server's messages mean: each belongs to the head of what is expected.

After PostgreSQL 18 docs, 54.2 (message flow).
"""

from collections import deque
from typing import Any

import orjson

from ...headers import Headers
from ...model import FailureKind, Role
from ..call import OK, Call
from ..sql import arguments
from .copies import CopyRows
from .errors import error_body
from .layout import LateRows, Layout, layout_of, unnamed
from .messages import (
    Handler,
    Malformed,
    int4_at,
    name_at,
    parse_fields,
    parse_parameter_description,
    parse_row_description,
)
from .prepared import Portal
from .session import Expected, Session

SUSPENDED = "suspended"
"""The reason of an answer that has given as many rows as were asked for, and may have more."""


class Told:
    """The server's half of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.handlers: dict[int, Handler] = {
            ord("D"): self._row,
            ord("C"): self._complete,
            ord("Z"): self._ready,
            ord("2"): self._bound,
            ord("T"): self._row_description,
            ord("1"): self._parsed,
            ord("t"): self._parameter_description,
            ord("n"): self._no_data,
            ord("3"): self._closed,
            ord("s"): self._suspended,
            ord("I"): self._empty,
            ord("E"): self._error,
            ord("G"): self._copy_in,
            ord("H"): self._copy_out,
            ord("W"): self._copy_both,
            ord("d"): self._copy_data,
            ord("c"): self._nothing,
            ord("N"): self._nothing,
            ord("K"): self._nothing,
            ord("V"): self._function,
            ord("S"): self._status,
            ord("A"): self._notification,
        }

    def _head(self, kinds: str) -> Expected:
        """What the answer belongs to, if it is of one of `kinds`."""
        expected = self._session.expected
        if not expected:
            raise Malformed
        head = expected[0]
        if head.kind in kinds:
            return head
        while expected and expected[0].kind == "c":
            # The end of data that the server did not ask for.
            expected.popleft()
        if not expected or expected[0].kind not in kinds:
            raise Malformed
        return expected[0]

    def _running(self, at_us: int) -> Expected:
        """The statement that an answer belongs to; its call is begun with the first of its answers."""
        head = self._head("EQ")
        if head.call is None and head.script:
            head.call = self._session.begin_statement(head.script.popleft(), head.at_us)
        return head

    def _done(self, head: Expected, tag: str, at_us: int) -> None:
        self._session.end(head, tag, at_us)
        if head.kind == "E":
            self._session.expected.popleft()
        else:
            # The next statement of the same text starts now.
            head.at_us = at_us

    def _parsed(self, body: bytes, size: int, at_us: int) -> None:
        self._head("P")
        self._session.expected.popleft()

    def _bound(self, body: bytes, size: int, at_us: int) -> None:
        self._head("B")
        self._session.expected.popleft()

    def _closed(self, body: bytes, size: int, at_us: int) -> None:
        self._head("C")
        self._session.expected.popleft()

    def _parameter_description(self, body: bytes, size: int, at_us: int) -> None:
        prepared = self._head("D").prepared
        if prepared is not None and len(body) == size:
            prepared.parameters(parse_parameter_description(body))

    def _row_description(self, body: bytes, size: int, at_us: int) -> None:
        head = self._head("DQ")
        if len(body) < size:
            raise Malformed
        if head.kind == "Q":
            self._running(at_us).layout = layout_of(body)
            return
        if head.prepared is not None:
            head.prepared.describe(parse_row_description(body))
            self._session.note_described(head.prepared, at_us)
        elif head.portal is not None:
            head.portal.layout = layout_of(body)
        self._session.expected.popleft()

    def _no_data(self, body: bytes, size: int, at_us: int) -> None:
        head = self._head("D")
        if head.prepared is not None:
            head.prepared.describe(())
        self._session.expected.popleft()

    def _row(self, body: bytes, size: int, at_us: int) -> None:
        expected = self._session.expected
        rows = expected[0].rows if expected else None
        if rows is None:
            rows = self._first_row(body, at_us)
        rows.take(body, size)

    def _first_row(self, body: bytes, at_us: int) -> LateRows:
        head = self._running(at_us)
        if head.layout is None:
            head.layout = self._layout(head) or unnamed(body)
        head.rows = rows = head.layout.rows()
        return rows

    def _layout(self, head: Expected) -> Layout | None:
        """How the rows of an Execute are read, if it was described."""
        portal = head.portal
        if portal is None:
            return None
        return portal.layout or portal.prepared.layout(portal.result_formats)

    def _complete(self, body: bytes, size: int, at_us: int) -> None:
        tag, _ = name_at(body, 0)
        head = self._running(at_us)
        if head.layout is None:
            head.layout = self._layout(head)
        self._session.is_copying_in = False
        self._done(head, tag, at_us)

    def _empty(self, body: bytes, size: int, at_us: int) -> None:
        head = self._head("EQ")
        self._done(head, "", at_us)

    def _suspended(self, body: bytes, size: int, at_us: int) -> None:
        head = self._head("E")
        head.layout = head.layout or self._layout(head)
        self._done(head, SUSPENDED, at_us)

    def _ready(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        if not body:
            raise Malformed
        while session.expected:
            head = session.expected.popleft()
            session.fail(head, FailureKind.PROTOCOL, "the server did not answer it", at_us)
            if head.kind in "SQF":
                break
        session.is_copying_in = False
        session.ready(body[0])

    def _error(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        session.is_copying_in = False
        said = error_body(parse_fields(body))
        while session.expected and session.expected[0].kind == "c":
            session.expected.popleft()
        if not session.expected:
            # The server says goodbye to an idle session; what was asked is answered.
            return
        head = session.expected[0]
        if head.kind not in "QFS":
            self._skip_to_sync(said, at_us)
            return
        if head.kind == "Q":
            self._running(at_us)
            head.script = None
        if head.call is None:
            # Only the end of the implicit transaction is left to fail, by a deferred constraint for one.
            head.call = session.begin_other("COMMIT", "", "COMMIT", at_us)
        session.refuse(head, said["code"], orjson.dumps(said), at_us)

    def _skip_to_sync(self, said: dict[str, Any], at_us: int) -> None:
        """The server passes over everything up to the next Sync: the first Execute in it is what failed."""
        session = self._session
        skipped: list[Expected] = []
        while session.expected and session.expected[0].kind != "S":
            skipped.append(session.expected.popleft())
        session.is_skipping = not session.expected
        failed = next((each for each in skipped if each.call is not None), None)
        if failed is None:
            failed = skipped[0]
            failed.call = self._begin_failed(failed)
        session.refuse(failed, said["code"], orjson.dumps(said), at_us)
        for each in skipped:
            session.fail(each, FailureKind.CANCELLED, "an error before it", at_us)

    def _begin_failed(self, failed: Expected) -> Call:
        """The call of a statement that came to no Execute."""
        portal = failed.portal
        if portal is None and failed.prepared is not None:
            portal = Portal(failed.prepared, arguments(failed.prepared.statement), (), truncated=False)
        if portal is None:
            return self._session.begin_other("DESCRIBE", "", "DESCRIBE", failed.at_us)
        return self._session.begin_portal(portal, failed.at_us)

    def _copy_in(self, body: bytes, size: int, at_us: int) -> None:
        session = self._session
        head = self._running(at_us)
        if head.copy is None:
            head.copy = CopyRows(head.call.operation if head.call is not None else "", is_inward=True)
        rest = list(session.expected)[1:]
        end = next((at for at, each in enumerate(rest) if each.kind == "c"), len(rest))
        session.is_copying_in = end == len(rest)
        # What was sent as Sync before the data's end is ignored by the server (54.2.6).
        kept = [each for each in rest[:end] if each.kind != "S"] + rest[end + 1 :]
        session.expected = deque((head, *kept))

    def _copy_out(self, body: bytes, size: int, at_us: int) -> None:
        head = self._running(at_us)
        head.copy = CopyRows(head.call.operation if head.call is not None else "", is_inward=False)

    def _copy_both(self, body: bytes, size: int, at_us: int) -> None:
        # Only replication does this.
        raise Malformed

    def _copy_data(self, body: bytes, size: int, at_us: int) -> None:
        copy = self._head("EQ").copy
        if copy is None or copy.is_inward:
            raise Malformed
        copy.add(body, size)

    def _function(self, body: bytes, size: int, at_us: int) -> None:
        self._session.end(self._head("F"), "", at_us)

    def _status(self, body: bytes, size: int, at_us: int) -> None:
        name, at = name_at(body, 0)
        value, _ = name_at(body, at)
        self._session.parameter(name, value)

    def _notification(self, body: bytes, size: int, at_us: int) -> None:
        """A NOTIFY of some session: a message that comes in."""
        int4_at(body, 0)
        channel, at = name_at(body, 4)
        payload = body[at:-1]
        call = Call(at_us, "CONSUME", channel, "consume")
        call.role = Role.INBOUND
        call.arguments = "{}"
        call.body = payload
        kind = "application/json" if payload[:1] in {b"{", b"["} else "text/plain"
        call.headers = Headers((("database", self._session.database), ("content-type", kind)))
        self._session.events.begun(call)
        call.answer(OK, at_us)
        self._session.events.ended(call)

    def _nothing(self, body: bytes, size: int, at_us: int) -> None:
        """Notices, the end of a COPY's data: nothing that says more than what follows."""
