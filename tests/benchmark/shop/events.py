"""What orders tells everybody: order.created, order.cancelled, keyed by the order, so that its events stay in order."""

import json
import time
import uuid
from typing import Any

from aiohttp import web

from seamline.samples.shop.bus import BUS, subject
from seamline.samples.shop.database import trace_of

from .variants import active


async def tell(request: web.Request, event: str, order: dict[str, Any]) -> None:
    """Publish what happened to an order, once it is committed."""
    total = str(order["total"]) if active("D23") else order["total"]
    payload = {
        "event": str(uuid.uuid4()),
        "at": time.time_ns() // 1_000_000,
        "order": {"number": order["number"], "total": total, "items": order["lines"]},
    }
    headers = {"content-type": "application/json", "key": key_of(order)}
    trace = trace_of(request)
    if trace:
        headers["traceparent"] = trace
    name = event.replace("order.", "orders.") if active("D25") else event
    for _ in range(2 if active("D21") else 1):
        await request.app[BUS].publish(subject(name), json.dumps(payload).encode(), headers=headers)
    if not active("F23"):
        # F23 lets the client send what it has gathered when it sees fit.
        await request.app[BUS].flush()


def key_of(order: dict[str, Any]) -> str:
    """What keeps the events of an order in order."""
    return str(order["number"]) if active("D24") else f"{order['tenant']}-{order['number']}"
