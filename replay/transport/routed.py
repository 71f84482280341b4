"""A transport whose requests carry the headers that a shared cluster routes by.

The run records what was asked of the service, without them: they differ from side to side and mean nothing to it.
"""

from collections.abc import Mapping

from ...capture.model import Request
from ..tracing import routed
from .base import Done, Outcome, Transport


class RoutedTransport:
    """`transport`, with `headers` added to every request."""

    def __init__(self, transport: Transport, headers: Mapping[str, str]) -> None:
        self._transport = transport
        self._headers = dict(headers)

    def fire(self, request: Request, done: Done) -> None:
        """Send `request` with the headers; `done` is called when it has ended."""
        self._transport.fire(routed(request, self._headers), done)

    async def send(self, request: Request) -> Outcome:
        """The same, awaited."""
        return await self._transport.send(routed(request, self._headers))

    async def close(self) -> None:
        """Give up the connections."""
        await self._transport.close()
