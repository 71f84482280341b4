"""An exchange on one line: what it asks and how it was answered. PURE, and unescaped: whoever shows it escapes it."""

from .model import Exchange

_SAYS_ALL = frozenset({"postgres", "mysql", "grpc"})
"""Protocols whose operation names its target."""


def asked(e: Exchange) -> str:
    """A request line, a SQL text, a command with its key, a subject."""
    request = e.request
    if not request.operation:
        return f"{request.method} {request.target}"
    if e.protocol in _SAYS_ALL:
        return request.operation
    return f"{request.operation} {request.target}".rstrip()


def answered(e: Exchange) -> str:
    """How it was answered, in a word or two: "200", "ok SELECT 3", "error 42P01", "grpc 5", "reset"."""
    if e.failure is not None:
        return e.failure.kind.value
    if e.response is None:
        return "-"
    if e.protocol == "grpc":
        return f"grpc {e.response.headers.get('grpc-status') or '-'}"
    if not e.request.operation:
        return str(e.response.status)
    return f"{'error' if e.response.status else 'ok'} {e.response.reason}".rstrip()


def failed(e: Exchange) -> bool:
    """Whether there is no answer, or one by which the server says that it could not serve."""
    if e.response is None:
        return True
    if e.protocol == "grpc":
        return e.response.status != 200 or (e.response.headers.get("grpc-status") or "2") != "0"
    return e.response.status >= 500 if not e.request.operation else e.response.status != 0
