"""A receiver of OpenTelemetry spans: OTLP over HTTP, in protobuf and in JSON.

Two rules hold here. What is not understood is answered as OTLP says and counted, never passed on. Sizes are bounded,
those of what comes out of gzip too. Source: the OTLP 1.x specification, "OTLP/HTTP".
"""

import asyncio
import zlib
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import httptools

from ..errors import UsageError
from ..linking.spans import Span, spans_of_json, spans_of_message
from .sockets import Network, listening

LARGEST = 16 << 20
"""Bytes of one request's body, before and after gzip is taken off."""
_PATH = b"/v1/traces"
_PROTOBUF, _JSON = b"application/x-protobuf", b"application/json"
_PORT_OF = "http://{}:{}"


def exporter_variables(address: tuple[str, int]) -> dict[str, str]:
    """What a service's OpenTelemetry SDK is told, so that it sends all its spans here, and soon."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": _PORT_OF.format(*address),
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_TRACES_SAMPLER": "always_on",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_PROPAGATORS": "tracecontext,baggage",
    }


class OtlpReceiver:
    """Listens on a loopback port and hands spans to `take`; `gap` is told why some could not be read."""

    def __init__(
        self, take: Callable[[Sequence[Span]], None], gap: Callable[[str], None], network: Network | None = None
    ) -> None:
        self._take = take
        self._gap = gap
        self._network = network
        self._messages = _messages()
        self._server: asyncio.Server | None = None
        self._ends: set[_End] = set()

    async def start(self) -> tuple[str, int]:
        """Listen; the real address."""
        at = listening(("127.0.0.1", 0), self._network)
        self._server = await asyncio.get_running_loop().create_server(lambda: _End(self), **at)
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            for end in list(self._ends):
                end.close()

    def answered(self, path: bytes, kind: bytes, coding: bytes, body: bytes) -> tuple[int, bytes, bytes]:
        """Status, content type and body of the answer to one request."""
        kind = kind.partition(b";")[0].strip().lower()
        if path.partition(b"?")[0] != _PATH:
            return 404, b"text/plain", b""
        if kind not in (_PROTOBUF, _JSON):
            return 415, b"text/plain", b""
        try:
            spans = self._spans(kind, _inflated(body) if coding.strip().lower() == b"gzip" else body)
        except ValueError:
            self._gap("spans that cannot be read")
            return 400, kind, b"{}" if kind == _JSON else b""
        self._take(spans)
        # An empty ExportTraceServiceResponse: all of it was taken.
        return 200, kind, b"{}" if kind == _JSON else b""

    def opened(self, end: "_End") -> None:
        """A connection has been opened."""
        self._ends.add(end)

    def closed(self, end: "_End") -> None:
        """It is gone."""
        self._ends.discard(end)

    def _spans(self, kind: bytes, body: bytes) -> list[Span]:
        if kind == _JSON:
            return spans_of_json(body)
        message = self._messages.ExportTraceServiceRequest()
        try:
            message.ParseFromString(body)
        except Exception as error:  # DecodeError, whose module differs between protobuf's implementations
            raise ValueError("not protobuf") from error
        return spans_of_message(message)


class _End(asyncio.Protocol):
    """One exporter's connection."""

    def __init__(self, receiver: OtlpReceiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpRequestParser(self)
        self._begin()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._receiver.closed(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, httptools.HttpParserCallbackError):
            self._answer(400, b"text/plain", b"", is_last=True)

    # httptools' events.

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value)
        self._check()
        if name.lower() in (b"content-type", b"content-encoding", b"expect"):
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self._check()
        self._body.append(chunk)

    def on_message_complete(self) -> None:
        headers = self._headers
        kind, coding = headers.get(b"content-type", b""), headers.get(b"content-encoding", b"")
        if self._parser.get_method() != b"POST":
            self._answer(405, b"text/plain", b"")
        else:
            self._answer(*self._receiver.answered(self._path, kind, coding, b"".join(self._body)))

    def _begin(self) -> None:
        self._path = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0

    def _check(self) -> None:
        if self._size > LARGEST:
            raise ValueError("too large")

    def _answer(self, status: int, kind: bytes, body: bytes, *, is_last: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        more = b"Connection: close\r\n" if is_last else b""
        self._transport.write(
            b"HTTP/1.1 %d OTLP\r\nContent-Type: %b\r\n%bContent-Length: %d\r\n\r\n%b"
            % (status, kind, more, len(body), body)
        )
        if is_last:
            self._transport.close()


def _inflated(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        whole = unpacker.decompress(body, LARGEST)
    except zlib.error as error:
        raise ValueError("not gzip") from error
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError("too large, or cut off")
    return whole


def _messages() -> Any:
    try:
        return import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    except ImportError as error:
        raise UsageError("receiving spans needs opentelemetry-proto", "pip install 'seamline[otlp]'") from error
