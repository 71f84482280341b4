"""Values that name the side they came from: a service's own host and port, and its taps'.

Each side listens elsewhere, so a body or a Location that contains the side's own address must not alarm.
"""

import re
from collections.abc import Iterable

from ..capture.model import Exchange
from .report.model import Json
from .rounds import Run

MAX_HOSTS = 200
MAX_HOST = 260

_PORT = re.compile(r":(\d{4,5})$")


class Addresses:
    """One side's own addresses ("host:port") and ports."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self.hosts = frozenset(sorted(host for host in hosts if 0 < len(host) <= MAX_HOST)[:MAX_HOSTS])
        self.ports = frozenset(found[1] for host in self.hosts if (found := _PORT.search(host)))
        words = [re.escape(host) for host in sorted(self.hosts, key=len, reverse=True)]
        ports = [
            rf"(?:localhost|[\w.-]{{1,253}}|\[[\da-f:]{{1,45}}\])?:{port}(?!\d)|(?<!\d){port}(?!\d)"
            for port in sorted(self.ports)
        ]
        self._pattern = re.compile("|".join([*words, *ports])) if words else None

    @classmethod
    def of(cls, run: Run) -> "Addresses":
        """The addresses that `run` names: its manifest's, and every Host header's."""
        return cls({*run.manifest.hosts, *(_host(exchange) for exchange in run.exchanges)})

    def mask(self, text: str) -> str:
        """`text` with each own address as `{address}`."""
        return self._pattern.sub("{address}", text) if self._pattern else text

    def owns_port(self, value: Json) -> bool:
        """Whether a number is one of the side's ports."""
        return isinstance(value, int) and not isinstance(value, bool) and str(value) in self.ports


def _host(exchange: Exchange) -> str:
    return exchange.request.headers.get("host") or ""


def same_but_for_address(before: Json, after: Json, left: Addresses, right: Addresses) -> bool:
    """Whether two values differ only in that each names its own side."""
    if isinstance(before, str) and isinstance(after, str):
        masked = left.mask(before)
        return masked != before and masked == right.mask(after)
    return left.owns_port(before) and right.owns_port(after)
