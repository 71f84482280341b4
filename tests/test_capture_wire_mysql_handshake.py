"""How a connection starts: capabilities, database, and credentials that are stepped over."""

import pytest

from seamline.capture.wire.mysql.encode import OFFERED, greeting
from seamline.capture.wire.mysql.handshake import (
    UNREADABLE,
    Capability,
    parse_change_user,
    parse_greeting,
    parse_login,
    without,
)
from seamline.capture.wire.mysql.packets import Malformed

HELLO = greeting("8.0.36", 7, b"c" * 20, 2, OFFERED | Capability.SSL | Capability.COMPRESS | Capability.ZSTD)
ALL = (1 << 38) - 1


def login(capabilities: int, tail: bytes) -> bytes:
    return (capabilities & 0xFFFFFFFF).to_bytes(4, "little") + b"\0\0\0\1\x2d" + bytes(23) + tail


def test_a_greeting_says_its_version_and_capabilities() -> None:
    found = parse_greeting(HELLO)
    assert found.version == "8.0.36"
    assert found.status == 2
    assert found.capabilities == OFFERED | Capability.SSL | Capability.COMPRESS | Capability.ZSTD


def test_unwanted_capabilities_are_cleared_and_nothing_else() -> None:
    cleared = without(HELLO, parse_greeting(HELLO), UNREADABLE)
    assert cleared == greeting("8.0.36", 7, b"c" * 20, 2, OFFERED)


def test_mariadbs_own_capabilities_are_found_and_cleared() -> None:
    body = bytearray(greeting("10.11", 7, b"c" * 20, 2, OFFERED & ~Capability.LONG_PASSWORD))
    at = body.index(b"\x15" + bytes(10)) + 7
    body[at : at + 4] = (0b11111).to_bytes(4, "little")
    found = parse_greeting(bytes(body))
    assert found.capabilities & Capability.CACHED_METADATA
    again = parse_greeting(without(bytes(body), found, UNREADABLE))
    assert not again.capabilities & UNREADABLE
    assert again.capabilities & Capability.BULK
    assert again.capabilities & Capability.EXTENDED_METADATA


@pytest.mark.parametrize("body", [b"", b"\x09old\0", b"\x0anever ended", b"\x0a5\0short"])
def test_another_greeting_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_greeting(body)


@pytest.mark.parametrize(
    ("more", "proof"),
    [
        (Capability.PLUGIN_AUTH_LENENC, b"\x03key"),
        (Capability.SECURE_CONNECTION, b"\x03key"),
        (0, b"key\0"),
    ],
)
def test_a_login_names_a_database_and_no_credentials(more: int, proof: bytes) -> None:
    own = Capability.PROTOCOL_41 | Capability.CONNECT_WITH_DB | Capability.LONG_PASSWORD | more
    found = parse_login(login(own, b"user\0" + proof + b"shop\0plugin\0"), ALL)
    assert (found.database, found.collation, found.turns_to_tls) == ("shop", 45, False)
    assert found.capabilities == own


def test_a_request_for_tls_is_seen() -> None:
    assert parse_login(login(Capability.PROTOCOL_41 | Capability.SSL, b""), ALL).turns_to_tls


@pytest.mark.parametrize("body", [b"", bytes(40), login(Capability.PROTOCOL_41, b"user")])
def test_another_login_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_login(body, ALL)


def test_a_change_of_user_names_a_database() -> None:
    assert parse_change_user(b"\x11user\0\x03keyshop\0\x2d\0plugin\0") == ("shop", 45)
    assert parse_change_user(b"\x11user\0\x00shop\0") == ("shop", None)
