"""How orders calls the others: with the request's context, within a time, and a read once more where it failed."""

from typing import Any

from aiohttp import ClientError, ClientTimeout, web

from seamline.samples.shop.service import CLIENT, Refused, context_of, downstream

from . import tokens
from .variants import active

TIMEOUT_S = 1.0
ATTEMPTS = 2
SERVICE_TOKEN = tokens.make(900, "service")
_WORTH_ANOTHER = (502, 503, 504)


async def ask(request: web.Request, service: str, path: str) -> Any:
    """GET from a downstream; what failed for a moment is asked for again."""
    for _ in range(0 if active("D04") else ATTEMPTS - 1):
        try:
            return await send(request, "GET", service, path)
        except Refused as refusal:
            if refusal.status not in _WORTH_ANOTHER:
                raise
    return await send(request, "GET", service, path)


async def send(request: web.Request, method: str, service: str, path: str, body: object = None) -> Any:
    """Call a downstream in the name of `request`; its refusal, silence or absence comes back as `Refused`."""
    headers = passed_on(request, service)
    try:
        async with request.app[CLIENT].request(
            method, downstream(service) + path, json=body, headers=headers, timeout=ClientTimeout(total=TIMEOUT_S)
        ) as answer:
            told = await answer.json(content_type=None) if answer.status < 500 else {}
    except TimeoutError as error:
        raise Refused(504, "timeout", f"{service.lower()} does not answer") from error
    except (ClientError, ValueError) as error:
        raise Refused(502, "unreachable", f"{service.lower()} broke off") from error
    if answer.status >= 500:
        raise Refused(answer.status, "downstream", f"{service.lower()} failed")
    if answer.status >= 400:
        raise Refused(answer.status, told["error"], told["message"])
    return told


def passed_on(request: web.Request, service: str) -> dict[str, str]:
    """The headers that go along to `service`."""
    headers = context_of(request)
    if active("D09") and service == "PRICING":
        headers.pop("traceparent", None)
    if active("D10") and service == "PAYMENTS":
        headers["authorization"] = f"Bearer {SERVICE_TOKEN}"
    if active("F02"):
        headers["x-b3-sampled"] = "1"
    if active("F12"):
        # Another library spells, orders and adds as it likes.
        headers = {name.title(): headers[name] for name in sorted(headers, reverse=True)}
        headers |= {"User-Agent": "python-httpx/0.28.1", "Accept-Encoding": "gzip, deflate, br, zstd", "Accept": "*/*"}
    return headers
