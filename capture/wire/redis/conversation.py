"""What a client says on one connection, as calls: the state that its commands change for those after them.

The decoder uses it to follow a connection, a stub to be one end of it.
"""

from itertools import count
from typing import NamedTuple

import orjson

from ...headers import Headers
from ..call import Call
from .commands import Args, Command, arguments, command, target, upper
from .texts import label
from .values import Cut

_LONGEST_DATABASE = 20


class Said(NamedTuple):
    """A command as a call that nobody has answered yet.

    `is_queued`: sent between MULTI and EXEC. `is_mute`: CLIENT REPLY has said that no answer comes. `is_setup`: said
    about the connection and not about data.
    """

    call: Call
    known: Command
    args: Args
    is_queued: bool
    is_mute: bool
    is_setup: bool


class Conversation:
    """One connection's database, transaction and reply mode."""

    __slots__ = (
        "_connection",
        "_headers",
        "_lane",
        "_lanes",
        "_mute",
        "_mute_next",
        "_setup_headers",
        "database",
        "in_multi",
    )

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self.database = "0"
        """The number of the database in use."""
        self.in_multi = False
        """Whether commands are being queued."""
        self._lane: str | None = None
        self._lanes = count(1)
        self._mute = self._mute_next = False
        self._describe()

    def say(self, args: Args, at_us: int) -> Said:
        """The client says `args`, a command's name and its arguments, at `at_us`."""
        known = command(args)
        part = known.part
        if part in _ENTERING:
            self._enter(part)
        is_setup = known.operation in _SETUP
        call = Call(at_us, known.method, label(target(known, args)), known.operation)
        call.lane = self._lane
        call.headers = self._setup_headers if is_setup else self._headers
        if part in _PUBLISHING:
            _publish(call, args)
        else:
            call.arguments = orjson.dumps(arguments(known, args)).decode()
        if Cut in map(type, args):
            _cut(call, args)
        is_queued = self.in_multi and part not in _NEVER_QUEUED
        is_mute = self._mute or self._mute_next
        self._mute_next = False
        if part == "CLIENT REPLY":
            is_mute = self._reply_mode(args, is_mute)
        elif part:
            self._leave(part, args)
        return Said(call, known, args, is_queued, is_mute, is_setup)

    def unselect(self, said: Said) -> None:
        """SELECT was refused: the database is what it was, unless another one has been chosen since."""
        if len(said.args) > 1 and self.database == label(said.args[1])[:_LONGEST_DATABASE]:
            self.database = said.call.headers.get("database", "0") or "0"
            self._describe()

    def _enter(self, part: str) -> None:
        """A transaction begins with the first WATCH or with MULTI."""
        if self._lane is None:
            self._lane = f"{self._connection}.{next(self._lanes)}"
            self._describe()
        if part == "MULTI":
            self.in_multi = True

    def _leave(self, part: str, args: Args) -> None:
        """What a command changes for those after it."""
        if part == "SELECT" and len(args) > 1:
            self.database = label(args[1])[:_LONGEST_DATABASE]
            self._describe()
        elif part in _LEAVING and not (part == "UNWATCH" and self.in_multi):
            self.in_multi = False
            self._lane = None
            if part == "RESET":
                self.database = "0"
            self._describe()

    def _reply_mode(self, args: Args, is_mute: bool) -> bool:
        """CLIENT REPLY ON, OFF or SKIP; whether it is not answered itself."""
        mode = upper(args[2]) if len(args) > 2 else b""
        self._mute = mode == b"OFF" or (self._mute and mode != b"ON")
        self._mute_next = mode == b"SKIP" and not self._mute
        return {b"ON": False, b"OFF": True, b"SKIP": True}.get(mode, is_mute)

    def _describe(self) -> None:
        items = [("database", self.database)]
        if self._lane is not None:
            items.append(("transaction", self._lane))
        self._headers = Headers(items)
        self._setup_headers = Headers((*items, ("setup", "yes")))


def _publish(call: Call, args: Args) -> None:
    """PUBLISH and SPUBLISH in the form of a message on a bus."""
    call.operation = "publish"
    call.arguments = '{"sharded":true}' if call.method == "SPUBLISH" else "{}"
    call.method = "PUBLISH"
    payload = args[2] if len(args) > 2 else b""
    call.body = payload if isinstance(payload, bytes) else b""


def _cut(call: Call, args: Args) -> None:
    """Tell the size and hash of the largest argument that was not kept."""
    cut = max((arg for arg in args if isinstance(arg, Cut)), key=lambda cut: cut.size)
    call.truncated = True
    call.headers = Headers((*call.headers.items, ("size", str(cut.size)), ("hash", cut.digest)))


_SETUP = frozenset(
    ["AUTH", "HELLO", "PING", "READONLY", "READWRITE", "SELECT", "QUIT", "RESET", "INFO", "ROLE"]
    + [f"CLIENT {word}" for word in ("SETINFO", "SETNAME", "ID", "NO-EVICT", "NO-TOUCH", "TRACKING")]
    + ["CLIENT MAINT_NOTIFICATIONS", "COMMAND", "COMMAND DOCS"]
    + [f"CLUSTER {word}" for word in ("SLOTS", "SHARDS", "NODES", "INFO", "MYID")]
    + ["SENTINEL GET-MASTER-ADDR-BY-NAME"]
)
"""What clients say about a connection, as often as they open one: marked, so that nobody takes their number for
behaviour."""

_ENTERING = frozenset({"MULTI", "WATCH"})
_LEAVING = frozenset({"EXEC", "DISCARD", "UNWATCH", "RESET"})
_NEVER_QUEUED = frozenset({"MULTI", "EXEC", "DISCARD", "WATCH", "RESET"})
_PUBLISHING = frozenset({"PUBLISH", "SPUBLISH"})
