"""How an HTTP/2 connection in cleartext begins: with the client's preface, or as HTTP/1.1 that is upgraded.

The upgrade (RFC 7540, 3.2) is out of use since RFC 9113, but curl and Java's client still try it. What is neither,
TLS above all, is an Http2Error.
"""

from ..headers import Headers
from .heads import split_request
from .http2 import PREFACE, Http2Error

_MAX_HEAD = 1 << 16
_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"})
_LONGEST_METHOD = 7
_OF_UPGRADE = ("connection", "upgrade", "http2-settings")


class Opening:
    """The first bytes of both directions in, what of them are frames out. `request` is (method, target, headers) of a
    request that asks for the upgrade: the connection's stream 1."""

    __slots__ = ("_client", "_server", "_upgraded", "request")

    def __init__(self) -> None:
        self._client: bytes | None = b""  # what came and is no frame yet; None behind the preface
        self._server: bytes | None = b""
        self._upgraded = False
        self.request: tuple[str, str, Headers] | None = None

    @property
    def client_is_done(self) -> bool:
        """Whether all that the client sends is frames by now."""
        return self._client is None

    @property
    def server_is_done(self) -> bool:
        """Whether all that the server sends is frames by now."""
        return self._server is None

    def client(self, data: bytes) -> bytes:
        """The frames in the client's bytes. Raises Http2Error."""
        if self._client is None:
            return data
        self._client += data
        if self._client.startswith(PREFACE):
            frames, self._client = self._client[len(PREFACE) :], None
            return frames
        if PREFACE.startswith(self._client):
            return b""
        if self.request is not None:
            raise Http2Error("an upgrade without HTTP/2 behind it")
        self._asked(self._client)
        return self.client(b"") if self.request is not None else b""

    def server(self, data: bytes) -> bytes:
        """The frames in the server's bytes. Raises Http2Error."""
        if self._server is None:
            return data
        self._server += data
        if self.request is None:
            if len(self._server) >= 5 or not b"HTTP/".startswith(self._server):
                frames, self._server = self._server, None
                if frames.startswith(b"HTTP/"):
                    raise Http2Error("HTTP/1.1, not HTTP/2")
                return frames
            return b""
        head, end, frames = self._server.partition(b"\r\n\r\n")
        if not end:
            if len(head) > _MAX_HEAD:
                raise Http2Error("bytes that are not HTTP/2")
            return b""
        if not head.startswith(b"HTTP/1.1 101"):
            raise Http2Error("an upgrade to HTTP/2 that was refused")
        self._server = None
        return frames

    def _asked(self, data: bytes) -> None:
        """A request of HTTP/1.1, as far as it has come."""
        if data[:1] == b"\x16":
            raise Http2Error("TLS, not HTTP/2 in cleartext")
        method, space, _ = data[: _LONGEST_METHOD + 1].partition(b" ")
        if method not in _METHODS if space else not any(each.startswith(method) for each in _METHODS):
            raise Http2Error("bytes that are not HTTP/2")
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > _MAX_HEAD:
                raise Http2Error("bytes that are not HTTP/2")
            return
        verb, target, _, headers = split_request(data[: end + 4])
        if "h2c" not in (headers.get("upgrade") or "").lower():
            raise Http2Error("HTTP/1.1, not HTTP/2")
        if (headers.get("content-length") or "0") != "0" or "transfer-encoding" in headers:
            raise Http2Error("an upgrade to HTTP/2 with a body")
        self.request = (verb, target, headers.without(*_OF_UPGRADE))
        self._client = data[end + 4 :]
