"""What keeps a MySQL connection readable: the server's greeting without encryption and compression.

A client takes only what it is offered, so it goes on in clear text, or gives up where it insists on TLS. PURE.
"""

from .handshake import UNREADABLE, parse_greeting, without
from .packets import Malformed

_LONGEST_GREETING = 1024


class MysqlFilter:
    """The server's first packet of one connection; done with it."""

    def __init__(self, _: tuple[str, int]) -> None:
        self._held = b""
        self._is_done = False

    @property
    def is_done(self) -> bool:
        """Whether the greeting has passed."""
        return self._is_done

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """A client waits for the greeting."""
        return data, b""

    def server(self, data: bytes) -> bytes:
        """The greeting, once it is whole; what is none passes as it is."""
        held = self._held + data
        size = int.from_bytes(held[:3], "little")
        if len(held) < 4 or (len(held) < 4 + size and size <= _LONGEST_GREETING):
            self._held = held
            return b""
        self._held, self._is_done = b"", True
        body = held[4 : 4 + size]
        try:
            greeting = parse_greeting(body)
        except Malformed:
            return held
        return held[:4] + without(body, greeting, UNREADABLE) + held[4 + size :]
