"""Orders: the service in the middle. Prices, reserves, charges, remembers, and tells."""

import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from seamline.samples.shop.bus import with_bus
from seamline.samples.shop.database import DATABASE, trace_of, with_database
from seamline.samples.shop.service import Refused, make_app

from . import background, burden, ledger, listing, shelves
from .downstreams import ask, send
from .events import tell
from .replies import errors, reply, stamped
from .variants import active
from .views import order_view
from .wishes import labels, wanted


def app() -> web.Application:
    """Orders, and what there is to see without one."""
    application = make_app("orders")
    application.middlewares.append(errors)
    application.cleanup_ctx.extend((with_database, with_bus, background.checked))
    burden.prepared(application)
    route = application.router
    route.add_get("/products", shelves.list_products)
    route.add_get("/products/{sku}", shelves.show_product)
    route.add_get("/stores", shelves.list_stores)
    route.add_get("/stores/{code}", shelves.show_store)
    route.add_get("/coupons/{code}", shelves.show_coupon)
    route.add_post("/quotes", shelves.quote)
    route.add_get("/orders", listing.list_orders)
    route.add_get("/export", listing.export)
    route.add_get("/reports/sales", listing.report)
    route.add_post("/orders", place_order)
    route.add_get("/orders/{number:\\d+}", show_order)
    route.add_put("/orders/{number:\\d+}/note", change_note)
    route.add_delete("/orders/{number:\\d+}", cancel_order)
    return application


async def place_order(request: web.Request) -> web.Response:
    """Price, reserve, charge, remember, and tell; what came before with the same key is not done again."""
    key = request.headers.get("idempotency-key")
    known = await ledger.find_by_key(request, key) if key and not active("S15") else None
    if known is not None:
        return placed(known)
    wish = await request.json()
    items = wanted(wish)
    basket = await shelves.price_of(request, items, wish.get("coupon"))
    await send(request, "POST", "INVENTORY", "/reservations", {"items": items})
    identity = uuid.uuid4()
    charge = {"amount": basket["total"], "currency": basket["currency"], "reference": str(identity)}
    await send(request, "POST", "PAYMENTS", "/charges", charge | {"card_number": wish["card_number"]})
    order = {
        "id": identity,
        "tenant": ledger.tenant_of(request),
        "status": "PAID",
        "customer": wish["customer"],
        "coupon": wish.get("coupon"),
        "note": note_of(wish),
        "tags": labels(wish),
        "delivery_window": wish.get("deliveryWindow", "morning"),
        "idempotency_key": None if active("S15") else key,
        "created_at": datetime.now(UTC),
        **basket,
    }
    async with request.app[DATABASE].transaction(trace_of(request)) as run:
        order["number"] = await ledger.save(run, order)
        if order["coupon"]:
            await ledger.redeem(run, order["coupon"], order["customer"]["email"])
        if active("D20"):
            await tell(request, "order.created", order)
    if not active("D20"):
        await tell(request, "order.created", order)
    return placed(order)


def placed(order: dict[str, Any]) -> web.Response:
    """What somebody hears who has ordered."""
    view = order_view(order)
    named = uuid.uuid4() if active("R23") else view["id"]
    return reply(view, 200 if active("S02") else 201, {"location": f"/orders/by-id/{named}"})


async def show_order(request: web.Request) -> web.Response:
    """An order with what is left of each of its products."""
    burden.borrow(request)
    order = await ledger.find(request)
    if active("D19"):
        query = "UPDATE orders SET updated_at = %s WHERE number = %s"
        await ledger.rows(request, query, (datetime.now(UTC), order["number"]))
    levels = await stock_levels(request, [line["sku"] for line in order["lines"]])
    lines = [{**line, "left": levels[line["sku"]] > 0} for line in order["lines"]]
    return stamped(order_view(order | {"lines": lines}))


async def change_note(request: web.Request) -> web.Response:
    """Write another note on an order."""
    order = await ledger.find(request)
    note = note_of(await request.json())
    query = "UPDATE orders SET note = %s, updated_at = %s WHERE number = %s"
    await ledger.rows(request, query, (note, datetime.now(UTC), order["number"]))
    return confirmed({"number": order["number"], "note": note})


async def cancel_order(request: web.Request) -> web.Response:
    """Give the money back and the goods too."""
    order = await ledger.find(request)
    if order["status"] == "CANCELLED":
        raise Refused(409, "already_cancelled", "the order was cancelled before")
    refund = {"amount": order["total"] // 100 if active("D12") else order["total"], "reference": str(order["id"])}
    await send(request, "POST", "PAYMENTS", "/refunds", refund)
    items = [{"sku": line["sku"], "qty": line["qty"]} for line in order["lines"]]
    await send(request, "POST", "INVENTORY", "/releases", {"items": items})
    query = "UPDATE orders SET status = 'CANCELLED', updated_at = %s WHERE number = %s"
    await ledger.rows(request, query, (datetime.now(UTC), order["number"]))
    await tell(request, "order.cancelled", order)
    return confirmed({"number": order["number"], "status": "CANCELLED", "refunded": order["total"]})


def confirmed(view: dict[str, Any]) -> web.Response:
    """What somebody hears who has changed something."""
    return web.Response(status=204) if active("S01") else reply(view)


def note_of(wish: dict[str, Any]) -> str:
    """What somebody wrote, as they wrote it."""
    note = str(wish.get("note", ""))
    return note.strip() if active("R29") else note


async def stock_levels(request: web.Request, skus: list[str]) -> dict[str, int]:
    """What is left of each product, in one call."""
    if active("D02"):
        levels = [await ask(request, "INVENTORY", f"/stock/{sku}") for sku in skus]
        return {level["sku"]: level["available"] for level in levels}
    asked = "".join(f"&sku={sku}" for sku in skus)
    answer = await ask(request, "INVENTORY", f"/stock?limit={100 if active('D13') else 50}{asked}")
    return {level["sku"]: level["available"] for level in answer["levels"]}
