"""The tap: passes cleartext HTTP/1.1 on to its upstream and records it in passing.

Two rules hold here. Bytes are parsed in the round of the event loop after the one that passed them on, so they have
left when parsing starts. Nothing that recording does, or fails to do, reaches the traffic.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..links import LinkIndex
from ..model import FailureKind, Role
from ..recorder import Sink
from ..sample import Sampler
from ..wire.http1 import BODY_CAP, Http1Connection
from ..wire.turn import Budget, RawTurn
from .relay import CONNECT_WITHIN_S, ClientEnd, Relay

GRACE_S = 5.0
LINGER_S = 2.0
BODIES_AT_ONCE = 512 << 20
"""Bytes of bodies that one tap keeps in memory while their exchanges are under way."""
_PARSE_AT_ONCE = 4 << 20

_TEXT = b"seamline tap: the upstream cannot be reached\n"
_BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TEXT), _TEXT)
)


@dataclass(frozen=True, slots=True)
class TapSpec:
    """Where a tap listens, what it stands for, and which way its exchanges go. Addresses are (host, port)."""

    name: str
    protocol: str
    listen: tuple[str, int]
    upstream: tuple[str, int]
    role: Role


class Tap:
    """One listener in front of one upstream. `links` and `sampler` are shared by all taps of a recorder; without
    `links` there is no downstream whose calls would have to be tied to their causes."""

    def __init__(
        self,
        spec: TapSpec,
        recorder: Sink,
        links: LinkIndex | None,
        *,
        sampler: Sampler | None = None,
        body_cap: int = BODY_CAP,
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> None:
        if spec.protocol != "http":
            raise UsageError(f"tap {spec.name}: protocol {spec.protocol} is not in this version", "use http")
        self.spec = spec
        self.recorder = recorder
        self.body_cap = body_cap
        self.budget = Budget(BODIES_AT_ONCE)
        self._connect_within_s = connect_within_s
        self._links = links
        self._sampler = sampler
        self._inbound = spec.role is Role.INBOUND
        self._conversations: set[_Conversation] = set()
        self._server: asyncio.Server | None = None
        self._drained: asyncio.Event | None = None
        self._connections = 0
        self._waiting: list[tuple[Callable[..., None], Any, int]] = []
        self._waiting_size = 0
        self._now_us = recorder.clock.now_us
        self._call_soon = asyncio.get_running_loop().call_soon

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""
        host, port = self.spec.listen
        self._server = await asyncio.get_running_loop().create_server(self._accepted, host, port, backlog=1024)
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Take no more connections, close each once it is idle, give those still in flight `grace_s` seconds."""
        if self._server is not None:
            self._server.close()
        self._drained = asyncio.Event()
        self._parse()
        try:
            async with asyncio.timeout(grace_s):
                await self._drained.wait()
        except TimeoutError:
            for conversation in list(self._conversations):
                conversation.relay.shut(FailureKind.CANCELLED, "the tap was stopped")
            self._parse()

    def _close_idle(self, drained: asyncio.Event) -> None:
        for conversation in list(self._conversations):
            if not conversation.decoder.turns:
                self._conversations.discard(conversation)
                conversation.relay.shut(FailureKind.CANCELLED, "the tap was stopped")
        if not self._conversations:
            drained.set()

    def _accepted(self) -> ClientEnd:
        self._connections += 1
        conversation = _Conversation(self, f"c-{self._connections}")
        self._conversations.add(conversation)
        conversation.relay = Relay(self.spec.upstream, conversation, self._ended, self._connect_within_s)
        return ClientEnd(conversation.relay)

    def _ended(self, relay: Relay) -> None:
        assert isinstance(relay.watcher, _Conversation)
        self._conversations.discard(relay.watcher)

    def later(self, what: Callable[..., None], data: Any, size: int) -> None:
        """Have `what(data, at_us)` called once the bytes of this round of the loop have been sent."""
        waiting = self._waiting
        if not waiting:
            self._call_soon(self._parse)
        waiting.append((what, data, self._now_us()))
        self._waiting_size += size
        if self._waiting_size > _PARSE_AT_ONCE:
            self._parse()

    def _parse(self) -> None:
        waiting, self._waiting, self._waiting_size = self._waiting, [], 0
        for what, data, at_us in waiting:
            try:
                what(data, at_us)
            except Exception as error:
                # A fault of ours costs a piece of the recording, never the traffic. Its text could quote bytes.
                self.gap(f"decoder failed: {type(error).__name__}")
        if self._drained is not None:
            self._close_idle(self._drained)

    def gap(self, reason: str) -> None:
        """Count bytes that were passed on but not understood."""
        self.recorder.lost("gaps", reason)

    def begun(self, turn: RawTurn, connection: str) -> None:
        """A request has started: give it its id, its session and its place among causes."""
        turn.exchange_id, turn.seq = self.recorder.next_id()
        turn.session = self.recorder.sessions.of(turn.request_head, connection)
        if self._inbound:
            if self._links is not None:
                self._links.opened(turn.exchange_id, turn.started_us, turn.request_head)
            if self._sampler is not None:
                self._sampler.inbound(turn.exchange_id, turn.session)
        elif self._links is not None:
            turn.links = self._links.links_for(turn.request_head, turn.started_us)

    def ended(self, turn: RawTurn) -> None:
        """A request is answered or has failed: hand it over."""
        if self._inbound and self._links is not None:
            self._links.closed(turn.exchange_id, turn.ended_us)
        if self._sampler is not None and not self._sampler.keeps(self._cause(turn)):
            self.recorder.lost("skipped", "not in the sample")
            return
        self.recorder.offer_raw(turn.raw(self.spec.role, self.spec.name))

    def _cause(self, turn: RawTurn) -> str:
        """Whose place in the sample decides: a call goes with the inbound exchange that caused it."""
        return turn.links[0].parent if turn.links else turn.exchange_id


