"""Messages that set up the network of a namespace. PURE.

Source: rtnetlink(7), netlink(7); numbers from the kernel's `linux/rtnetlink.h` and `linux/if_addr.h`.
"""

import struct
from ipaddress import IPv4Address, IPv6Address

LOOPBACK = 1
"""The index of `lo` in every namespace."""

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = struct.Struct("=i")
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE = 16, 20, 24
_ASKED = 0x1 | 0x4
"""NLM_F_REQUEST and NLM_F_ACK."""
_MADE = 0x400 | 0x100
"""NLM_F_CREATE and NLM_F_REPLACE: what is there already is no error."""
_IS_ERROR = 2
_UP = 1
_FAMILY = {4: 2, 6: 10}
_SCOPE_LINK = 253
_MAIN, _STATIC, _UNICAST = 254, 4, 1
_TO_ADDRESS, _LOCAL_ADDRESS = 1, 2
_OUT_AT, _SOURCE = 4, 7


def link_up(index: int) -> bytes:
    """Bring an interface up."""
    return _message(_NEW_LINK, 0, struct.pack("=BxHiII", 0, 0, index, _UP, _UP))


def add_address(index: int, address: IPv4Address | IPv6Address) -> bytes:
    """Give an interface one address, of global scope."""
    body = struct.pack("=BBBBI", _FAMILY[address.version], address.max_prefixlen, 0, 0, index)
    return _message(
        _NEW_ADDRESS, _MADE, body + _attribute(_LOCAL_ADDRESS, address.packed) + _attribute(_TO_ADDRESS, address.packed)
    )


def add_default_route(index: int, source: IPv4Address) -> bytes:
    """Lead everything that has no other way to an interface, coming from `source`."""
    body = struct.pack("=BBBBBBBBI", _FAMILY[4], 0, 0, 0, _MAIN, _STATIC, _SCOPE_LINK, _UNICAST, 0)
    return _message(
        _NEW_ROUTE, _MADE, body + _attribute(_OUT_AT, struct.pack("=I", index)) + _attribute(_SOURCE, source.packed)
    )


def error_of(answer: bytes) -> int:
    """The error number in the kernel's acknowledgement, 0 where it did what was asked; -1 where it is none."""
    if len(answer) < _HEADER.size + _ERROR.size or _HEADER.unpack_from(answer)[1] != _IS_ERROR:
        return -1
    return int(-_ERROR.unpack_from(answer, _HEADER.size)[0])


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, _ASKED | flags, 1, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + b"\0" * (-len(value) % 4)
