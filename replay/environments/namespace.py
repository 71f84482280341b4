"""A network namespace of one side: loopback, and nothing that leads out of it. The edge to Linux.

Its keeper is a process of its own (`keeper.py`), in a session of its own so that a Ctrl-C does not reach it; Seamline
and it hold the two ends of a channel. Nothing is mounted and nothing has a name: when keeper and service are gone, the
namespace is.
"""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from ...capture.engines.sockets import Address, connected
from ...capture.errors import CouldNotCheck
from . import netlink
from .keeper import ANSWER, REQUEST

SOURCE = IPv4Address("192.0.2.1")
"""Where connections to foreign places seem to come from (RFC 5737: nobody's address). Without an address that is not
loopback, resolvers take it that there is no IPv4 (AI_ADDRCONFIG)."""

_WITHIN_S = 10.0
_HERE = Path(__file__).parent
_HINT = (
    "root or CAP_SYS_ADMIN with CAP_NET_ADMIN, or unprivileged user namespaces (sysctl user.max_user_namespaces, "
    'kernel.apparmor_restrict_unprivileged_userns); or egress = "refused"'
)


class Namespace:
    """One namespace. `what` names the side in errors."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._channel: socket.socket | None = None
        self._spaces: tuple[int, ...] = ()
        self._keeper: asyncio.subprocess.Process | None = None
        self.ports: set[int] = set()
        """Ports in here that are Seamline's or the side's own: to find nobody there yet is no news."""

    async def open(self) -> None:
        """Make it, loopback up. CouldNotCheck where the kernel does not allow it."""
        if sys.platform != "linux":
            raise CouldNotCheck(f'{self.what}: egress = "sealed" needs Linux', 'egress = "refused"')
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            await self._start(theirs)
        try:
            self._spaces = await self._handed_over()
            self._settle([netlink.link_up(netlink.LOOPBACK)])
            self.add_address(SOURCE)
            self._settle([netlink.add_default_route(netlink.LOOPBACK, SOURCE)])
        except OSError as error:
            await self.close()
            raise CouldNotCheck(
                f'{self.what}: egress = "sealed": no network namespace: {error.strerror or "no answer"}', _HINT
            ) from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Have everything killed that still runs in here, and let it go; safe to call more than once."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        for space in self._spaces:
            os.close(space)
        self._spaces = ()
        if self._keeper is not None:
            await self._keeper.wait()

    def made(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """A socket that was made in here. OSError where it cannot be."""
        if self._channel is None:
            raise OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN))
        try:
            self._channel.send(REQUEST.pack(family, kind, protocol))
            answer, fds, *_ = socket.recv_fds(self._channel, ANSWER.size, 1)
        except TimeoutError:
            # An answer that comes late would be taken for the next one's.
            self._channel.close()
            self._channel = None
            raise
        _check(answer)
        return socket.socket(fileno=fds[0])

    def add_address(self, address: IPv4Address | IPv6Address) -> None:
        """Make an address one of this place. OSError where it cannot be."""
        if not address.is_loopback:
            self._settle([netlink.add_address(netlink.LOOPBACK, address)])

    def bound(self, address: Address) -> socket.socket:
        """See `Network`."""
        sock = self.bound_as(socket.SOCK_STREAM, address)
        self.ports.add(sock.getsockname()[1])
        return sock

    def bound_as(self, kind: int, address: Address) -> socket.socket:
        """A socket of `kind`, bound. OSError where the address cannot be had."""
        sock = self.made(_family(address), kind)
        try:
            sock.setblocking(False)
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
        except BaseException:
            sock.close()
            raise
        return sock

    async def dialled(self, address: Address) -> socket.socket:
        """See `Network`."""
        self.ports.add(address[1])
        return await connected(self.made(_family(address), socket.SOCK_STREAM), address)

    def inside(self, argv: Sequence[str]) -> tuple[list[str], tuple[int, ...]]:
        """The command that runs `argv` in here, and the descriptors that it has to inherit."""
        spaces = ",".join(map(str, self._spaces))
        return [*_script("enter"), spaces, *argv], self._spaces

    async def _start(self, theirs: socket.socket) -> None:
        try:
            self._keeper = await asyncio.create_subprocess_exec(
                *_script("keeper"),
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            await self.close()
            raise CouldNotCheck(f"{self.what}: {sys.executable}: {error.strerror or error}", _HINT) from error

    async def _handed_over(self) -> tuple[int, ...]:
        """The namespaces, once the keeper has them."""
        channel = self._channel
        assert channel is not None
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        loop.add_reader(channel.fileno(), told.set)
        try:
            async with asyncio.timeout(_WITHIN_S):
                await told.wait()
        finally:
            loop.remove_reader(channel.fileno())
        channel.settimeout(_WITHIN_S)
        answer, fds, *_ = socket.recv_fds(channel, ANSWER.size, 2)
        for space in fds:
            os.set_inheritable(space, False)
        _check(answer)
        return tuple(fds)

    def _settle(self, messages: Sequence[bytes]) -> None:
        with self.made(socket.AF_NETLINK, socket.SOCK_RAW) as kernel:
            kernel.settimeout(_WITHIN_S)
            for message in messages:
                kernel.send(message)
                _raise(netlink.error_of(kernel.recv(4096)))


def _check(answer: bytes) -> None:
    """OSError where the keeper says why not, or says nothing any more."""
    _raise(ANSWER.unpack(answer)[0] if len(answer) == ANSWER.size else errno.ECONNRESET)


def _raise(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))


def _family(address: Address) -> int:
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def _script(name: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(_HERE / f"{name}.py")]