class _Conversation:
    """One connection's recording: a relay's watcher in front of a decoder."""

    __slots__ = ("_answered", "_name", "_refusal", "_tap", "decoder", "relay")

    relay: Relay

    def __init__(self, tap: Tap, name: str) -> None:
        self._tap = tap
        self._name = name
        self._refusal: str | None = None
        self._answered = False
        self.decoder = Http1Connection(self._begun, tap.ended, tap.gap, body_cap=tap.body_cap, budget=tap.budget)

    def client_data(self, data: bytes) -> None:
        feed = self.decoder.feed_client if self._refusal is None else self._feed_refused
        self._tap.later(feed, data, len(data))

    def server_data(self, data: bytes) -> None:
        self._tap.later(self.decoder.feed_server, data, len(data))

    def client_eof(self) -> None:
        self._tap.later(self._client_eof, None, 0)

    def server_eof(self) -> None:
        self._tap.later(self._server_eof, None, 0)

    def lost(self, kind: FailureKind, detail: str) -> None:
        if not self.decoder.opaque or self.decoder.turns:
            self._tap.later(self._lost, (kind, detail), 0)

    def unreachable(self, detail: str) -> None:
        self._refusal = detail
        self._tap.later(self._feed_refused, b"", 0)

    def _begun(self, turn: RawTurn) -> None:
        self._tap.begun(turn, self._name)

    def _client_eof(self, _: None, at_us: int) -> None:
        self.decoder.client_eof(at_us)

    def _server_eof(self, _: None, at_us: int) -> None:
        self.decoder.server_eof(at_us)

    def _lost(self, how: tuple[FailureKind, str], at_us: int) -> None:
        kind, detail = how if self._refusal is None else (FailureKind.CONNECT, self._refusal)
        self.decoder.lost(kind, detail, at_us)

    def _feed_refused(self, data: bytes, at_us: int) -> None:
        """Without an upstream the tap has to answer: once a request's head is here, and before its body is."""
        decoder = self.decoder
        decoder.feed_client(data, at_us)
        if decoder.turns and not self._answered:
            self._answered = True
            self.relay.answer(_BAD_GATEWAY)
            # Closing with bytes of the client's unread would reset the connection and take the answer with it.
            asyncio.get_running_loop().call_later(LINGER_S, self._close_refused)
        if decoder.client_blind or all(turn.request_done for turn in decoder.turns):
            self._close_refused()

    def _close_refused(self) -> None:
        self.relay.shut(FailureKind.CONNECT, self._refusal or "")
