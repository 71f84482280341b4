"""Orders: the service that the changes are made to. Prices, reserves, charges, remembers, and tells."""

import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from psycopg.types.json import Jsonb

from .bus import BUS, publish, with_bus
from .catalog import PRODUCTS
from .database import DATABASE, trace_of, with_database
from .service import Refused, call, downstream, make_app

PAGE = 20
COLUMNS = "id, status, reference, created_at, customer, coupon, subtotal, discount, tax, total, currency"


def app() -> web.Application:
    """Orders, quotes and products."""
    application = make_app("orders")
    application.cleanup_ctx.extend((with_database, with_bus))
    application.router.add_get("/products/{sku}", show_product)
    application.router.add_get("/quote", quote)
    application.router.add_get("/orders", list_orders)
    application.router.add_post("/orders", place_order)
    application.router.add_get("/orders/{id}", show_order)
    application.router.add_post("/orders/{id}/cancel", cancel_order)
    return application


async def show_product(request: web.Request) -> web.Response:
    """A product with what is left of it."""
    product = PRODUCTS.get(request.match_info["sku"])
    if product is None:
        raise Refused(404, "unknown_sku", f"no such product: {request.match_info['sku']}")
    level = await call(request, "GET", f"{downstream('INVENTORY')}/stock/{product.sku}")
    return web.json_response(
        {
            "sku": product.sku,
            "title": product.title,
            "price": product.price_cents,
            "available": level["available"],
            "tags": list(product.tags),
        }
    )


async def quote(request: web.Request) -> web.Response:
    """What a basket would cost; nothing is reserved."""
    items = [{"sku": sku, "qty": 1} for sku in request.query.getall("sku", [])]
    basket = await price_of(request, known(items), request.query.get("coupon"))
    return web.json_response({"items": len(items), "total": basket["total"], "tax": basket["tax"], "currency": "EUR"})


async def list_orders(request: web.Request) -> web.Response:
    """The newest orders first, by status where asked, a page of 20 unless asked otherwise."""
    status = request.query.get("status", "%")
    limit = int(request.query.get("limit", PAGE))
    rows = await request.app[DATABASE].rows(
        trace_of(request),
        "SELECT id, status, total, (SELECT count(*) FROM order_lines WHERE order_id = id) AS lines FROM orders"
        " WHERE status LIKE %s ORDER BY id DESC LIMIT %s",
        (status, limit),
    )
    return web.json_response({"orders": rows, "count": len(rows)})


async def place_order(request: web.Request) -> web.Response:
    """Price, reserve, charge, remember, and tell."""
    wish = await request.json()
    items = known(wish.get("items") or [])
    if not items or any(item["qty"] < 1 for item in items):
        raise Refused(422, "invalid_items", "an order needs items, each at least once")
    basket = await price_of(request, items, wish.get("coupon"))
    await call(request, "POST", f"{downstream('INVENTORY')}/reservations", json={"items": items})
    reference = str(uuid.uuid4())
    await call(
        request,
        "POST",
        f"{downstream('PAYMENTS')}/charges",
        json={
            "amount": basket["total"],
            "currency": basket["currency"],
            "card_number": wish["card_number"],
            "reference": reference,
        },
    )
    order = {
        "reference": reference,
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "customer": wish["customer"],
        "coupon": wish.get("coupon"),
        **basket,
    }
    order_id = await save(request, order)
    await tell(request, "orders.placed", order_id, order)
    return web.json_response(
        {"id": order_id, "status": "paid", **order}, status=201, headers={"location": f"/api/orders/{order_id}"}
    )


async def show_order(request: web.Request) -> web.Response:
    """An order with what is left of each of its products."""
    order_id, status, order = await find(request)
    skus = [line["sku"] for line in order["lines"]]
    levels = await stock_levels(request, skus)
    lines = [{**line, "in_stock": levels[line["sku"]] > 0} for line in order["lines"]]
    return web.json_response({"id": order_id, "status": status, **order, "lines": lines})


