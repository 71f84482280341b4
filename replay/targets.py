"""A target's name made an address: resolved once, judged, then pinned for the whole replay."""

import asyncio
import socket
from collections.abc import Collection

from ..capture.errors import UsageError
from .safety import Target, check_target

_TRY_S = 2.0


async def resolve(
    target: Target, recorded: Collection[str], allowed: Collection[str], *, configured: bool = False
) -> tuple[str, int]:
    """The address to fire at. UsageError where the name has none, or `safety.check_target` refuses any of them.

    Of several (localhost is ::1 and 127.0.0.1) the first one that accepts a connection is taken, else the first.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UsageError(f"{target.host}: {error.strerror}", "--target names a host that can be reached") from error
    except UnicodeError as error:
        # An empty label, or one over 63 characters, gets no further than the encoding of the name.
        raise UsageError(f"{target.host} is not a host's name", "--target names a host that can be reached") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    check_target(target, addresses, recorded, allowed, configured=configured)
    if len(addresses) > 1:
        for address in addresses:
            if await _accepts(address, target.port):
                return address, target.port
    return addresses[0], target.port


async def _accepts(address: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_TRY_S):
            _, writer = await asyncio.open_connection(address, port)
    except OSError:
        # TimeoutError is one too.
        return False
    writer.close()
    return True
