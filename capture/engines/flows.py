"""The flows of a proxy, followed from a request's head to its answer or failure, and handed over as exchanges.

Two rules hold here. Every flow that began ends exactly once, at the latest with its client connection. Failures are
told in words of our own: a library's message may quote the traffic.
"""

import asyncio
import re
from dataclasses import dataclass
from functools import partial

from ..headers import Headers
from ..linking.names import endpoint
from ..linking.values import GrowingValues, head_values, pieces_values
from ..links import LinkIndex
from ..model import Failure, FailureKind, Link, Role
from ..recorder import Sink
from ..sample import Sampler
from ..wire.turn import Budget, Turn

BODIES_AT_ONCE = 512 << 20
"""Bytes of bodies that one proxy keeps in memory while their exchanges are under way."""


class Flows:
    """The requests under way at one proxy. Names of flows and connections are whatever the proxy calls them."""

    def __init__(
        self,
        recorder: Sink,
        links: LinkIndex,
        *,
        role: Role,
        service: str,
        body_cap: int,
        sampler: Sampler | None = None,
    ) -> None:
        self.recorder = recorder
        self._links = links
        self._role = role
        self._service = service
        self._body_cap = body_cap
        self._sampler = sampler
        self._budget = Budget(BODIES_AT_ONCE)
        self._turns: dict[str, tuple[str, Turn]] = {}
        self.idle = asyncio.Event()
        """Set while nothing is under way."""
        self.idle.set()

    def begin(self, flow: str, connection: str, method: str, target: str, version: str, headers: Headers) -> None:
        """A request's head is here."""
        turn = Turn(self.recorder.clock.now_us(), method, target, version, headers)
        turn.exchange_id, turn.seq = self.recorder.next_id()
        turn.session = self.recorder.sessions.of(headers, connection)
        if self._role is Role.INBOUND:
            self._links.opened(
                turn.exchange_id, turn.started_us, headers, values=_values(turn), endpoint=endpoint(method, target)
            )
            if self._sampler is not None:
                self._sampler.inbound(turn.exchange_id, turn.session)
        else:
            turn.links = self._links.begin(
                turn.exchange_id,
                turn.started_us,
                headers,
                f"{self._service}/{connection}",
                operation=f"{self._service} {endpoint(method, target)}",
                values=_values(turn),
            )
        self._turns[flow] = (connection, turn)
        self.idle.clear()

    def request_data(self, flow: str, data: bytes) -> None:
        """A piece of the request's body."""
        if flow in self._turns:
            self._turns[flow][1].add_request_body(data, self._body_cap, self._budget)

    def request_done(self, flow: str) -> None:
        """The request is complete."""
        if flow in self._turns:
            turn = self._turns[flow][1]
            turn.request_done = True
            if turn.response_done:
                self._end(flow)

    def answer(self, flow: str, status: int, reason: str, version: str, headers: Headers) -> None:
        """An answer's head is here."""
        if flow in self._turns:
            turn = self._turns[flow][1]
            turn.status, turn.reason, turn.response_version, turn.response_headers = status, reason, version, headers

    def answer_data(self, flow: str, data: bytes) -> None:
        """A piece of the answer's body."""
        if flow in self._turns:
            self._turns[flow][1].add_response_body(data, self._body_cap, self._budget)

    def answered(self, flow: str) -> None:
        """The answer is complete; an answer may overtake the request it belongs to, which is then waited for."""
        if flow in self._turns:
            turn = self._turns[flow][1]
            turn.response_done = True
            turn.ended_us = self.recorder.clock.now_us()
            if turn.request_done:
                self._end(flow)

    def failed(self, flow: str, trouble: "Trouble") -> None:
        """There will be no answer, or no more of it."""
        if flow in self._turns:
            turn = self._turns[flow][1]
            if not turn.response_done:
                turn.failure = _with_progress(failure_of(trouble, turn), turn)
                turn.ended_us = self.recorder.clock.now_us()
            self._end(flow)

    def abandon(self, connection: str | None, detail: str) -> None:
        """`connection` is gone (None: all of them): what was still under way on it was cancelled."""
        for flow in [name for name, (owner, _) in self._turns.items() if connection in (None, owner)]:
            turn = self._turns[flow][1]
            if not turn.response_done:
                turn.failure = _with_progress(Failure(FailureKind.CANCELLED, detail), turn)
                turn.ended_us = self.recorder.clock.now_us()
            self._end(flow)

    def _end(self, flow: str) -> None:
        _, turn = self._turns.pop(flow)
        turn.release(self._budget)
        if not self._turns:
            self.idle.set()
        came = pieces_values(turn.response_parts) if turn.response_done else ()
        if self._role is Role.INBOUND:
            self._links.closed(turn.exchange_id, turn.ended_us, values=came)
            self._offer(turn, ())
        else:
            self._links.end(turn.exchange_id, turn.ended_us, values=came)
            size = turn.request_size + turn.response_size
            self._links.settle(turn.exchange_id, partial(self._offer, turn), size=size)

    def settle(self) -> None:
        """Hand over the calls that still wait to know their cause."""
        self._links.flush()

    def _offer(self, turn: Turn, links: tuple[Link, ...]) -> None:
        turn.links = links
        cause = links[0].parent if links else turn.exchange_id
        if self._sampler is not None and not self._sampler.keeps(cause):
            self.recorder.lost("skipped", "not in the sample")
        else:
            self.recorder.offer(turn.exchange(self._role, self._service))


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a flow has failed: the proxy's message, and what stood at that moment.

    `client_open` is False once the client has closed its side; the `resettable` ones speak HTTP/2, where one stream
    can be reset while its connection lives on.
    """

    message: str
    client_open: bool
    server_reached: bool
    client_resettable: bool = False
    server_resettable: bool = False


_UNTRUSTED = re.compile(r"certificate verify failed:?\s*([a-z -]{0,60})", re.IGNORECASE)
_RESET_CODE = re.compile(r"stream reset by \w+ \(([A-Z0-9_]{1,40})\)")
_MALFORMED = re.compile(
    r"refusing to prevent|protocol error|cannot parse|unexpected server response|invalid", re.IGNORECASE
)
_NO_TLS = re.compile(r"\bTLS\b|OpenSSL|SSL routines")
_TIMED_OUT = re.compile(r"timed out|timeout|Errno 110", re.IGNORECASE)
_CLOSED = re.compile(r"closed connection|connection closed|disconnected", re.IGNORECASE)
_UNREACHED = (
    (re.compile("Errno 111|refused", re.IGNORECASE), "connection refused"),
    (re.compile("Errno 113|Errno 101|unreachable", re.IGNORECASE), "unreachable"),
    (re.compile("Name or service|getaddrinfo|nodename|Errno -", re.IGNORECASE), "the name does not resolve"),
    (re.compile("destination unknown", re.IGNORECASE), "the proxy was asked to call itself"),
)


def failure_of(trouble: Trouble, turn: Turn) -> Failure:
    """What to call `trouble`, from the surest sign to the weakest."""
    message = trouble.message
    if not trouble.client_open:
        return Failure(FailureKind.CANCELLED, "the client closed its connection")
    if untrusted := _UNTRUSTED.search(message):
        return Failure(
            FailureKind.CONNECT, f"the upstream's certificate was refused: {untrusted[1].strip()}".rstrip(": ")
        )
    if _MALFORMED.search(message) and "peer closed" not in message:
        return Failure(FailureKind.PROTOCOL, "not valid HTTP")
    if _NO_TLS.search(message):
        return Failure(FailureKind.CONNECT, "no TLS connection with the upstream")
    if not trouble.server_reached:
        if _TIMED_OUT.search(message):
            return Failure(FailureKind.TIMEOUT, "connecting timed out")
        detail = next((what for sign, what in _UNREACHED if sign.search(message)), "the upstream cannot be reached")
        return Failure(FailureKind.CONNECT, detail)
    if reset := _RESET_CODE.search(message):
        # mitmproxy words the reset of either side the same.
        ours = trouble.client_resettable and (not trouble.server_resettable or reset[1] == "CANCEL")
        return Failure(FailureKind.CANCELLED if ours else FailureKind.RESET, f"stream reset ({reset[1]})")
    if _CLOSED.search(message):
        if turn.status:
            return Failure(FailureKind.TRUNCATED, "closed")
        return Failure(FailureKind.RESET, "closed without an answer")
    return Failure(FailureKind.PROTOCOL, "not valid HTTP")


def _with_progress(failure: Failure, turn: Turn) -> Failure:
    if not turn.status:
        return failure
    return Failure(
        failure.kind, f"{failure.detail} after status {turn.status} and {turn.response_size} bytes of the body"
    )


def _values(turn: Turn) -> GrowingValues:
    """The values of a request, to be read if anybody asks for them."""
    return GrowingValues(partial(head_values, turn.target, turn.request_headers), turn)
