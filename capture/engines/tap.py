"""The tap: passes cleartext HTTP/1.1 on to its upstream and records it in passing.

Two rules hold here. Bytes are parsed in the round of the event loop after the one that passed them on, so they have
left when parsing starts. Nothing that recording does, or fails to do, reaches the traffic.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..links import LinkIndex
from ..model import FailureKind, Role
from ..recorder import Sink
from ..sample import Sampler
from ..wire.heads import RawHead
from ..wire.http1 import BODY_CAP
from ..wire.quick import Place, QuickConnection
from ..wire.turn import Budget, RawTurn
from ..wire.whole import Whole, WholeMessages
from .relay import CONNECT_WITHIN_S, ClientEnd, Relay

GRACE_S = 5.0
LINGER_S = 2.0
BODIES_AT_ONCE = 512 << 20
"""Bytes of bodies that one tap keeps in memory while their exchanges are under way."""
_PARSE_AT_ONCE = 4 << 20
_LARGE = 16 << 10
"""Bytes of a chunk from which on it is counted: one round of the loop may bring many of them."""
MOST_IN_BATCH = 256
_HEAD_END = b"\r\n\r\n"

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
        self.certificate: Path | None = None
        """Cleartext: there is nothing that a client would have to trust."""
        self.recorder = recorder
        self.body_cap = body_cap
        self.budget = Budget(BODIES_AT_ONCE)
        self.messages = WholeMessages(body_cap)
        self._connect_within_s = connect_within_s
        self._links = links
        self._sampler = sampler
        self._inbound = spec.role is Role.INBOUND
        self._conversations: set[_Conversation] = set()
        self._server: asyncio.Server | None = None
        self._drained: asyncio.Event | None = None
        self._connections = 0
        self._is_parsing_soon = False
        self._large = 0
        self._wholes: list[Whole] = []
        self._call_soon = asyncio.get_running_loop().call_soon
        self.now_us = recorder.clock.now_us
        self.waiting: list[tuple[Callable[[Any, int], None], Any, int]] = []
        """What is to be called with which bytes, and when they came: filled as bytes pass, emptied by `_parse`."""
        # Most recordings have nothing to link and no sample: a whole exchange is then kept, and that is all.
        is_plain = links is None and sampler is None
        self.begun = self._begun if is_plain else self._begun_with_cause
        self.whole: Callable[[Whole], None] = self._wholes.append if is_plain else self._judged

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
            if not conversation.decoder.in_flight:
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

    def soon(self, size: int) -> None:
        """See to it that what is `waiting` is parsed once the bytes of this round of the loop have been sent; `size`
        are the bytes of a large chunk."""
        if not self._is_parsing_soon:
            self._is_parsing_soon = True
            self._call_soon(self._parse)
        self._large += size
        if self._large > _PARSE_AT_ONCE:
            self._parse()

    def _parse(self) -> None:
        # Handing over comes last, as one thing more that can go wrong.
        waiting = [*self.waiting, (self._hand_over, None, 0)]
        self.waiting.clear()
        self._is_parsing_soon = False
        self._large = 0
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

    def _begun(self, head: bytes, started_us: int, connection: str) -> Place:
        """A request has started: give it its place in the capture."""
        return self.recorder.next_seq(), ()

    def _begun_with_cause(self, head: bytes, started_us: int, connection: str) -> Place:
        """The same, with its place among causes and in the sample."""
        raw = RawHead(head[: head.find(_HEAD_END) + len(_HEAD_END)])
        seq = self.recorder.next_seq()
        if not self._inbound:
            return seq, self._links.links_for(raw, started_us) if self._links is not None else ()
        if self._links is not None:
            self._links.opened(self._id(seq), started_us, raw)
        if self._sampler is not None:
            self._sampler.inbound(self._id(seq), self.recorder.sessions.of(raw, connection))
        return seq, ()

    def ended(self, turn: RawTurn) -> None:
        """A request that had to be parsed is answered or has failed: hand it over."""
        turn.exchange_id = self._id(turn.seq)
        turn.session = self.recorder.sessions.of(turn.request_head, turn.session)
        if self._is_kept(turn.exchange_id, turn.ended_us, turn.links[0].parent if turn.links else None):
            # What was whole came before it.
            self._hand_over()
            self.recorder.offer_raw(turn.raw(self.spec.role, self.spec.name))

    def _judged(self, exchange: Whole) -> None:
        """Keep a whole exchange, if it belongs to the sample."""
        seq, _, _, ended_us, _, _, links = exchange
        if self._is_kept(self._id(seq), ended_us, links[0][0] if links else None):
            self._wholes.append(exchange)

    def _is_kept(self, exchange_id: str, ended_us: int, cause: str | None) -> bool:
        """Close an exchange's place among causes; whether it is to be recorded. A call goes with its cause."""
        if self._inbound and self._links is not None:
            self._links.closed(exchange_id, ended_us)
        if self._sampler is None or self._sampler.keeps(cause or exchange_id):
            return True
        self.recorder.lost("skipped", "not in the sample")
        return False

    def _id(self, seq: int) -> str:
        return f"{self.recorder.prefix}-{seq}"

    def _hand_over(self, _: None = None, at_us: int = 0) -> None:
        """Give the recorder the whole exchanges that have come together."""
        wholes = self._wholes
        while wholes:
            batch = wholes[:MOST_IN_BATCH]
            del wholes[:MOST_IN_BATCH]
            self.recorder.offer_whole((self.recorder.prefix, self.spec.name, self._inbound, batch))


