"""The recorded calls to one downstream, found by their causes and by what they ask. PURE."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ...capture.model import Exchange, Failure, Request, Response
from .asked import Asked, asked

BACKGROUND = None
"""The cause of what no inbound exchange has caused: a driver's questions at its start, a timer's work."""

ANYONE = "\0anyone"
"""Stands for every cause."""

SURE = 0.9
"""Confidence from which the cause of a recorded call counts as known."""

_LEAST_SHARE = 0.1


class Recorded:
    """One recorded call and what it was answered. `causes` are the inbound exchanges that may have caused it, each
    with its confidence; `position` orders the calls by their start."""

    __slots__ = (
        "answer",
        "asked",
        "causes",
        "failure",
        "id",
        "latency_us",
        "missing",
        "position",
        "request",
        "response",
    )

    def __init__(self, exchange: Exchange, what: Asked, position: int, *, is_linked: bool) -> None:
        self.id = exchange.id
        self.asked = what
        self.position = position
        self.request: Request = exchange.request
        self.response: Response | None = exchange.response
        self.failure: Failure | None = exchange.failure
        self.latency_us = max(0, exchange.latency_us)
        self.causes: Mapping[str | None, float] = _causes(exchange, is_linked=is_linked)
        self.missing = _missing(exchange)
        self.answer = _answer(exchange)
        """Equal for calls that were answered alike."""

    @property
    def is_sure(self) -> bool:
        """Whether the cause is known."""
        return len(self.causes) == 1 and next(iter(self.causes.values())) >= SURE


class CallIndex:
    """The calls of one service and protocol. `is_linked`: calls that were caused by an inbound exchange say so, so that
    one without a cause had none."""

    __slots__ = ("_by_exact", "_by_family", "_by_shape", "_own", "calls")

    def __init__(self, protocol: str, exchanges: Iterable[Exchange], *, is_linked: bool = True) -> None:
        made = [(exchange, asked(protocol, exchange.request, exchange.withheld)) for exchange in exchanges]
        made.sort(key=lambda each: (each[0].started_us, each[0].seq))
        self.calls = [
            Recorded(exchange, what, place, is_linked=is_linked) for place, (exchange, what) in enumerate(made)
        ]
        # By (cause, what was asked), and by what was asked alone under the cause ANYONE.
        self._by_exact: dict[object, list[Recorded]] = defaultdict(list)
        self._by_shape: dict[object, list[Recorded]] = defaultdict(list)
        self._by_family: dict[object, list[Recorded]] = defaultdict(list)
        for call in self.calls:
            what = call.asked
            for cause in (*call.causes, ANYONE):
                self._by_exact[cause, what.exact].append(call)
                self._by_shape[cause, what.shape].append(call)
                self._by_family[cause, what.family].append(call)
        self._own = {id(calls) for calls in self._by_exact.values()}

    def owns(self, calls: object) -> bool:
        """Whether `calls` is a list of the index itself."""
        return id(calls) in self._own

    def exact(self, cause: str | None, what: Asked) -> list[Recorded]:
        """The calls that `cause` may have caused and that asked the very same, in recorded order."""
        return self._by_exact.get((cause, what.exact), [])

    def shaped(self, cause: str | None, what: Asked) -> list[Recorded]:
        """Those that asked the same with arguments of the same names and types."""
        return self._by_shape.get((cause, what.shape), [])

    def family(self, cause: str | None, what: Asked) -> list[Recorded]:
        """Those that have anything to do with it."""
        return self._by_family.get((cause, what.family), [])


def _causes(exchange: Exchange, *, is_linked: bool) -> Mapping[str | None, float]:
    """The best link's parent, and where it is not sure those that are not much worse."""
    if not exchange.links:
        return {BACKGROUND: 1.0 if is_linked else 0.0}
    best = exchange.links[0].confidence
    if best >= SURE:
        return {exchange.links[0].parent: best}
    return {link.parent: link.confidence for link in exchange.links if link.confidence >= best * _LEAST_SHARE}


def _answer(exchange: Exchange) -> tuple[Any, ...]:
    if exchange.response is not None:
        return exchange.response.status, exchange.response.body
    return (exchange.failure.kind if exchange.failure is not None else None,)


def _missing(exchange: Exchange) -> str:
    """Why the answer cannot be given, although it was recorded; or ""."""
    for part in exchange.withheld:
        if part.part == "response.body":
            return f"its answer's body was withheld: {part.why}"
    response = exchange.response
    if response is None:
        return "" if exchange.failure is not None else "it was recorded without an answer"
    if exchange.truncated and not response.body and exchange.protocol == "http":
        length = response.headers.get("content-length") or ""
        if length != "0" and exchange.request.method != "HEAD":
            return "its answer's body was over the cap of the recording"
    return ""
