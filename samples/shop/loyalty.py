"""Loyalty: listens to what happens to orders, and keeps the points of each customer."""

from collections.abc import AsyncIterator

from aiohttp import web

from .bus import BUS, subscribe, with_bus
from .cache import CACHE, with_cache
from .database import DATABASE, with_database
from .service import make_app

CENTS_A_POINT = 100


def app() -> web.Application:
    """No routes of its own: it lives on events."""
    application = make_app("loyalty")
    application.cleanup_ctx.extend((with_database, with_cache, with_bus, listening))
    return application


async def listening(app: web.Application) -> AsyncIterator[None]:
    """Be subscribed for as long as the service runs."""

    async def placed(event: dict[str, object], trace: str | None) -> None:
        await earn(app, event, trace)

    async def cancelled(event: dict[str, object], trace: str | None) -> None:
        await lose(app, event, trace)

    await subscribe(app[BUS], "orders.placed", placed)
    await subscribe(app[BUS], "orders.cancelled", cancelled)
    await app[BUS].flush()
    yield


async def earn(app: web.Application, event: dict[str, object], trace: str | None) -> None:
    """A point for each euro, written down once an order."""
    email, points = str(event["email"]), int(str(event["total"])) // CENTS_A_POINT
    await app[DATABASE].rows(
        trace,
        "INSERT INTO loyalty_entries (order_id, email, points) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (event["order_id"], email, points),
    )
    await app[CACHE].incrby(f"loyalty:{email}", points)


async def lose(app: web.Application, event: dict[str, object], trace: str | None) -> None:
    """The points of a cancelled order are gone."""
    gone = await app[DATABASE].rows(
        trace, "DELETE FROM loyalty_entries WHERE order_id = %s RETURNING email, points", (event["order_id"],)
    )
    for entry in gone:
        await app[CACHE].decrby(f"loyalty:{entry['email']}", entry["points"])
