"""Free loopback ports for services that are about to start.

The kernel chooses (it hands out and dials out from different halves of its range, so an outgoing connection hardly
ever takes a port away in between); a port that was handed out is not handed out again by this process.
"""

import socket

_handed_out: set[int] = set()


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that nobody listens on at this moment."""
    held: list[socket.socket] = []
    found: list[int] = []
    try:
        while len(found) < count:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.append(listener)
            listener.bind(("127.0.0.1", 0))
            port: int = listener.getsockname()[1]
            if port in _handed_out and len(held) < count + 64:
                continue
            found.append(port)
    finally:
        for listener in held:
            listener.close()
    _handed_out.update(found)
    return found
