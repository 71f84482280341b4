"""How a connection starts: what the server offers and what the client takes of it. Credentials are stepped over.

After the MySQL 8.4 source documentation, "Connection Phase Packets", and the MariaDB Knowledge Base, "Connecting".
"""

from dataclasses import dataclass
from enum import IntFlag

from .packets import Malformed, bytes_at, integer_at, string_at, zero_ended_at


class Capability(IntFlag):
    """What client and server agree on. MariaDB's own stand above bit 32, and only where LONG_PASSWORD is not set."""

    LONG_PASSWORD = 1 << 0
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    COMPRESS = 1 << 5
    LOCAL_FILES = 1 << 7
    PROTOCOL_41 = 1 << 9
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    PLUGIN_AUTH_LENENC = 1 << 21
    SESSION_TRACK = 1 << 23
    DEPRECATE_EOF = 1 << 24
    OPTIONAL_METADATA = 1 << 25
    ZSTD = 1 << 26
    QUERY_ATTRIBUTES = 1 << 27
    PROGRESS = 1 << 32
    COM_MULTI = 1 << 33
    BULK = 1 << 34
    EXTENDED_METADATA = 1 << 35
    CACHED_METADATA = 1 << 36
    BULK_UNIT_RESULTS = 1 << 37


UNREADABLE = (
    Capability.SSL
    | Capability.COMPRESS
    | Capability.ZSTD
    | Capability.OPTIONAL_METADATA
    | Capability.COM_MULTI
    | Capability.CACHED_METADATA
    | Capability.BULK_UNIT_RESULTS
)
"""What a tap lets no client take: encryption, compression, and what makes an answer depend on earlier ones."""

_PROTOCOL_10 = 10
_SSL_REQUEST_SIZE = 32


@dataclass(frozen=True, slots=True)
class Greeting:
    """The server's first packet; `places` are the offsets of its capabilities' bits 0, 16 and 32 (0 for none)."""

    version: str
    capabilities: int
    status: int
    places: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Login:
    """The client's first packet, without its credentials. `turns_to_tls`: nothing after it can be read."""

    capabilities: int
    collation: int
    database: str
    turns_to_tls: bool


def parse_greeting(body: bytes) -> Greeting:
    """A server's greeting of protocol 10 with the capabilities of 4.1; Malformed for others."""
    if body[:1] != bytes((_PROTOCOL_10,)):
        raise Malformed
    version, at = zero_ended_at(body, 1)
    low_at = at + 13  # thread id 4, first part of the challenge 8, filler 1
    low, at = integer_at(body, low_at, 2)
    status, high_at = integer_at(body, at + 1, 2)
    high, at = integer_at(body, high_at, 2)
    capabilities = low | high << 16
    own_at = 0
    if not low & Capability.LONG_PASSWORD and len(body) >= at + 11:
        own_at = at + 7  # length of the challenge 1, reserved 6
        own, _ = integer_at(body, own_at, 4)
        capabilities |= own << 32
    return Greeting(version.decode("latin-1"), capabilities, status, (low_at, high_at, own_at))


def without(body: bytes, greeting: Greeting, unwanted: int) -> bytes:
    """A greeting's bytes without the capabilities `unwanted`."""
    made = bytearray(body)
    for place, shift, size in zip(greeting.places, (0, 16, 32), (2, 2, 4), strict=True):
        if place:
            kept = (greeting.capabilities & ~unwanted) >> shift & ((1 << 8 * size) - 1)
            made[place : place + size] = kept.to_bytes(size, "little")
    return bytes(made)


def parse_login(body: bytes, offered: int) -> Login:
    """A client's answer to a greeting that offered the capabilities `offered`. Malformed for a client before 4.1."""
    wanted, at = integer_at(body, 0, 4)
    if not wanted & Capability.PROTOCOL_41:
        raise Malformed
    at += 4  # the largest packet
    collation, at = integer_at(body, at, 1)
    filler, at = bytes_at(body, at, 23)
    if not wanted & Capability.LONG_PASSWORD:
        wanted |= int.from_bytes(filler[19:], "little") << 32
    capabilities = wanted & offered
    if wanted & Capability.SSL and len(body) == _SSL_REQUEST_SIZE:
        return Login(capabilities, collation, "", turns_to_tls=True)
    _, at = zero_ended_at(body, at)
    if wanted & Capability.PLUGIN_AUTH_LENENC:
        _, at = string_at(body, at)
    elif wanted & Capability.SECURE_CONNECTION:
        size, at = integer_at(body, at, 1)
        at += size
    else:
        _, at = zero_ended_at(body, at)
    database = b""
    if wanted & Capability.CONNECT_WITH_DB and at < len(body):
        database, _ = zero_ended_at(body, at)
    return Login(capabilities, collation, database.decode("utf-8", "backslashreplace"), turns_to_tls=False)


def parse_change_user(body: bytes) -> tuple[str, int | None]:
    """The database and the collation (None where it is not said) that a COM_CHANGE_USER asks for."""
    _, at = zero_ended_at(body, 1)
    size, at = integer_at(body, at, 1)
    database, at = zero_ended_at(body, at + size)
    collation = int.from_bytes(body[at : at + 2], "little") if at + 2 <= len(body) else None
    return database.decode("utf-8", "backslashreplace"), collation
