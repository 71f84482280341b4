"""Pricing: what a basket costs. Knows no customer and keeps no state."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from aiohttp import web

from .catalog import PRODUCTS
from .service import Refused, make_app

TAX_RATE = Decimal("0.19")
COUPONS = {"WELCOME5": Decimal("0.05"), "TEATIME": Decimal("0.10")}


def app() -> web.Application:
    """POST /prices: items and a coupon in, lines, tax and total out."""
    application = make_app("pricing")
    application.router.add_post("/prices", prices)
    return application


async def prices(request: web.Request) -> web.Response:
    """Price a basket; 422 for a coupon that nobody issued."""
    order = await request.json()
    return web.json_response(price(order["items"], order.get("coupon")))


def price(items: list[dict[str, Any]], coupon: str | None) -> dict[str, Any]:
    """The price of `items` in cents; tax is on the list price, line by line."""
    if coupon is not None and coupon not in COUPONS:
        raise Refused(422, "unknown_coupon", f"no such coupon: {coupon}")
    lines = [
        {"sku": item["sku"], "qty": item["qty"], "line_total": PRODUCTS[item["sku"]].price_cents * item["qty"]}
        for item in items
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
