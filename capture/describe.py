"""An exchange as the JSON object that `capture inspect --format json` prints (docs/format.md). PURE.

What is text is shown as text, everything else as base64; the bytes are those of the wire, a `Content-Encoding`
stays on.
"""

import base64
import json
import re
from datetime import UTC, datetime, timedelta

from .headers import Headers
from .model import Exchange, Request, Response

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Types whose bytes may happen to be UTF-8 and are not text all the same.
_BINARY = re.compile(
    r"(?:image/(?!svg)|audio/|video/|font/|application/(?:octet-stream|pdf|zip|gzip|x-gzip|zstd|msgpack|x-msgpack|"
    r"vnd\.msgpack|cbor|protobuf|x-protobuf|vnd\.google\.protobuf|grpc|avro|wasm))",
    re.IGNORECASE,
)


def describe(exchange: Exchange) -> dict[str, object]:
    """The JSON object of an exchange. The fields up to `truncated` are the contract's; those behind it may grow."""
    failure = exchange.failure
    return {
        "id": exchange.id,
        "seq": exchange.seq,
        "role": exchange.role.value,
        "protocol": exchange.protocol,
        "service": exchange.service,
        "parent": exchange.parent,
        "session": exchange.session,
        "started": instant(exchange.started_us),
        "latency_ms": exchange.latency_us / 1000,
        "request": _request(exchange.request),
        "response": None if exchange.response is None else _response(exchange.response),
        "failure": None if failure is None else {"kind": failure.kind.value, "detail": failure.detail},
        "origin": exchange.origin,
        "truncated": exchange.truncated,
        "lateness_ms": exchange.lateness_us / 1000,
        "links": [
            {"parent": link.parent, "how": link.how.value, "confidence": link.confidence} for link in exchange.links
        ],
        "withheld": [
            {"part": part.part, "size": part.size, "digest": part.digest, "why": part.why} for part in exchange.withheld
        ],
    }


def instant(us: int) -> str:
    """ISO 8601 in UTC with microseconds: 2026-11-01T10:00:00.000000Z. What no calendar shows is given as seconds."""
    try:
        moment = EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return f"{us / 1e6:.6f}"
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def text_body(headers: Headers, body: bytes) -> str | None:
    """`body` as text; None where it is encoded, of a binary type, or not UTF-8 without NUL."""
    coding = headers.get("content-encoding", "") or "identity"
    if coding.strip().lower() != "identity" or _BINARY.match((headers.get("content-type") or "").strip()):
        return None
    if b"\0" in body:
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _request(request: Request) -> dict[str, object]:
    return {
        "method": request.method,
        "url": request.target,
        "headers": [[name, value] for name, value in request.headers],
        **_body(request.headers, request.body),
        "version": request.version,
        **_operation(request),
    }


def _operation(request: Request) -> dict[str, object]:
    """What only the other protocols have."""
    if not (request.operation or request.arguments):
        return {}
    return {"operation": request.operation, "arguments": parsed_arguments(request)}


def parsed_arguments(request: Request) -> object:
    """The arguments as the values that their JSON text stands for; the text itself where it is none."""
    if not request.arguments:
        return None
    try:
        return json.loads(request.arguments)
    except (ValueError, RecursionError):
        return request.arguments


def _response(response: Response) -> dict[str, object]:
    return {
        "status": response.status,
        "headers": [[name, value] for name, value in response.headers],
        **_body(response.headers, response.body),
        "reason": response.reason,
        "version": response.version,
    }


def _body(headers: Headers, body: bytes) -> dict[str, object]:
    text = text_body(headers, body)
    if text is not None:
        return {"body": text, "body_b64": None}
    return {"body": None, "body_b64": base64.b64encode(body).decode("ascii")}
