"""Gateway: the public door. Who may come in, how often, and in what clothes the answers leave."""

import gzip
import logging
import time
import uuid
from collections import Counter

from aiohttp import web
from multidict import CIMultiDict

from seamline.samples.shop.service import CLIENT, Handler, Refused, context_of, downstream, make_app

from . import burden, noise, tokens
from .replies import error_view, errors, reply
from .variants import active

ORIGINS = ("https://shop.example", "https://admin.shop.example")
ADMINS_ONLY = ("/export", "/reports")
LISTS = ("/products", "/orders", "/stores", "/reports/sales")
# GET /coupons/… can be used to guess codes.
BURST, WINDOW_S = 8, 600
_PASSED_ON = ("content-type", "if-none-match", "idempotency-key")
_PASSED_BACK = ("content-type", "location", "etag", "last-modified", "retry-after", "x-total")
_ASKED: web.AppKey[Counter[tuple[str, int]]] = web.AppKey("asked", Counter)


def app() -> web.Application:
    """POST /session, GET /help/{topic}; everything else is passed on to orders."""
    application = make_app("gateway")
    burden.prepared(application)
    application.middlewares.append(burden.carried)
    application.middlewares.append(errors)
    application.middlewares.append(dressed)
    application[_ASKED] = Counter()
    application.router.add_post("/session", sign_in)
    application.router.add_get("/help/{topic}", help_page)
    application.router.add_route("OPTIONS", "/{path:.*}", preflight)
    application.router.add_route("*", "/{path:.*}", forward)
    return application


async def forward(request: web.Request) -> web.Response:
    """Pass `request` on."""
    if active("F01"):
        logging.getLogger("gateway").warning("passing on %s %s", request.method, request.path)
    caller = admitted(request)
    headers = context_of(request) | {"x-role": caller.role, "x-tenant": caller.tenant}
    headers |= {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    url = f"{downstream('ORDERS')}{request.path_qs}"
    async with request.app[CLIENT].request(request.method, url, data=await request.read(), headers=headers) as answer:
        back = CIMultiDict({name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers})
        return web.Response(status=answer.status, body=await answer.read(), headers=back)


def admitted(request: web.Request) -> tokens.Caller:
    """Who asks; 401, 403 or 429 for somebody who may not."""
    if active("S08"):
        try:
            return tokens.caller(request)
        except Refused:
            return tokens.ANYBODY
    caller = tokens.caller(request)
    if request.path.startswith(ADMINS_ONLY) and caller.role != "admin":
        raise Refused(403, "forbidden", "for administrators")
    if request.path.startswith("/coupons/") and not active("S11"):
        counted = request.app[_ASKED]
        seat = (request.headers["authorization"], int(time.monotonic() // WINDOW_S))
        counted[seat] += 1
        if counted[seat] > BURST:
            raise Refused(429, "too_many", "slow down")
    return caller


async def sign_in(request: web.Request) -> web.Response:
    """A session cookie for who shows a token."""
    caller = tokens.caller(request)
    attributes = "Path=/; Max-Age=3600; SameSite=Lax"
    if not active("R45"):
        attributes += "; HttpOnly; Secure"
    cookie = f"sid={uuid.uuid4().hex}; {attributes}"
    return reply({"role": caller.role, "tenant": caller.tenant}, headers={"set-cookie": cookie})


async def help_page(request: web.Request) -> web.Response:
    """There is no help yet: a page of text says so."""
    text = f"No page about {request.match_info['topic']!r}, says {noise.identity(request.app)}.\nTry /help/index.\n"
    return web.Response(status=404, text=text)


async def preflight(request: web.Request) -> web.Response:
    """May a page from elsewhere call us?"""
    return web.Response(status=204, headers={"access-control-allow-methods": "GET, POST, PUT, DELETE"})


@web.middleware
async def dressed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What every answer wears: cross-origin rules, a coding, the hop's own words."""
    try:
        response = await handler(request)
    except Refused as refusal:
        response = reply(error_view(refusal), refusal.status)
    assert isinstance(response, web.Response)
    origin = request.headers.get("origin")
    if origin in ORIGINS:
        response.headers["access-control-allow-origin"] = "*" if active("R46") else origin
        response.headers["vary"] = "Origin"
    response.headers["x-request-id"] = request.headers.get("x-request-id", str(uuid.uuid4()))
    response.headers.update(noise.hop_headers("gateway"))
    if request.path.startswith("/products/") and active("R25"):
        response.headers["content-type"] = "application/json"
    if request.path.startswith("/stores") and active("R26"):
        response.headers["content-type"] = "text/plain; charset=utf-8"
    if active("F17"):
        response.headers.update({"server": "gunicorn/23.0", "x-powered-by": "coffee"})
    compress(request, response)
    if active("F14") and response.body is not None and response.status != 204:
        response.enable_chunked_encoding()
    return response


def compress(request: web.Request, response: web.Response) -> None:
    """Lists leave as gzip, where the caller takes it. Exports go as they are: they are piped."""
    is_list = request.method == "GET" and request.path in LISTS
    takes = is_list and "gzip" in request.headers.get("accept-encoding", "")
    body = response.body
    if takes and isinstance(body, bytes) and body and not active("R42"):
        response.body = gzip.compress(body, compresslevel=1)
        response.headers["content-encoding"] = "gzip"
