"""A request as the bytes that go out: the recorded ones, as far as one connection allows.

Method, target, header order, case and duplicates stay. `sendable.Fitter` has made the request fit before it came
into a plan; what is left to do here is the framing of the body (a chunked one becomes one chunk: the recorded bounds
are not kept in a capture) and a Host where there is none.
"""

from ...capture.headers import Headers
from ...capture.model import Request

_MOST_REMEMBERED = 4096


class _Block:
    """A header block as bytes, with what the transport has to know of it."""

    __slots__ = ("chunked", "closes", "headers", "hosted", "keeps", "raw")

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.raw = ("".join([f"{name}: {value}\r\n" for name, value in headers.items]) + "\r\n").encode("latin-1")
        options = [option.strip() for option in ",".join(headers.get_all("connection")).lower().split(",")]
        self.closes = "close" in options
        self.keeps = "keep-alive" in options
        self.chunked = "transfer-encoding" in headers
        self.hosted = "host" in headers


class Encoder:
    """Encodes requests for the target `authority` ("host:port"). Remembers the blocks of the headers objects it has
    seen: the requests of a plan share them."""

    __slots__ = ("_blocks", "_host")

    def __init__(self, authority: str) -> None:
        self._host = f"Host: {authority}\r\n"
        # By identity, which costs no walk through the headers; a block keeps its object alive, so ids stay true.
        self._blocks: dict[int, _Block] = {}

    def encode(self, request: Request) -> tuple[bytes, bool]:
        """The request's bytes, and whether its connection may serve another one afterwards."""
        block = self._blocks.get(id(request.headers))
        if block is None:
            block = _Block(request.headers)
            if len(self._blocks) >= _MOST_REMEMBERED:
                self._blocks.clear()
            self._blocks[id(request.headers)] = block
        old = request.version == "1.0"
        line = f"{request.method} {request.target} HTTP/1.{'0' if old else '1'}\r\n"
        if not block.hosted and not old:
            line += self._host
        reusable = block.keeps if old else not block.closes
        if not request.body and not block.chunked:
            return line.encode("latin-1") + block.raw, reusable
        body = _chunks(request.body) if block.chunked else request.body
        return b"".join((line.encode("latin-1"), block.raw, body)), reusable


def _chunks(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
