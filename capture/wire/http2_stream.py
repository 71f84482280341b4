"""A stream of HTTP/2 while it is open: a request and what has come for it.

Bodies are kept up to a cap, and up to the connection's budget; beyond it only their size is.
"""

import re

from ..grpc_body import PREFIX, whole_messages
from ..headers import Headers
from ..model import FailureKind
from .call import BODY_CAP, Call
from .header_blocks import Pairs
from .http2 import Http2Error
from .turn import Budget

_EARLY_US = 20_000  # a client's timer starts before its request passes by
_TIMEOUT = re.compile(r"(\d{1,8})([HMSmun])")
_UNITS_US = {"H": 3_600_000_000.0, "M": 60_000_000.0, "S": 1_000_000.0, "m": 1000.0, "u": 1.0, "n": 0.001}
_GRPC = "application/grpc"
_STATUS = "grpc-status"


class _Body:
    """A body that grows; only its size once it is over the cap, or once the connection's budget is used up."""

    __slots__ = ("_budget", "_kept", "_parts", "cut", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._parts: list[bytes] = []
        self._kept = 0
        self.size = 0
        self.cut = False

    def add(self, chunk: bytes) -> None:
        size = len(chunk)
        if not size:
            return
        self.size += size
        if self.cut:
            return
        if self.size > BODY_CAP or self._budget.left < size:
            self.cut = True
            self._parts.clear()
            self.release()
        else:
            self._parts.append(chunk)
            self._kept += size
            self._budget.left -= size

    def release(self) -> None:
        """Give back what was kept."""
        self._budget.left += self._kept
        self._kept = 0

    def bytes(self) -> bytes:
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0] if self._parts else b""

    def told(self, headers: Headers) -> Headers:
        """`headers` with the size of a body that was left out."""
        return Headers.of_pairs((*headers.items, ("size", str(self.size)))) if self.cut else headers


class Http2Stream:
    """A request and what comes for it."""

    __slots__ = (
        "_boundary", "_budget", "_head", "_kept", "answer", "call", "is_begun", "is_whole", "number", "request",
        "status",
    )  # fmt: skip

    def __init__(self, number: int, at_us: int, method: str, target: str, headers: Headers, budget: Budget) -> None:
        is_grpc = (headers.get("content-type") or "").startswith(_GRPC)
        self.number = number
        self.call = call = Call(at_us, method, target, target.removeprefix("/") if is_grpc else "")
        call.headers = headers
        call.version = "2"
        if not is_grpc:
            call.protocol = "http"
        self.request = _Body(budget)
        self.answer = _Body(budget)
        self.is_begun = False
        self.is_whole = False
        self.status = 0
        self._boundary = 0
        self._budget = budget
        self._head: Pairs = ()
        self._kept = 0
        self._keep(headers.items)

    @property
    def is_grpc(self) -> bool:
        return bool(self.call.operation)

    def add_headers(self, pairs: Pairs) -> None:
        """Trailers of the request."""
        self._keep(pairs)
        self.call.headers = Headers.of_pairs((*self.call.headers.items, *pairs))

    def answer_head(self, pairs: Pairs) -> None:
        self._keep(pairs)
        self._head = pairs

    def trailers(self, pairs: Pairs) -> None:
        self._keep(pairs)
        if pairs and pairs[0][0] != _STATUS:
            pairs = (*(each for each in pairs if each[0] == _STATUS), *(each for each in pairs if each[0] != _STATUS))
        self._head += pairs

    def at_boundary(self) -> bool:
        """Whether the request, which goes on, has come to the end of a message."""
        if self.request.cut:
            return True
        if self.request.size < max(self._boundary, PREFIX):
            return False
        body = self.request.bytes()
        whole = whole_messages(body)
        if len(body) >= whole + PREFIX:
            self._boundary = whole + PREFIX + int.from_bytes(body[whole + 1 : whole + PREFIX])
        else:
            self._boundary = whole + PREFIX
        return whole > 0

    def is_overdue(self, now_us: int) -> bool:
        """Whether the deadline that the request names has come."""
        match = _TIMEOUT.fullmatch(self.call.headers.get("grpc-timeout") or "")
        if match is None:
            return False
        return now_us + _EARLY_US >= self.call.started_us + int(match[1]) * _UNITS_US[match[2]]

    def finish(self, at_us: int) -> None:
        """The whole answer is here; the request may have been going on."""
        self.settle()
        call = self.call
        call.truncated = self.request.cut or self.answer.cut
        call.answer(self.status, at_us, self.answer.bytes(), self.answer.told(Headers.of_pairs(self._head)))

    def fail(self, kind: FailureKind, detail: str, at_us: int) -> None:
        self.settle()
        self.call.truncated = self.request.cut
        self.call.fail(kind, detail, at_us)

    def release(self) -> None:
        """Give back what was kept."""
        self._budget.left += self._kept
        self.request.release()
        self.answer.release()

    def settle(self) -> None:
        """Give the call the request as far as it has come."""
        body = self.request.bytes()
        if not self.is_whole and self.is_grpc:
            # A message that was not sent to its end was not received either.
            body = body[: whole_messages(body)]
        self.call.body = body
        self.call.headers = self.request.told(self.call.headers)

    def _keep(self, pairs: Pairs) -> None:
        size = 0
        for name, value in pairs:
            size += len(name) + len(value)
        self._kept += size
        self._budget.left -= size


def request_of(number: int, pairs: Pairs, at_us: int, budget: Budget) -> Http2Stream:
    """The stream of a request's head. The pseudo-headers become method, target and `host` (RFC 9113, 8.3.1)."""
    method = target = authority = ""
    count = 0
    for name, value in pairs:
        if name == ":method":
            method = value
        elif name == ":path":
            target = value
        elif name == ":authority":
            authority = value
        elif name[:1] != ":":
            break
        count += 1
    if not method:
        raise Http2Error("a request without a method")
    headers = pairs[count:]
    if authority:
        for name, _ in headers:
            if name == "host":
                break
        else:
            headers = (("host", authority), *headers)
    return Http2Stream(number, at_us, method, target, Headers.of_pairs(headers), budget)
