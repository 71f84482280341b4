"""A small aiohttp service under test: each request makes three calls to one downstream, after waits drawn at random.

It passes `traceparent` on where PROPAGATE is set. GET /quote/MARKER answers what it heard, call by call: by a path that
has the marker, by a body that has it, and by a path that is the same for everybody.
"""

SCRIPT = """
import asyncio
import os
import random
from aiohttp import ClientSession, TCPConnector, web

PRICING, PROPAGATE = os.environ["PRICING_URL"], bool(os.environ.get("PROPAGATE"))
rng = random.Random(5)

async def heard(session, headers, method, path, **how):
    await asyncio.sleep(rng.random() * 0.02)
    try:
        async with session.request(method, PRICING + path, headers=headers, **how) as answer:
            return [answer.status, (await answer.json()).get("marker"), answer.headers.get("seamline-stub")]
    except OSError as error:
        return [0, None, type(error).__name__]

async def quote(request):
    marker, session = request.match_info["marker"], request.app["session"]
    headers = {}
    if PROPAGATE and "traceparent" in request.headers:
        headers["traceparent"] = request.headers["traceparent"]
    price = await heard(session, headers, "GET", "/prices/" + marker)
    tax = await heard(session, headers, "POST", "/taxes", json={"for": marker, "country": "DE"})
    mine = await heard(session, headers, "GET", "/mine")
    return web.json_response({"marker": marker, "price": price, "tax": tax, "mine": mine})

async def started(app):
    app["session"] = ClientSession(connector=TCPConnector(limit=0))
    yield
    await app["session"].close()

app = web.Application()
app.router.add_get("/quote/{marker}", quote)
app.router.add_get("/healthz", lambda _: web.Response())
app.cleanup_ctx.append(started)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
"""
