"""multipart/*: each part by its name and its own content type, the frame around the parts untouched."""

import re
from collections.abc import Callable

from .kinds import Kind
from .tokens import KeyClassifier
from .values import Values

MAX_PARTS = 1_000
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,200})\"|([^\s;,\"]{1,200}))", re.IGNORECASE)
_NAME = re.compile(r"(?:^|[;\s])name=(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)
_FILE_NAME = re.compile(r"filename\*?=", re.IGNORECASE)


class BadMultipart(ValueError):
    """The body is not what its boundary says."""


class MultipartBody:
    """Cleans multipart bodies. `inner` cleans a part: (body, content type, transfer coding) → body."""

    __slots__ = ("_inner", "_keys", "_values")

    def __init__(self, keys: KeyClassifier, values: Values, inner: Callable[[bytes, str], bytes]) -> None:
        self._keys = keys
        self._values = values
        self._inner = inner

    def clean(self, body: bytes, content_type: str) -> bytes:
        """`body` with its parts cleaned. Raises BadMultipart, and whatever `inner` raises."""
        match = _BOUNDARY.search(content_type)
        if match is None:
            raise BadMultipart("no boundary")
        delimiter = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
        pieces = (b"\r\n" + body).split(b"\r\n" + delimiter)
        if not 2 <= len(pieces) <= MAX_PARTS or not pieces[-1].startswith(b"--"):
            raise BadMultipart("parts do not fit the boundary")
        if pieces[0].strip() or pieces[-1][2:].strip():
            raise BadMultipart("text around the parts")
        cleaned = [pieces[0], *map(self._part, pieces[1:-1]), pieces[-1]]
        return (b"\r\n" + delimiter).join(cleaned)[2:]

    def _part(self, piece: bytes) -> bytes:
        head, blank, body = piece.partition(b"\r\n\r\n")
        if not blank:
            raise BadMultipart("a part without a head")
        headers = self._headers(head)
        if headers.get("content-transfer-encoding", "8bit").lower() not in ("7bit", "8bit", "binary"):
            raise BadMultipart("a part's transfer encoding")
        made_head = self._values.text(head.decode("latin-1")).encode("latin-1")
        return made_head + blank + self._content(headers, body)

    def _headers(self, head: bytes) -> dict[str, str]:
        lines = head.decode("latin-1").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
        return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def _content(self, headers: dict[str, str], body: bytes) -> bytes:
        disposition = headers.get("content-disposition", "")
        content_type = headers.get("content-type", "")
        kind = None if _FILE_NAME.search(disposition) else self._kind(disposition)
        if kind is not None and not content_type.lower().startswith(("application/", "image/")):
            return self._field(kind, body)
        if not body:
            return body
        return self._inner(body, content_type or "text/plain")

    def _kind(self, disposition: str) -> Kind | None:
        match = _NAME.search(disposition)
        return self._keys.of(match[1] or match[2] or "").kind if match else None

    def _field(self, kind: Kind, body: bytes) -> bytes:
        try:
            value = body.decode()
        except UnicodeDecodeError as error:
            raise BadMultipart("a field that is no UTF-8") from error
        return self._values.of_kind(kind, value).encode()
