"""Free loopback ports for services that are about to start.

Between the choice and the service's own bind a port is anybody's. So they come from below the range that the kernel
dials out from (an outgoing connection of the replay took one away, once in fifty verifications), drawn at random so
that verifications side by side do not meet; a port that was handed out is not handed out again by this process.
"""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

from ...capture.errors import CouldNotCheck

_LOWEST = 10_240
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_DIALS_FROM = 32_768
_MOST_TRIES = 2_000

_handed_out: set[int] = set()


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that nobody listens on now; CouldNotCheck where there are none."""
    held: list[socket.socket] = []
    found: list[int] = []
    try:
        for port in _candidates():
            if len(found) == count:
                break
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.append(listener)
            if _binds(listener, port):
                found.append(port)
    finally:
        for listener in held:
            listener.close()
    if len(found) < count:
        raise CouldNotCheck(f"no {count} free ports on 127.0.0.1", "end some services that listen there")
    return found


def _candidates() -> Iterator[int]:
    # The system's source of chance: two verifications with one seed must not draw the same ports.
    rng = random.SystemRandom()
    highest = max(_LOWEST + 1_000, dialling_from()) - 1
    for _ in range(_MOST_TRIES):
        port = rng.randint(_LOWEST, highest)
        if port not in _handed_out:
            _handed_out.add(port)
            yield port


def dialling_from() -> int:
    """The lowest port that the kernel gives to outgoing connections."""
    try:
        return int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _DIALS_FROM


def _binds(listener: socket.socket, port: int) -> bool:
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
