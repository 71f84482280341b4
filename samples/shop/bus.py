"""The shop's event bus: what happened, for whoever wants to know. Subjects carry BUS_PREFIX, if there is one."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import nats
from aiohttp import web
from nats.aio.client import Client
from nats.aio.msg import Msg

BUS: web.AppKey[Client] = web.AppKey("bus", Client)
Handler = Callable[[dict[str, object], str | None], Awaitable[None]]


async def with_bus(app: web.Application) -> AsyncIterator[None]:
    """An application's connection to the bus, for as long as it runs."""
    app[BUS] = await nats.connect(os.environ["NATS_URL"], max_reconnect_attempts=2)
    yield
    await app[BUS].close()


async def publish(bus: Client, event: str, payload: object, trace: str | None) -> None:
    """Tell everybody. The order of events is the order of these calls."""
    headers = {"content-type": "application/json", **({"traceparent": trace} if trace else {})}
    await bus.publish(subject(event), json.dumps(payload).encode(), headers=headers)
    await bus.flush()


async def subscribe(bus: Client, event: str, handler: Handler) -> None:
    """Have `handler` called with each event's payload and traceparent, one after the other."""

    async def received(message: Msg) -> None:
        await handler(json.loads(message.data), (message.headers or {}).get("traceparent"))

    await bus.subscribe(subject(event), cb=received)


def subject(event: str) -> str:
    """`orders.placed`, below the prefix."""
    return os.environ.get("BUS_PREFIX", "") + event
