"""The shop's Redis: answers that need not be worked out again for a while."""

import os
from collections.abc import AsyncIterator

from aiohttp import web
from redis.asyncio import Redis

TTL_S = 300
CACHE: web.AppKey["Redis"] = web.AppKey("cache", Redis)


async def with_cache(app: web.Application) -> AsyncIterator[None]:
    """An application's cache, for as long as it runs."""
    async with Redis.from_url(os.environ["REDIS_URL"], decode_responses=True) as cache:
        app[CACHE] = cache
        yield
