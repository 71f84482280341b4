"""Names of a service that lives behind a wall: every name gets an address of its own, which leads nowhere. PURE.

So a later connection tells whom it was for. Source: RFC 1035, 4.1 (messages); the addresses are those of RFC 2544,
meant for benchmarks, which nobody has.
"""

import re
import struct
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from ...capture.text import printable

_FIRST = int(IPv4Address("198.18.0.1"))
_MOST_NAMES = 10_000
_HEAD = struct.Struct("!HHHHHH")
_ASKED = struct.Struct("!HH")
_ANSWER = struct.Struct("!HHHIH")
_INTERNET, _A, _PTR = 1, 1, 12
_TOLD_TYPES = {15: "MX", 33: "SRV"}
_TTL_S = 30
_IS_ANSWER, _NO_SUCH_NAME, _CANNOT_BE_READ = 0x8080, 3, 1
_OPCODE, _RECURSION_WANTED = 0x7800, 0x0100
_NAME = re.compile(rb"[0-9a-z_-]{1,63}", re.IGNORECASE)
_MOST_NAMESERVERS = 3


class Marks:
    """Answers queries. `host` is the machine's own name; `search` the domains that a resolver adds by itself, which
    no place is told with."""

    def __init__(self, host: str = "", search: Collection[str] = ()) -> None:
        self._own = {"localhost", host.lower()}
        self._search = sorted((f".{domain.strip('.').lower()}" for domain in search), key=len, reverse=True)
        self._marks: dict[str, IPv4Address] = {}
        self._names: dict[str, str] = {}
        self.sought: list[str] = []
        """Names whose services were asked for, which no connection will tell: to be taken by whoever reads it."""

    def name_of(self, address: str) -> str:
        """The name that `address` was given to, else the address."""
        return self._names.get(address, address)

    def answered(self, query: bytes) -> bytes:
        """The answer to a query, b"" where it is none."""
        if len(query) < _HEAD.size:
            return b""
        number, flags, questions, *_ = _HEAD.unpack_from(query)
        if flags & 0x8000:
            return b""
        asked = _question(query) if questions == 1 and not flags & _OPCODE else None
        said = _IS_ANSWER | flags & _RECURSION_WANTED
        if asked is None:
            return _HEAD.pack(number, said | _CANNOT_BE_READ, 0, 0, 0, 0)
        name, kind, ends = asked
        address, code = self._address(name, kind)
        head = _HEAD.pack(number, said | code, 1, int(address is not None), 0, 0)
        question = query[_HEAD.size : ends]
        if address is None:
            return head + question
        # 0xC00C points at the name in the question.
        return head + question + _ANSWER.pack(0xC00C, _A, _INTERNET, _TTL_S, 4) + address.packed

    def _address(self, name: str, kind: int) -> tuple[IPv4Address | None, int]:
        if kind in _TOLD_TYPES and len(self.sought) < _MOST_NAMES:
            self.sought.append(f"{self._shown(name)} ({_TOLD_TYPES[kind]} records)")
        if kind == _PTR:
            return None, _NO_SUCH_NAME
        if kind != _A:
            # One address of one family: a client that tries both would try everything twice.
            return None, 0
        if name in self._own or name.endswith(".localhost"):
            return IPv4Address("127.0.0.1"), 0
        mark = self._marks.get(name)
        if mark is None:
            if len(self._marks) >= _MOST_NAMES:
                return None, _NO_SUCH_NAME
            mark = self._marks[name] = IPv4Address(_FIRST + len(self._marks))
            self._names[str(mark)] = self._shown(name)
        return mark, 0

    def _shown(self, name: str) -> str:
        for domain in self._search:
            if name.endswith(domain):
                return name.removesuffix(domain)
        return name


def _question(query: bytes) -> tuple[str, int, int] | None:
    """Name, type and end of the one question; None where it is not one that a resolver asks."""
    labels: list[str] = []
    at = _HEAD.size
    while at < len(query) and (length := query[at]):
        label = query[at + 1 : at + 1 + length]
        if len(label) != length or not _NAME.fullmatch(label):
            return None
        labels.append(label.decode().lower())
        at += 1 + length
    ends = at + 1 + _ASKED.size
    name = ".".join(labels)
    if len(query) < ends or not 0 < len(name) <= 253:
        return None
    kind, network = _ASKED.unpack_from(query, at + 1)
    return (printable(name), kind, ends) if network == _INTERNET else None


def nameservers(resolv: str) -> list[IPv4Address | IPv6Address]:
    """Whom a resolver asks that reads this resolv.conf(5)."""
    found: list[IPv4Address | IPv6Address] = []
    for words in _lines(resolv, "nameserver"):
        # One with a zone (fe80::1%eth0) is another interface's.
        if words and "%" not in words[0]:
            try:
                address = ip_address(words[0])
            except ValueError:
                continue
            if address not in found and not (address.is_unspecified or address.is_multicast):
                found.append(address)
    return found[:_MOST_NAMESERVERS] or [IPv4Address("127.0.0.1")]


def search_domains(resolv: str) -> list[str]:
    """The domains that a resolver adds to names."""
    lists = (words for key in ("domain", "search") for words in _lines(resolv, key))
    return [domain for words in lists for domain in words if domain != "."]


def own_addresses(hosts: str, host: str) -> list[IPv4Address]:
    """The addresses that hosts(5) has for the machine's own name, loopback left out: services listen there."""
    found = []
    for line in hosts.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        try:
            if host in names and not (own := IPv4Address(address)).is_loopback:
                found.append(own)
        except ValueError:
            continue
    return found


def _lines(text: str, key: str) -> Iterable[list[str]]:
    for line in text.splitlines():
        words = line.split()
        if words[:1] == [key]:
            yield words[1:]
