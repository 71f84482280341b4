"""`python -m tests.benchmark.shop.traffic URL --seed N --count N`: visitors who do everything that can be done.

The same seed sends the same requests. First comes a walk past each behaviour, then readers and buyers at random up to
the count, then what leaves an extra order where something is broken (refused quantities, retries): last, so that its
traces do not show in every list before.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

import httpx

from .visitors import Visitors
from .walks import epilogue, idle, look_again, walk

AT_THE_END = 11
"""Requests of the epilogue."""


def drive(url: str, seed: int, count: int, clients: int = 1, *, focus: bool = False) -> dict[str, int]:
    """Send at least `count` requests to the system at `url`, `clients` at a time where they are readers and buyers at
    random (`focus`: who look at orders, and nothing else); how many answers of each status came."""
    return asyncio.run(_drive(url, seed, count, clients, look_again if focus else idle))


async def _drive(
    url: str, seed: int, count: int, clients: int, step: Callable[[Visitors], Awaitable[None]]
) -> dict[str, int]:
    limits = httpx.Limits(max_connections=max(clients, 4), max_keepalive_connections=max(clients, 4))
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:
        visitors = Visitors.of(client, seed)
        await walk(visitors)
        while (left := count - AT_THE_END - visitors.statuses.total()) > 0:
            await asyncio.gather(*(step(visitors) for _ in range(min(clients, left))))
        await epilogue(visitors)
        return {str(status): number for status, number in sorted(visitors.statuses.items())}


def main() -> None:
    """Drive a system; print how many answers of each status came."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=160)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--focus", action="store_true", help="nearly all of it to one endpoint, for what needs many")
    options = parser.parse_args()
    statuses = drive(options.url, options.seed, options.count, options.clients, focus=options.focus)
    sys.stdout.write(json.dumps(statuses) + "\n")


if __name__ == "__main__":
    main()
