"""What a replay may fire, and at whom.

Three rules hold here. A target is a loopback address or a host that was allowed by name, and a name counts as every
address it resolves to. The recorded service is no target unless it was allowed by name. A request with side effects
needs leave of its own. Name resolution is the caller's: addresses come in as text.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from ..capture.errors import UsageError
from ..capture.model import Request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110, 9.2.1: methods whose meaning is to read."""

_OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?")
# Where clouds hand out credentials outside of the link-local ranges.
_METADATA = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})

Address = IPv4Address | IPv6Address


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
    """Whether `request` may change something at its target: by its method, or by a header that overrides it."""
    if request.method not in SAFE_METHODS:
        return True
    return any(
        len(name) > 12 and name.lower() in _OVERRIDES and value.strip().upper() not in SAFE_METHODS
        for name, value in request.headers.items
    )


def parse_target(url: str, what: str = "--target") -> Target:
    """The target that `url` names; UsageError, which names `what`, where it is not a base URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f'{what} "{url}": {error}', "write http://HOST:PORT") from error
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc or any(char <= " " for char in url):
        raise UsageError(f'{what} "{url}" is not a base URL', "write http://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f'{what} "{url}" has a path', "requests keep their recorded paths: write http://HOST:PORT")
    if port == 0 or (_address(host) is None and not _NAME.fullmatch(host)):
        raise UsageError(f'{what} "{url}" has no usable host and port', "write http://HOST:PORT")
    return Target(parts.scheme, host.rstrip("."), port or _PORTS[parts.scheme])


def check_target(
    target: Target,
    addresses: Sequence[str],
    recorded: Collection[str],
    allowed: Collection[str],
    *,
    configured: bool = False,
) -> None:
    """UsageError where nothing may be fired at `target`.

    `addresses` are all that its host resolves to, `recorded` the recorded services' "host:port", `allowed` the hosts
    (or "host:port") that the user named for this replay. `configured`: the configuration names the target, which
    makes up for loopback, but not for being the recorded service.
    """
    is_named = any(_names(entry, target) for entry in allowed)
    for place in () if is_named else (target.host, *addresses):
        if any(_is_recorded(entry, place, target.port) for entry in recorded):
            raise UsageError(
                f"{target.authority} is the recorded service itself", f"--allow-target {target.host} if that is meant"
            )
    if not addresses:
        raise UsageError(f"{target.host} has no address", "check the name")
    for text in addresses:
        _check_address(target, _address(text), is_named=is_named or configured)


def _check_address(target: Target, address: Address | None, *, is_named: bool) -> None:
    if address is not None and address.is_loopback:
        return
    if not is_named or address is None:
        raise UsageError(
            f"{target.host} is not a loopback address", f"--allow-target {target.host} if it may be fired at"
        )
    # A name that was allowed must not lead to where a cloud hands out credentials: that takes the address itself.
    if _is_special(address) and _address(target.host) != address:
        raise UsageError(
            f"{target.host} resolves to {address}, a link-local or metadata address", "name the address if it is meant"
        )


def _is_special(address: Address) -> bool:
    return address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _names(entry: str, target: Target) -> bool:
    host, port = _split(entry)
    if host is None:
        raise UsageError(f'--allow-target "{entry}" is not a host', "write HOST or HOST:PORT, without http://")
    return _is_same_host(host, target.host) and port in (None, target.port)


def _is_recorded(entry: str, host: str, port: int) -> bool:
    """Whether a manifest's "host:port" (untrusted text) is this place; without a port it is a scheme's own."""
    recorded, recorded_port = _split(entry.rpartition("://")[2])
    if recorded is None:
        return False
    ports = _PORTS.values() if recorded_port is None else (recorded_port,)
    return port in ports and (_is_same_host(recorded, host) or (_is_here(recorded) and _is_here(host)))


def _split(entry: str) -> tuple[str | None, int | None]:
    """Host and port of "host", "host:port", "::1" or "[::1]:80"; the host is None where it is none of these."""
    if _address(entry) is not None:
        return entry, None
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, None
    if not host or parts.netloc != entry or "@" in entry:
        return None, None
    return host.rstrip("."), port


def _is_same_host(one: str, other: str) -> bool:
    first, second = _address(one), _address(other)
    if first is not None or second is not None:
        return first == second
    return one.lower() == other.lower()


def _is_here(host: str) -> bool:
    """Whether this is the machine itself: localhost and 127.0.0.1 are one place."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback or address.is_unspecified
