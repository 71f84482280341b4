"""The decoder of one MongoDB connection: commands and their replies by the messages' numbers.

Three rules hold here. What stands in a SASL exchange is never told. A cursor's batch is rows. What is out of step is
one `gap`, and then silence for the connection.

Greetings, pings and what only belongs to a session (endSessions, killCursors) are nothing. A client that finds a
replica set goes on to the members' own addresses; `directConnection=true` keeps it with the tap.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import orjson

from ...headers import Headers
from ...model import FailureKind
from ..call import BODY_CAP, ERROR, OK, Call, CallEvents
from .messages import (
    MORE_TO_COME,
    OP_COMPRESSED,
    OP_MSG,
    Framer,
    Malformed,
    Message,
    Unread,
    load,
    parse_message,
    plain,
    uncompressed,
)

MOST_WAITING = 10_000
MOST_ROWS = 200
MOST_BYTES = 256 << 10

_NOTHING = frozenset(
    {
        "hello", "ismaster", "ping", "buildinfo", "saslstart", "saslcontinue", "authenticate", "getnonce", "logout",
        "endsessions", "refreshsessions", "killcursors", "killsessions", "getparameter", "connectionstatus", "getlog",
    }
)  # fmt: skip
_DROPPED = frozenset(
    {
        "lsid", "$db", "$clusterTime", "txnNumber", "autocommit", "startTransaction", "apiVersion", "apiStrict",
        "apiDeprecationErrors", "$readPreference", "readConcern",
    }
)  # fmt: skip
_ANSWER_DROPPED = frozenset({"ok", "$clusterTime", "operationTime", "opTime", "electionId"})
_SECRETS = frozenset({"pwd", "password", "key", "payload", "saslPayload", "clientKey"})
_USER_COMMANDS = frozenset({"createuser", "updateuser"})
_DUPLICATE = re.compile(r"(dup key:).*", re.DOTALL)
_JSON = ("content-type", "application/json")

# A missing library is told when a tap is made, not when its first client comes.
load()


class MongoDecoder:
    """Bytes of one connection in, calls out. `connection` names its transactions."""

    def __init__(self, connection: str, events: CallEvents) -> None:
        self._connection = connection
        self._events = events
        self._client, self._server = Framer(), Framer()
        self._waiting: OrderedDict[int, Call | None] = OrderedDict()
        self._open = 0
        self._transactions = 0
        self._transaction: tuple[Any, str] | None = None
        self._is_silent = False

    @property
    def in_flight(self) -> bool:
        """Whether a call is begun and not ended."""
        return self._open > 0

    def feed_client(self, data: bytes, at_us: int) -> None:
        """Bytes that the client sent."""
        self._follow(self._client, data, self._asked, "client bytes that are not MongoDB's", at_us)

    def feed_server(self, data: bytes, at_us: int) -> None:
        """Bytes that the server sent."""
        self._follow(self._server, data, self._told, "server bytes that are not MongoDB's", at_us)

    def lost(self, kind: FailureKind, detail: str, at_us: int) -> None:
        """The connection is gone: open calls fail with `kind`."""
        self._is_silent = True
        while self._waiting:
            _, call = self._waiting.popitem(last=False)
            if call is not None:
                call.fail(kind, detail, at_us)
                self._ended(call)

    def _follow(
        self, framer: Framer, data: bytes, take: Callable[[Message, int], None], wrong: str, at_us: int
    ) -> None:
        if self._is_silent:
            return
        try:
            for message in framer.feed(data):
                take(message, at_us)
                if self._is_over():
                    return
        except Malformed:
            self._fall_silent(wrong, at_us)

    def _is_over(self) -> bool:
        return self._is_silent

    def _fall_silent(self, reason: str, at_us: int) -> None:
        self._events.gap(reason)
        self.lost(FailureKind.PROTOCOL, reason, at_us)

    def _ended(self, call: Call) -> None:
        self._open -= 1
        self._events.ended(call)

    def _opened(self, message: Message) -> tuple[int, dict[str, Any]] | None:
        """A message's flags and document; None for one of another kind, or one that is not read."""
        opcode, body = message.opcode, message.body
        if body is None:
            self._events.gap("a MongoDB message that is too large to be read")
            return None
        try:
            if opcode == OP_COMPRESSED:
                opcode, body = uncompressed(body)
        except Unread:
            self._events.gap("a MongoDB message that could not be unpacked")
            return None
        return parse_message(body) if opcode == OP_MSG else None

    # What the client says.

    def _asked(self, message: Message, at_us: int) -> None:
        opened = self._opened(message)
        call = None
        is_answered = True
        if opened is not None:
            flags, document = opened
            is_answered = not flags & MORE_TO_COME
            command = next(iter(document), "")
            if command.lower() not in _NOTHING:
                call = self._call(command, document, at_us)
                self._open += 1
                self._events.begun(call)
        if is_answered:
            if len(self._waiting) >= MOST_WAITING or self._waiting.get(message.number) is not None:
                if call is not None:
                    call.fail(FailureKind.PROTOCOL, "too many commands wait", at_us)
                    self._ended(call)
                raise Malformed
            self._waiting[message.number] = call
        elif call is not None:
            call.answer(OK, at_us)
            call.reason = "unacknowledged"
            self._ended(call)

    def _call(self, command: str, document: dict[str, Any], at_us: int) -> Call:
        named = document[command]
        target = named if isinstance(named, str) else str(document.get("collection", ""))
        call = Call(at_us, command.upper(), target, f"{command} {target}".strip())
        arguments = {
            name: plain(value)
            for name, value in document.items()
            if name not in _DROPPED and name != command and not (command == "getMore" and name == "collection")
        }
        if command.lower() in _USER_COMMANDS:
            call.target, call.operation = "", command
            arguments = {name: value for name, value in arguments.items() if name not in _SECRETS}
        call.arguments, call.truncated = _json(arguments)
        headers = [("database", str(document.get("$db", "")))]
        call.lane = self._lane(document)
        if call.lane is not None:
            headers.append(("transaction", call.lane))
        call.headers = Headers(headers)
        return call

    def _lane(self, document: dict[str, Any]) -> str | None:
        if document.get("autocommit") is not False:
            return None
        key = repr((document.get("lsid"), document.get("txnNumber")))
        if self._transaction is None or self._transaction[0] != key:
            self._transactions += 1
            self._transaction = (key, f"{self._connection}.{self._transactions}")
        return self._transaction[1]

    # What the server says.

    def _told(self, message: Message, at_us: int) -> None:
        if message.answers not in self._waiting:
            raise Malformed
        call = self._waiting.pop(message.answers)
        try:
            opened = self._opened(message)
        except Malformed:
            self._waiting[message.answers] = call
            raise
        if opened is not None and opened[0] & MORE_TO_COME:
            # The server goes on by itself; each further reply answers the one before it.
            self._waiting[message.number] = None
        if call is None:
            return
        if opened is None:
            call.fail(FailureKind.TRUNCATED, "the reply was not read", at_us)
        else:
            _answer(call, opened[1], at_us)
        self._ended(call)


