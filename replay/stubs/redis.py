"""The Redis stub: a server that answers every command from the capture, in RESP2 and RESP3.

Rules of this file: what a client says about its connection (HELLO, AUTH, SELECT, PING …) the stub answers itself, and
lets in whoever comes; replies go out in the order of the commands; a transaction's answers wait for its EXEC.
"""

import asyncio
import contextlib
import socket
import struct

from ...capture.model import FailureKind, Response
from ...capture.wire.call import OK
from ...capture.wire.redis.answers import body_of
from ...capture.wire.redis.bounded import Malformed
from ...capture.wire.redis.command_reader import CommandReader
from ...capture.wire.redis.commands import Args
from ...capture.wire.redis.conversation import Conversation, Said
from ...capture.wire.redis.decoder import UNFOLLOWED
from ...capture.wire.redis.encode import RESP2, RESP3, encode
from ...capture.wire.redis.replies import Unusable, fault_of, value_of
from ...capture.wire.redis.values import NULL_ARRAY, Cut, Fault, Map, Push, Simple, Value
from .answers import Answered, Answers
from .match import Step
from .redis_queues import TAKING, patience_s
from .servers import ConversationServer, HangUp

_CHUNK = 64 << 10
_OK = Simple(b"OK")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_QUEUED = Simple(b"QUEUED")
_SILENT = frozenset({FailureKind.TIMEOUT, FailureKind.CANCELLED})
"""Failures of somebody who waited in vain: the stub says nothing for as long as its client waits."""

_AROUND = frozenset({"MULTI", "DISCARD", "WATCH", "UNWATCH", "ASKING"})
"""What is granted where the capture has no answer, so that a client goes on."""

_INFO = b"# Server\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\nloading:0\r\nrole:master\r\n"
_NODE = b"0" * 40
_LAST_SLOT = 16_383


