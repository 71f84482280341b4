"""What a service does for nobody in particular: it looks whether its downstreams are well."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import ClientError, web

from seamline.samples.shop.service import CLIENT, downstream

from .variants import active

EVERY_S = 0.5
PATIENCE = 6


async def checked(app: web.Application) -> AsyncIterator[None]:
    """Health checks for as long as the service runs; F24 makes them more often."""
    task = asyncio.create_task(_check(app, EVERY_S / 4 if active("F24") else EVERY_S))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _check(app: web.Application, every_s: float) -> None:
    # Who was left behind by a run that was killed must not knock for ever at a port that is somebody else's by now.
    patience = PATIENCE
    while patience:
        await asyncio.sleep(every_s)
        try:
            async with app[CLIENT].get(f"{downstream('INVENTORY')}/healthz"):
                patience = PATIENCE
        except (ClientError, TimeoutError):
            patience -= 1
