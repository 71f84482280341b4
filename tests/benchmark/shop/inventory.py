"""Inventory: what is on the shelf."""

from aiohttp import web
from psycopg.errors import CheckViolation

from seamline.samples.shop.database import DATABASE, trace_of, with_database
from seamline.samples.shop.service import Refused, make_app

from .variants import active


def app() -> web.Application:
    """GET /stock?sku=…&limit=…, GET /stock/{sku}, POST /reservations, POST /releases."""
    application = make_app("inventory")
    application.cleanup_ctx.append(with_database)
    application.router.add_get("/stock", stock_of_many)
    application.router.add_get("/stock/{sku}", stock_of_one)
    application.router.add_post("/reservations", reserve)
    application.router.add_post("/releases", release)
    return application


async def stock_of_many(request: web.Request) -> web.Response:
    """What is left of each `sku` asked for, at most `limit` of them."""
    levels = await available(request, request.query.getall("sku", [])[: int(request.query["limit"])])
    return web.json_response({"levels": [{"sku": sku, "available": left} for sku, left in levels.items()]})


async def stock_of_one(request: web.Request) -> web.Response:
    """What is left of one product."""
    sku = request.match_info["sku"]
    levels = await available(request, [sku])
    return web.json_response({"sku": sku, "available": levels[sku]})


async def reserve(request: web.Request) -> web.Response:
    """Take all items off the shelf, or none: 409 where one is short."""
    await move(request, -1)
    return web.json_response({"reserved": True}, status=201)


async def release(request: web.Request) -> web.Response:
    """Put items back."""
    await move(request, +1)
    return web.json_response({"released": True})


async def move(request: web.Request, sign: int) -> None:
    """Change the shelf by the items in the body, all or nothing. Rows are locked in one order, against deadlocks."""
    items = sorted((await request.json())["items"], key=lambda item: str(item["sku"]))
    skus = sorted({item["sku"] for item in items})
    try:
        async with request.app[DATABASE].transaction(trace_of(request)) as run:
            locking = "" if active("D18") or active("D29") else " FOR UPDATE"
            query = f"SELECT sku, available FROM stock WHERE sku = ANY(%s) ORDER BY sku{locking}"
            levels = {row["sku"]: row["available"] for row in await run.rows(query, (skus,))}
            for item in items:
                if active("D29"):
                    levels[item["sku"]] += sign * item["qty"]
                    written = (levels[item["sku"]], item["sku"])
                    await run.rows("UPDATE stock SET available = %s WHERE sku = %s", written)
                    continue
                change = (sign * item["qty"], item["sku"])
                await run.rows("UPDATE stock SET available = available + %s WHERE sku = %s", change)
    except CheckViolation as error:
        raise Refused(409, "out_of_stock", "not enough on the shelf") from error


async def available(request: web.Request, skus: list[str]) -> dict[str, int]:
    """How many of each of `skus` are left."""
    rows = await request.app[DATABASE].rows(
        trace_of(request), "SELECT sku, available FROM stock WHERE sku = ANY(%s)", (skus,)
    )
    levels = {row["sku"]: int(row["available"]) for row in rows}
    return {sku: levels.get(sku, 0) for sku in skus}
