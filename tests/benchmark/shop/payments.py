"""Payments: stands for the provider outside. Charges cards and gives money back."""

import uuid

from aiohttp import web

from seamline.samples.shop.service import Refused, make_app

LIMIT = 400_000


def app() -> web.Application:
    """POST /charges, POST /refunds."""
    application = make_app("payments")
    application.router.add_post("/charges", charge)
    application.router.add_post("/refunds", refund)
    return application


async def charge(request: web.Request) -> web.Response:
    """Charge a card: 402 above its limit."""
    order = await request.json()
    if order["amount"] > LIMIT:
        raise Refused(402, "card_declined", "the card was declined")
    return web.json_response({"charge": str(uuid.uuid4()), "amount": order["amount"]}, status=201)


async def refund(request: web.Request) -> web.Response:
    """Give the money of a charge back."""
    order = await request.json()
    return web.json_response({"refund": str(uuid.uuid4()), "amount": order["amount"]}, status=201)
