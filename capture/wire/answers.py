"""A whole plain answer told by its head, without a parser. PURE.

One rule holds here: what is accepted is what an HTTP/1.1 parser reads in exactly the same way, and everything that
has a second reading, or is merely unusual, is not accepted: the caller then asks the parser. Most answers of most
services are plain: one read, a final status, one Content-Length, a connection that stays open.
"""

import re
from typing import NamedTuple

from ..model import Response
from .heads import split_response

_MOST_REMEMBERED = 1024
_LARGEST_HEAD = 4096
"""Bytes of a head that is looked at here: with what is remembered of them, a bound of 4 MB a framer."""

_NEVER = -_LARGEST_HEAD - 1
"""The length of a body that nothing is as long as, whatever its head's size."""

# RFC 9112, 4 and 5; 204 and 304 have no body whatever their length says. Possessive: no input makes it go back.
_PLAIN = re.compile(
    rb"HTTP/1\.1 (?!204|304)[2-5][0-9][0-9] (?:[!-~]++(?: [!-~]++)*+)?+\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[ \t]*+[!-~\x80-\xff][\t -~\x80-\xff]*+(?<![\t ])\r\n)++\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*+([0-9]{1,9}+)\r\n")
_KEPT_OPEN = re.compile(rb"\r\nconnection:[ \t]*+keep-alive\r\n")
_UNUSUAL = (b"\r\ntransfer-encoding:", b"\r\nupgrade:", b"\r\nproxy-connection:", b"\r\ntrailer:")


class RawAnswer(NamedTuple):
    """A plain answer as it came, its head not decoded."""

    head: bytes
    body: bytes

    def response(self) -> Response:
        """The answer, decoded."""
        version, reason, headers = split_response(self.head)
        return Response(int(self.head[9:12]), headers, self.body, reason, version)


class AnswerFramer:
    """Frames answers, and remembers the heads it has seen: those of one endpoint differ once a second."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}

    def head_size(self, data: bytes) -> int:
        """Bytes of the head where `data` is exactly one whole plain answer to something else than HEAD or CONNECT,
        after which the connection stays open; else 0."""
        size = data.find(b"\r\n\r\n") + 4
        if not 4 < size <= _LARGEST_HEAD:
            return 0
        head = data[:size]
        length = self._known.get(head)
        if length is None:
            length = self._remember(head)
        return size if size + length == len(data) else 0

    def _remember(self, head: bytes) -> int:
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        length = self._known[head] = body_size(head)
        return length


def body_size(head: bytes) -> int:
    """The length of the body that follows a plain answer's head; for any other head one that no body has."""
    lower = head.lower()
    lengths = _LENGTH.findall(lower)
    if len(lengths) != 1 or lower.count(b"\r\ncontent-length:") != 1 or any(name in lower for name in _UNUSUAL):
        return _NEVER
    if lower.count(b"\r\nconnection:") != len(_KEPT_OPEN.findall(lower)) or _PLAIN.fullmatch(head) is None:
        return _NEVER
    return int(lengths[0])
