"""The receiver of spans, asked by a plain client and by bytes that are wrong."""

import asyncio
import gzip
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from seamline.capture.engines import otlp
from seamline.capture.engines.otlp import OtlpReceiver, exporter_variables
from seamline.capture.errors import UsageError
from seamline.capture.linking.spans import Span

pb = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MADE = Span(TRACE, 3, 5, 9, "", "GET")
AS_JSON = json.dumps(
    {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": TRACE,
                                "kind": 3,
                                "name": "GET",
                                "startTimeUnixNano": "5000",
                                "endTimeUnixNano": "9000",
                            }
                        ]
                    }
                ]
            }
        ]
    }
).encode()


def as_protobuf() -> bytes:
    message = pb.ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.kind, span.name = bytes.fromhex(TRACE), 3, "GET"
    span.start_time_unix_nano, span.end_time_unix_nano = 5_000, 9_000
    data: bytes = message.SerializeToString()
    return data


class Stage:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.gaps: list[str] = []
        self.receiver = OtlpReceiver(self.spans.extend, self.gaps.append)
        self.address = ("", 0)

    async def ask(self, raw: bytes) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        writer.close()
        return int(head.split(b" ")[1]), body

    async def post(self, body: bytes, kind: str, more: str = "", path: str = "/v1/traces") -> tuple[int, bytes]:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        return await self.ask(head.encode() + body)


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    stage = Stage()
    stage.address = await stage.receiver.start()
    try:
        yield stage
    finally:
        await stage.receiver.stop()


def test_spans_are_taken_in_both_forms_with_gzip_and_without() -> None:
    async def main() -> None:
        async with staged() as stage:
            packed = "Content-Encoding: gzip\r\n"
            assert await stage.post(as_protobuf(), "application/x-protobuf") == (200, b"")
            assert await stage.post(gzip.compress(as_protobuf()), "application/x-protobuf", packed) == (200, b"")
            assert await stage.post(AS_JSON, "application/json; charset=utf-8") == (200, b"{}")
            assert await stage.post(gzip.compress(AS_JSON), "application/json", packed) == (200, b"{}")
            assert stage.spans == [MADE] * 4
            assert stage.gaps == []

    asyncio.run(main())


def test_a_chunked_body_and_a_second_request_on_the_connection() -> None:
    async def main() -> None:
        async with staged() as stage:
            head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            whole = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(AS_JSON), AS_JSON)
            reader, writer = await asyncio.open_connection(*stage.address)
            for number in (1, 2):
                for at in range(0, len(whole), 40):
                    writer.write(whole[at : at + 40])
                    await writer.drain()
                assert (await reader.readuntil(b"{}")).startswith(b"HTTP/1.1 200")
                assert len(stage.spans) == number
            writer.close()

    asyncio.run(main())


def test_what_is_no_export_is_answered_and_counted() -> None:
    async def main() -> None:
        async with staged() as stage:
            packed = "Content-Encoding: gzip\r\n"
            assert (await stage.post(b"\xff\xff\xff", "application/x-protobuf"))[0] == 400
            assert (await stage.post(b"{", "application/json"))[0] == 400
            assert (await stage.post(b"not gzip", "application/json", packed))[0] == 400
            assert (await stage.post(gzip.compress(AS_JSON)[:-9], "application/json", packed))[0] == 400
            assert stage.gaps == ["spans that cannot be read"] * 4
            assert (await stage.post(AS_JSON, "text/plain"))[0] == 415
            assert (await stage.post(AS_JSON, "application/json", path="/v1/logs"))[0] == 404
            assert (await stage.ask(b"GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 405
            assert (await stage.ask(b"no HTTP at all\r\n\r\n"))[0] == 400
            assert stage.spans == []

    asyncio.run(main())


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "LARGEST", 2_000)

    async def main() -> None:
        async with staged() as stage:
            assert (await stage.post(b" " * 3_000 + AS_JSON, "application/json"))[0] == 400
            bomb = gzip.compress(b" " * 100_000)
            assert (await stage.post(bomb, "application/json", "Content-Encoding: gzip\r\n"))[0] == 400
            assert stage.spans == []

    asyncio.run(main())


def test_the_sdk_is_told_where_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = exporter_variables(("127.0.0.1", 4318))
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
    assert variables["OTEL_EXPORTER_OTLP_PROTOCOL"] == "http/protobuf"
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.trace.v1.trace_service_pb2", None)
    with pytest.raises(UsageError, match="opentelemetry-proto"):
        OtlpReceiver(print, print)
