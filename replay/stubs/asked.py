"""What a call asks for, as values that can be compared: an operation and its arguments, one leaf each.

Two calls with the same `exact` ask the very same thing; with the same `shape`, the same thing with other values.
What changes from one sending to the next without a meaning of its own (trace ids, dates, lengths) is no argument.
PURE.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import orjson

from ...capture.codings import CodingError, decode, parse_codings
from ...capture.grpc_body import PROTOBUF_TYPES, readable_messages
from ...capture.headers import Headers
from ...capture.model import Request, Withheld

MOST_LEAVES = 2000
"""Leaves of one body that are told apart; a larger one is told by its digest."""

_LARGEST_BODY = 1 << 20
_LONGEST_TEXT = 4096

VOLATILE = frozenset(
    {
        # one connection's business
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect",
        "host", "content-length", "accept-encoding", "user-agent", "via", "forwarded", "x-forwarded-for",
        "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip", "grpc-timeout",
        "grpc-accept-encoding",
        # one sending's
        "date", "age", "traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled",
        "x-b3-parentspanid", "x-b3-flags", "x-request-id", "x-correlation-id", "x-amzn-trace-id", "x-datadog-trace-id",
        "x-datadog-parent-id", "x-datadog-sampling-priority", "x-cloud-trace-context", "uber-trace-id",
        "x-request-start", "x-envoy-expected-rq-timeout-ms", "x-envoy-attempt-count", "amz-sdk-invocation-id",
        "amz-sdk-request", "x-stainless-retry-count",
        # what the body says itself
        "content-type", "content-encoding", "content-md5", "digest", "content-digest", "repr-digest",
    }
)  # fmt: skip
"""Headers of HTTP and gRPC requests that are no arguments."""

_UUID = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_VARIABLE = re.compile(rf"\d+|{_UUID}|[0-9a-fA-F]{{16,}}|[^/]*@[^/]*|(?=[^/]*\d)[^/]{{4,}}")
_VERSION = re.compile(r"[vV]\d+(?:\.\d+)*")
_NUMBERED = re.compile(r"#\d+|\[\d+\]")
_NAMED_BY_HEADERS = frozenset({"http", "grpc"})


class Leaf(NamedTuple):
    """One argument: where it stands, "s", "n", "b", "z" or "x" for what it is (text, number, boolean, null, digest of
    bytes), and its value."""

    path: str
    kind: str
    value: Any


class Asked(NamedTuple):
    """What a call asks. `family` is the coarsest: calls outside it have nothing to do with one another. `operation` is
    the operation with the places of its values left open, `label` names it to people."""

    label: str
    family: str
    operation: str
    leaves: tuple[Leaf, ...]
    side: tuple[Leaf, ...]
    """Leaves of headers and of what was withheld: equal for an exact match, and no part of the shape."""
    own: tuple[Leaf, ...] = ()
    """The leaves as a live service sent them, where cleaning changed any."""

    @property
    def exact(self) -> tuple[object, ...]:
        """Equal for calls that ask the very same."""
        return self.operation, self.leaves, self.side

    @property
    def shape(self) -> tuple[object, ...]:
        """Equal for calls of one operation whose arguments have the same names and types."""
        names = frozenset((_NUMBERED.sub("", leaf.path), leaf.kind) for leaf in self.leaves)
        return self.operation, names


def asked(protocol: str, request: Request, withheld: Iterable[Withheld] = ()) -> Asked:
    """What `request` asks. Never raises: what cannot be taken apart is told by a digest, and so is what was
    `withheld` of it."""
    hidden = [Leaf(part.part, "x", part.digest) for part in withheld if part.part.startswith("request.")]
    side = (*_headers(request.headers), *hidden) if protocol in _NAMED_BY_HEADERS else tuple(hidden)
    if protocol == "http":
        return _asked_by_http(request, side)
    leaves = _json_leaves("$", request.arguments.encode("utf-8", "surrogatepass"))
    if request.body:
        leaves += _body(request.headers, request.body)
    operation = _operation(protocol, request)
    label = f"{request.operation or request.method} {request.target}".strip()
    return Asked(label, operation, operation, tuple(leaves), side)


def _operation(protocol: str, request: Request) -> str:
    """SQL: the fingerprint, for which white space and the length of a list make no difference. Redis: the command and
    the key with its ids left open."""
    fingerprint = request.headers.get("fingerprint")
    if fingerprint:
        return f"{request.method} {fingerprint}"
    if protocol == "redis":
        return f"{request.operation} {':'.join(_opened(part) for part in request.target.split(':'))}"
    return f"{request.method} {request.operation or request.target}"


def _asked_by_http(request: Request, side: tuple[Leaf, ...]) -> Asked:
    path, query = _target(request.target)
    segments = path.split("/")
    opened = [_opened(segment) for segment in segments]
    leaves = [
        Leaf(f"path[{place}]", "s", segment)
        for place, (segment, template) in enumerate(zip(segments, opened, strict=True))
        if segment != template
    ]
    leaves += _pairs("query", query)
    if request.body:
        leaves += _body(request.headers, request.body)
    family = f"{request.method} {len(segments)} {segments[1] if len(segments) > 1 else ''}"
    operation = f"{request.method} {'/'.join(opened)}"
    return Asked(f"{request.method} {path}", family, operation, tuple(leaves), side)


def _opened(segment: str) -> str:
    """A path segment, or {} where it looks like an id."""
    return "{}" if _VARIABLE.fullmatch(segment) and not _VERSION.fullmatch(segment) else segment


def _target(target: str) -> tuple[str, str]:
    """Path and query of a request target, in origin form or in absolute form."""
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return path, query
    try:
        parts = urlsplit(target)
    except ValueError:
        return target, ""
    return parts.path or "/", parts.query


def _pairs(where: str, text: str) -> list[Leaf]:
    """Parameters by name: their order among each other says nothing, except that of the same name."""
    if not text:
        return []
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_LEAVES)
    except ValueError:
        return [_digest(where, text.encode("utf-8", "surrogatepass"))]
    return [Leaf(f"{where}.{name}", "s", value) for name, value in sorted(pairs, key=lambda pair: pair[0])]


def _headers(headers: Headers) -> Iterable[Leaf]:
    kept = [(name.lower(), value) for name, value in headers.items if name.lower() not in VOLATILE]
    kept.sort(key=lambda item: item[0])
    return (Leaf(f"header.{name}", "s", value) for name, value in kept)


def _body(headers: Headers, body: bytes) -> list[Leaf]:
    codings = parse_codings(headers.get_all("content-encoding"))
    if codings:
        try:
            body = decode(body, codings, _LARGEST_BODY)
        except CodingError:
            return [_digest("body", body)]
    kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded" and len(body) <= _LARGEST_BODY:
        return _pairs("form", body.decode("latin-1"))
    if kind.startswith("multipart/"):
        return [_digest("body", _unbounded(body))]
    if kind.startswith("application/grpc") or kind in PROTOBUF_TYPES:
        messages = readable_messages(body, kind, _LARGEST_BODY)
        return _leaves("$", messages, body) if messages is not None else [_digest("body", body)]
    if kind.endswith("json") or body[:1] in (b"{", b"["):
        return _json_leaves("$", body)
    return [_opaque("body", body)]


def _unbounded(body: bytes) -> bytes:
    """A multipart body without its boundary, which is drawn anew for each."""
    boundary = body.partition(b"\r\n")[0]
    return body.replace(boundary, b"") if len(boundary) > 2 and boundary.startswith(b"--") else body


def _json_leaves(root: str, text: bytes) -> list[Leaf]:
    """The leaves of a JSON text in canonical order (members by name); of what is none, one leaf for all of it."""
    if not text:
        return []
    if len(text) > _LARGEST_BODY:
        return [_digest(root, text)]
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [_opaque(root, text)]
    return _leaves(root, value, text)


def _leaves(root: str, value: Any, text: bytes) -> list[Leaf]:
    """The leaves of a JSON value; `text` is told by its digest where there are too many."""
    leaves: list[Leaf] = []
    # A stack and not recursion: the depth of a body is its sender's choice.
    stack: list[tuple[str, Any]] = [(root, value)]
    while stack:
        path, value = stack.pop()
        if len(leaves) > MOST_LEAVES:
            return [_digest(root, text)]
        below = _below(path, value)
        if below is None:
            leaves.append(_scalar(path, value))
        else:
            stack += below
    return leaves


def _below(path: str, value: Any) -> list[tuple[str, Any]] | None:
    """Members or elements, last first; None for a scalar. An empty container is a leaf too."""
    if isinstance(value, dict) and value:
        return [(f"{path}.{name}", value[name]) for name in sorted(value, reverse=True)]
    if isinstance(value, list) and value:
        return [(f"{path}[{place}]", value[place]) for place in range(len(value) - 1, -1, -1)]
    return None


_KINDS: dict[type, Callable[[str, Any], Leaf]] = {
    str: lambda path, value: Leaf(path, "s", value),
    int: lambda path, value: Leaf(path, "n", value),
    float: lambda path, value: Leaf(path, "n", value),
    bool: lambda path, value: Leaf(path, "b", value),
    type(None): lambda path, value: Leaf(path, "z", value),
}


def _scalar(path: str, value: Any) -> Leaf:
    make = _KINDS.get(type(value))
    return make(path, value) if make is not None else Leaf(path, "o" if isinstance(value, dict) else "a", "")


def _opaque(path: str, data: bytes) -> Leaf:
    if len(data) <= _LONGEST_TEXT:
        try:
            return Leaf(path, "s", data.decode())
        except UnicodeDecodeError:
            return _digest(path, data)
    return _digest(path, data)


def _digest(path: str, data: bytes) -> Leaf:
    return Leaf(path, "x", hashlib.blake2b(data, digest_size=16).hexdigest())


def asked_answer(body: bytes) -> list[Leaf]:
    """The leaves of a JSON answer, named as a request's are."""
    return _json_leaves("$", body)
