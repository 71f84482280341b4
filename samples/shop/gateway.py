"""Gateway: the shop's public door. Checks that somebody is there, passes the request on."""

import os
import uuid

from aiohttp import web

from .service import CLIENT, Refused, context_of, downstream, make_app


def app() -> web.Application:
    """/api/… is passed on to orders."""
    application = make_app("gateway")
    application.router.add_route("*", "/api/{path:.*}", forward)
    return application


async def forward(request: web.Request) -> web.Response:
    """Pass `request` on; 401 for a caller who shows no token."""
    if not request.headers.get("authorization", "").startswith("Bearer "):
        raise Refused(401, "unauthenticated", "a bearer token is needed")
    headers = context_of(request) | {"content-type": request.headers.get("content-type", "application/json")}
    url = f"{downstream('ORDERS')}/{request.match_info['path']}"
    async with request.app[CLIENT].request(
        request.method, url, params=request.query, data=await request.read(), headers=headers
    ) as answer:
        return web.Response(
            status=answer.status,
            body=await answer.read(),
            headers={
                "content-type": answer.headers["content-type"],
                "x-request-id": headers["x-request-id"],
                "x-served-by": f"gateway-{os.getpid()}",
                "set-cookie": f"visit={uuid.uuid4().hex}; Path=/; HttpOnly; SameSite=Lax",
            },
        )
