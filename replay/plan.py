"""What is to be fired, in which order, and what is left out.

Two rules hold here. Every inbound exchange is either a step of the plan or counted with a reason. The order within a
session is the recorded one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..capture.model import Exchange, Request, Role
from .safety import is_write
from .shard import WHOLE, Shard

WRITE_NOT_ALLOWED = "write not allowed"


@dataclass(frozen=True, slots=True)
class Step:
    """One request to fire. `at_us` is its recorded offset from the first inbound exchange of the capture."""

    origin: str
    session: str
    at_us: int
    request: Request


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in recorded order, and how many exchanges were left out for which reason."""

    steps: tuple[Step, ...]
    skipped: Mapping[str, int]

    def sessions(self) -> dict[str, list[Step]]:
        """The steps of each session, in order; sessions in the order of their first step."""
        grouped: dict[str, list[Step]] = {}
        for step in self.steps:
            grouped.setdefault(step.session, []).append(step)
        return grouped


def make_plan(
    exchanges: Iterable[Exchange],
    *,
    allow_writes: bool,
    shard: Shard = WHOLE,
    where: Callable[[Exchange], bool] | None = None,
) -> Plan:
    """The plan for the inbound exchanges among `exchanges`. What another shard fires, or `where` does not choose,
    is not part of it and not counted."""
    chosen = [
        exchange
        for exchange in exchanges
        if exchange.role is Role.INBOUND and shard.holds(exchange.session) and (where is None or where(exchange))
    ]
    # Exchanges are stored as they end; they are fired as they began.
    chosen.sort(key=lambda exchange: (exchange.started_us, exchange.seq))
    first_us = chosen[0].started_us if chosen else 0
    skipped: Counter[str] = Counter()
    steps = []
    for exchange in chosen:
        why = why_not(exchange, allow_writes=allow_writes)
        if why is None:
            steps.append(Step(exchange.id, exchange.session, exchange.started_us - first_us, exchange.request))
        else:
            skipped[why] += 1
    return Plan(tuple(steps), dict(skipped))


def why_not(exchange: Exchange, *, allow_writes: bool) -> str | None:
    """Why `exchange` cannot be fired, or None where it can."""
    request = exchange.request
    if exchange.protocol != "http":
        return f"protocol {exchange.protocol} is not replayed yet"
    if request.method == "CONNECT" or "upgrade" in request.headers:
        return "the connection changes its protocol"
    if any(part.part.startswith("request") for part in exchange.withheld):
        return "the request was withheld"
    if exchange.truncated and not request.body and _announces_body(request):
        return "the request's body was cut"
    if not _is_clean(request):
        return "the request is no valid HTTP/1.1"
    if is_write(request) and not allow_writes:
        return WRITE_NOT_ALLOWED
    return None


def _announces_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0") or "0"
    return "transfer-encoding" in request.headers or length.strip("0") != ""


def _is_clean(request: Request) -> bool:
    """Whether no part of the head can end it early: a capture is untrusted, and must not smuggle a second request."""
    words = (request.method, request.target)
    if not all(words) or any(set(word) & set(" \r\n\t\0") for word in words):
        return False
    return all(
        name and not set(name) & set(": \r\n\t\0") and not set(value) & set("\r\n\0") and _latin(name + value)
        for name, value in request.headers
    ) and _latin(request.target)


def _latin(text: str) -> bool:
    return all(ord(char) < 256 for char in text)