def _json(value: Any) -> tuple[str, bool]:
    """JSON text, and whether it had to be cut."""
    try:
        raw = orjson.dumps(value)
    except (TypeError, ValueError):
        return "{}", True
    if len(raw) <= BODY_CAP:
        return raw.decode(), False
    return orjson.dumps({"$size": len(raw), "$hash": blake2b(raw, digest_size=16).hexdigest()}).decode(), True


def _answer(call: Call, document: dict[str, Any], at_us: int) -> None:
    if not document.get("ok"):
        name = str(document.get("codeName") or document.get("code") or "error")
        said = {"severity": "ERROR", "code": name, "number": plain(document.get("code"))}
        said |= {"message": _without_key(str(document.get("errmsg", "")))}
        call.answer(ERROR, at_us, _json(said)[0].encode(), Headers((_JSON,)))
        call.reason = name
        return
    cursor = document.get("cursor")
    if isinstance(cursor, dict):
        batch = cursor.get("firstBatch", cursor.get("nextBatch"))
        if isinstance(batch, list):
            _answer_rows(call, batch, at_us)
            return
    said = {name: plain(value) for name, value in document.items() if name not in _ANSWER_DROPPED}
    errors = said.get("writeErrors")
    if isinstance(errors, list) and errors:
        for each in errors:
            if isinstance(each, dict) and isinstance(each.get("errmsg"), str):
                each["errmsg"] = _without_key(each["errmsg"])
    text, is_cut = _json(said)
    call.truncated = call.truncated or is_cut
    call.answer(ERROR if errors else OK, at_us, text.encode(), Headers((_JSON,)))
    call.reason = "writeErrors" if errors else call.method


def _without_key(message: str) -> str:
    """A duplicate key's value stands in `keyValue` as well, under its name."""
    return _DUPLICATE.sub(r"\1 …", message)[:4096]


def _answer_rows(call: Call, batch: list[Any], at_us: int) -> None:
    kept: list[bytes] = []
    size = 0
    rest = blake2b(digest_size=16)
    is_cut = False
    for document in batch:
        raw = _json(plain(document))[0].encode()
        size += len(raw)
        is_cut = is_cut or len(kept) >= MOST_ROWS or size > MOST_BYTES
        if is_cut:
            rest.update(raw)
        else:
            kept.append(raw)
    headers = [_JSON, ("rows", str(len(batch)))]
    if is_cut:
        headers += [("rows-kept", str(len(kept))), ("rows-hash", rest.hexdigest())]
    call.truncated = call.truncated or is_cut
    call.answer(OK, at_us, b'{"rows":[%b]}' % b",".join(kept), Headers(headers))
    call.reason = f"{call.method} {len(batch)}"
