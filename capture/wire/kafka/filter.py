"""What keeps a Kafka client with the tap: the addresses that a broker advertises, and the versions that it offers.

Two rules hold here. Only responses that have to be changed are held back until they are whole. Where several brokers
are advertised nothing is moved: one tap cannot stand for all of them. PURE.
"""

from collections import OrderedDict

from .addresses import Address, brokers_of, coordinator_moved, versions_capped, with_address
from .apis import API_VERSIONS, FIND_COORDINATOR, HIGHEST, METADATA
from .frames import LONGEST_FRAME, Asked, Malformed, parse_request

_MOST_ASKED = 1024
_LARGEST_CHANGED = 8 << 20
_LONGEST_HEAD = 512
_CHANGED = frozenset({API_VERSIONS, METADATA, FIND_COORDINATOR})
_WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not listened on


class KafkaFilter:
    """The bytes of one connection. It is done where they turn out to be no Kafka."""

    def __init__(self, address: Address) -> None:
        host, port = address
        self._address = ("localhost" if host in _WILDCARDS else host, port)
        self._asked: OrderedDict[int, Asked] = OrderedDict()
        self._is_done = self._is_several = False
        self._head = b""
        self._client_left = self._server_left = 0
        self._held = b""

    @property
    def is_done(self) -> bool:
        """Whether nothing can be changed here."""
        return self._is_done and not self._held

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """The client's bytes pass as they are; requests of interest are remembered."""
        try:
            if not self._is_done:
                self._watch(data)
        except Malformed:
            self._is_done = True
        return data, b""

    def _watch(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self._client_left:
                took = min(self._client_left, len(data) - at)
                self._client_left -= took
                at += took
                continue
            head = self._head + data[at : at + 4 + _LONGEST_HEAD - len(self._head)]
            size = int.from_bytes(head[:4])
            if len(head) >= 4 and size > LONGEST_FRAME:
                raise Malformed
            wanted = 4 + min(size, _LONGEST_HEAD) if len(head) >= 4 else 4
            if len(head) < wanted or len(head) < 4:
                self._head = head
                return
            at += wanted - len(self._head)
            self._head = b""
            self._client_left = size - (wanted - 4)
            self._remember(head[4:wanted])

    def _remember(self, head: bytes) -> None:
        asked = parse_request(head)
        if asked.api in _CHANGED and asked.version <= HIGHEST.get(asked.api, asked.version):
            self._asked[asked.correlation] = asked
            while len(self._asked) > _MOST_ASKED:
                self._asked.popitem(last=False)

    def server(self, data: bytes) -> bytes:
        """The broker's bytes, changed where they have to be."""
        passed = []
        data = self._held + data
        self._held = b""
        if self._is_done:
            return data
        at, end = 0, len(data)
        while at < end:
            if self._server_left:
                took = min(self._server_left, end - at)
                passed.append(data[at : at + took])
                self._server_left -= took
                at += took
                continue
            if end - at < 8:
                self._held = data[at:]
                break
            size, correlation = int.from_bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], signed=True)
            if correlation not in self._asked or not 8 < size <= _LARGEST_CHANGED:
                self._server_left = 4 + size
            elif end - at < 4 + size:
                self._held = data[at:]
                break
            else:
                passed.append(self._changed(data[at + 4 : at + 4 + size], self._asked.pop(correlation)))
                at += 4 + size
        return b"".join(passed)

    def _changed(self, body: bytes, asked: Asked) -> bytes:
        try:
            body = self._moved(body, asked)
        except Malformed:
            # Another version than was asked for: it passes as it is.
            self._asked.pop(asked.correlation, None)
        return len(body).to_bytes(4) + body

    def _moved(self, body: bytes, asked: Asked) -> bytes:
        if asked.api == API_VERSIONS:
            return versions_capped(body, asked.version)
        if asked.api == FIND_COORDINATOR:
            return body if self._is_several else coordinator_moved(body, asked.version, self._address)
        brokers = brokers_of(body, asked.version)
        self._is_several = len(brokers) > 1
        if len(brokers) != 1:
            return body
        return with_address(body, brokers[0].start, brokers[0].end, self._address)
