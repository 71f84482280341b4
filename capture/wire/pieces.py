"""One direction of HTTP/1.x, cut so that each message's head comes out whole.

Two rules hold here. Every byte is fed to the parser exactly once, in order. A head is bounded, however slowly it comes.
"""

from abc import ABC, abstractmethod
from typing import Any

import httptools

HEAD_CAP = 256 << 10
_HEAD_END = b"\r\n\r\n"


class Pieces(ABC):
    """One direction: its bytes in pieces that end where a head ends, each fed to a parser.

    httptools does not say where in the bytes a message begins, and decoding heads is not done here. A head ends with
    an empty line, and so does a chunked body: pieces cut there keep heads whole. Where a body of known length ends
    inside a piece, the number of body bytes that came out says where, and a fresh parser takes what follows.
    """

    __slots__ = (
        "_chunked",
        "_fed",
        "_head",
        "_head_size",
        "_in_head",
        "_is_last",
        "_now",
        "_over",
        "_parser",
        "_piece",
        "_spilled",
        "_tail",
        "began_us",
    )

    def __init__(self) -> None:
        self._parser = self._fresh()
        self._now = 0
        self.began_us = 0
        self._in_head = True
        self._is_last = False
        self._head: list[bytes] = []
        self._head_size = 0
        self._piece = b""
        self._tail = b""
        self._fed = 0
        self._chunked = False
        self._over = False
        self._spilled = False

    @property
    def open_head(self) -> bool:
        """Whether the bytes so far end inside a head."""
        return self._in_head and self._head_size > 0

    @property
    def at_rest(self) -> bool:
        """Whether the bytes so far end with a message, and none said that it is the last."""
        return self._in_head and not self._head_size and not self._is_last

    def feed(self, data: bytes, at_us: int) -> None:
        """Bytes of this direction, which came at `at_us`."""
        self._now = at_us
        while data:
            data = self._feed_piece(data)

    def on_message_begin(self) -> None:
        """httptools: a message begins."""
        if self._over:
            self._spilled = True
            raise httptools.HttpParserError("the next message begins in the same piece")

    def _feed_piece(self, data: bytes) -> bytes:
        """Feed the first piece of `data`; what is left of it, nothing where this direction has gone blind."""
        in_head = self._in_head
        if in_head and not self._head_size:
            # Empty lines before a start line belong to nothing.
            data = data.lstrip(b"\r\n")
            self.began_us = self._now
        end = self._cut(data) if in_head or self._chunked else len(data)
        piece = data if end == len(data) else data[:end]
        if in_head:
            self._head_size += end
            if self._head_size > HEAD_CAP:
                self._give_up("a head is too large")
                return b""
        self._piece = piece
        self._fed = 0
        self._over = False
        rest = self._parse(piece)
        if self.open_head:
            self._head.append(piece)
        return rest + data[end:]

    def _cut(self, data: bytes) -> int:
        """Where the first empty line in `data` ends; it may have begun in an earlier piece."""
        tail = self._tail
        seen = tail + data if tail else data
        found = seen.find(_HEAD_END)
        if found < 0:
            self._tail = seen[-3:]
            return len(data)
        self._tail = b""
        return found + len(_HEAD_END) - len(tail)

    def _parse(self, piece: bytes) -> bytes:
        """Give one piece to the parser; the bytes at its end that belong to the next message."""
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._stopped()
            return piece[upgrade.args[0] :]
        except httptools.HttpParserError:
            if self._spilled:
                self._spilled = False
                self._parser = self._fresh()
                return piece[self._fed :]
            self._give_up(None)
        return b""

    def _whole_head(self) -> bytes:
        """The head that ends with this piece; what follows is its body."""
        self._in_head = False
        if not self._head:
            return self._piece
        head = b"".join((*self._head, self._piece))
        self._head = []
        return head

    def _next_head(self) -> None:
        """The message is over."""
        self._is_last = self._is_last or not self._parser.should_keep_alive()
        self._over = True
        self._in_head = True
        self._head_size = 0
        self._chunked = False
        self._tail = b""

    @abstractmethod
    def _fresh(self) -> Any:
        """A parser at the start of a message."""

    @abstractmethod
    def _stopped(self) -> None:
        """The parser wants no more bytes: they may be of another protocol."""

    @abstractmethod
    def _give_up(self, reason: str | None) -> None:
        """This direction cannot be understood (None: its bytes are not HTTP)."""
