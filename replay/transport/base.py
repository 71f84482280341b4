"""One verb: send a request, get an outcome. A failure on the wire is an outcome, not an exception."""

from dataclasses import dataclass
from typing import Protocol

from ...capture.model import Failure, Request, Response


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: exactly one of `response` and `failure`.

    `sent_us` is when its first byte was handed to the kernel, `done_us` when the last byte of the answer came,
    microseconds since the epoch; `truncated` says that the answer's body was over the cap and left out; `retried`
    that a stale connection was given up and the request sent again.
    """

    response: Response | None
    failure: Failure | None
    sent_us: int
    done_us: int
    truncated: bool = False
    retried: bool = False


class Transport(Protocol):
    """A way to one target."""

    async def send(self, request: Request) -> Outcome:
        """Send `request` and wait for what comes of it. Never raises for what the wire does."""

    async def close(self) -> None:
        """Give up the connections."""
