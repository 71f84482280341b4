"""Payments: stands for the provider outside. Charges cards and gives money back."""

import uuid

from aiohttp import web

from .service import Refused, make_app


def app() -> web.Application:
    """POST /charges, POST /refunds."""
    application = make_app("payments")
    application.router.add_post("/charges", charge)
    application.router.add_post("/refunds", refund)
    return application


async def charge(request: web.Request) -> web.Response:
    """Charge a card: 402 for a number whose check digit is wrong."""
    order = await request.json()
    if not luhn(order["card_number"]):
        raise Refused(402, "card_declined", "the card was declined")
    return web.json_response({"charge": str(uuid.uuid4()), "amount": order["amount"]}, status=201)


async def refund(request: web.Request) -> web.Response:
    """Give the money of a charge back."""
    order = await request.json()
    return web.json_response({"refund": str(uuid.uuid4()), "amount": order["amount"]}, status=201)


def luhn(number: str) -> bool:
    """Whether the check digit of a card number is right (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return len(digits) >= 12 and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