class _Conversation:
    """One connection's recording: a relay's watcher in front of a decoder."""

    __slots__ = (
        "_answered",
        "_feed_client",
        "_feed_server",
        "_now_us",
        "_refusal",
        "_tap",
        "_waiting",
        "decoder",
        "relay",
    )

    relay: Relay

    def __init__(self, tap: Tap, name: str) -> None:
        self._tap = tap
        self._waiting = tap.waiting
        self._now_us = tap.now_us
        self._refusal: str | None = None
        self._answered = False
        self.decoder = QuickConnection(
            name, tap.messages, tap.begun, tap.whole, tap.ended, tap.gap, body_cap=tap.body_cap, budget=tap.budget
        )
        self._feed_client = self.decoder.feed_client
        self._feed_server = self.decoder.feed_server

    # The same lines twice: these two are called for every chunk, and a call in Python is what costs most in them.

    def client_data(self, data: bytes) -> None:
        waiting = self._waiting
        waiting.append((self._feed_client, data, self._now_us()))
        if len(waiting) == 1 or len(data) > _LARGE:
            self._tap.soon(len(data))

    def server_data(self, data: bytes) -> None:
        waiting = self._waiting
        waiting.append((self._feed_server, data, self._now_us()))
        if len(waiting) == 1 or len(data) > _LARGE:
            self._tap.soon(len(data))

    def client_eof(self) -> None:
        self._later(self._client_eof, None)

    def server_eof(self) -> None:
        self._later(self._server_eof, None)

    def lost(self, kind: FailureKind, detail: str) -> None:
        self._later(self._lost, (kind, detail))

    def unreachable(self, detail: str) -> None:
        self._refusal = detail
        self._feed_client = self._feed_refused
        self._later(self._feed_refused, b"")

    def _later(self, what: Callable[[Any, int], None], data: Any) -> None:
        self._waiting.append((what, data, self._now_us()))
        self._tap.soon(0)

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
        if decoder.in_flight and not self._answered:
            self._answered = True
            self.relay.answer(_BAD_GATEWAY)
            # Closing with bytes of the client's unread would reset the connection and take the answer with it.
            asyncio.get_running_loop().call_later(LINGER_S, self._close_refused)
        if not decoder.is_asking:
            self._close_refused()

    def _close_refused(self) -> None:
        self.relay.shut(FailureKind.CONNECT, self._refusal or "")
