"""Requests that carry a shared cluster's routing headers."""

import asyncio

from seamline.capture.headers import Headers
from seamline.capture.model import Request, Response
from seamline.replay.transport.base import Outcome, Transport
from seamline.replay.transport.routed import RoutedTransport


class Seen:
    """A transport that keeps what it was given."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.closed = False

    def fire(self, request: Request, done: object) -> None:
        self.requests.append(request)

    async def send(self, request: Request) -> Outcome:
        self.requests.append(request)
        return Outcome(Response(200, Headers()), None, 0, 0)

    async def close(self) -> None:
        self.closed = True


def test_every_request_carries_them_and_nothing_else_changes() -> None:
    seen = Seen()
    transport: Transport = RoutedTransport(seen, {"X-Route": "candidate"})
    request = Request("GET", "/", Headers([("Host", "h")]))

    async def main() -> None:
        transport.fire(request, lambda _: None)
        assert (await transport.send(request)).answer is not None
        await transport.close()

    asyncio.run(main())
    assert [each.headers.items for each in seen.requests] == [(("Host", "h"), ("X-Route", "candidate"))] * 2
    assert request.headers.items == (("Host", "h"),)
    assert seen.closed
