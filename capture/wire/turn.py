"""A turn: one request and what came for it, while it is still growing."""

from ..headers import Headers
from ..model import Exchange, Failure, Link, Request, Response, Role

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
