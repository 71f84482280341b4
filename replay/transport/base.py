"""One verb: send a request, get an outcome. A failure on the wire is an outcome, not an exception.

Rules for every transport: each request that is fired ends exactly once; never before `fire` has returned; and no
exception comes out of `fire` or `send`, whatever the wire does. Instants are the run's clock, microseconds.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from ...capture.model import Failure, Request, Response
from ...capture.wire.answers import RawAnswer


class Clock(Protocol):
    """Where instants come from; `capture.clock.Clock` is the real one."""

    def now_us(self) -> int:
        """Now, microseconds; never less than before."""


class Outcome(NamedTuple):
    """What came of a request: exactly one of `answer` and `failure`.

    `sent_us` is when its bytes were first handed to a connection (when it was given up, if it came to that before),
    `done_us` when the last byte of the answer came; `truncated` says that the answer's body was over the cap and left
    out; `retried` that a stale connection was given up and the request sent again.
    """

    answer: Response | RawAnswer | None
    failure: Failure | None
    sent_us: int
    done_us: int
    truncated: bool = False
    retried: bool = False

    @property
    def response(self) -> Response | None:
        """The answer, decoded."""
        return self.answer.response() if isinstance(self.answer, RawAnswer) else self.answer


Done = Callable[[Outcome], None]


class Transport(Protocol):
    """A way to one target."""

    def fire(self, request: Request, done: Done) -> None:
        """Send `request`; `done` is called when it has ended. A callback costs a fifth of a task and a future."""

    async def send(self, request: Request) -> Outcome:
        """The same, awaited."""

    async def close(self) -> None:
        """Give up the connections; what is still under way ends as a failure of kind `cancelled`."""


async def send_through(transport: Transport, request: Request) -> Outcome:
    """`send` by means of `fire`."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def done(outcome: Outcome) -> None:
        # A caller that gave up waiting has cancelled the future.
        if not future.done():
            future.set_result(outcome)

    transport.fire(request, done)
    return await future
