"""Where a started side's calls end that lead to no downstream: a proxy that refuses, and counts who was wanted.

A replay must not reach what nobody configured: a payment provider, a mail server. The service is told of this proxy by
the variables that HTTP clients agree on; one that heeds none of them gets past it, unless its network is its own
(`namespace.py`).
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from ...capture.engines.sockets import Network, listening
from ...capture.text import printable

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_LOCAL = "127.0.0.1,localhost,::1"
_HEAD = 16 << 10
_WITHIN_S = 10.0
_MOST_PLACES = 100
_PLACE = re.compile(r"\[?[0-9A-Za-z._:-]{1,255}\]?:[0-9]{1,5}", re.ASCII)
_BODY = b'seamline: a replay reaches its downstreams only; [service] egress = "open" lets everything through\n'
_REFUSAL = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Places:
    """Tells of places that were wanted, of so many different ones and no more."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._known: set[str] = set()

    def count(self, place: str) -> None:
        """Tell of `place`, or of `UNKNOWN` where there were too many."""
        if place not in self._known and len(self._known) >= _MOST_PLACES:
            place = UNKNOWN
        self._known.add(place)
        self._told(place)


class RefusingProxy:
    """Listens on a free loopback port, of `network` where it is given. `told` is called with "host:port" of everything
    that was wanted."""

    def __init__(self, told: Callable[[str], None], network: Network | None = None) -> None:
        self._places = Places(told)
        self._network = network
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        """The proxy's URL."""
        self._server = await asyncio.start_server(
            self._refuse, **listening(("127.0.0.1", 0), self._network), limit=_HEAD
        )
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Listen no more; what is still connected is hung up on."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.close()

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            async with asyncio.timeout(_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
                self._places.count(wanted(head.partition(b"\r\n")[0]))
                writer.write(_REFUSAL)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # A client that says nothing, or too much: it wanted out all the same.
            self._places.count(UNKNOWN)
        finally:
            self._open.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()


UNKNOWN = "somewhere"


def wanted(line: bytes) -> str:
    """ "host:port" that a request line to a proxy asks for, or `UNKNOWN`. Nothing else of the line is told."""
    words = line.decode("latin-1").split(" ")
    if len(words) != 3:
        return UNKNOWN
    place = words[1]
    if words[0] != "CONNECT":
        try:
            parts = urlsplit(place)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            place = f"{parts.hostname}:{port}" if parts.hostname else ""
        except ValueError:
            return UNKNOWN
    return printable(place.lower()) if _PLACE.fullmatch(place) else UNKNOWN


def proxy_variables(url: str, own: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead a service's calls to the proxy at `url`, in both spellings; loopback, where the taps
    are, is left out. What the configuration sets itself (`own`) stays as it is, whatever the spelling."""
    wanted_too = dict.fromkeys(_VARIABLES, url) | {"NO_PROXY": _LOCAL}
    set_already = {name.upper() for name in own}
    return {
        spelling: value
        for name, value in wanted_too.items()
        if name not in set_already
        for spelling in (name, name.lower())
    }
