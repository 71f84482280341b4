"""The process that keeps a network namespace: it makes sockets there for Seamline, and ends what runs there.

Run by its path, in an interpreter without site packages, so it imports the standard library only. Two rules. It does
nothing but make sockets: what they are used for is Seamline's. When Seamline is gone, however that happened, everything
that still runs in the namespace is killed, and with its last process the namespace ends.

Where this user may not make one (no CAP_SYS_ADMIN), a user namespace around it is asked for (user_namespaces(7)); only
a process with one thread may enter that, which is why sockets are made here and not in a thread of Seamline's.
"""

import contextlib
import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path

REQUEST = struct.Struct("=iii")
"""Address family, type and protocol of a socket."""
ANSWER = struct.Struct("=i")
"""An error number; 0 where a socket comes along."""

_PROC = Path("/proc")
_BETWEEN_MS = 10
_MOST_SWEEPS = 200


def main(channel: socket.socket) -> None:
    """Make the namespace, hand it over, serve sockets until the other end is gone, then sweep."""
    try:
        spaces = isolate()
    except OSError as error:
        channel.send(ANSWER.pack(error.errno or -1))
        return
    socket.send_fds(channel, [ANSWER.pack(0)], spaces)
    for space in spaces:
        os.close(space)
    with contextlib.suppress(OSError):
        # A packet without a byte is the end of the channel.
        while request := channel.recv(REQUEST.size):
            _serve(channel, request)
    sweep()


def isolate() -> list[int]:
    """Move this process into a network namespace of its own; that, and the user namespace around it if there had to
    be one. OSError where the kernel does not allow it."""
    names = ["net"]
    try:
        os.unshare(os.CLONE_NEWNET)
    except PermissionError:
        uid, gid = os.geteuid(), os.getegid()
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
        # Everybody is who they were before; setgroups has to be given up for that (user_namespaces(7)).
        own = _PROC / "self"
        (own / "setgroups").write_text("deny")
        (own / "uid_map").write_text(f"{uid} {uid} 1")
        (own / "gid_map").write_text(f"{gid} {gid} 1")
        names.append("user")
    return [os.open(_PROC / "self" / "ns" / name, os.O_RDONLY | os.O_CLOEXEC) for name in names]


def sweep() -> None:
    """Kill whatever else runs in this network namespace, also what left its process group."""
    own = _space(os.getpid())
    for _ in range(_MOST_SWEEPS):
        found = [pid for pid in _processes() if pid != os.getpid() and _space(pid) == own]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        # One that forks while it is swept has children that the next look finds.
        select.poll().poll(_BETWEEN_MS)


def _serve(channel: socket.socket, request: bytes) -> None:
    try:
        made = socket.socket(*REQUEST.unpack(request))
    except OSError as error:
        channel.send(ANSWER.pack(error.errno or -1))
        return
    with made:
        socket.send_fds(channel, [ANSWER.pack(0)], [made.fileno()])


def _processes() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _space(pid: int) -> str | None:
    """The network namespace of a process; None where it is gone, or somebody else's."""
    try:
        return str((_PROC / str(pid) / "ns" / "net").readlink())
    except OSError:
        return None


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
