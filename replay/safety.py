"""What a replay may fire, and at whom.

Three rules hold here. A target is a loopback address or a host that was allowed by name. The recorded service is no
target unless it was allowed by name. A request with side effects needs leave of its own.
Name resolution is the caller's: addresses come in as text.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..capture.errors import UsageError
from ..capture.model import Request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110, 9.2.1: methods whose meaning is to read."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go: scheme, host and port of a base URL."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host:port`, as a Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def is_write(request: Request) -> bool:
    """Whether `request` may change something at its target."""
    return request.method not in SAFE_METHODS


def parse_target(url: str) -> Target:
    """The target that `url` names; UsageError where it is not a base URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f'--target "{url}": {error}', "write http://HOST:PORT") from error
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise UsageError(f'--target "{url}" is not a base URL', "write http://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f'--target "{url}" has a path', "requests keep their recorded paths: write http://HOST:PORT")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


def check_target(target: Target, addresses: Sequence[str], recorded: Collection[str], allowed: Collection[str]) -> None:
    """UsageError where nothing may be fired at `target`.

    `addresses` are what its host resolves to, `recorded` the recorded services' "host:port", `allowed` the hosts
    (or "host:port") that the user named.
    """
    if target.host in allowed or target.authority in allowed:
        return
    if target.authority in recorded:
        raise UsageError(
            f"{target.authority} is the recorded service itself", f"--allow-target {target.authority} if that is meant"
        )
    if not addresses or not all(_is_loopback(address) for address in addresses):
        raise UsageError(
            f"{target.host} is not a loopback address", f"--allow-target {target.host} if it may be fired at"
        )


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
