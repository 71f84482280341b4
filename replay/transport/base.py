"""The one verb of replaying: fire a request, be told how it ended.

Rules for every transport: each request that is fired ends exactly once, in an `Outcome`; never before `fire` has
returned; and no exception comes out of `fire`, whatever the network does. Instants are the clock's microseconds.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from ...capture.model import Failure, Request, Response


class Clock(Protocol):
    """Where instants come from; `capture.clock.Clock` is the real one."""

    def now_us(self) -> int:
        """Now, microseconds; never less than before."""


class Outcome(NamedTuple):
    """How a request ended: exactly one of `response` and `failure`.

    `sent_us` is when its bytes were first handed to the connection (or given up on), `done_us` when the last byte of
    the answer was seen. `truncated`: the answer's body was over the cap and is left out. `retries` counts further
    sends, each on a fresh connection after one that the server had closed.
    """

    response: Response | None
    failure: Failure | None
    sent_us: int
    done_us: int
    truncated: bool = False
    retries: int = 0


Done = Callable[[Outcome], None]


class Transport(Protocol):
    """A way to one target."""

    def fire(self, request: Request, done: Done) -> None:
        """Send `request`; call `done` when it has ended."""

    async def send(self, request: Request) -> Outcome:
        """The same, awaited."""

    async def close(self) -> None:
        """End everything; what is still under way ends as a failure of kind `cancelled`."""


async def send_through(transport: Transport, request: Request) -> Outcome:
    """`send` by means of `fire`."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def done(outcome: Outcome) -> None:
        if not future.done():
            future.set_result(outcome)

    transport.fire(request, done)
    return await future
