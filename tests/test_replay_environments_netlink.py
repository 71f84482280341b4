"""Messages to the kernel's network configuration, byte by byte."""

import struct
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.environments.netlink import LOOPBACK, add_address, add_default_route, error_of, link_up


@pytest.mark.parametrize(
    ("message", "kind", "flags", "size"),
    [
        (link_up(LOOPBACK), 16, 0x5, 32),
        (add_address(LOOPBACK, IPv4Address("192.0.2.1")), 20, 0x505, 40),
        (add_address(LOOPBACK, IPv6Address("2001:db8::1")), 20, 0x505, 64),
        (add_default_route(LOOPBACK, IPv4Address("192.0.2.1")), 24, 0x505, 44),
    ],
)
def test_a_message_says_its_length_and_asks_for_an_answer(message: bytes, kind: int, flags: int, size: int) -> None:
    assert struct.unpack_from("=IHH", message) == (size, kind, flags)
    assert len(message) == size


def test_an_address_stands_in_both_attributes() -> None:
    message = add_address(LOOPBACK, IPv4Address("192.0.2.1"))
    attributes = message[24:]
    assert attributes == b"\x08\0\x02\0\xc0\0\x02\x01" + b"\x08\0\x01\0\xc0\0\x02\x01"


def test_an_acknowledgement_is_an_error_without_a_number() -> None:
    def answer(code: int, kind: int = 2) -> bytes:
        return struct.pack("=IHHIIi", 36, kind, 0, 1, 0, code) + link_up(LOOPBACK)[:16]

    assert error_of(answer(0)) == 0
    assert error_of(answer(-95)) == 95
    assert error_of(answer(0, kind=3)) == -1


@given(st.binary(max_size=64))
def test_no_answer_breaks_it(answer: bytes) -> None:
    assert isinstance(error_of(answer), int)
