"""Where a replay may fire, and what it may change there.

Three rules hold here. Nothing but loopback is fired at unless the user named it. The recorded service is never fired
at unless the user named it. A name counts as what it resolves to: every one of its addresses must be allowed.
Nothing is resolved here; addresses come in as text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from ..capture.errors import UsageError
from ..capture.model import Manifest, Request

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?")
# Answers with credentials in every large cloud, and lies outside of the link-local ranges.
_METADATA = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """Where to fire. `named`: the user allowed this very host (`--allow-target`, or the configuration)."""

    scheme: str
    host: str
    port: int
    named: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def is_write(request: Request) -> bool:
    """Whether the request may change something: any method that RFC 9110 (9.2.1) does not call safe, and a safe one
    that a header turns into another."""
    if request.method not in SAFE_METHODS:
        return True
    return any(
        len(name) > 12 and name.lower() in _OVERRIDES and value.strip().upper() not in SAFE_METHODS
        for name, value in request.headers.items
    )


def check_target(url: str, manifest: Manifest, allowed_hosts: Sequence[str]) -> Target:
    """The target that `url` names, as far as its text can be judged; `check_addresses` judges the rest.

    `allowed_hosts` are "host" or "host:port". UsageError where the url is none, its host was recorded, or it is an
    address that nobody allowed.
    """
    target = parse_target(url)
    named = any(_matches(entry, target, "--allow-target") for entry in allowed_hosts)
    if not named and any(_is_recorded(entry, target.host, target.port) for entry in manifest.hosts):
        raise UsageError(
            f"{target} is the service that was recorded",
            f"replay at a copy of it, or say --allow-target {target.host} to fire at it all the same",
        )
    target = Target(target.scheme, target.host, target.port, named)
    address = _address(target.host)
    if address is not None:
        _check_address(target, address)
    return target


def check_addresses(target: Target, addresses: Sequence[str], manifest: Manifest) -> str:
    """The address to connect to: the first of what the target's name resolved to, once all of them are allowed."""
    if not addresses:
        raise UsageError(f"{target}: the host has no address", "check the name")
    for text in addresses:
        address = _address(text)
        if address is None:
            raise UsageError(f"{target}: resolved to {text!r}, which is no address", "name an address instead")
        _check_address(target, address)
        if not target.named and any(_is_recorded(entry, text, target.port) for entry in manifest.hosts):
            raise UsageError(
                f"{target} resolves to {text}, where the recorded service stands",
                f"replay at a copy of it, or say --allow-target {target.host}",
            )
    return addresses[0]


def parse_target(url: str) -> Target:
    """Scheme, host and port of `http[s]://HOST[:PORT]`; UsageError for anything more or less."""
    hint = "--target http://HOST:PORT"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f'target "{url}": {error}', hint) from error
    if parts.scheme not in _PORTS or not host or any(char <= " " or char == "\x7f" for char in url):
        raise UsageError(f'target "{url}" is not one to replay at', hint)
    if "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f'target "{url}" has more than host and port', "the recorded requests bring path and query")
    if port == 0 or (_address(host) is None and not _NAME.fullmatch(host)):
        raise UsageError(f'target "{url}" has no usable host and port', hint)
    return Target(parts.scheme, host.rstrip("."), port or _PORTS[parts.scheme])


def _check_address(target: Target, address: Address) -> None:
    if address.is_loopback:
        return
    if not target.named:
        where = "" if str(address) == target.host else f" resolves to {address}, which"
        raise UsageError(
            f"{target}{where} is not this machine's loopback",
            f"--allow-target {target.host} to fire at it all the same",
        )
    # A name that was allowed must not lead to where a cloud hands out credentials; that takes the address itself.
    if _is_special(address) and _address(target.host) != address:
        raise UsageError(
            f"{target} resolves to {address}, a link-local or metadata address", "name the address if you mean it"
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


def _matches(entry: str, target: Target, option: str) -> bool:
    host, port = split_host(entry, option)
    return _same_host(host, target.host) and port in (None, target.port)


def split_host(entry: str, option: str) -> tuple[str, int | None]:
    """Host (lower case) and port of "host", "host:port", "::1" or "[::1]:8080"; UsageError names `option`."""
    if _address(entry) is not None:
        return entry.lower(), None
    try:
        parts = urlsplit(f"//{entry.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f'{option} "{entry}": {error}', "HOST or HOST:PORT") from error
    if not host or parts.path or parts.query or "@" in parts.netloc:
        raise UsageError(f'{option} "{entry}" is not a host', "HOST or HOST:PORT, without http://")
    return host.rstrip("."), port


def _is_recorded(entry: str, host: str, port: int) -> bool:
    """Whether a manifest's "host:port" (untrusted text) is this place. Without a port it is the scheme's own."""
    try:
        recorded, recorded_port = split_host(entry.partition("://")[2] or entry, "hosts")
    except UsageError:
        return False
    ports = _PORTS.values() if recorded_port is None else (recorded_port,)
    return port in ports and _same_host(recorded, host)


def _same_host(one: str, other: str) -> bool:
    """Equal names, equal addresses, or both this machine: localhost and 127.0.0.1 are one place."""
    if one.lower() == other.lower():
        return True
    if _is_here(one) and _is_here(other):
        return True
    first, second = _address(one), _address(other)
    return first is not None and first == second


def _is_here(host: str) -> bool:
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback or address.is_unspecified
