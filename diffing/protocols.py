"""What the differ has to know of each protocol: its surface, and when an answer is a failure."""

from ..capture.model import Exchange, Response
from .report.model import Surface

SQL = frozenset({"postgres", "mysql"})
DOCUMENTS = "mongodb"
"""A database too, and on the surface of databases; but it is asked by documents, not by a text."""
BUS = frozenset({"amqp", "kafka", "nats"})
SURFACES = {
    "http": Surface.HTTP,
    "grpc": Surface.GRPC,
    "redis": Surface.REDIS,
    "tcp": Surface.TRANSPORT,
    **dict.fromkeys((*SQL, DOCUMENTS), Surface.SQL),
    **dict.fromkeys(BUS, Surface.BUS),
}
"""Protocols whose calls are compared."""
STATE = "STATE"
"""The method of an exchange that holds what a downstream held in the end (docs/format.md)."""

PROCESS = "process"
"""The protocol of the exchange that holds readings of the service's own memory (docs/isolation.md)."""

EVENTS = frozenset({"PUBLISH", "SPUBLISH", "CONSUME"})
"""Methods of messages, on buses and on Redis' channels."""

GRPC_CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""By number (gRPC core, statuscodes.md)."""


def is_state(exchange: Exchange) -> bool:
    """Whether an exchange is a downstream's final state, not a call."""
    return exchange.request.method == STATE


def is_event(exchange: Exchange) -> bool:
    """Whether an exchange is a message that is published or consumed, on a bus or on a channel of Redis."""
    return exchange.request.method in EVENTS and (exchange.protocol in BUS or exchange.protocol == "redis")


def surface_of(exchange: Exchange) -> Surface:
    """Where a difference in a call shows."""
    return Surface.BUS if is_event(exchange) else SURFACES[exchange.protocol]


def grpc_code(response: Response) -> str:
    """The name of the answer's grpc-status; one that is missing is UNKNOWN, as clients read it."""
    number = response.headers.get("grpc-status") or "2"
    return GRPC_CODES[int(number)] if number.isdecimal() and int(number) < len(GRPC_CODES) else f"code {number[:10]}"


def outcome(exchange: Exchange) -> str:
    """What an exchange came to in a word: the HTTP status, the gRPC code, "ok" or "error", or the failure's kind."""
    response = exchange.response
    if response is None:
        return exchange.failure.kind.value if exchange.failure else "none"
    if exchange.protocol == "http":
        return str(response.status)
    if exchange.protocol == "grpc":
        return grpc_code(response) if response.status == 200 else str(response.status)
    return "error" if response.status else "ok"


def failed(exchange: Exchange) -> bool:
    """Whether the one who asked got no service: no answer, a server's error, a code that is not OK."""
    response = exchange.response
    if response is None:
        return True
    if exchange.protocol == "http":
        return response.status >= 500
    if exchange.protocol == "grpc":
        return response.status != 200 or grpc_code(response) != "OK"
    return response.status != 0
