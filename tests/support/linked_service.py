"""A real shop that passes a trace id on where it got one (not to Redis: there is no place for it), run as a process: aiohttp in front, asyncpg's pool, redis-py's pool, and an
HTTP price service behind.

Every call gets a number of its own, and the service logs for which request it made it: by contextvars, which no tap
sees. The number travels where nobody looks for a value: in a header, a statement's comment, and as the field of a
Redis hash, each used once.
"""

import asyncio
import contextvars
import itertools
import json
import os
import random
import sys
from pathlib import Path

import aiohttp
import asyncpg
import redis.asyncio
from aiohttp import web

request_number: contextvars.ContextVar[str] = contextvars.ContextVar("request_number", default="nobody")
numbers = itertools.count(1)
spread = random.Random(7)


request_trace: contextvars.ContextVar[str] = contextvars.ContextVar("request_trace", default="")


def numbered(log):
    """The next call's number, once it is logged whose it is."""
    number = next(numbers)
    log.write(json.dumps([number, request_number.get()]) + "\n")
    return number


class Shop:
    def __init__(self):
        self.log = Path(os.environ["LINKED_LOG"]).open("w", buffering=1)  # noqa: SIM115 - as long as the process
        self.price_url = os.environ["PRICE_URL"]

    async def start(self, app):
        self.db = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=10, statement_cache_size=0)
        pool = redis.asyncio.BlockingConnectionPool.from_url(os.environ["REDIS_URL"], max_connections=6, timeout=20)
        self.cache = redis.asyncio.Redis(connection_pool=pool)
        self.http = aiohttp.ClientSession()
        self.ticking = asyncio.create_task(self.tick())

    async def stop(self, app):
        self.ticking.cancel()
        await self.http.close()
        await self.db.close()
        await self.cache.aclose()

    async def tick(self):
        while True:
            await asyncio.sleep(0.05)
            await self.sql(self.db, "SELECT id FROM outbox WHERE NOT sent LIMIT 50")

    async def sql(self, where, text, *values):
        said = f"call='{numbered(self.log)}'"
        if request_trace.get():
            said += f",traceparent='{request_trace.get()}'"
        return await where.fetch(f"{text} /*{said}*/", *values)

    async def price(self, sku):
        headers = {"x-call": str(numbered(self.log))}
        if request_trace.get():
            headers["traceparent"] = request_trace.get()
        async with self.http.get(f"{self.price_url}/prices/{sku}", headers=headers) as answer:
            return await answer.json()

    async def work(self):
        await asyncio.sleep(spread.expovariate(1 / 0.004))

    @web.middleware
    async def numbering(self, request, handler):
        request_number.set(request.headers.get("x-number", "nobody"))
        request_trace.set(request.headers.get("traceparent", ""))
        return await handler(request)

    async def order(self, request):
        order_id = request.match_info["id"]
        await self.cache.hget(f"order:{order_id}", f"n{numbered(self.log)}")
        await self.work()
        rows = await self.sql(self.db, "SELECT id, customer_id, sku FROM orders WHERE id = $1", int(order_id))
        await self.work()
        customer = await self.sql(self.db, "SELECT id, email FROM customers WHERE id = $1", rows[0]["customer_id"])
        price = await self.price(rows[0]["sku"])
        await self.work()
        await self.cache.hset(f"order:{order_id}", f"n{numbered(self.log)}", "1")
        return web.json_response({"id": int(order_id), "customer": dict(customer[0]), "price": price})

    async def buy(self, request):
        body = await request.json()
        await self.work()
        async with self.db.acquire() as connection, connection.transaction():
            await self.sql(connection, "SELECT sku, left_over FROM stock WHERE sku = $1", body["sku"])
            await self.work()
            rows = await self.sql(
                connection,
                "INSERT INTO orders (customer_id, sku) VALUES ($1, $2) RETURNING id",
                body["customer_id"],
                body["sku"],
            )
            await self.sql(connection, "INSERT INTO outbox (order_id, sent) VALUES ($1, true)", rows[0]["id"])
        await self.work()
        await self.cache.hdel(f"cart:{body['customer_id']}", f"n{numbered(self.log)}")
        return web.json_response({"id": rows[0]["id"]}, status=201)

    async def customer(self, request):
        customer_id = int(request.match_info["id"])
        await self.work()
        rows = await self.sql(self.db, "SELECT id, sku FROM orders WHERE customer_id = $1 LIMIT 3", customer_id)
        prices = await asyncio.gather(*(self.price(row["sku"]) for row in rows))
        return web.json_response({"orders": [dict(row) for row in rows], "prices": prices})

    async def stats(self, request):
        await self.work()
        rows = await self.sql(self.db, "SELECT count(*) AS orders FROM orders")
        return web.json_response(dict(rows[0]))


def main():
    shop = Shop()
    app = web.Application(middlewares=[shop.numbering])
    app.on_startup.append(shop.start)
    app.on_cleanup.append(shop.stop)
    app.add_routes(
        [
            web.get("/orders/{id}", shop.order),
            web.post("/orders", shop.buy),
            web.get("/customers/{id}/orders", shop.customer),
            web.get("/stats", shop.stats),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)


if __name__ == "__main__":
    sys.exit(main())
