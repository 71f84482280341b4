"""A request as the bytes that go over HTTP/1.1: the recorded ones, as far as one connection allows.

Method, target, header order, case and duplicates stay. What changes, and why: an absolute target becomes its origin
form (the target is no proxy); `Expect` goes (nobody waits for a 100); a chunked body is one chunk (the recorded
bounds are not kept in a capture); a body without a length gets one (HTTP/2 has none); a missing Host is added.
"""

from urllib.parse import urlsplit

from ...capture.headers import Headers
from ...capture.model import Request


def encode_request(request: Request, authority: str) -> bytes:
    """The bytes of `request` for the target `authority` ("host:port")."""
    headers = request.headers
    lines = [f"{request.method} {_origin_form(request.target)} HTTP/1.1\r\n"]
    host = length = chunked = False
    for name, value in headers.items:
        lower = name.lower()
        if lower == "expect":
            continue
        host = host or lower == "host"
        length = length or lower == "content-length"
        chunked = chunked or (lower == "transfer-encoding" and "chunked" in value.lower())
        lines.append(f"{name}: {value}\r\n")
    if not host:
        lines.insert(1, f"Host: {authority}\r\n")
    body = request.body
    if chunked:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif body and not length:
        lines.append(f"Content-Length: {len(body)}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode("latin-1") + body


def closes(headers: Headers) -> bool:
    """Whether `headers` announce the end of the connection."""
    for name, value in headers.items:
        if len(name) == 10 and name.lower() == "connection":
            return "close" in value.lower()
    return False


def _origin_form(target: str) -> str:
    if target.startswith("/") or target == "*":
        return target
    parts = urlsplit(target)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
