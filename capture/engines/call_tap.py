"""The call tap: passes a protocol other than HTTP/1.1 on to its upstream and records its calls in passing.

What every tap shares is `listener.Listener`; the rules that hold there hold here. The protocol itself is a decoder's
under `wire/`, and where a connection would turn unreadable or leave the tap, a filter's beside it.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from ..links import LinkIndex
from ..model import FailureKind, Link, Role
from ..recorder import Sink
from ..sample import Sampler
from ..wire.call import Call, CallDecoder
from ..wire.filters import filter_for
from ..wire.protocols import decoder_for
from .listener import GRACE_S, Listener, TapSpec
from .relay import CONNECT_WITHIN_S, ClientEnd, FilteredClientEnd, Relay

UNREACHABLE = "CONNECT"
"""The method of the call that stands for a connection which the upstream did not take."""


class Watch(Protocol):
    """Who is told of a tap's calls while they pass: a replay waits for the messages that it has produced."""

    def begun(self, call: Call) -> None:
        """A call has begun; its id and, as far as they are known, its links stand in it. `origin` may be set."""

    def ended(self, call: Call) -> None:
        """It is answered or has failed, and is about to be recorded."""


class CallTap(Listener):
    """One listener in front of one upstream. `links` and `sampler` are shared by all taps of a recorder. `watch` is
    told of every call."""

    def __init__(
        self,
        spec: TapSpec,
        recorder: Sink,
        links: LinkIndex | None,
        *,
        sampler: Sampler | None = None,
        connect_within_s: float = CONNECT_WITHIN_S,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(spec, recorder, links, sampler, connect_within_s)
        self.watch = watch
        self._decoder = decoder_for(spec.protocol)
        self._filter = filter_for(spec.protocol)
        self._address = spec.listen
        self._ids = f"{recorder.prefix}-"
        self.shared: dict[str, Any] = {}
        """What the decoders of all connections keep together: a consumer's group commits on a connection of its own."""

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""
        self._address = await super().start()
        return self._address

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop as every listener does; calls that still wait to know their cause are handed over."""
        await super().stop(grace_s)
        if self._links is not None:
            # What the closing of the connections had to tell is parsed in the next round of the loop.
            await asyncio.sleep(0)
            self._links.flush()

    def _converse(self, name: str) -> tuple["_Conversation", ClientEnd]:
        conversation = _Conversation(self, name)
        if self._links is not None:
            self._links.connected(f"{self.spec.name}/{name}", self.now_us())
        conversation.decoder = self._decoder(name, conversation)
        made = self._filter(self._address) if self._filter is not None else None
        relay = Relay(
            self.spec.upstream,
            conversation,
            self._ended,
            self._connect_within_s,
            hangs_up=True,
            filter_=made,
            dial=self.spec.dial,
        )
        conversation.relay = relay
        return conversation, FilteredClientEnd(relay) if made is not None else ClientEnd(relay)

    def begun(self, call: Call, connection: str, where: str) -> None:
        """A request has started: give it its place in the capture and among causes. `where` is the connection's name
        among those of all taps."""
        call.seq = seq = self.recorder.next_seq()
        call.exchange_id = self._ids + str(seq)
        call.session = self.recorder.sessions.of(call.headers, connection)
        if self._links is None:
            return
        if (call.role or self.spec.role) is Role.INBOUND:
            call.links = self._links.consumed(call, where)
        else:
            call.links = self._links.call_begun(call, where)

    def ended(self, call: Call, where: str) -> None:
        """A call is answered or has failed: hand it over, once its cause is known as well as it can be."""
        if self._links is None:
            self._offer(call, ())
        elif (call.role or self.spec.role) is Role.INBOUND:
            self._links.handled(call)
            self._offer(call, call.links)
        else:
            self._links.call_ended(call, where)
            links = self._links.settled(call.exchange_id)
            if links is not None:
                self._offer(call, links)
            else:
                self._links.settle(call.exchange_id, partial(self._offer, call), size=call.size)

    def _hand_over(self, _: None = None, at_us: int = 0) -> None:
        """Nothing is kept back: each call is handed over once its cause is known."""

    def _offer(self, call: Call, links: tuple[Link, ...]) -> None:
        call.links = links
        if self._is_kept(call.exchange_id, call.ended_us, links[0].parent if links else None):
            self.recorder.offer_call(call, self.spec.role, self.spec.name, self.spec.protocol)


class _Conversation:
    """One connection's recording: a relay's watcher in front of a decoder, and the decoder's events."""

    __slots__ = ("_name", "_now_us", "_soon", "_tap", "_waiting", "_where", "decoder", "relay")

    relay: Relay
    decoder: CallDecoder

    def __init__(self, tap: CallTap, name: str) -> None:
        self._tap = tap
        self._name = name
        self._where = f"{tap.spec.name}/{name}"
        self._waiting = tap.waiting
        self._now_us = tap.now_us
        self._soon = tap.soon

    @property
    def shared(self) -> dict[str, Any]:
        return self._tap.shared

    @property
    def in_flight(self) -> bool:
        return self.decoder.in_flight

    def begun(self, call: Call) -> None:
        self._tap.begun(call, self._name, self._where)
        if self._tap.watch is not None:
            self._tap.watch.begun(call)

    def ended(self, call: Call) -> None:
        if self._tap.watch is not None:
            self._tap.watch.ended(call)
        self._tap.ended(call, self._where)

    def gap(self, reason: str) -> None:
        self._tap.gap(reason)

    def client_data(self, data: bytes) -> None:
        self._later(self.decoder.feed_client, data)

    def server_data(self, data: bytes) -> None:
        self._later(self.decoder.feed_server, data)

    # One side that sends no more ends nothing yet: what the other still has to say may be an answer.

    def client_eof(self) -> None:
        """Nothing to do."""

    def server_eof(self) -> None:
        self._later(self._lost, (FailureKind.RESET, "the server closed the connection"))

    def lost(self, kind: FailureKind, detail: str) -> None:
        self._later(self._lost, (kind, detail))

    def unreachable(self, detail: str) -> None:
        self._later(self._refused, detail)

    def _later(self, what: Callable[[Any, int], None], data: Any) -> None:
        self._waiting.append((what, data, self._now_us()))
        self._soon(len(data))

    def _lost(self, how: tuple[FailureKind, str], at_us: int) -> None:
        self.decoder.lost(*how, at_us)

    def _refused(self, detail: str, at_us: int) -> None:
        call = Call(at_us, UNREACHABLE, operation=UNREACHABLE.lower())
        self.begun(call)
        call.fail(FailureKind.CONNECT, detail, at_us)
        self.ended(call)
