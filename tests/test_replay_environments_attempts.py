"""What a packet wants, what refuses it, and the filter that lets the others pass unseen."""

import struct
from collections.abc import Sequence
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamline.replay.environments.attempts import KEPT, Attempt, attempt_of, watching

OWN = IPv4Address("192.0.2.1")
FOREIGN = IPv4Address("93.184.216.34")
HOME = IPv4Address("127.0.0.1")
SYN, SYN_ACK, RST, RST_ACK, ACK = 0x02, 0x12, 0x04, 0x14, 0x10


def ip(source: IPv4Address, target: IPv4Address, protocol: int, body: bytes, fragment: int = 0) -> bytes:
    return (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 7, fragment, 64, protocol, 0)
        + source.packed
        + target.packed
        + body
    )


def tcp(source: IPv4Address, target: IPv4Address, ports: tuple[int, int], flags: int, sequence: int = 99) -> bytes:
    return ip(source, target, 6, struct.pack("!HHIIBBHHH", *ports, sequence, 0, 5 << 4, flags, 1024, 0, 0))


def total(data: bytes) -> int:
    """The sum that is all ones where the checksum inside is right."""
    data += b"\0" * (len(data) % 2)
    found = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while found >> 16:
        found = (found & 0xFFFF) + (found >> 16)
    return found


def test_a_connection_that_is_wanted_is_reset() -> None:
    attempt = attempt_of(tcp(OWN, FOREIGN, (40_000, 443), SYN, 0xFFFFFFFF))
    assert attempt is not None
    assert (attempt.host, attempt.port, attempt.protocol) == (str(FOREIGN), 443, 6)
    head, body = attempt.refusal[:20], attempt.refusal[20:]
    assert (head[12:16], head[16:20], total(head)) == (FOREIGN.packed, OWN.packed, 0xFFFF)
    assert struct.unpack("!HHIIBB", body[:14]) == (443, 40_000, 0, 0, 5 << 4, RST_ACK)
    assert total(head[12:20] + struct.pack("!BBH", 0, 6, len(body)) + body) == 0xFFFF


@pytest.mark.parametrize(("protocol", "port", "code"), [(17, 8125, 3), (1, None, 2), (132, None, 2)])
def test_what_is_no_connection_is_unreachable(protocol: int, port: int | None, code: int) -> None:
    packet = ip(OWN, FOREIGN, protocol, struct.pack("!HHHH", 40_000, 8125, 12, 0) + b"data")
    attempt = attempt_of(packet)
    assert attempt is not None
    assert (attempt.host, attempt.port, attempt.protocol) == (str(FOREIGN), port, protocol)
    message = attempt.refusal[20:]
    assert (message[0], message[1], total(message), message[8:]) == (3, code, 0xFFFF, packet[:28])


def test_a_refusal_at_loopback_names_who_was_wanted() -> None:
    assert attempt_of(tcp(HOME, HOME, (9200, 40_000), RST_ACK, 0)) == Attempt("127.0.0.1", 9200, 6)


@pytest.mark.parametrize(
    "packet",
    [
        tcp(HOME, HOME, (9200, 40_000), RST_ACK, 17),
        tcp(OWN, FOREIGN, (1, 2), ACK),
        tcp(OWN, FOREIGN, (1, 2), SYN_ACK),
        ip(OWN, FOREIGN, 17, b"\0" * 8, fragment=5),
        ip(OWN, FOREIGN, 17, b"\0" * 7),
        ip(OWN, FOREIGN, 6, b"\0" * 8),
        b"\x60" + b"\0" * 60,
        b"\x41" + b"\0" * 60,
        b"",
    ],
)
def test_others_want_nothing(packet: bytes) -> None:
    assert attempt_of(packet) is None


@given(st.binary(max_size=80), st.binary(max_size=60))
def test_no_packet_breaks_it(anything: bytes, body: bytes) -> None:
    attempt_of(anything)
    for protocol in (6, 17, 1):
        attempt = attempt_of(ip(OWN, FOREIGN, protocol, body))
        assert attempt is None or len(attempt.refusal) <= 20 + 8 + 28


def keeps(program: bytes, packet: bytes) -> int:
    """What the filter says of a packet: a small machine for the instructions that it is made of."""
    lines = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = index = 0
    while True:
        code, then, other, operand = lines[at]
        at += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            accumulator = int.from_bytes(packet[operand : operand + 4])
        elif code == 0x30:
            accumulator = packet[operand]
        elif code == 0x50:
            accumulator = packet[index + operand]
        elif code == 0xB1:
            index = (packet[operand] & 0xF) * 4
        elif code == 0x54:
            accumulator &= operand
        elif code == 0x15:
            at += then if accumulator == operand else other


@pytest.mark.parametrize("own", [[], [OWN], [OWN, IPv4Address("10.255.255.53"), IPv4Address("172.17.0.2")]])
def test_the_filter_keeps_attempts_only(own: Sequence[IPv4Address]) -> None:
    program = watching(own)
    kept = [
        tcp(OWN, FOREIGN, (1, 443), SYN),
        ip(OWN, FOREIGN, 17, b"\0" * 8),
        tcp(HOME, HOME, (9200, 1), RST_ACK),
    ]
    passed = [
        tcp(HOME, HOME, (1, 2), SYN),
        tcp(HOME, HOME, (1, 2), ACK),
        tcp(HOME, HOME, (1, 2), RST),
        ip(HOME, HOME, 17, b"\0" * 8),
        *(tcp(FOREIGN, address, (443, 1), RST_ACK) for address in own),
    ]
    assert [keeps(program, packet) for packet in kept] == [KEPT] * len(kept)
    assert [keeps(program, packet) for packet in passed] == [0] * len(passed)
