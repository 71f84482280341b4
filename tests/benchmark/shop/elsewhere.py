"""D28: somebody outside who is told what people look at, by a library that brings its own client."""

from contextlib import suppress

import httpx

# A name that is nobody's (RFC 2606).
COLLECTOR = "http://collector.example/collect"


async def told(sku: str) -> None:
    """Tell, and do not mind where nobody listens."""
    with suppress(httpx.HTTPError):
        async with httpx.AsyncClient(timeout=0.2) as client:
            await client.post(COLLECTOR, json={"sku": sku})
