"""How the services say what they say: JSON, its spelling, its tags, its errors."""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from seamline.samples.shop.service import Handler, Refused

from . import noise
from .noise import noisy
from .variants import active

JSON_TYPE = "application/json; charset=utf-8"


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=spelt(value), status=status, headers={"content-type": JSON_TYPE, **(headers or {})})


def spelt(value: Any) -> bytes:
    """`value` as JSON text."""
    if noisy("N05"):
        value = noise.shaken(value)
    if active("L12"):
        return json.dumps(value, ensure_ascii=False, indent=16).encode()
    if noisy("N06"):
        return json.dumps(value, ensure_ascii=True, indent=1).encode()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def tagged(request: web.Request, value: Any) -> web.Response:
    """A JSON answer with an entity tag; 304 for a caller who has it already."""
    tag = f'"{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]}"'
    known = request.headers.get("if-none-match") == tag
    if active("R43"):
        known = False
    return web.Response(status=304, headers={"etag": tag}) if known else reply(value, headers={"etag": tag})


def stamped(value: Any) -> web.Response:
    """A JSON answer whose tag is made from the time where N07 is on, else from its bytes."""
    seed = str(time.time_ns()).encode() if noisy("N07") else spelt(value)
    headers = {"etag": f'W/"{hashlib.sha256(seed).hexdigest()[:16]}"'}
    if noisy("N07"):
        headers["last-modified"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    return reply(value, headers=headers)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals in the words of the public interface."""
    try:
        await noise.weather()
        return await handler(request)
    except Refused as refusal:
        return reply(error_view(refusal), refusal.status)


def error_view(refusal: Refused) -> dict[str, str]:
    """What a caller learns about a refusal."""
    if active("S06"):
        return {"message": refusal.message, "code": refusal.code}
    return {"error": f"{refusal.code}: {refusal.message}"}
