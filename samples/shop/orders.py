"""Orders: the service that the changes are made to. Prices, reserves, charges, and remembers."""

import json
import sqlite3
import uuid
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from .catalog import PRODUCTS
from .service import Refused, call, downstream, make_app

DB: web.AppKey[sqlite3.Connection] = web.AppKey("db", sqlite3.Connection)
PAGE = 20


def app() -> web.Application:
    """Orders, quotes and products."""
    application = make_app("orders")
    application[DB] = open_ledger()
    application.router.add_get("/products/{sku}", show_product)
    application.router.add_get("/quote", quote)
    application.router.add_get("/orders", list_orders)
    application.router.add_post("/orders", place_order)
    application.router.add_get("/orders/{id}", show_order)
    application.router.add_post("/orders/{id}/cancel", cancel_order)
    return application


def open_ledger() -> sqlite3.Connection:
    """An empty ledger, in memory: each start of the stack begins anew."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT NOT NULL, body TEXT NOT NULL)")
    db.execute("INSERT INTO orders VALUES (100000, 'seed', '{}')")
    return db


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
    rows = request.app[DB].execute(
        "SELECT id, status, body FROM orders WHERE status != 'seed' AND status LIKE ? ORDER BY id DESC LIMIT ?",
        (status, limit),
    )
    orders = [summary(order_id, state, json.loads(body)) for order_id, state, body in rows]
    return web.json_response({"orders": orders, "count": len(orders)})


async def place_order(request: web.Request) -> web.Response:
    """Price, reserve, charge, remember."""
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
    order_id = save(request.app[DB], order)
    return web.json_response(
        {"id": order_id, "status": "paid", **order}, status=201, headers={"location": f"/api/orders/{order_id}"}
    )


async def show_order(request: web.Request) -> web.Response:
    """An order with what is left of each of its products."""
    order_id, status, order = find(request)
    skus = [line["sku"] for line in order["lines"]]
    levels = await stock_levels(request, skus)
    lines = [{**line, "in_stock": levels[line["sku"]] > 0} for line in order["lines"]]
    return web.json_response({"id": order_id, "status": status, **order, "lines": lines})


async def cancel_order(request: web.Request) -> web.Response:
    """Give the money back and the goods too."""
    order_id, status, order = find(request)
    if status == "cancelled":
        raise Refused(409, "already_cancelled", "the order was cancelled before")
    refund = {"amount": order["total"], "reference": order["reference"]}
    await call(request, "POST", f"{downstream('PAYMENTS')}/refunds", json=refund)
    items = [{"sku": line["sku"], "qty": line["qty"]} for line in order["lines"]]
    await call(request, "POST", f"{downstream('INVENTORY')}/releases", json={"items": items})
    with request.app[DB] as db:
        db.execute("UPDATE orders SET status = 'cancelled' WHERE id = ?", (order_id,))
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


def summary(order_id: int, status: str, order: dict[str, Any]) -> dict[str, Any]:
    """An order in a list."""
    return {"id": order_id, "status": status, "total": order["total"], "lines": len(order["lines"])}


def save(db: sqlite3.Connection, order: dict[str, Any]) -> int:
    """Write the order down; its number."""
    with db:
        cursor = db.execute("INSERT INTO orders (status, body) VALUES ('paid', ?)", (json.dumps(order),))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def find(request: web.Request) -> tuple[int, str, dict[str, Any]]:
    """The order that the path names: its number, status and body; 404 where there is none."""
    number = request.match_info["id"]
    row = request.app[DB].execute("SELECT id, status, body FROM orders WHERE id = ? AND status != 'seed'", (number,))
    found = row.fetchone()
    if found is None:
        raise Refused(404, "unknown_order", f"no such order: {number}")
    return int(found[0]), str(found[1]), json.loads(found[2])
