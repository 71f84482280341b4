"""Pieces of MySQL conversations."""

from collections.abc import Sequence

from seamline.capture.wire.mysql.encode import OFFERED, column, eof, greeting, ok, text_row
from seamline.capture.wire.mysql.handshake import Capability
from seamline.capture.wire.mysql.packets import framed

Piece = tuple[str, bytes]
MODERN = OFFERED
OLD = OFFERED & ~Capability.DEPRECATE_EOF


def server(*bodies: bytes, first: int = 1) -> Piece:
    """Packets of the server's, counted from `first`."""
    return "server", b"".join(framed(first + at, body) for at, body in enumerate(bodies))


def client(body: bytes, sequence: int = 0) -> Piece:
    """A packet of the client's."""
    return "client", framed(sequence, body)


def query(text: str) -> Piece:
    """A COM_QUERY."""
    return client(b"\x03" + text.encode())


def start(capabilities: int = MODERN, database: bytes = b"shop") -> list[Piece]:
    """A greeting, a login and its success."""
    own = capabilities | Capability.CONNECT_WITH_DB
    login = (own & 0xFFFFFFFF).to_bytes(4, "little") + b"\0\0\0\1\x2d" + bytes(23) + b"app\0\x03key" + database + b"\0"
    hello = greeting("8.0.36", 1, b"c" * 20, 2, own | Capability.SSL)
    return [("server", framed(0, hello)), client(login, 1), server(ok(2), first=2)]


def table(
    columns: Sequence[tuple[str, str]], *rows: Sequence[object], status: int = 2, modern: bool = True
) -> list[bytes]:
    """The packets of a text result set."""
    types = [kind for _, kind in columns]
    head = [bytes((len(columns),)), *(column(*each) for each in columns)]
    middle = [text_row(row, types) for row in rows]
    if modern:
        return [*head, *middle, ok(status, head=0xFE)]
    return [*head, eof(2), *middle, eof(status)]
