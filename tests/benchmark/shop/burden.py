"""What a change may cost: time on one endpoint, at a rare request, at many at once; memory; connections.

Time is burnt in proportion to what the request took anyway, so that "+20 %" is that on any machine.
"""

import asyncio
import random
import time

from aiohttp import web

from seamline.samples.shop.service import Handler, Refused

from .variants import active

SHARES = {"L01": 0.20, "L02": 0.10, "L03": 0.05}
CROWD = 8
POOL = 200
_UNDER_WAY: web.AppKey[list[int]] = web.AppKey("under_way", list)
_KEPT: web.AppKey[list[bytes]] = web.AppKey("kept", list)


def prepared(application: web.Application) -> None:
    """What the burdens remember of `application`."""
    application[_UNDER_WAY] = [0]
    application[_KEPT] = []


@web.middleware
async def carried(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer, and be as slow and as large as the variants in force say."""
    under_way, began = request.app[_UNDER_WAY], time.perf_counter()
    under_way[0] += 1
    try:
        if active("L10") and under_way[0] >= CROWD:
            # Everybody wants the same lock.
            await asyncio.sleep(0.02)
        response = await handler(request)
    finally:
        under_way[0] -= 1
    took = time.perf_counter() - began
    if request.method == "GET" and request.path.startswith("/orders/"):
        burn(took * sum(share for name, share in SHARES.items() if active(name)))
        if active("L05") and random.random() < 0.02:
            await asyncio.sleep(4 * took)
    if active("L11"):
        request.app[_KEPT].append(b"\x01" * 100_000)
    return response


def burn(seconds: float) -> None:
    """Keep the processor busy."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def borrow(request: web.Request) -> None:
    """L08: a connection that nobody gives back. 503 as soon as none is left."""
    if active("L08"):
        kept = request.app[_KEPT]
        kept.append(b"")
        if len(kept) > POOL:
            raise Refused(503, "exhausted", "no connection is free")
