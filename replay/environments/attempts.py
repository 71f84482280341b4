"""Packets of a service that lead nowhere: who was wanted, and how to refuse. PURE.

Sources: RFC 791 and 9293 (a SYN that nobody expects is answered with a reset), RFC 792 and 1122 (unreachable ports and
protocols). `watching` is a filter for the kernel, in the language of `Documentation/networking/filter.rst`, so that the
packets of taps and service cost nothing.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address

KEPT = 128
"""Bytes of a packet that are looked at: the headers."""

_TCP, _UDP = 6, 17
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_FLAGS = 0x17
_IP = struct.Struct("!BBHHHBBH4s4s")
_TCP_HEAD = struct.Struct("!HHIIBBHHH")
_UNREACHABLE, _NO_PROTOCOL, _NO_PORT = 3, 2, 3
_QUOTED = 8

_LOAD_WORD, _LOAD_BYTE, _LOAD_BYTE_AT_X, _LENGTH_TO_X = 0x20, 0x30, 0x50, 0xB1
_AND, _EQUAL, _RETURN = 0x54, 0x15, 0x06
_TO, _PROTOCOL, _TCP_FLAGS = 16, 9, 13
_LOOPBACK_NET, _LOOPBACK_MASK = 0x7F000000, 0xFF000000


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody who was wanted. `port` is None where the protocol has none; `refusal` is the IP packet to be sent back,
    b"" where the kernel has refused already."""

    host: str
    port: int | None
    protocol: int
    refusal: bytes = b""


def attempt_of(packet: bytes) -> Attempt | None:
    """What an IPv4 packet wants. None where it wants nothing that could be told (a fragment, a reset of something that
    was connected)."""
    if len(packet) < _IP.size or packet[0] >> 4 != 4:
        return None
    *_, fragment, _, protocol, _, _, to = _IP.unpack_from(packet)
    begins = (packet[0] & 0xF) * 4
    if fragment & 0x1FFF or begins < _IP.size or len(packet) < begins + _QUOTED:
        return None
    if protocol == _TCP:
        return _tcp(packet, begins)
    host = str(IPv4Address(to))
    if protocol == _UDP:
        port = int.from_bytes(packet[begins + 2 : begins + 4])
        return Attempt(host, port, protocol, _unreachable(packet, begins, _NO_PORT))
    return Attempt(host, None, protocol, _unreachable(packet, begins, _NO_PROTOCOL))


def _tcp(packet: bytes, begins: int) -> Attempt | None:
    if len(packet) < begins + _TCP_HEAD.size:
        return None
    source, target = packet[12:16], packet[16:20]
    from_port, to_port, sequence, _, _, flags, *_ = _TCP_HEAD.unpack_from(packet, begins)
    flags &= _FLAGS
    if flags == _SYN:
        head = _TCP_HEAD.pack(to_port, from_port, 0, (sequence + 1) & 0xFFFFFFFF, 5 << 4, _RST | _ACK, 0, 0, 0)
        pseudo = target + source + struct.pack("!BBH", 0, _TCP, len(head))
        head = head[:16] + _checksum(pseudo + head) + head[18:]
        return Attempt(str(IPv4Address(target)), to_port, _TCP, _packet(_TCP, target, source, head))
    if flags == _RST | _ACK and sequence == 0:
        # The answer to a SYN: nobody listens where it comes from. Resets of what was connected carry a number.
        return Attempt(str(IPv4Address(source)), from_port, _TCP)
    return None


def _unreachable(packet: bytes, begins: int, code: int) -> bytes:
    quoted = packet[: begins + _QUOTED]
    body = struct.pack("!BBHI", _UNREACHABLE, code, 0, 0) + quoted
    body = body[:2] + _checksum(body) + body[4:]
    return _packet(1, packet[16:20], packet[12:16], body)


def _packet(protocol: int, source: bytes, target: bytes, body: bytes) -> bytes:
    head = _IP.pack(4 << 4 | 5, 0, _IP.size + len(body), 0, 0, 64, protocol, 0, source, target)
    return head[:10] + _checksum(head) + head[12:] + body


def _checksum(data: bytes) -> bytes:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def watching(own: Collection[IPv4Address]) -> bytes:
    """The filter: packets to addresses that are neither loopback nor `own`, and refusals that go to loopback."""
    foreign, keep, drop = 9, 10 + len(own), 11 + len(own)
    # Code, where to go on where a comparison holds, where it does not, operand.
    lines = [
        (_LOAD_WORD, 0, 0, _TO),
        (_AND, 0, 0, _LOOPBACK_MASK),
        (_EQUAL, 3, foreign, _LOOPBACK_NET),
        (_LOAD_BYTE, 0, 0, _PROTOCOL),
        (_EQUAL, 5, drop, _TCP),
        (_LENGTH_TO_X, 0, 0, 0),
        (_LOAD_BYTE_AT_X, 0, 0, _TCP_FLAGS),
        (_AND, 0, 0, _FLAGS),
        (_EQUAL, keep, drop, _RST | _ACK),
        (_LOAD_WORD, 0, 0, _TO),
        *((_EQUAL, drop, 10 + number + 1, int(address)) for number, address in enumerate(own)),
        (_RETURN, 0, 0, KEPT),
        (_RETURN, 0, 0, 0),
    ]
    return b"".join(
        # Jumps count the instructions between.
        struct.pack("=HBBI", code, *((then - at - 1, other - at - 1) if code == _EQUAL else (0, 0)), operand)
        for at, (code, then, other, operand) in enumerate(lines)
    )
