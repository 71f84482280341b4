"""OpenTelemetry spans, as far as they say whose call a call was. PURE.

Sources: opentelemetry-proto 1.x (trace/v1/trace.proto, collector/trace/v1), OTLP 1.x for the JSON form, in which ids
are hexadecimal and enums and 64-bit numbers are what they are or text. Attributes by their present names and their
old ones (semantic conventions for http, db and messaging).
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
"""SpanKind."""
MOST_SPANS = 10_000
"""Spans of one request that are read."""
_LONGEST = 4_000
_WORD = re.compile(r"[^\W\d]+")
_COMMENT = re.compile(r"/\*.*?\*/|%(?:\(\w+\))?s", re.DOTALL)
"""Comments, and the placeholders that have a letter."""
_KINDS = {
    "SPAN_KIND_SERVER": SERVER,
    "SPAN_KIND_CLIENT": CLIENT,
    "SPAN_KIND_PRODUCER": PRODUCER,
    "SPAN_KIND_CONSUMER": CONSUMER,
}
_WHAT = (
    "db.query.text", "db.statement", "url.full", "http.url", "url.path", "http.target",
    "db.operation.name", "db.operation", "messaging.destination.name", "messaging.destination", "rpc.method",
)  # fmt: skip


class Span(NamedTuple):
    """One span. `trace` is 32 hexadecimal digits; `what` the attribute that says most of what was asked, else its
    name."""

    trace: str
    kind: int
    started_us: int
    ended_us: int
    method: str
    what: str


def spans_of_json(body: bytes) -> list[Span]:
    """The spans of an ExportTraceServiceRequest in JSON; ValueError where it is none."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("not JSON") from error
    return [span for each in _members(request) if (span := _of_json(each)) is not None]


def spans_of_message(message: Any) -> list[Span]:
    """The spans of a decoded ExportTraceServiceRequest."""
    found: list[Span] = []
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            for each in scope.spans:
                if len(found) >= MOST_SPANS:
                    return found
                attributes = {pair.key: pair.value.string_value for pair in each.attributes if pair.value.string_value}
                times = (each.start_time_unix_nano, each.end_time_unix_nano)
                found += _span(each.trace_id.hex(), each.kind, times, each.name, attributes)
    return found


def _members(request: Any) -> Iterator[dict[str, Any]]:
    count = 0
    for resource in _list(request, "resourceSpans"):
        for scope in _list(resource, "scopeSpans"):
            for each in _list(scope, "spans"):
                count += 1
                if count > MOST_SPANS:
                    return
                if isinstance(each, dict):
                    yield each


def _list(holder: Any, name: str) -> list[Any]:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else []


def _of_json(each: dict[str, Any]) -> Span | None:
    kind = each.get("kind")
    times = (_number(each.get("startTimeUnixNano")), _number(each.get("endTimeUnixNano")))
    attributes: dict[str, str] = {}
    for pair in _list(each, "attributes"):
        value = pair.get("value") if isinstance(pair, dict) else None
        text = value.get("stringValue") if isinstance(value, dict) else None
        if isinstance(text, str):
            attributes[str(pair.get("key"))] = text
    number = _KINDS.get(kind, 0) if isinstance(kind, str) else kind if isinstance(kind, int) else 0
    made = _span(str(each.get("traceId", "")), number, times, str(each.get("name", "")), attributes)
    return made[0] if made else None


def _span(trace: str, kind: int, times_ns: tuple[int, int], name: str, attributes: dict[str, str]) -> list[Span]:
    trace = trace.lower()
    if len(trace) != 32 or kind not in (SERVER, CLIENT, PRODUCER) or not trace.strip("0"):
        return []
    method = attributes.get("http.request.method") or attributes.get("http.method") or ""
    what = next((attributes[key] for key in _WHAT if key in attributes), name)
    return [Span(trace, kind, times_ns[0] // 1000, times_ns[1] // 1000, method, what[:_LONGEST])]


def _number(value: Any) -> int:
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 30 else 0


def words(text: str) -> frozenset[str]:
    """What two descriptions of one call have in common whoever wrote them: its words in small letters, without
    comments, hosts and numbers."""
    text = text[:_LONGEST]
    scheme, found, rest = text.partition("://")
    if found and scheme in ("http", "https"):
        text = rest.partition("/")[2].partition("?")[0]
    return frozenset(_WORD.findall(_COMMENT.sub(" ", text.lower())))
