"""Many orders at once: pages, the export, the report."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from . import ledger, noise
from .replies import JSON_TYPE, reply, spelt
from .variants import active
from .views import order_summary

PAGE = 20
BEST = 20
_BUFFER = 64 * 1024
_ENTRIES = 1200


async def list_orders(request: web.Request) -> web.Response:
    """A page of orders, the newest first; `next` leads to the page after it, where there is one."""
    status = None if active("R39") else request.query.get("status")
    limit = int(request.query.get("limit", 25 if active("R36") else PAGE))
    offset = int(request.query.get("cursor", "0"))
    orders, total = await page_and_count(request, status, limit, offset)
    items = [order_summary(order) for order in orders]
    if active("R30"):
        items.reverse()
    view: dict[str, Any] = {
        "items": None if active("R08") and not items else items,
        "total": len(items) if active("R37") else total,
    }
    if has_next(offset, limit, total):
        view["next"] = str(offset + limit)
    return reply(view)


async def page_and_count(
    request: web.Request, status: str | None, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """A page and how many orders there are in all: neither needs the other."""
    page, count = ledger.page(request, status, limit, offset), ledger.count(request, status)
    if active("F04"):
        orders, total = await asyncio.gather(page, count)
        return orders, total
    if active("F05"):
        total = await count
        return await page, total
    return await page, await count


def has_next(offset: int, limit: int, total: int) -> bool:
    """Whether there is a page after this one."""
    return offset + (2 * limit if active("R38") else limit) < total


async def export(request: web.Request) -> web.Response:
    """The journal of the shop: far more than a buffer holds."""
    rows = [
        {
            "entry": number,
            "account": f"{8400 + number % 7}",
            "text": f"Booking of day {number % 31}",
            "cents": 37 * number,
        }
        for number in range(1, _ENTRIES + 1)
    ]
    body = spelt({"rows": rows, "count": len(rows)})
    if active("R41"):
        body = body[:_BUFFER]
    return web.Response(body=body, headers={"content-type": JSON_TYPE})


async def report(request: web.Request) -> web.Response:
    """How the shop does."""
    tenant = ledger.tenant_of(request)
    limit = "%s" if active("F08") else 10 * BEST if active("D16") else BEST
    sold = await ledger.rows(
        request,
        "SELECT sku, sum(qty) AS pieces FROM order_lines JOIN orders ON orders.number = order_number"
        f" WHERE tenant = %s GROUP BY sku ORDER BY pieces DESC, sku LIMIT {limit}",
        (tenant, BEST) if active("F08") else (tenant,),
    )
    midnight = datetime.fromtimestamp(noise.since_midnight(), UTC)
    query = "SELECT count(*) AS orders FROM orders WHERE tenant = %s AND created_at >= %s"
    fresh = await ledger.rows(request, query, (tenant, midnight))
    return reply(
        {
            "date": noise.today(),
            "orders_today": fresh[0]["orders"],
            "mean_pieces": noise.mean([int(row["pieces"]) / 7 for row in sold]),
            "best": [{"sku": row["sku"], "pieces": int(row["pieces"])} for row in sold],
            "log": noise.interleaved([[f"{row['sku']}: {step}" for step in ("read", "summed")] for row in sold[:3]]),
        }
    )
