"""`python -m shop.stack`: the six services, each its own process, on the ports that the environment names.

PORT is the gateway's; ORDERS_PORT, PRICING_PORT, INVENTORY_PORT, PAYMENTS_PORT and LOYALTY_PORT are the others'.
Where `<NAME>_URL` is set, calls to that service go there instead (that is where a tap stands). DATABASE_URL, REDIS_URL
and NATS_URL say where PostgreSQL, Redis and NATS are (`shop.servers` starts some).
"""

import asyncio
import os
import signal
import socket

from aiohttp import web

from . import gateway, inventory, loyalty, orders, payments, pricing

SERVICES = {
    "PORT": gateway.app,
    "ORDERS_PORT": orders.app,
    "PRICING_PORT": pricing.app,
    "INVENTORY_PORT": inventory.app,
    "PAYMENTS_PORT": payments.app,
    "LOYALTY_PORT": loyalty.app,
}


def main() -> None:
    """Listen first, fork then: the stack is ready as soon as the gateway's port answers."""
    sockets = {variable: listen(variable) for variable in SERVICES}
    children = [spawn(variable, listener) for variable, listener in sockets.items()]
    for listener in sockets.values():
        listener.close()
    signal.signal(signal.SIGTERM, lambda *_: stop(children))
    signal.signal(signal.SIGINT, lambda *_: stop(children))
    # One service gone is the stack gone: a shop without a till is no shop.
    os.wait()
    stop(children)


def listen(variable: str) -> socket.socket:
    """A listening socket on the port that `variable` names, or on a free one that it is then set to."""
    listener = socket.create_server(("127.0.0.1", int(os.environ.get(variable, "0"))), backlog=256)
    os.environ[variable] = str(listener.getsockname()[1])
    return listener


def spawn(variable: str, listener: socket.socket) -> int:
    """A process that serves on `listener`; its id."""
    child = os.fork()
    if child == 0:
        asyncio.run(serve(SERVICES[variable](), listener))
        os._exit(0)
    return child


async def serve(app: web.Application, listener: socket.socket) -> None:
    """Serve until told to stop."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    await asked.wait()
    # Nobody is served any more: the clients' keep-alive connections need not be waited for.
    await runner.cleanup()


def stop(children: list[int]) -> None:
    """End the services, and with them the stack."""
    for child in children:
        try:
            os.kill(child, signal.SIGTERM)
        except ProcessLookupError:
            continue
    os._exit(0)


if __name__ == "__main__":
    main()
