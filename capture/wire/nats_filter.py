"""Keeps a NATS client at the tap: a server tells its clients where the cluster's other servers are.

Two rules hold here. Only a whole INFO line that names other servers is changed. A server that demands TLS is passed on
as it is: what follows cannot be read, and the decoder says so.
"""

import orjson

from .filters import Address
from .nats_frames import LONGEST_LINE, is_printable

_ELSEWHERE = ("connect_urls", "ws_connect_urls")
_WITH_PAYLOAD = (b"MSG", b"HMSG")


class NatsFilter:
    """One connection's INFO lines. It has to follow the frames, since a server sends INFO whenever the cluster changes,
    and a payload may look like one."""

    __slots__ = ("_held", "_skip", "is_done")

    def __init__(self, address: Address) -> None:
        self._held = b""
        self._skip = 0
        self.is_done = False

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """A client's bytes pass."""
        return data, b""

    def server(self, data: bytes) -> bytes:
        """A server's bytes without the addresses of others."""
        data = self._held + data
        self._held = b""
        passed: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._skip:
                step = min(self._skip, end - at)
                passed.append(data[at : at + step])
                self._skip -= step
                at += step
                continue
            eol = data.find(b"\r\n", at)
            if eol < 0:
                return b"".join([*passed, self._partial(data[at:])])
            line = data[at : eol + 2]
            passed.append(self._line(line))
            at = eol + 2
            if self.is_done:
                passed.append(data[at:])
                break
        return b"".join(passed)

    def _partial(self, rest: bytes) -> bytes:
        """A line that has not ended: held back until it has, unless it never will."""
        if len(rest) <= LONGEST_LINE and is_printable(rest[0]):
            self._held = rest
            return b""
        self.is_done = True
        return rest

    def _line(self, line: bytes) -> bytes:
        words = line.split()
        verb = words[0].upper() if words else b""
        if verb == b"INFO":
            return _without_others(line)
        if verb in _WITH_PAYLOAD:
            try:
                self._skip = int(words[-1]) + 2
            except ValueError:
                self.is_done = True
            self.is_done = self.is_done or self._skip < 2
        elif verb not in (b"PING", b"PONG", b"+OK", b"-ERR"):
            self.is_done = True
        return line


def _without_others(line: bytes) -> bytes:
    text = line[4:].strip()
    try:
        info = orjson.loads(text)
    except orjson.JSONDecodeError:
        return line
    if not isinstance(info, dict) or not any(name in info for name in _ELSEWHERE):
        return line
    for name in _ELSEWHERE:
        info.pop(name, None)
    return b"INFO " + orjson.dumps(info) + b"\r\n"
