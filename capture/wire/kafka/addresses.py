"""Where a broker says that it is, and which versions it offers, rewritten so that clients stay with the tap.

After kafka.apache.org/protocol: Metadata (3) versions 0–8, FindCoordinator (10) 0–2, ApiVersions (18) 0–4.
"""

from dataclasses import dataclass

from .apis import FIRST_FLEXIBLE_API_VERSIONS, HIGHEST, UNSUPPORTED_VERSION
from .frames import Reader

Address = tuple[str, int]
_NO_TAGS = b"\0"


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker as Metadata names it; its address stands at `start` … `end` of the response."""

    node: int
    host: str
    port: int
    start: int
    end: int


def brokers_of(body: bytes, version: int) -> list[Broker]:
    """The brokers of a Metadata response (with its correlation id in front)."""
    reader = Reader(body, 4)
    if version >= 3:
        reader.i32()
    found = []
    for _ in range(reader.count()):
        node = reader.i32()
        start = reader.at
        host, port = reader.name(), reader.i32()
        found.append(Broker(node, host, port, start, reader.at))
        if version >= 1:
            reader.string()
    return found


def with_address(body: bytes, start: int, end: int, address: Address) -> bytes:
    """A response whose host and port at `start` … `end` are `address`."""
    host = address[0].encode()
    return body[:start] + len(host).to_bytes(2) + host + address[1].to_bytes(4) + body[end:]


def coordinator_moved(body: bytes, version: int, address: Address) -> bytes:
    """A FindCoordinator response that names `address`; one that names none stays as it is."""
    reader = Reader(body, 4)
    if version >= 1:
        reader.i32()
    error = reader.i16()
    if version >= 1:
        reader.string()
    reader.i32()
    start = reader.at
    host, _ = reader.name(), reader.i32()
    return body if error or not host else with_address(body, start, reader.at, address)


def versions_capped(body: bytes, version: int) -> bytes:
    """An ApiVersions response that offers nothing beyond `HIGHEST`, and no features: a producer that finds the newer
    transactions (KIP-890) leaves out requests which only a newer Produce makes good."""
    reader = Reader(body, 4)
    is_flexible = version >= FIRST_FLEXIBLE_API_VERSIONS and reader.i16() != UNSUPPORTED_VERSION
    if version < FIRST_FLEXIBLE_API_VERSIONS:
        reader.i16()
    made = bytearray(body)
    count = reader.unsigned() - 1 if is_flexible else reader.count()
    for _ in range(count):
        api, lowest = reader.i16(), reader.i16()
        at = reader.at
        highest = reader.i16()
        wanted = HIGHEST.get(api, highest)
        if lowest <= wanted < highest:
            made[at : at + 2] = wanted.to_bytes(2)
        if is_flexible:
            reader.tags()
    if is_flexible:
        reader.i32()
        made[reader.at :] = _NO_TAGS
    return bytes(made)
