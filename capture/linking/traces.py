"""Trace ids in the headers of a request, a message or a statement's comment: the part that is the same on every hop.

Two rules hold here. A format's id is compared in one form, so that a service may take one format in and send another
out. A value without a valid id names nothing.
"""

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from ..headers import Headers
from ..wire.heads import RawHead

BAGGAGE_KEY = "seamline-request"
"""The key that names one request in `baggage` (W3C Baggage) and in `tracestate`."""

DEFAULT_TRACE_HEADERS = (
    "traceparent",
    "b3",
    "x-b3-traceid",
    "baggage",
    "tracestate",
    "uber-trace-id",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-request-id",
    "x-correlation-id",
)
"""Headers that name one request on its way through the services, strongest first."""


def with_defaults(names: Sequence[str]) -> tuple[str, ...]:
    """`names`, which somebody has chosen, before those that are looked at anyway."""
    return tuple(dict.fromkeys((*(name.lower() for name in names), *DEFAULT_TRACE_HEADERS)))


_HEX = re.compile(r"[0-9a-f]{1,32}\Z")
_KEYED = re.compile(rf"(?:^|,)\s*{BAGGAGE_KEY}\s*=\s*([^,;\s]+)")
_MOST_TEXT = 8192
"""Characters of one header that are looked into (W3C Baggage, 3.3.2: 8192 bytes)."""


class TraceHeaders:
    """Reads trace ids. `names` are the headers looked at, strongest first; any beyond the known formats names a
    request by its whole value."""

    __slots__ = ("_readers",)

    def __init__(self, names: Sequence[str] = DEFAULT_TRACE_HEADERS) -> None:
        lower = [name.lower() for name in names]
        self._readers = {name: (rank, _READERS.get(name) or _whole(name)) for rank, name in enumerate(lower)}

    def of(self, headers: Headers | RawHead) -> tuple[str, ...]:
        """The trace ids in `headers`, strongest first, each once."""
        found: list[tuple[int, str]] = []
        if isinstance(headers, RawHead):
            for name, (rank, read) in self._readers.items():
                value = headers.get(name)
                if value:
                    found.append((rank, read(value[:_MOST_TEXT].strip())))
        else:
            readers = self._readers
            for name, value in headers.items:
                reader = readers.get(name.lower())
                if reader is not None:
                    found.append((reader[0], reader[1](value[:_MOST_TEXT].strip())))
        if len(found) > 1:
            found.sort()
        return tuple(dict.fromkeys([trace for _, trace in found if trace]))


def _hex(trace: str) -> str:
    """A hexadecimal id as every format writes it here: 32 digits. All zero is invalid in all of them."""
    lower = trace.strip().lower()
    if not _HEX.match(lower) or not lower.strip("0"):
        return ""
    return f"trace:{lower:0>32}"


def _traceparent(value: str) -> str:
    # W3C Trace Context, 3.2: version-traceid-parentid-flags, the id exactly 32 digits.
    parts = value.split("-")
    return _hex(parts[1]) if len(parts) >= 4 and len(parts[1]) == 32 else ""


def _b3(value: str) -> str:
    # B3 single: traceid-spanid[-sampled[-parent]], or a sampling decision alone ("0", "1", "d").
    trace, dash, _ = value.partition("-")
    return _hex(trace) if dash and len(trace) in (16, 32) else ""


def _b3_trace(value: str) -> str:
    return _hex(value) if len(value) in (16, 32) else _whole("x-b3-traceid")(value)


def _jaeger(value: str) -> str:
    # traceid:spanid:parent:flags, leading zeros left out.
    parts = unquote(value).split(":")
    return _hex(parts[0]) if len(parts) == 4 else ""


def _amazon(value: str) -> str:
    # Root=1-<8 hex of time>-<24 hex>;Parent=…;Sampled=…
    root = next((part.strip() for part in value.split(";") if part.strip().startswith("Root=1-")), "")
    return _hex(root[7:].replace("-", ""))


def _google(value: str) -> str:
    # The trace id stands before a slash (the span) and a semicolon (options).
    trace = value.partition("/")[0].partition(";")[0]
    return _hex(trace) if len(trace) == 32 else ""


def _keyed(value: str) -> str:
    found = _KEYED.search(value)
    return f"{BAGGAGE_KEY}:{unquote(found[1])}" if found else ""


def _whole(name: str) -> Callable[[str], str]:
    return lambda value: f"{name}:{value}" if value else ""


_READERS: dict[str, Callable[[str], str]] = {
    "traceparent": _traceparent,
    "b3": _b3,
    "x-b3-traceid": _b3_trace,
    "baggage": _keyed,
    "tracestate": _keyed,
    "uber-trace-id": _jaeger,
    "x-amzn-trace-id": _amazon,
    "x-cloud-trace-context": _google,
}
