"""The tap: passes cleartext HTTP/1.1 on to its upstream and records it in passing.

What every tap shares is `listener.Listener`; the rules that hold there hold here.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from ..links import LinkIndex
from ..model import FailureKind
from ..recorder import Sink
from ..sample import Sampler
from ..wire.heads import RawHead
from ..wire.http1 import BODY_CAP
from ..wire.quick import Place, QuickConnection
from ..wire.turn import Budget, RawTurn
from ..wire.whole import Whole, WholeMessages
from .listener import Listener, TapSpec
from .relay import CONNECT_WITHIN_S, ClientEnd, Relay

LINGER_S = 2.0
BODIES_AT_ONCE = 512 << 20
"""Bytes of bodies that one tap keeps in memory while their exchanges are under way."""
_LARGE = 16 << 10
"""Bytes of a chunk from which on it is counted: one round of the loop may bring many of them."""
MOST_IN_BATCH = 256
_HEAD_END = b"\r\n\r\n"

_TEXT = b"seamline tap: the upstream cannot be reached\n"
_BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TEXT), _TEXT)
)


class Tap(Listener):
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
        super().__init__(spec, recorder, links, sampler, connect_within_s)
        self.body_cap = body_cap
        self.budget = Budget(BODIES_AT_ONCE)
        self.messages = WholeMessages(body_cap)
        self._wholes: list[Whole] = []
        # Most recordings have nothing to link and no sample: a whole exchange is then kept, and that is all.
        is_plain = links is None and sampler is None
        self.begun = self._begun if is_plain else self._begun_with_cause
        self.whole: Callable[[Whole], None] = self._wholes.append if is_plain else self._judged

    def _converse(self, name: str) -> tuple["_Conversation", ClientEnd]:
        conversation = _Conversation(self, name)
        conversation.relay = Relay(self.spec.upstream, conversation, self._ended, self._connect_within_s)
        return conversation, ClientEnd(conversation.relay)

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
        """Close an exchange's place among causes; whether it is to be recorded."""
        if self._inbound and self._links is not None:
            self._links.closed(exchange_id, ended_us)
        return super()._is_kept(exchange_id, ended_us, cause)

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

    @property
    def in_flight(self) -> bool:
        return self.decoder.in_flight

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
