"""Where orders are written down and found again: the SQL of the orders service."""

from typing import Any

from aiohttp import web
from psycopg.types.json import Jsonb

from seamline.samples.shop.database import DATABASE, Transaction, trace_of
from seamline.samples.shop.service import Refused

from . import noise
from .variants import active

COLUMNS = (
    "number, id, tenant, status, customer, coupon, note, tags, delivery_window, subtotal, discount, tax, total,"
    " currency, created_at"
)
_WRITTEN = (
    "id", "tenant", "customer", "coupon", "note", "tags", "delivery_window", "subtotal", "discount", "discount_share",
    "tax", "total", "currency", "idempotency_key", "created_at",
)  # fmt: skip


async def save(run: Transaction, order: dict[str, Any]) -> int:
    """Write an order and its lines down; its number."""
    # The share of the discount is for the bookkeepers: no answer shows it.
    order = order | {"discount_share": None if active("D26") else 100 * order["discount"] // max(1, order["subtotal"])}
    values = [Jsonb(order[name]) if name == "customer" else order[name] for name in _WRITTEN]
    inserted = await run.rows(
        f"INSERT INTO orders ({', '.join(_WRITTEN)}, updated_at)"
        f" VALUES ({', '.join(['%s'] * len(_WRITTEN))}, %s) RETURNING number",
        [*values, order["created_at"]],
    )
    number = int(inserted[0]["number"])
    if active("F11"):
        await save_lines_at_once(run, number, order["lines"])
        return number
    for position, line in enumerate(order["lines"]):
        await run.rows(
            "INSERT INTO order_lines (order_number, position, sku, qty, line_total) VALUES (%s, %s, %s, %s, %s)",
            (number, position, line["sku"], line["qty"], line["line_total"]),
        )
    return number


async def save_lines_at_once(run: Transaction, number: int, lines: list[dict[str, Any]]) -> None:
    """F11: the lines of an order in one statement."""
    places = ", ".join(["(%s, %s, %s, %s, %s)"] * len(lines))
    values = [
        value
        for position, line in enumerate(lines)
        for value in (number, position, line["sku"], line["qty"], line["line_total"])
    ]
    await run.rows(f"INSERT INTO order_lines (order_number, position, sku, qty, line_total) VALUES {places}", values)


async def redeem(run: Transaction, coupon: str, owner: str) -> None:
    """Note that somebody used a coupon, once a person; the coupon's row is the lock."""
    if not active("D30"):
        await run.rows("SELECT code FROM coupons WHERE code = %s FOR UPDATE", (coupon,))
    known = await run.rows("SELECT 1 AS known FROM redemptions WHERE code = %s AND owner = %s", (coupon, owner))
    if not known:
        await run.rows("INSERT INTO redemptions (code, owner) VALUES (%s, %s)", (coupon, owner))


async def find(request: web.Request) -> dict[str, Any]:
    """The order that the path names, with its lines; 404 where the caller's tenant has none."""
    number = int(request.match_info["number"])
    found = await rows(
        request,
        f"SELECT {COLUMNS} FROM orders WHERE number = %s{'' if active('D15') else ' AND tenant = %s'}",
        (number,) if active("D15") else (number, tenant_of(request)),
    )
    if not found:
        raise Refused(404, "unknown_order", f"no such order: {number}")
    return (await with_lines(request, found))[0]


async def find_by_key(request: web.Request, key: str) -> dict[str, Any] | None:
    """The order that was placed with this idempotency key."""
    found = await rows(
        request,
        f"SELECT {COLUMNS} FROM orders WHERE tenant = %s AND idempotency_key = %s",
        (tenant_of(request), key),
    )
    return (await with_lines(request, found))[0] if found else None


async def page(request: web.Request, status: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
    """Orders, the newest first, with their lines."""
    found = await rows(
        request,
        f"SELECT {COLUMNS} FROM orders WHERE tenant = %s AND status LIKE %s ORDER BY number DESC LIMIT %s OFFSET %s",
        (tenant_of(request), status or "%", limit, offset),
    )
    return await with_lines(request, found)


async def count(request: web.Request, status: str | None) -> int:
    """How many orders there are."""
    query = "SELECT count(*) AS orders FROM orders WHERE tenant = %s AND status LIKE %s"
    return int((await rows(request, query, (tenant_of(request), status or "%")))[0]["orders"])


async def with_lines(request: web.Request, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same orders with their lines, in one query for all of them."""
    numbers = [order["number"] for order in orders]
    lines: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    for line in await lines_of(request, numbers) if numbers else []:
        lines[line.pop("order_number")].append(line)
    return [order | {"lines": lines[order["number"]]} for order in orders]


async def lines_of(request: web.Request, numbers: list[int]) -> list[dict[str, Any]]:
    """The lines of all these orders."""
    columns = "SELECT order_number, sku, qty, line_total FROM order_lines WHERE order_number"
    if active("D01"):
        each = f"{columns} = %s ORDER BY position"
        return [line for number in numbers for line in await rows(request, each, (number,))]
    if active("F09"):
        places = ", ".join(["%s"] * len(numbers))
        return await rows(request, f"{columns} IN ({places}) ORDER BY order_number, position", tuple(numbers))
    return await rows(request, f"{columns} = ANY(%s) ORDER BY order_number, position", (numbers,))


async def rows(request: web.Request, query: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
    """The rows of one query in the name of `request`."""
    await noise.vacuum()
    if active("F20"):
        return await Repository(request).read(query, values)
    return await request.app[DATABASE].rows(trace_of(request), query, values)


class Repository:
    """F20: the same statements, asked from another layer and from a transaction that it opens itself."""

    def __init__(self, request: web.Request) -> None:
        self._request = request

    async def read(self, query: str, values: tuple[object, ...]) -> list[dict[str, Any]]:
        """The rows of one query."""
        async with self._request.app[DATABASE].transaction(trace_of(self._request)) as run:
            return await run.rows(query, values)


def tenant_of(request: web.Request) -> str:
    """Whose orders the caller may see."""
    return request.headers["x-tenant"]
