"""A miss, said in the protocol's own words. Everything it quotes has been cleaned. PURE."""

from collections.abc import Callable
from urllib.parse import quote

import orjson

from ...capture.headers import Headers
from ...capture.model import Response
from ...capture.wire.call import ERROR
from .match import Miss, Near, Step
from .tally import HEADER

_SYSTEM_ERROR = "58000"
"""SQLSTATE: a system error, external to the database itself (PostgreSQL 17 docs, appendix A)."""

_UNKNOWN = "2"
"""gRPC status UNKNOWN: no client tries again because of it."""

_LONGEST_IN_A_HEADER = 1500


def explained(miss: Miss) -> str:
    """Why, and what was near, in one line."""
    near = "; ".join(_told(each) for each in miss.near)
    return f"{miss.reason}; nearest: {near}" if near else miss.reason


def said(service: str, protocol: str, miss: Miss) -> Response:
    """What the stub of `service` answers to a call that it has no answer to."""
    return _WORDS.get(protocol, _call)(service, miss)


def _told(near: Near) -> str:
    whys = ", ".join(near.whys)
    return f"{near.id} {near.label}" + (f" ({whys})" if whys else "")


def _headers(content_type: str, *more: tuple[str, str]) -> Headers:
    return Headers((("content-type", content_type), *more, (HEADER, Step.MISSED.value)))


def _dumped(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # A lone surrogate of a recorded text.
        return orjson.dumps({"error": "seamline: the stub has no answer to this call"})


def _http(service: str, miss: Miss) -> Response:
    body = {
        "error": f'seamline: the stub of "{service}" has no answer to this call: {miss.reason}',
        "nearest": [{"exchange": near.id, "call": near.label, "why_not": list(near.whys)} for near in miss.near],
    }
    return Response(502, _headers("application/json"), _dumped(body), "Bad Gateway")


def _grpc(service: str, miss: Miss) -> Response:
    message = f"seamline: the stub of {service} has no answer: {explained(miss)}"[:_LONGEST_IN_A_HEADER]
    told = quote(message.encode("utf-8", "replace"), safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")
    return Response(200, _headers("application/grpc", ("grpc-status", _UNKNOWN), ("grpc-message", told)))


def _call(service: str, miss: Miss) -> Response:
    """SQL and Redis."""
    message = f"seamline: the stub of {service} has no answer: {explained(miss)}"
    body = {"severity": "ERROR", "code": _SYSTEM_ERROR, "message": message}
    return Response(ERROR, _headers("application/json"), _dumped(body), _SYSTEM_ERROR)


_WORDS: dict[str, Callable[[str, Miss], Response]] = {"http": _http, "grpc": _grpc}
