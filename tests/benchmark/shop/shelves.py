"""What there is to see without an order: products, stores, coupons, quotes."""

import asyncio
import time
import uuid
from typing import Any

from aiohttp import web

from seamline.samples.shop.service import Refused

from . import elsewhere, ledger
from .catalog import PRODUCTS, STORES
from .downstreams import ask, send
from .replies import reply, stamped, tagged
from .variants import active
from .views import by_name, name_of, product_view, store_view
from .wishes import wanted

VALID_S = 3600


async def list_products(request: web.Request) -> web.Response:
    """All products by name, those with a tag where asked."""
    tag = request.query.get("tag")
    found = [product for product in PRODUCTS.values() if tag is None or tag in product.tags]
    items = [
        {"sku": product.sku, "name": name_of(product), "price": product.price} for product in sorted(found, key=by_name)
    ]
    return tagged(request, {"items": items, "count": len(items)})


async def show_product(request: web.Request) -> web.Response:
    """A product with what is left of it."""
    product = PRODUCTS.get(request.match_info["sku"])
    if product is None:
        raise Refused(404, "unknown_sku", f"no such product: {request.match_info['sku']}")
    if active("D28"):
        await elsewhere.told(product.sku)
    level = await ask(request, "INVENTORY", f"/stock/{product.sku}")
    return reply(product_view(product, level["available"], request.headers["x-role"]))


async def list_stores(request: web.Request) -> web.Response:
    """All stores."""
    if not active("F18"):
        # The map of all stores is drawn anew for each caller.
        await asyncio.sleep(0.004)
    return stamped({"stores": [store_view(code) for code in STORES]})


async def show_store(request: web.Request) -> web.Response:
    """One store."""
    if request.match_info["code"] not in STORES:
        raise Refused(404, "unknown_store", f"no such store: {request.match_info['code']}")
    return stamped(store_view(request.match_info["code"]))


async def show_coupon(request: web.Request) -> web.Response:
    """What a coupon is worth."""
    query = "SELECT code, percent FROM coupons WHERE code = %s"
    found = await ledger.rows(request, query, (request.match_info["code"],))
    if not found:
        raise Refused(404, "unknown_coupon", f"no such coupon: {request.match_info['code']}")
    return reply(found[0])


async def quote(request: web.Request) -> web.Response:
    """What a basket would cost for an hour; nothing is reserved."""
    wish = await request.json()
    items = wanted(wish)
    try:
        basket = await price_of(request, items, wish.get("coupon"))
    except Refused as refusal:
        if refusal.status == 504 and active("S13"):
            return reply({"quote": str(uuid.uuid4()), "lines": items})
        raise
    return reply({"quote": str(uuid.uuid4()), **basket, "expires_at": expiry()})


def expiry() -> int:
    """Until when an offer stands, as a Unix time in seconds."""
    valid_s = 15 * 60 if active("R19") else VALID_S
    until = int(time.time()) + valid_s
    return until * 1000 if active("R18") else until


async def price_of(request: web.Request, items: list[dict[str, Any]], coupon: str | None) -> dict[str, Any]:
    """The basket as pricing sees it."""
    basket: dict[str, Any] = await send(request, "POST", "PRICING", "/prices", {"items": items, "coupon": coupon})
    return basket
