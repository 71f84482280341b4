"""One verb for every bus: produce a message, and know that the broker has it.

Rules for every producer: a message whose bytes have left is never sent again; `produce` returns once the broker has
taken it, or raises `Undelivered`; foreign exceptions stay inside.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable
from urllib.parse import unquote, urlsplit

import orjson

from ....capture.engines.sockets import Dial, reaching
from ....capture.model import FailureKind, Request

WITHIN_S = 5.0
"""Seconds for a connection, and for a broker's word on a message."""


class Undelivered(Exception):
    """The broker has not taken a message. `unheard` says that it reached nobody and may be tried again."""

    def __init__(self, kind: FailureKind, detail: str, *, unheard: bool = False) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.unheard = unheard


@dataclass(frozen=True, slots=True)
class Access:
    """Where a broker is and who comes. `path` is what follows the host in the service's URL (AMQP's virtual host);
    `dial` connects to one that stands in the service's own network."""

    address: tuple[str, int]
    user: str = ""
    password: str = field(default="", repr=False)
    path: str = ""
    dial: Dial | None = field(default=None, compare=False)

    async def connect(self, limit: int = 64 << 10) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection. Undelivered where there is none to be had."""
        try:
            return await asyncio.open_connection(**await reaching(self.address, self.dial), limit=limit)
        except OSError as error:
            raise Undelivered(FailureKind.CONNECT, f"the bus: {error.strerror or error}") from error


class Producer(Protocol):
    """A way to one broker. It connects when it is first needed."""

    async def produce(self, message: Request) -> None:
        """Produce `message`: its target is the destination, its arguments what `docs/protocols.md` says of a consumed
        message. Undelivered where the broker has not taken it."""

    async def close(self) -> None:
        """Give up the connection."""


@runtime_checkable
class Listing(Protocol):
    """A producer that can ask its broker for the destinations there are."""

    async def places(self) -> list[str]:
        """Their names. Undelivered where the broker does not say."""


ProducerFactory = Callable[[Access], Producer]


def access_in(
    values: Iterable[str], address: tuple[str, int], schemes: Iterable[str], dial: Dial | None = None
) -> Access:
    """The way into the broker at `address`: who comes stands in the URL of one of `schemes` among `values`, the
    variables that the service is told."""
    for value in values:
        try:
            parts = urlsplit(value.replace("{tap}", "tap:1").split(",")[0])
        except ValueError:
            continue
        if parts.scheme.partition("+")[0].lower() in schemes:
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
            return Access(address, user, password, unquote(parts.path[1:]), dial)
    return Access(address, dial=dial)


def arguments_of(message: Request) -> dict[str, object]:
    """The arguments of a bus message; none where they cannot be read."""
    try:
        found = orjson.loads(message.arguments or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
