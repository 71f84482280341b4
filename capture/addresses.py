"""Addresses as users write them: HOST:PORT, http://HOST:PORT, NAME=PROTOCOL:LISTEN=UPSTREAM."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import UsageError
from .wire.protocols import CALL_PROTOCOLS

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TapText:
    """What `NAME=PROTOCOL:LISTEN=UPSTREAM` says. `upstream` is None for the word "stub"."""

    name: str
    protocol: str
    listen: Address
    upstream: Address | None


def parse_address(text: str, what: str) -> Address:
    """Host and port of "HOST:PORT" ("[::1]:80" for IPv6, port 0 for any free one). UsageError names `what`."""
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else -1
    if not colon or not bare or not 0 <= number <= 65535 or set(bare) & set("/[]@ ") or (":" in bare and bare == host):
        raise UsageError(f'{what}: "{text}" is not an address', "write HOST:PORT, for example 127.0.0.1:8080")
    return bare, number


def parse_upstream(text: str, what: str) -> Address:
    """Host and port of a cleartext upstream: "http://HOST[:PORT]" or "HOST:PORT"."""
    if "://" not in text:
        return parse_address(text, what)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f'{what}: "{text}": {error}', "write http://HOST:PORT") from error
    if parts.scheme != "http" or not host or parts.username is not None:
        raise UsageError(f'{what}: "{text}" is not an upstream of a tap', "write http://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f'{what}: "{text}" has a path, but a tap changes no request', f"write http://{parts.netloc}")
    return host, 80 if port is None else port


def parse_tap(text: str, what: str = "--tap") -> TapText:
    """A tap as an option gives it: "pricing=http:127.0.0.1:7102=127.0.0.1:7002"."""
    name, first, rest = text.partition("=")
    protocol, second, rest = rest.partition(":")
    listen, third, upstream = rest.partition("=")
    if not (first and second and third and name and protocol and upstream):
        raise UsageError(f'{what}: "{text}" is not a tap', "write NAME=PROTOCOL:HOST:PORT=HOST:PORT")
    where = f"{what} {name}"
    if protocol != "http" and protocol not in CALL_PROTOCOLS:
        raise UsageError(f'{where}: protocol "{protocol}" is unknown', f"one of http, {', '.join(CALL_PROTOCOLS)}")
    return TapText(
        name,
        protocol,
        parse_address(listen, where),
        None if upstream == "stub" else parse_upstream(upstream, where),
    )


def parse_taps(texts: Iterable[str], what: str = "--tap") -> tuple[TapText, ...]:
    """Several taps. UsageError where two have one name: nothing would tell their calls apart."""
    taps = tuple(parse_tap(text, what) for text in texts)
    names = [tap.name for tap in taps]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f'{what}: two taps are called "{twice}"', "give each a name of its own")
    return taps


def shown(address: Address) -> str:
    """An address as a user would write it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
