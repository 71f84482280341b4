"""The tap: passes cleartext HTTP/1.1 on to its upstream and records it in passing.

What every tap shares is `listener.Listener`; the rules that hold there hold here.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..linking.names import endpoint_of_head
from ..linking.values import GrowingValues, pieces_values, raw_answer_values, raw_request_values
from ..links import LinkIndex
from ..model import FailureKind, Link
from ..recorder import Sink
from ..sample import Sampler
from ..wire.heads import RawHead
from ..wire.http1 import BODY_CAP
from ..wire.quick import Place, QuickConnection, plain
from ..wire.turn import Budget, RawTurn
from ..wire.whole import Whole, WholeMessages
from .listener import GRACE_S, Listener, TapSpec
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

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop as every listener does; calls that still wait to know their cause are handed over."""
        await super().stop(grace_s)
        if self._links is not None:
            # What the closing of the connections had to tell is parsed in the next round of the loop.
            await asyncio.sleep(0)
            self._links.flush()
            self._hand_over()

    def _converse(self, name: str) -> tuple["_Conversation", ClientEnd]:
        conversation = _Conversation(self, name)
        if self._links is not None and not self._inbound:
            self._links.connected(f"{self.spec.name}/{name}", self.now_us())
        conversation.relay = Relay(
            self.spec.upstream, conversation, self._ended, self._connect_within_s, dial=self.spec.dial
        )
        return conversation, ClientEnd(conversation.relay)

    def _begun(self, asked: bytes | RawTurn, started_us: int, connection: str) -> Place:
        """A request has started: give it its place in the capture."""
        return self.recorder.next_seq(), ()

    def _begun_with_cause(self, asked: bytes | RawTurn, started_us: int, connection: str) -> Place:
        """The same, with its place among causes and in the sample."""
        head, values = _told_by(asked)
        seq = self.recorder.next_seq()
        links, name = self._links, self._id(seq)
        if not self._inbound:
            if links is None:
                return seq, ()
            what, where = endpoint_of_head(head.raw), f"{self.spec.name}/{connection}"
            path = what.partition(" ")[2]
            what = f"{self.spec.name} {what}"
            return seq, links.begin(name, started_us, head, where, operation=what, values=values, text=path)
        if links is not None:
            links.opened(name, started_us, head, values=values, endpoint=endpoint_of_head(head.raw))
        if self._sampler is not None:
            self._sampler.inbound(name, self.recorder.sessions.of(head, connection))
        return seq, ()

    def ended(self, turn: RawTurn) -> None:
        """A request that had to be parsed is answered or has failed: hand it over."""
        turn.exchange_id = self._id(turn.seq)
        turn.session = self.recorder.sessions.of(turn.request_head, turn.session)
        came = pieces_values(turn.response_parts) if turn.response_done else ()
        if self._links is None:
            self._offer_turn(turn, turn.links)
        elif self._inbound:
            self._links.closed(turn.exchange_id, turn.ended_us, values=came)
            self._offer_turn(turn, ())
        else:
            self._links.end(turn.exchange_id, turn.ended_us, values=came)
            size = turn.request_size + turn.response_size
            self._links.settle(turn.exchange_id, partial(self._offer_turn, turn), size=size)

    def _offer_turn(self, turn: RawTurn, links: tuple[Link, ...]) -> None:
        turn.links = links
        if self._is_kept(turn.exchange_id, turn.ended_us, links[0].parent if links else None):
            # What was whole came before it.
            self._hand_over()
            self.recorder.offer_raw(turn.raw(self.spec.role, self.spec.name))

    def _judged(self, exchange: Whole) -> None:
        """Keep a whole exchange, if it belongs to the sample."""
        seq, _, _, ended_us, asked, answer, _ = exchange
        if self._links is None:
            self._keep(exchange, ())
        elif self._inbound:
            self._links.closed(self._id(seq), ended_us, values=raw_answer_values(answer))
            self._keep(exchange, ())
        else:
            name = self._id(seq)
            self._links.end(name, ended_us, values=raw_answer_values(answer))
            self._links.settle(name, partial(self._keep, exchange), size=len(asked) + len(answer))

    def _keep(self, exchange: Whole, links: tuple[Link, ...]) -> None:
        seq, name, started_us, ended_us, asked, answer, _ = exchange
        if self._is_kept(self._id(seq), ended_us, links[0].parent if links else None):
            self._wholes.append((seq, name, started_us, ended_us, asked, answer, plain(links)))
            # What the end of another exchange has settled waits for no bytes of this tap.
            self.soon(0)

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


def _told_by(asked: bytes | RawTurn) -> tuple[RawHead, Iterable[str]]:
    """A request's head, and the values it has, to be read if anybody asks for them."""
    if isinstance(asked, bytes):
        return RawHead(asked[: asked.find(_HEAD_END) + len(_HEAD_END)]), raw_request_values(asked)
    head = asked.request_head
    return head, GrowingValues(partial(raw_request_values, head.raw), asked)