async def cancel_order(request: web.Request) -> web.Response:
    """Give the money back and the goods too."""
    order_id, status, order = await find(request)
    if status == "cancelled":
        raise Refused(409, "already_cancelled", "the order was cancelled before")
    refund = {"amount": order["total"], "reference": order["reference"]}
    await call(request, "POST", f"{downstream('PAYMENTS')}/refunds", json=refund)
    items = [{"sku": line["sku"], "qty": line["qty"]} for line in order["lines"]]
    await call(request, "POST", f"{downstream('INVENTORY')}/releases", json={"items": items})
    update = "UPDATE orders SET status = 'cancelled' WHERE id = %s"
    await request.app[DATABASE].rows(trace_of(request), update, (order_id,))
    await tell(request, "orders.cancelled", order_id, order)
    return web.json_response({"id": order_id, "status": "cancelled", "refunded": order["total"]})


async def price_of(request: web.Request, items: list[dict[str, Any]], coupon: str | None) -> dict[str, Any]:
    """The basket as pricing sees it."""
    basket: dict[str, Any] = await call(
        request, "POST", f"{downstream('PRICING')}/prices", json={"items": items, "coupon": coupon}
    )
    return basket


async def stock_levels(request: web.Request, skus: list[str]) -> dict[str, int]:
    """What is left of each product, in one call."""
    answer = await call(request, "GET", f"{downstream('INVENTORY')}/stock?" + "&".join(f"sku={sku}" for sku in skus))
    return {level["sku"]: level["available"] for level in answer["levels"]}


def known(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`items`, each of which is sold here."""
    for item in items:
        if item["sku"] not in PRODUCTS:
            raise Refused(422, "unknown_sku", f"no such product: {item['sku']}")
    return [{"sku": item["sku"], "qty": item["qty"]} for item in items]


async def save(request: web.Request, order: dict[str, Any]) -> int:
    """Write the order and its lines down; its number."""
    fields = ("reference", "created_at", "customer", "coupon", "subtotal", "discount", "tax", "total", "currency")
    values = [Jsonb(order[field]) if field == "customer" else order[field] for field in fields]
    async with request.app[DATABASE].transaction(trace_of(request)) as run:
        inserted = await run.rows(
            "INSERT INTO orders (reference, created_at, customer, coupon, subtotal, discount, tax, total, currency)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            values,
        )
        order_id = int(inserted[0]["id"])
        for position, line in enumerate(order["lines"]):
            await run.rows(
                "INSERT INTO order_lines (order_id, position, sku, qty, line_total) VALUES (%s, %s, %s, %s, %s)",
                (order_id, position, line["sku"], line["qty"], line["line_total"]),
            )
    return order_id


async def find(request: web.Request) -> tuple[int, str, dict[str, Any]]:
    """The order that the path names: its number, status and body; 404 where there is none."""
    number = request.match_info["id"]
    database, trace = request.app[DATABASE], trace_of(request)
    found = await database.rows(trace, f"SELECT {COLUMNS} FROM orders WHERE id = %s", (int(number),))
    if not found:
        raise Refused(404, "unknown_order", f"no such order: {number}")
    lines = "SELECT sku, qty, line_total FROM order_lines WHERE order_id = %s ORDER BY position"
    order = found[0] | {"lines": await database.rows(trace, lines, (int(number),))}
    order["reference"] = str(order["reference"])
    order["created_at"] = order["created_at"].astimezone(UTC).isoformat(timespec="milliseconds")
    return order.pop("id"), order.pop("status"), order


async def tell(request: web.Request, event: str, order_id: int, order: dict[str, Any]) -> None:
    """Publish what happened to an order, once it is committed."""
    payload = {
        "order_id": order_id,
        "reference": order["reference"],
        "email": order["customer"]["email"],
        "total": order["total"],
        "items": [{"sku": line["sku"], "qty": line["qty"]} for line in order["lines"]],
    }
    await publish(request.app[BUS], event, payload, trace_of(request))
