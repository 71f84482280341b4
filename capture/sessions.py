"""Which requests belong to one user: a stable name that holds no secret.

A session is named by a keyed hash of what authenticates it. Cookies that change with every answer must not split a
session, so only a cookie whose name says "session" counts, and `Authorization` goes before it.
"""

import hashlib
import re

from .headers import Headers
from .wire.heads import RawHead

_SESSION_COOKIE = re.compile(r"sess|sid$|^sid|auth|token|jwt|remember", re.IGNORECASE)
_NOT_A_SESSION = re.compile(r"csrf|xsrf", re.IGNORECASE)
_MOST_REMEMBERED = 8192


class SessionNames:
    """Names sessions under `key`: the same credential gets the same name in every capture made with that key."""

    __slots__ = ("_key", "_known")

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.blake2b(key, digest_size=32, person=b"seam-session").digest()
        self._known: dict[str, str] = {}

    def of(self, headers: Headers | RawHead, connection: str) -> str:
        """The session of a request with `headers`; without a credential, the connection stands for it."""
        if type(headers) is Headers and not _could_hold_credentials(headers):
            return connection
        authorization = headers.get("authorization")
        if authorization:
            return self._named(authorization)
        cookie = _session_cookie(headers.get("cookie") or "")
        return self._named(cookie) if cookie else connection

    def _named(self, credential: str) -> str:
        name = self._known.get(credential)
        if name is None:
            digest = hashlib.blake2b(credential.encode("utf-8", "surrogatepass"), key=self._key, digest_size=8)
            name = f"s-{digest.hexdigest()}"
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[credential] = name
        return name


def _could_hold_credentials(headers: Headers) -> bool:
    """By the lengths of the names: most calls of other protocols have no such headers, and this runs for every one."""
    for name, _ in headers.items:  # noqa: SIM110 - a generator costs more than the loop
        if len(name) in _LENGTHS:
            return True
    return False


_LENGTHS = frozenset({len("authorization"), len("cookie")})


def _session_cookie(header: str) -> str:
    """The first "name=value" in a Cookie header whose name looks like a session's, or ""."""
    for pair in header.split(";"):
        name, _, value = pair.strip().partition("=")
        if value and _SESSION_COOKIE.search(name) and not _NOT_A_SESSION.search(name):
            return f"{name}={value}"
    return ""
