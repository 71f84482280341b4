"""A request as the bytes that go out. What comes in has passed `sendable.Fitter`; nothing is added here but framing."""

from ...capture.headers import Headers
from ...capture.model import Request

_MOST_REMEMBERED = 4096


class Block:
    """One request's header block as bytes, with what the transport has to know of it.

    `chunked`: the body goes out in chunks; `closes`: the connection ends with the answer.
    """

    __slots__ = ("chunked", "closes", "headers", "keeps", "raw")

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.raw = ("".join([f"{name}: {value}\r\n" for name, value in headers.items]) + "\r\n").encode("latin-1")
        options = ",".join(headers.get_all("connection")).lower().split(",")
        self.closes = any(option.strip() == "close" for option in options)
        self.keeps = any(option.strip() == "keep-alive" for option in options)
        self.chunked = "transfer-encoding" in headers


class Renderer:
    """Remembers the blocks of headers objects it has seen: a plan shares them between its requests."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        # By identity, which costs no walk through the headers; the block keeps its object alive, so ids stay true.
        self._blocks: dict[int, Block] = {}

    def render(self, request: Request) -> tuple[bytes, bool]:
        """The request's bytes, and whether its connection can serve another one afterwards."""
        block = self._blocks.get(id(request.headers))
        if block is None:
            block = Block(request.headers)
            if len(self._blocks) >= _MOST_REMEMBERED:
                self._blocks.clear()
            self._blocks[id(request.headers)] = block
        old = request.version == "1.0"
        line = f"{request.method} {request.target} HTTP/1.{'0' if old else '1'}\r\n".encode("latin-1")
        reusable = block.keeps if old else not block.closes
        if not request.body and not block.chunked:
            return line + block.raw, reusable
        body = _chunks(request.body) if block.chunked else request.body
        return b"".join((line, block.raw, body)), reusable


def _chunks(body: bytes) -> bytes:
    """The body as one chunk. How it was cut when it was recorded is not in a capture."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
