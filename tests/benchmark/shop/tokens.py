"""Bearer tokens: JSON Web Tokens whose claims say who calls. Signatures are somebody else's business here.

Claims survive the sanitizing of a recording, other tokens would not: a replay must find the same roles.
"""

import base64
import binascii
import json
from dataclasses import dataclass

from aiohttp import web

from seamline.samples.shop.service import Refused


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    role: str
    tenant: str


ANYBODY = Caller("user", "north")


def make(user: int, role: str = "user", tenant: str = "north") -> str:
    """A token of the user number `user`."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"uid": user, "role": role, "tenant": tenant})
    return ".".join([*(_encoded(json.dumps(part).encode()) for part in parts), _encoded(b"not-checked-here")])


def caller(request: web.Request) -> Caller:
    """Who sent `request`; 401 for somebody who shows no token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        claims = json.loads(_decoded(token.split(".")[1]))
        return Caller(claims["role"], claims["tenant"])
    except (IndexError, KeyError, ValueError, binascii.Error) as error:
        raise Refused(401, "unauthenticated", f"a bearer token is needed, not {scheme or 'nothing'}") from error


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
