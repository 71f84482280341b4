"""Inventory: what is on the shelf, in an embedded database."""

import sqlite3

from aiohttp import web

from .catalog import PRODUCTS
from .service import Refused, make_app

DB: web.AppKey[sqlite3.Connection] = web.AppKey("db", sqlite3.Connection)


def app() -> web.Application:
    """GET /stock?sku=…, GET /stock/{sku}, POST /reservations, POST /releases."""
    application = make_app("inventory")
    application[DB] = open_shelf()
    application.router.add_get("/stock", stock_of_many)
    application.router.add_get("/stock/{sku}", stock_of_one)
    application.router.add_post("/reservations", reserve)
    application.router.add_post("/releases", release)
    return application


def open_shelf() -> sqlite3.Connection:
    """A filled shelf, in memory: each start of the stack begins anew."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0))")
    db.executemany("INSERT INTO stock VALUES (?, ?)", [(product.sku, product.stock) for product in PRODUCTS.values()])
    return db


async def stock_of_many(request: web.Request) -> web.Response:
    """What is left of each `sku` asked for."""
    db = request.app[DB]
    levels = [{"sku": sku, "available": available(db, sku)} for sku in request.query.getall("sku", [])]
    return web.json_response({"levels": levels})


async def stock_of_one(request: web.Request) -> web.Response:
    """What is left of one product."""
    sku = request.match_info["sku"]
    return web.json_response({"sku": sku, "available": available(request.app[DB], sku)})


async def reserve(request: web.Request) -> web.Response:
    """Take all items off the shelf, or none: 409 where one is short."""
    await move(request, -1)
    return web.json_response({"reserved": True}, status=201)


async def release(request: web.Request) -> web.Response:
    """Put items back."""
    await move(request, +1)
    return web.json_response({"released": True})


async def move(request: web.Request, sign: int) -> None:
    """Change the shelf by the items in the body, all or nothing."""
    db = request.app[DB]
    try:
        with db:
            for item in (await request.json())["items"]:
                change = (sign * item["qty"], item["sku"])
                db.execute("UPDATE stock SET available = available + ? WHERE sku = ?", change)
    except sqlite3.IntegrityError as error:
        raise Refused(409, "out_of_stock", "not enough on the shelf") from error


def available(db: sqlite3.Connection, sku: str) -> int:
    """How many of `sku` are left; 404 for one that is not sold here."""
    row = db.execute("SELECT available FROM stock WHERE sku = ?", (sku,)).fetchone()
    if row is None:
        raise Refused(404, "unknown_sku", f"no such product: {sku}")
    return int(row[0])
