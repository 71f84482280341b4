"""Pricing: what a basket costs. List prices come from the database and are cached."""

import asyncio
import random
from collections.abc import AsyncIterator
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from aiohttp import web

from seamline.samples.shop.cache import CACHE, TTL_S, with_cache
from seamline.samples.shop.database import DATABASE, trace_of, with_database
from seamline.samples.shop.service import Refused, make_app

from .catalog import PRODUCTS
from .noise import noisy
from .variants import active

TAX_RATE = Decimal("0.19")


def app() -> web.Application:
    """POST /prices: items and a coupon in, lines, tax and total out."""
    application = make_app("pricing")
    application.cleanup_ctx.extend((with_database, with_cache, warmed))
    application.router.add_post("/prices", prices)
    return application


async def warmed(app: web.Application) -> AsyncIterator[None]:
    """N19: an instance finds some prices in the cache already, another one others."""
    if noisy("N19"):
        for product in random.sample(list(PRODUCTS.values()), 3):
            await app[CACHE].set(f"price:{product.sku}", product.price, ex=TTL_S)
    yield


async def prices(request: web.Request) -> web.Response:
    """Price a basket; 422 for a coupon that nobody issued."""
    order = await request.json()
    listed = await list_prices(request, [item["sku"] for item in order["items"]])
    return web.json_response(price(order["items"], await percent_off(request, order.get("coupon")), listed))


async def list_prices(request: web.Request, skus: list[str]) -> dict[str, int]:
    """The list price of each of `skus` in cents, from the cache where it is there."""
    listed: dict[str, int] = {}
    if active("F11"):
        return await listed_at_once(request, list(dict.fromkeys(skus)))
    for sku in dict.fromkeys(skus):
        if active("D05"):
            listed[sku] = await stored_price(request, sku)
            continue
        cached = await request.app[CACHE].get(f"price:{sku}")
        if cached is None:
            listed[sku] = await stored_price(request, sku)
            await remember(request, sku, listed[sku])
        else:
            listed[sku] = int(cached)
    return listed


async def listed_at_once(request: web.Request, skus: list[str]) -> dict[str, int]:
    """F11: the same with one query for all that is not in the cache."""
    cached = {sku: await request.app[CACHE].get(f"price:{sku}") for sku in skus}
    missing = [sku for sku in skus if cached[sku] is None]
    query = "SELECT sku, cents FROM prices WHERE sku = ANY(%s)"
    rows = await request.app[DATABASE].rows(trace_of(request), query, (missing,)) if missing else []
    for row in rows:
        await remember(request, row["sku"], int(row["cents"]))
    stored = {row["sku"]: int(row["cents"]) for row in rows}
    return {sku: int(stored.get(sku) or cached[sku] or 0) for sku in skus}


async def remember(request: web.Request, sku: str, cents_listed: int) -> None:
    """Put a price into the cache, for a while."""
    if not active("D06"):
        await request.app[CACHE].set(f"price:{sku}", cents_listed, ex=None if active("D07") else TTL_S)


async def stored_price(request: web.Request, sku: str) -> int:
    """The list price of one product."""
    rows = await request.app[DATABASE].rows(trace_of(request), "SELECT cents FROM prices WHERE sku = %s", (sku,))
    return int(rows[0]["cents"])


async def percent_off(request: web.Request, coupon: str | None) -> int:
    """How much a coupon takes off."""
    if coupon is None:
        return 0
    if active("L06"):
        # The cold path: terms are fetched from far away.
        await asyncio.sleep(0.03)
    query = "SELECT percent FROM coupons WHERE code = %s"
    rows = await request.app[DATABASE].rows(trace_of(request), query, (coupon,))
    if not rows:
        raise Refused(422, "unknown_coupon", f"no such coupon: {coupon}")
    return int(rows[0]["percent"])


def price(items: list[dict[str, Any]], percent: int, listed: dict[str, int]) -> dict[str, Any]:
    """The price of `items` in cents. The discount comes off first, then tax is added, order by order."""
    lines = [
        {"sku": item["sku"], "qty": item["qty"], "line_total": listed[item["sku"]] * item["qty"]} for item in items
    ]
    subtotal = sum(line["line_total"] for line in lines)
    discount = cents(Decimal(subtotal * percent) / 100)
    tax = tax_on(subtotal - discount)
    if active("R15"):
        tax = tax_on(subtotal)
    return {
        "lines": lines,
        "subtotal": Subtotal(subtotal) if active("F06") else subtotal,
        "discount": discount,
        "tax": tax,
        "total": subtotal - discount + tax,
        "currency": "EUR",
    }


class Subtotal(int):
    """F06: an inner type with a name."""


def tax_on(amount: int) -> int:
    """The tax on `amount`, halves to the even neighbour."""
    return cents(amount * TAX_RATE, ROUND_HALF_UP if active("R13") else ROUND_HALF_EVEN)


def cents(amount: Decimal, rounding: str = ROUND_HALF_EVEN) -> int:
    """Whole cents."""
    return int(amount.quantize(Decimal(1), rounding=rounding))
