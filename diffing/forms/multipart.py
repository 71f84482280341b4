"""multipart/*: the parts by their names, in order where they have none (RFC 2046, 5.1; RFC 7578).

The boundary is drawn anew with each body and says nothing. A field of text is its text; any other part is what its own
content type makes of it.
"""

import re
from collections.abc import Callable

from ..report.model import Json

MAX_PARTS = 1_000
MAX_BOUNDARY = 200
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,200})\"|([^\s;,\"]{1,200}))", re.IGNORECASE)
_NAME = re.compile(r"(?:^|[;\s])name=(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)
_FILE_NAME = re.compile(r"filename=(?:\"([^\"]*)\"|([^\s;\"]+))", re.IGNORECASE)

Inner = Callable[[bytes, str], Json]
"""A part's body and content type in, its value out."""


class MultipartError(ValueError):
    """The body is not what its boundary says."""


def parse_multipart(body: bytes, content_type: str, inner: Inner) -> Json:
    """The parts as {name: value}, or as a list where one has no name. `content_type` as sent: a boundary has case.
    Raises MultipartError."""
    line_end = b"\r\n" if b"\r\n" in body else b"\n"
    separator = line_end + b"--" + _boundary(body, content_type)
    pieces = (line_end + body).split(separator, MAX_PARTS)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise MultipartError("parts do not fit the boundary")
    parts = [_part(piece, line_end, inner) for piece in pieces[1:-1]]
    if not all(name for name, _ in parts):
        return [value for _, value in parts]
    fields: dict[str, list[Json]] = {}
    for name, value in parts:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _boundary(body: bytes, content_type: str) -> bytes:
    """What the content type names; a body from which the type was lost begins with it."""
    found = _BOUNDARY.search(content_type)
    if found:
        return (found[1] or found[2]).encode("latin-1", "replace")
    first = body.split(b"\n", 1)[0].rstrip()
    if not first.startswith(b"--") or not 2 < len(first) <= MAX_BOUNDARY:
        raise MultipartError("no boundary")
    return first[2:]


def _part(piece: bytes, line_end: bytes, inner: Inner) -> tuple[str, Json]:
    head, blank, body = piece.partition(line_end * 2)
    if not blank:
        raise MultipartError("a part without a head")
    headers = _headers(head)
    disposition, content_type = headers.get("content-disposition", ""), headers.get("content-type", "")
    file_name = _FILE_NAME.search(disposition)
    named = _NAME.search(disposition)
    value = inner(body, content_type or "text/plain")
    if file_name:
        value = {"filename": file_name[1] or file_name[2] or "", "type": content_type.lower(), "content": value}
    return (named[1] or named[2] or "") if named else "", value


def _headers(head: bytes) -> dict[str, str]:
    lines = re.sub(r"\r?\n[ \t]+", " ", head.decode("latin-1")).splitlines()
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
