"""Who was wanted from behind a wall: an ear at the loopback of a side's namespace, and the answers that refuse.

Everything that has no other way is led there and would be dropped in silence. So Seamline answers in the place of whom
it was for (a reset, an unreachable port): the service fails at once, not after a time-out. Names are answered with
addresses that tell them again (`marks.py`).
"""

import asyncio
import contextlib
import socket
import struct
from array import array
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

from ...capture.errors import CouldNotCheck
from .attempts import KEPT, Attempt, attempt_of, watching
from .egress import Places
from .marks import Marks, nameservers, own_addresses, search_domains
from .namespace import SOURCE, Namespace

_RESOLV, _HOSTS = Path("/etc/resolv.conf"), Path("/etc/hosts")
_LARGEST_FILE = 64 << 10
_DNS = 53
_LARGEST_QUERY = 4096
_AT_ONCE = 64
_IPV4_FRAMES = 0x0800
_ATTACH_FILTER = 26
_INSTRUCTION = 8
_QUERY_WITHIN_S = 10.0
_TCP, _UDP = 6, 17


class Wall:
    """Stands in one namespace. `told` is called with "host:port" of everything that was wanted."""

    def __init__(self, namespace: Namespace, told: Callable[[str], None]) -> None:
        resolv, host = _text(_RESOLV), socket.gethostname()
        self._namespace = namespace
        self._places = Places(told)
        self._servers = nameservers(resolv)
        self._marks = Marks(host, search_domains(resolv))
        self._own = own_addresses(_text(_HOSTS), host)
        self._ear: socket.socket | None = None
        self._mouth: socket.socket | None = None
        self._queries: list[socket.socket] = []
        self._listeners: list[asyncio.Server] = []

    async def start(self) -> None:
        """Hear and refuse. CouldNotCheck where the kernel has no packet sockets."""
        try:
            for address in self._own:
                self._namespace.add_address(address)
            await self._answer_names()
            self._listen()
        except OSError as error:
            await self.stop()
            raise CouldNotCheck(
                f'{self._namespace.what}: egress = "sealed": what it tries cannot be seen: {error.strerror or error}',
                'CAP_NET_RAW and packet sockets (CONFIG_PACKET) are needed; or egress = "refused"',
            ) from error

    async def stop(self) -> None:
        """Hear no more."""
        loop = asyncio.get_running_loop()
        if self._ear is not None:
            # What came in the service's last moment counts.
            self._heard()
        for sock in (self._ear, *self._queries):
            if sock is not None:
                loop.remove_reader(sock.fileno())
                sock.close()
        if self._mouth is not None:
            self._mouth.close()
        for server in self._listeners:
            server.close()
        self._ear = self._mouth = None
        self._queries, self._listeners = [], []

    def _listen(self) -> None:
        own = {address for address in (SOURCE, *self._servers, *self._own) if isinstance(address, IPv4Address)}
        self._mouth = self._namespace.made(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._mouth.setblocking(False)
        self._ear = self._namespace.made(socket.AF_PACKET, socket.SOCK_DGRAM)
        self._ear.setblocking(False)
        program = array("B", watching(own))
        fprog = struct.pack("HP", len(program) // _INSTRUCTION, program.buffer_info()[0])
        # The filter is in place before the first packet can come.
        self._ear.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, fprog)
        self._ear.bind(("lo", _IPV4_FRAMES))
        asyncio.get_running_loop().add_reader(self._ear.fileno(), self._heard)

    def _heard(self) -> None:
        assert self._ear is not None
        for _ in range(_AT_ONCE):
            try:
                packet = self._ear.recv(KEPT)
            except OSError:
                # Nothing more, for now.
                return
            attempt = attempt_of(packet)
            if attempt is not None:
                self._refuse(attempt)

    def _refuse(self, attempt: Attempt) -> None:
        assert self._mouth is not None
        if not attempt.refusal and attempt.port in self._namespace.ports:
            return
        if attempt.refusal:
            # Where the answer is lost, the packet is: that is a refusal too.
            with contextlib.suppress(OSError):
                self._mouth.sendto(attempt.refusal, (str(IPv4Address(attempt.refusal[16:20])), 0))
        host = self._marks.name_of(attempt.host)
        if attempt.port is None:
            self._places.count(f"{host} (IP protocol {attempt.protocol})")
        else:
            self._places.count(f"{host}:{attempt.port}" + (" (UDP)" if attempt.protocol == _UDP else ""))

    async def _answer_names(self) -> None:
        for server in self._servers:
            try:
                self._namespace.add_address(server)
                address = (str(server), _DNS)
                query = self._namespace.bound_as(socket.SOCK_DGRAM, address)
                self._queries.append(query)
                listener = self._namespace.bound_as(socket.SOCK_STREAM, address)
            except OSError:
                if server.version == 4:
                    raise
                # A machine without IPv6: nobody can ask there.
                continue
            asyncio.get_running_loop().add_reader(query.fileno(), self._asked, query)
            self._listeners.append(await asyncio.start_server(self._asked_at_length, sock=listener))

    def _asked(self, sock: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                query, who = sock.recvfrom(_LARGEST_QUERY)
                answer = self._answered(query)
                if answer:
                    sock.sendto(answer, who)
            except OSError:
                return

    async def _asked_at_length(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Queries over TCP, each after its length (RFC 1035, 4.2.2)."""
        try:
            async with asyncio.timeout(_QUERY_WITHIN_S):
                while True:
                    query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
                    answer = self._answered(query)
                    writer.write(len(answer).to_bytes(2) + answer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            writer.close()

    def _answered(self, query: bytes) -> bytes:
        answer = self._marks.answered(query)
        for name in self._marks.sought:
            self._places.count(name)
        self._marks.sought.clear()
        return answer


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE).decode("utf-8", "replace")
    except OSError:
        return ""
