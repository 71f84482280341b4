"""What keeps a PostgreSQL connection readable: nobody agrees on encryption.

A client asks for it in its first messages; the tap answers 'N', as a server without it does, and the client goes on
in clear text or gives up (sslmode=require, sslnegotiation=direct). PURE.
"""

from struct import Struct

from .messages import GSSENC_REQUEST, SSL_REQUEST

_REQUEST = Struct("!II")
_REFUSED = b"N"
_ASKS = {SSL_REQUEST, GSSENC_REQUEST}


class PostgresFilter:
    """The client's first messages of one connection; done with the first that is no request for encryption."""

    def __init__(self, _: tuple[str, int]) -> None:
        self._held = b""
        self._is_done = False

    @property
    def is_done(self) -> bool:
        """Whether the start-up message has come."""
        return self._is_done

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """A request for encryption is answered and kept; everything else is passed on."""
        data = self._held + data
        self._held = answer = b""
        while len(data) >= 8:
            size, code = _REQUEST.unpack_from(data)
            if size != 8 or code not in _ASKS:
                self._is_done = True
                return data, answer
            answer += _REFUSED
            data = data[8:]
        self._held = data
        return b"", answer

    def server(self, data: bytes) -> bytes:
        """A server says nothing that matters here."""
        return data
