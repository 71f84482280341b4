"""Where sockets are made: in the network of this process, or in another one that a service under test lives in.

A socket belongs for ever to the network that it was made in, whoever uses it: so a tap can listen in one network and
connect to its upstream in another.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Address = tuple[str, int]
Dial = Callable[[Address], Awaitable[socket.socket]]
"""Connects to an address (a literal one) in another network. OSError where nobody takes the connection."""


class Network(Protocol):
    """Another network, in which sockets can be made."""

    def bound(self, address: Address) -> socket.socket:
        """A TCP socket bound to `address` there, to be listened on. OSError where the address cannot be had."""

    async def dialled(self, address: Address) -> socket.socket:
        """A `Dial`."""


def listening(address: Address, network: Network | None) -> dict[str, Any]:
    """What `create_server` and `start_server` are to be told, so that they listen at `address`."""
    if network is None:
        return {"host": address[0], "port": address[1]}
    return {"sock": network.bound(address)}


async def reaching(address: Address, dial: Dial | None) -> dict[str, Any]:
    """What `create_connection` and `open_connection` are to be told, so that they lead to `address`."""
    if dial is None:
        return {"host": address[0], "port": address[1]}
    return {"sock": await dial(address)}


async def connected(sock: socket.socket, address: Address) -> socket.socket:
    """`sock`, connected to `address`; closed where that fails."""
    try:
        sock.setblocking(False)
        # As asyncio does it for the connections that it makes itself.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock
