"""NATS' frames in either direction: a control line, and a payload where the line announces one.

No byte is parsed twice, nothing is made as large as a line says, and a payload beyond `BODY_CAP` is counted and hashed
instead of kept (docs.nats.io, "Client protocol").
"""

from hashlib import blake2b
from typing import NamedTuple

from ..headers import Headers
from .call import BODY_CAP

LONGEST_LINE = 256 << 10
"""Bytes of a control line. A server's own bound is 4 KiB, but INFO lists a cluster's servers."""

_LARGEST_PAYLOAD = 1 << 31
_WITH_PAYLOAD = {b"PUB": 0, b"MSG": 0, b"HPUB": 1, b"HMSG": 1}
_WITHOUT = frozenset({b"INFO", b"CONNECT", b"SUB", b"UNSUB", b"PING", b"PONG", b"+OK", b"-ERR"})


class Malformed(ValueError):
    """The bytes are not NATS; the text quotes none of them."""


class Frame(NamedTuple):
    """One control line's verb (upper case) and words, its payload, and how many bytes of that are headers.

    `digest` is "" unless the payload was too large to be kept; `size` is the payload's in any case.
    """

    verb: bytes
    words: list[bytes]
    payload: bytes = b""
    headers: int = 0
    size: int = 0
    digest: str = ""


class FrameReader:
    """Bytes in, frames out."""

    __slots__ = ("_frame", "_have", "_left", "_need", "_over", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._have = self._need = 0
        self._frame: Frame | None = None
        self._over = blake2b(digest_size=16)
        self._left = 0

    def feed(self, data: bytes, out: list[Frame]) -> None:
        """Append each frame that is whole now to `out`. Raises Malformed."""
        if self._left:
            data = self._pass_over(data, out)
        if self._parts:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._need:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        rest: bytes | None = data
        while rest:
            rest = self._parse(rest, out)

    def _parse(self, data: bytes, out: list[Frame]) -> bytes | None:
        at, end = 0, len(data)
        while at < end:
            eol = data.find(b"\r\n", at)
            if eol < 0:
                if end - at > LONGEST_LINE or not is_printable(data[at]):
                    raise Malformed("bytes that are not NATS")
                self._keep(data[at:], end - at + 1)
                return None
            words = data[at:eol].split()
            if not words:
                raise Malformed("bytes that are not NATS")
            verb = words[0].upper()
            headed = _WITH_PAYLOAD.get(verb)
            if headed is None:
                if verb not in _WITHOUT:
                    raise Malformed("bytes that are not NATS")
                out.append(Frame(verb, words))
                at = eol + 2
                continue
            size, headers = _sizes(words, headed)
            stop = eol + 2 + size
            if size > BODY_CAP:
                return self._begin_over(Frame(verb, words, b"", headers, size), data[eol + 2 :], out)
            if stop + 2 > end:
                self._keep(data[at:], stop + 2 - at)
                return None
            out.append(Frame(verb, words, data[eol + 2 : stop], headers, size))
            at = stop + 2
        return None

    def _keep(self, rest: bytes, need: int) -> None:
        self._parts.append(rest)
        self._have = len(rest)
        self._need = need

    def _begin_over(self, frame: Frame, data: bytes, out: list[Frame]) -> bytes:
        self._frame = frame
        self._over = blake2b(digest_size=16)
        self._left = frame.size + 2
        return self._pass_over(data, out)

    def _pass_over(self, data: bytes, out: list[Frame]) -> bytes:
        piece = data[: self._left]
        self._over.update(piece[: max(0, self._left - 2)])
        self._left -= len(piece)
        if not self._left and self._frame is not None:
            out.append(self._frame._replace(digest=self._over.hexdigest()))
        return data[len(piece) :]


def _sizes(words: list[bytes], headed: int) -> tuple[int, int]:
    try:
        size = int(words[-1])
        headers = int(words[-2]) if headed else 0
    except (ValueError, IndexError):
        raise Malformed("a size that is no number") from None
    if not 0 <= headers <= size <= _LARGEST_PAYLOAD or len(words) < 3 + headed:
        raise Malformed("a size beyond all bounds")
    return size, headers


def is_printable(byte: int) -> bool:
    """Whether a control line may begin with it: a TLS handshake does not."""
    return 32 < byte < 127


def parse_headers(block: bytes) -> tuple[Headers, str]:
    """A header block (`NATS/1.0 status description`, then a field a line) as headers and the status, "" where there
    is none."""
    first, _, rest = block.partition(b"\r\n")
    status = first[8:].split(None, 1)
    fields: list[tuple[str, str]] = []
    for line in rest.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name.decode("latin-1"), value.strip().decode("latin-1")))
    return Headers(fields), status[0].decode("latin-1") if status else ""
