"""`python -m tests.benchmark.shop.stack`: the five services, each its own process, as the sample shop starts its own.

PORT is the gateway's; ORDERS_PORT, PRICING_PORT, INVENTORY_PORT and PAYMENTS_PORT are the others'. Where `<NAME>_URL`
is set, calls go there instead (that is where a tap stands). DATABASE_URL, REDIS_URL and NATS_URL name the servers
(`servers.py` starts some), MUT and NOISE what is wrong here (`variants.py`, `noise.py`).
"""

import asyncio
import os
import signal
import socket

from psycopg._preparing import PrepareManager

from seamline.samples.shop.stack import listen, serve, stop

from . import gateway, inventory, orders, payments, pricing
from .variants import active

SERVICES = {
    "PORT": gateway.app,
    "ORDERS_PORT": orders.app,
    "PRICING_PORT": pricing.app,
    "INVENTORY_PORT": inventory.app,
    "PAYMENTS_PORT": payments.app,
}


def main() -> None:
    """Listen first, fork then: the stack is ready as soon as the gateway's port answers."""
    if active("F21"):
        # Each statement is prepared on the server before it is run.
        PrepareManager.prepare_threshold = 0
    sockets = {variable: listen(variable) for variable in SERVICES}
    children = [spawn(variable, listener) for variable, listener in sockets.items()]
    for listener in sockets.values():
        listener.close()
    signal.signal(signal.SIGTERM, lambda *_: stop(children))
    signal.signal(signal.SIGINT, lambda *_: stop(children))
    os.wait()
    stop(children)


def spawn(variable: str, listener: socket.socket) -> int:
    """A process that serves on `listener`; its id."""
    child = os.fork()
    if child == 0:
        asyncio.run(serve(SERVICES[variable](), listener))
        os._exit(0)
    return child


if __name__ == "__main__":
    main()
