"""A turn: one request and what came for it, while it is still growing."""

from typing import Any

from ..headers import Headers
from ..model import Exchange, Failure, FailureKind, Link, LinkKind, Request, Response, Role
from .heads import RawHead, split_request, split_response

_NO_HEADERS = Headers()


class Budget:
    """Bytes of bodies that may be kept at once, shared by many connections."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class Turn:
    """What a decoder collects until a request is answered or has failed.

    Times are the microseconds that the bytes were fed with. `exchange_id`, `seq`, `session` and `links` belong to
    whoever drives the decoder. A body over the cap is left out, and `truncated` says so.
    """

    __slots__ = (
        "_kept",
        "ended_us",
        "exchange_id",
        "failure",
        "links",
        "method",
        "reason",
        "request_done",
        "request_headers",
        "request_parts",
        "request_size",
        "request_version",
        "response_done",
        "response_headers",
        "response_parts",
        "response_size",
        "response_version",
        "seq",
        "session",
        "started_us",
        "status",
        "target",
        "truncated",
    )

    def __init__(self, started_us: int, method: str, target: str, version: str, headers: Headers) -> None:
        self.started_us = started_us
        self.ended_us = started_us
        self.method = method
        self.target = target
        self.request_version = version
        self.request_headers = headers
        self.request_parts: list[bytes] = []
        self.request_size = 0
        self.request_done = False
        self.status = 0
        self.reason = ""
        self.response_version = "1.1"
        self.response_headers = _NO_HEADERS
        self.response_parts: list[bytes] = []
        self.response_size = 0
        self.response_done = False
        self.failure: Failure | None = None
        self.truncated = False
        self._kept = 0
        self.exchange_id = ""
        self.seq = 0
        self.session = ""
        self.links: tuple[Link, ...] = ()

    def add_request_body(self, chunk: bytes, cap: int, budget: Budget) -> None:
        """Keep `chunk`, unless the request's body grows beyond `cap` bytes by it or the budget is used up."""
        self.request_size += len(chunk)
        if self.request_size <= cap and budget.left >= len(chunk):
            self._keep(self.request_parts, chunk, budget)
        else:
            # The size stays over the cap from here on, so that no later chunk is mistaken for a whole body.
            self.request_size = max(self.request_size, cap + 1)
            self._cut(self.request_parts, budget)

    def add_response_body(self, chunk: bytes, cap: int, budget: Budget) -> None:
        """The same for the answer's body."""
        self.response_size += len(chunk)
        if self.response_size <= cap and budget.left >= len(chunk):
            self._keep(self.response_parts, chunk, budget)
        else:
            self.response_size = max(self.response_size, cap + 1)
            self._cut(self.response_parts, budget)

    def release(self, budget: Budget) -> None:
        """Give back what the bodies took; a request that never became whole loses its body."""
        budget.left += self._kept
        self._kept = 0
        if not self.request_done:
            self.truncated = True
            self.request_parts = []

    def _keep(self, parts: list[bytes], chunk: bytes, budget: Budget) -> None:
        parts.append(chunk)
        budget.left -= len(chunk)
        self._kept += len(chunk)

    def _cut(self, parts: list[bytes], budget: Budget) -> None:
        freed = sum(map(len, parts))
        budget.left += freed
        self._kept -= freed
        parts.clear()
        self.truncated = True

    def exchange(self, role: Role, service: str, protocol: str = "http") -> Exchange:
        """The turn as an exchange. A part of an answer is no answer: then `failure` says what came."""
        response = None
        if self.response_done:
            body = b"".join(self.response_parts)
            response = Response(self.status, self.response_headers, body, self.reason, self.response_version)
        request_body = b"".join(self.request_parts)
        request = Request(self.method, self.target, self.request_headers, request_body, self.request_version)
        return Exchange(
            self.exchange_id,
            self.seq,
            role,
            protocol,
            service,
            self.session,
            self.started_us,
            self.ended_us - self.started_us,
            request,
            response,
            self.failure if response is None else None,
            self.links,
            None,
            self.truncated,
        )


class RawTurn(Turn):
    """A turn whose heads are still the bytes that came: decoding them is left to whoever has the time."""

    __slots__ = ("request_head", "response_head")

    def __init__(self, started_us: int, method: str, head: bytes) -> None:
        super().__init__(started_us, method, "", "1.1", _NO_HEADERS)
        self.request_head = RawHead(head)
        self.response_head = b""

    def exchange(self, role: Role, service: str, protocol: str = "http") -> Exchange:
        """The turn as an exchange, its heads decoded."""
        self._decode()
        return super().exchange(role, service, protocol)

    def raw(self, role: Role, service: str) -> tuple[Any, ...]:
        """The turn in plain values that `exchange_of_raw` reads: cheap to make and cheap to hand over."""
        failure = None if self.failure is None or self.response_done else (self.failure.kind.value, self.failure.detail)
        return (
            self.exchange_id,
            self.seq,
            role is Role.INBOUND,
            service,
            self.session,
            self.started_us,
            self.ended_us,
            self.request_head.raw,
            b"".join(self.request_parts),
            self.status if self.response_done else 0,
            self.response_head,
            b"".join(self.response_parts),
            failure,
            tuple([(link.parent, link.how.value, link.confidence) for link in self.links]) if self.links else (),
            self.truncated,
        )

    def _decode(self) -> None:
        self.method, self.target, self.request_version, self.request_headers = split_request(self.request_head.raw)
        if self.response_done:
            self.response_version, self.reason, self.response_headers = split_response(self.response_head)


def exchange_of_raw(values: tuple[Any, ...]) -> Exchange:
    """The exchange of `RawTurn.raw`."""
    (
        name,
        seq,
        inbound,
        service,
        session,
        started,
        ended,
        head,
        body,
        status,
        answer,
        answer_body,
        failure,
        links,
        cut,
    ) = values
    method, target, version, headers = split_request(head)
    response = None
    if status:
        answer_version, reason, answer_headers = split_response(answer)
        response = Response(status, answer_headers, answer_body, reason, answer_version)
    return Exchange(
        name,
        seq,
        Role.INBOUND if inbound else Role.OUTBOUND,
        "http",
        service,
        session,
        started,
        ended - started,
        Request(method, target, headers, body, version),
        response,
        None if failure is None else Failure(FailureKind(failure[0]), failure[1]),
        tuple(Link(parent, LinkKind(how), confidence) for parent, how, confidence in links),
        None,
        cut,
    )