class RedisStub(ConversationServer["_Client"]):
    """The server."""

    def _conversation(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> "_Client":
        return _Client(self.answers, f"c-{number}", reader, writer)


class _Client:
    """One connection."""

    def __init__(self, answers: Answers, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answers = answers
        self._name = name
        self._reader = reader
        self._writer = writer
        self._commands = CommandReader()
        self._conversation = Conversation(name)
        self._protocol = RESP2
        self._queued: list[Value] = []
        self._subscribed: dict[bytes, set[bytes]] = {}
        self._loop = asyncio.get_running_loop()
        self._facts = _facts(int(name.removeprefix("c-")), writer.get_extra_info("sockname"))
        self.is_busy = False
        self.is_last = False
        """Whether what is under way is the last that is served."""
        self._breaks = False

    def hang_up(self) -> None:
        """Close the connection; with a reset where that is what was recorded."""
        if not self._breaks:
            self._writer.close()
            return
        sock = self._writer.get_extra_info("socket")
        # The socket may be gone already, and then there is nothing to reset.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._writer.transport.abort()

    async def serve(self) -> None:
        """Answer until the client leaves. Raises HangUp, OSError."""
        while not self.is_last:
            data = await self._reader.read(_CHUNK)
            if not data:
                break
            self.is_busy = True
            commands: list[list[bytes | Cut]] = []
            try:
                self._commands.feed(data, commands)
            except Malformed:
                self._answers.gap("client bytes that are not RESP")
                self.is_last = True
            at = self._loop.time()
            for args in commands:
                await self._answer(args, at)
            await self._writer.drain()
            self.is_busy = False
        raise HangUp

    async def _answer(self, args: Args, at: float) -> None:
        said = self._conversation.say(args, self._answers.now_us())
        part = said.known.part
        if part in UNFOLLOWED:
            self._write(Fault(b"ERR seamline: a stub has nothing to say to this"))
        elif said.is_setup and said.known.operation != "COMMAND":
            await self._set_up(said)
        elif part in _SUBSCRIPTIONS:
            await self._ask(said, at)
            self._confirm(part.lower().encode(), args)
        elif part == "CLIENT REPLY":
            if not said.is_mute:
                self._write(_OK)
        else:
            await self._from_capture(said, at)

    async def _from_capture(self, said: Said, at: float) -> None:
        value = await self._ask(said, at)
        part = said.known.part
        if part == "EXEC":
            value = self._executed(value)
        elif part == "DISCARD":
            self._queued.clear()
        elif said.is_queued:
            self._queued.append(value)
            value = _QUEUED
        if not said.is_mute:
            self._write(value)

    async def _ask(self, said: Said, at: float) -> Value:
        """The recorded answer, waited for as long as it took then."""
        spent = _nothing(said) if said.known.method in TAKING else None
        answered = await self._answers.answer(said.call, self._name, self._own(said), spent=spent)
        wait_s = at + answered.delay_us / 1e6 - self._loop.time()
        if wait_s > 0:
            await self._writer.drain()
            await asyncio.sleep(wait_s)
        response = answered.response
        if response is None:
            await self._fail(answered)
            raise HangUp
        value = self._value(said, response, answered)
        if (value is None or value is NULL_ARRAY) and not said.is_queued:
            await self._be_patient(patience_s(said.known.method, said.args))
        if answered.cut:
            whole = encode(value, self._protocol)
            self._writer.write(whole[: len(whole) // 2])
            raise HangUp
        return value

    async def _be_patient(self, wait_s: float) -> None:
        """Let a client that waits for something wait as long as it said: a worker that is told at once that there is
        nothing asks again at once."""
        if wait_s > 0:
            await self._writer.drain()
            self.is_busy = False
            await asyncio.sleep(wait_s)
            self.is_busy = True

    def _own(self, said: Said) -> Response | None:
        """What is said where the capture has no answer, so that a client goes on; None where that is an error."""
        known = said.known
        value: Value
        if known.part == "EXEC":
            value = len(self._queued)
        elif known.part in _SUBSCRIPTIONS:
            value = len(said.args) - 1
        elif known.method in _AROUND:
            value = _OK
        elif known.operation == "COMMAND":
            value = []
        elif patience_s(known.method, said.args):
            return _nothing(said)
        else:
            return None
        body, headers = body_of(known, said.args, value)
        return Response(OK, headers, body)

    def _value(self, said: Said, response: Response, answered: Answered) -> Value:
        known = said.known
        if answered.step == Step.MISSED:
            return _missed(answered)
        if response.status != OK:
            return fault_of(response.body, response.reason)
        resp = response.headers.get("resp", "") or ""
        if known.part == "EXEC":
            return NULL_ARRAY if resp in ("null", "null-array") else []
        try:
            return value_of(known, said.args, response.body, resp, self._protocol)
        except Unusable:
            self._answers.gap("a recorded answer that is not whole")
            return Fault(b"ERR seamline: the recorded answer is not whole")

    def _executed(self, value: Value) -> Value:
        queued, self._queued = self._queued, []
        return queued if type(value) is list else value

    async def _fail(self, answered: Answered) -> None:
        failure = answered.failure
        if failure is not None and failure.kind in _SILENT:
            self.is_busy = False
            while await self._reader.read(_CHUNK):
                continue
            return
        self._breaks = failure is None or failure.kind is not FailureKind.PROTOCOL

    def _write(self, value: Value) -> None:
        self._writer.write(encode(value, self._protocol))

    # What is said about the connection.

    async def _set_up(self, said: Said) -> None:
        args, operation = said.args, said.known.operation
        value: Value = _OK
        if operation == "HELLO":
            value = self._hello(args)
        elif operation == "PING":
            value = self._pong(args)
        elif operation in self._facts:
            value = self._facts[operation]
        elif operation == "RESET":
            self._queued.clear()
            self._subscribed.clear()
            self._protocol = RESP2
            value = Simple(b"RESET")
        if said.is_queued:
            self._queued.append(value)
            value = _QUEUED
        if not said.is_mute:
            self._write(value)
        if operation == "QUIT":
            await self._writer.drain()
            raise HangUp

    def _hello(self, args: Args) -> Value:
        wanted = args[1] if len(args) > 1 else b"%d" % self._protocol
        if wanted not in (b"2", b"3"):
            return Fault(b"NOPROTO unsupported protocol version")
        self._protocol = RESP3 if wanted == b"3" else RESP2
        number = int(self._name.removeprefix("c-"))
        said: list[Value] = [b"server", b"redis", b"version", b"7.0.0", b"proto", self._protocol, b"id", number]
        return Map([*said, b"mode", b"standalone", b"role", b"master", b"modules", []])

    def _pong(self, args: Args) -> Value:
        text = args[1] if len(args) > 1 and isinstance(args[1], bytes) else b""
        if self._protocol < RESP3 and any(self._subscribed.values()):
            return [b"pong", text]
        return text or Simple(b"PONG")

    def _confirm(self, kind: bytes, args: Args) -> None:
        """Acknowledge a subscription, or the end of one, channel by channel. Nothing is ever published here."""
        kept = self._subscribed.setdefault(kind.replace(b"unsub", b"sub"), set())
        ends = b"unsub" in kind
        channels: list[bytes | None] = [arg for arg in args[1:] if isinstance(arg, bytes)]
        if ends and not channels:
            channels = [*sorted(kept)] or [None]
        make = Push if self._protocol >= RESP3 else list
        for channel in channels:
            if channel is not None:
                (kept.discard if ends else kept.add)(channel)
            self._write(make([kind, channel, self._count(kind)]))

    def _count(self, kind: bytes) -> int:
        if kind.startswith((b"ssub", b"sunsub")):
            return len(self._subscribed.get(b"ssubscribe", ()))
        return sum(len(self._subscribed.get(each, ())) for each in (b"subscribe", b"psubscribe"))


def _facts(number: int, address: tuple[str, int]) -> dict[str, Value]:
    """What the `number`th connection hears of the server at `address`: alone, and to a cluster's client all of it."""
    host, port = address[0].encode(), address[1]
    node: list[Value] = [host, port, _NODE]
    line = b"%b %b:%d@%d myself,master - 0 0 1 connected 0-%d\n" % (_NODE, host, port, port + 10_000, _LAST_SLOT)
    return {
        "CLIENT ID": number,
        "INFO": _INFO,
        "ROLE": [b"master", 0, []],
        "COMMAND DOCS": [],
        "CLUSTER SLOTS": [[0, _LAST_SLOT, node]],
        "CLUSTER SHARDS": Fault(b"ERR unknown subcommand 'SHARDS'"),
        "CLUSTER NODES": line,
        "CLUSTER INFO": b"cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_size:1\r\n",
        "CLUSTER MYID": _NODE,
        "SENTINEL GET-MASTER-ADDR-BY-NAME": [host, b"%d" % port],
    }


def _nothing(said: Said) -> Response:
    """A queue is empty."""
    body, headers = body_of(said.known, said.args, NULL_ARRAY)
    return Response(OK, headers, body)


def _missed(answered: Answered) -> Fault:
    return Fault(f"ERR seamline: the stub has no answer: {answered.why}".encode("utf-8", "replace"))


_SUBSCRIPTIONS = frozenset({"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"})
