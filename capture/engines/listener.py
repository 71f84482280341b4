"""A listener in front of one upstream: what every tap shares, whatever its protocol.

Two rules hold here. Bytes are parsed in the round of the event loop after the one that passed them on, so they have
left when parsing starts. Nothing that recording does, or fails to do, reaches the traffic.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..links import LinkIndex
from ..model import DECODER_FAILED, FailureKind, Role
from ..recorder import Sink
from ..sample import Sampler
from .relay import CONNECT_WITHIN_S, ClientEnd, Relay
from .sockets import Dial, Network, listening

GRACE_S = 5.0
_PARSE_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class TapSpec:
    """Where a tap listens, what it stands for, and which way its exchanges go. Addresses are (host, port). It listens
    in `network` where that is given, and its upstream is there too where it `is_inner`."""

    name: str
    protocol: str
    listen: tuple[str, int]
    upstream: tuple[str, int]
    role: Role
    network: Network | None = None
    is_inner: bool = False

    @property
    def dial(self) -> Dial | None:
        """How its upstream is reached."""
        return self.network.dialled if self.network is not None and self.is_inner else None


class Conversation(Protocol):
    """One connection's recording, which owns its relay."""

    relay: Relay

    @property
    def in_flight(self) -> bool:
        """Whether something is asked and not answered yet."""


class Listener(ABC):
    """One listener. A tap says in `_converse` what is made of a connection; what is `waiting` gets parsed later."""

    def __init__(
        self,
        spec: TapSpec,
        recorder: Sink,
        links: LinkIndex | None,
        sampler: Sampler | None,
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> None:
        self.spec = spec
        self.certificate: Path | None = None
        """Cleartext: there is nothing that a client would have to trust."""
        self.recorder = recorder
        self.now_us = recorder.clock.now_us
        self.waiting: list[tuple[Callable[[Any, int], None], Any, int]] = []
        """What is to be called with which bytes, and when they came: filled as bytes pass, emptied by `_parse`."""
        self._connect_within_s = connect_within_s
        self._links = links
        self._sampler = sampler
        self._inbound = spec.role is Role.INBOUND
        self._conversations: set[Conversation] = set()
        self._server: asyncio.Server | None = None
        self._drained: asyncio.Event | None = None
        self._connections = 0
        self._is_parsing_soon = False
        self._large = 0
        self._call_soon = asyncio.get_running_loop().call_soon

    async def start(self) -> tuple[str, int]:
        """Listen; the real address. OSError where the address cannot be had."""
        at = listening(self.spec.listen, self.spec.network)
        self._server = await asyncio.get_running_loop().create_server(self._accepted, **at, backlog=1024)
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
        # What closing has ended is told too.
        self._parse()

    def soon(self, size: int) -> None:
        """See to it that what is `waiting` is parsed once the bytes of this round of the loop have been sent; `size`
        are the bytes of a large chunk."""
        if not self._is_parsing_soon:
            self._is_parsing_soon = True
            self._call_soon(self._parse)
        self._large += size
        if self._large > _PARSE_AT_ONCE:
            self._parse()

    def gap(self, reason: str) -> None:
        """Count bytes that were passed on but not understood."""
        self.recorder.lost("gaps", reason)

    @abstractmethod
    def _converse(self, name: str) -> tuple[Conversation, ClientEnd]:
        """A new connection's recording, its relay made, and what its client talks to."""

    @abstractmethod
    def _hand_over(self, _: None = None, at_us: int = 0) -> None:
        """Give the recorder what has been kept back; called last in each round."""

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
                self.gap(f"{DECODER_FAILED}: {type(error).__name__}")
        if self._drained is not None:
            self._close_idle(self._drained)

    def _close_idle(self, drained: asyncio.Event) -> None:
        for conversation in list(self._conversations):
            if not conversation.in_flight:
                self._conversations.discard(conversation)
                conversation.relay.shut(FailureKind.CANCELLED, "the tap was stopped")
        if not self._conversations:
            drained.set()

    def _accepted(self) -> ClientEnd:
        self._connections += 1
        conversation, end = self._converse(f"c-{self._connections}")
        self._conversations.add(conversation)
        return end

    def _ended(self, relay: Relay) -> None:
        self._conversations.discard(relay.watcher)

    def _is_kept(self, exchange_id: str, ended_us: int, cause: str | None) -> bool:
        """Whether an exchange belongs to the sample. A call goes with its cause."""
        if self._sampler is None or self._sampler.keeps(cause or exchange_id):
            return True
        self.recorder.lost("skipped", "not in the sample")
        return False

    def _id(self, seq: int) -> str:
        return f"{self.recorder.prefix}-{seq}"
