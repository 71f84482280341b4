"""What the five services share: an application with a client, context that is passed on, JSON errors."""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

# Passed on from each request to the calls that it causes: who asks, and which request it is part of.
CONTEXT_HEADERS = ("authorization", "traceparent", "tracestate", "baggage", "x-request-id", "accept-language")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CLIENT: web.AppKey[ClientSession] = web.AppKey("client", ClientSession)


class Refused(Exception):
    """A request that a service turns down, with the status and code that the caller sees."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def make_app(name: str) -> web.Application:
    """An application named `name` with `/healthz`, a client for its downstreams, and errors as JSON."""
    app = web.Application(middlewares=[_errors_as_json])
    app.cleanup_ctx.append(_client)
    app.router.add_get("/healthz", _healthz(name))
    return app


async def call(
    request: web.Request, method: str, url: str, *, json: object = None, params: Mapping[str, str] | None = None
) -> Any:
    """Call a downstream in the name of `request`: its context goes along, a refusal comes back as `Refused`."""
    headers = context_of(request)
    async with request.app[CLIENT].request(method, url, json=json, params=params, headers=headers) as answer:
        body = await answer.json()
        if answer.status >= 400:
            raise Refused(answer.status, body["error"], body["message"])
        return body


def context_of(request: web.Request) -> dict[str, str]:
    """The headers that travel with everything that `request` causes."""
    headers = {name: request.headers[name] for name in CONTEXT_HEADERS if name in request.headers}
    headers.setdefault("x-request-id", str(uuid.uuid4()))
    return headers


def downstream(name: str) -> str:
    """The base URL of a downstream: `<NAME>_URL`, else the port that the stack gave it."""
    return os.environ.get(f"{name}_URL") or f"http://127.0.0.1:{os.environ[f'{name}_PORT']}"


def _healthz(name: str) -> Handler:
    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"service": name, "ok": True})

    return healthz


async def _client(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(timeout=ClientTimeout(total=10)) as client:
        app[CLIENT] = client
        yield


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refusal:
        return web.json_response({"error": refusal.code, "message": refusal.message}, status=refusal.status)
    except web.HTTPException as error:
        return web.json_response({"error": "http", "message": error.reason}, status=error.status)
