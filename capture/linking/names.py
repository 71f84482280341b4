"""What an endpoint and an operation are called where habits are learned about them: with the ids taken out. PURE."""

from functools import lru_cache

from ..wire.call import Call

_LONGEST = 120
_LONG_SEGMENT = 24


def endpoint(method: str, target: str) -> str:
    """`GET /orders/17?x=1` is `GET /orders/{}`: a segment with a digit in it, or a very long one, is an id."""
    path = target[:2048].partition("?")[0]
    return f"{method} {'/'.join(map(_segment, path.split('/')))}"[:_LONGEST]


def endpoint_of_head(head: bytes) -> str:
    """The endpoint that an HTTP/1.1 request as it came (or its head) asks for."""
    words = head[: head.find(b"\r\n")].split(b" ", 2)
    if len(words) < 2:
        return ""
    return endpoint(words[0].decode("latin-1"), words[1].decode("latin-1"))


def operation(call: Call, service: str) -> str:
    """What a call does: a statement by its fingerprint, an HTTP-like one by its endpoint, the rest by the operation."""
    for name, value in call.headers.items:
        # As SQL decoders write it: this runs for every call.
        if name == "fingerprint":
            return f"{service} {value[:32]}"
    if call.operation:
        return f"{service} {call.operation[:_LONGEST]}"
    return f"{service} {endpoint(call.method, call.target)}"


@lru_cache(maxsize=8192)
def _segment(text: str) -> str:
    return "{}" if len(text) > _LONG_SEGMENT or any(map(str.isdigit, text)) else text
