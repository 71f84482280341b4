"""Pricing: what a basket costs. Knows no customer; list prices are cached."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from aiohttp import web

from .cache import CACHE, TTL_S, with_cache
from .catalog import PRODUCTS
from .service import Refused, make_app

TAX_RATE = Decimal("0.19")
COUPONS = {"WELCOME5": Decimal("0.05"), "TEATIME": Decimal("0.10")}


def app() -> web.Application:
    """POST /prices: items and a coupon in, lines, tax and total out."""
    application = make_app("pricing")
    application.cleanup_ctx.append(with_cache)
    application.router.add_post("/prices", prices)
    return application


async def prices(request: web.Request) -> web.Response:
    """Price a basket; 422 for a coupon that nobody issued."""
    order = await request.json()
    listed = await list_prices(request, [item["sku"] for item in order["items"]])
    return web.json_response(price(order["items"], order.get("coupon"), listed))


async def list_prices(request: web.Request, skus: list[str]) -> dict[str, int]:
    """The list price of each of `skus` in cents, from the cache where it is there."""
    cache = request.app[CACHE]
    listed: dict[str, int] = {}
    for sku in dict.fromkeys(skus):
        cached = await cache.get(f"price:{sku}")
        if cached is None:
            listed[sku] = PRODUCTS[sku].price_cents
            await cache.set(f"price:{sku}", listed[sku], ex=TTL_S)
        else:
            listed[sku] = int(cached)
    return listed


def price(items: list[dict[str, Any]], coupon: str | None, listed: dict[str, int]) -> dict[str, Any]:
    """The price of `items` in cents; tax is on the list price, line by line."""
    if coupon is not None and coupon not in COUPONS:
        raise Refused(422, "unknown_coupon", f"no such coupon: {coupon}")
    lines = [
        {"sku": item["sku"], "qty": item["qty"], "line_total": listed[item["sku"]] * item["qty"]} for item in items
    ]
    subtotal = sum(line["line_total"] for line in lines)
    discount = cents(subtotal * COUPONS[coupon]) if coupon else 0
    tax = sum(cents(line["line_total"] * TAX_RATE) for line in lines)
    return {
        "lines": lines,
        "subtotal": subtotal,
        "discount": discount,
        "tax": tax,
        "total": subtotal - discount + tax,
        "currency": "EUR",
    }


def cents(amount: Decimal) -> int:
    """Whole cents, halves to the even neighbour."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
