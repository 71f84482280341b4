"""The proxy between real sockets: what passes, what is recorded, and what it never says."""

import asyncio
import contextlib
import logging
import os
import ssl
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from seamline.capture.engines.proxy import ProxyEngine, parse_upstream
from seamline.capture.errors import UsageError
from seamline.capture.links import LinkIndex
from seamline.capture.model import Exchange, FailureKind, LinkKind, Role
from support.http2 import echo_http2
from support.taps import MemorySink, play, read_head
from support.tls import Certificate, make_certificate

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Serve = Callable[[Reader, Writer], Awaitable[None]]

LOOPS = pytest.mark.parametrize("loop_name", ["asyncio", "uvloop"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def confdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One authority for the file: making a key takes a while."""
    return tmp_path_factory.mktemp("project") / "ca"


async def echo(reader: Reader, writer: Writer) -> None:
    """A keep-alive server: tells the request line, the Host, and the body."""
    try:
        while True:
            head = await read_head(reader)
            fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
            body = await _body(reader, fields)
            told = b"%s|%s|%s" % (head.split(b"\r\n")[0], fields.get(b"host", b""), body)
            writer.write(
                b"HTTP/1.1 200 Fine\r\nContent-Length: %d\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n" % len(told)
            )
            writer.write(b"" if head.startswith(b"HEAD") else told)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _body(reader: Reader, fields: dict[bytes, bytes]) -> bytes:
    if b"chunked" not in fields.get(b"transfer-encoding", b""):
        return await reader.readexactly(int(fields.get(b"content-length", b"0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


@dataclass
class Stage:
    """The proxy's address, its recorder, the upstream's address."""

    engine: ProxyEngine
    sink: MemorySink
    port: int
    upstream: int

    async def recorded(self, count: int = 1) -> list[Exchange]:
        await self.until(lambda: len(self.sink.exchanges) >= count)
        return self.sink.exchanges

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.005)

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.engine.certificate)

    def client(self, scheme: str = "http", **options: Any) -> httpx.AsyncClient:
        """A client of the reverse proxy."""
        return httpx.AsyncClient(base_url=f"{scheme}://localhost:{self.port}", verify=self.trust, **options)

    def forwarded(self, **options: Any) -> httpx.AsyncClient:
        """A client that has the proxy configured."""
        return httpx.AsyncClient(proxy=f"http://127.0.0.1:{self.port}", verify=self.trust, **options)


@contextlib.asynccontextmanager
async def staged(
    serve: Serve, confdir: Path, *, upstream: str | None = "http", tls: Certificate | None = None, **options: Any
) -> AsyncIterator[Stage]:
    """A proxy in front of `serve`; `upstream` is the scheme, None for a forward proxy."""
    alpn = "h2" if serve is echo_http2 else "http/1.1"
    context = tls.server_context(alpn) if tls else None
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    sink = MemorySink()
    options.setdefault("upstream_ca", tls.authority if tls else None)
    links = options.pop("links", None) or LinkIndex()
    url = f"{upstream}://localhost:{port}" if upstream else None
    engine = ProxyEngine(("127.0.0.1", 0), url, sink, links, service="svc", confdir=confdir, **options)
    _, listening = await engine.start()
    try:
        yield Stage(engine, sink, listening, port)
    finally:
        await engine.stop(grace_s=0.05)
        server.close()


@LOOPS
def test_a_reverse_proxy_in_cleartext(loop_name: str, confdir: Path) -> None:
    async def scene() -> None:
        async with staged(echo, confdir) as stage, stage.client() as client:
            headers = [("X-Case", "1"), ("x-case", "2"), ("Authorization", "Bearer s")]
            answer = await client.post("/a?b=c%20d", content=b"hello", headers=headers)
            told = f"POST /a?b=c%20d HTTP/1.1|localhost:{stage.port}|hello"
            assert (answer.status_code, answer.text) == (200, told)
            assert (await client.head("/h")).status_code == 200
            one, two = await stage.recorded(2)
            assert (one.request.method, one.request.target, one.request.version) == ("POST", "/a?b=c%20d", "1.1")
            assert one.request.headers.get_all("x-case") == ("1", "2")
            assert [name for name, _ in one.request.headers if name.lower() == "x-case"] == ["X-Case", "x-case"]
            assert one.request.headers.get("host") == f"localhost:{stage.port}"
            assert one.request.body == b"hello"
            assert one.response is not None
            assert (one.response.status, one.response.reason, one.response.version) == (200, "Fine", "1.1")
            assert list(one.response.headers)[1:] == [("Set-Cookie", "a=1"), ("set-cookie", "b=2")]
            assert one.response.body == told.encode()
            assert (one.id, one.seq, one.role, one.service) == ("m-1", 1, Role.INBOUND, "svc")
            assert one.session.startswith("s-")
            assert (two.request.method, two.session) == ("HEAD", "c-1")
            assert two.response is not None
            assert two.response.body == b""
            assert stage.sink.losses == {}

    play(scene(), loop_name)


@LOOPS
def test_a_reverse_proxy_for_an_https_upstream(loop_name: str, confdir: Path, certificate: Certificate) -> None:
    """The client's TLS ends at the proxy, the upstream gets its own; it is called by its own name."""

    async def scene() -> None:
        async with staged(echo, confdir, upstream="https", tls=certificate) as stage:
            # The upstream speaks HTTP/1.1 only, so a client that could do more is not offered more.
            async with stage.client("https", http2=True) as client:
                answer = await client.post("/t", content=b"x" * 70_000)
                assert answer.http_version == "HTTP/1.1"
                assert answer.text == f"POST /t HTTP/1.1|localhost:{stage.upstream}|{'x' * 70_000}"
            async with stage.client("http") as client:
                assert (await client.get("/clear")).text.startswith("GET /clear HTTP/1.1")
            one, two = await stage.recorded(2)
            assert (one.request.target, one.request.version, len(one.request.body)) == ("/t", "1.1", 70_000)
            assert one.request.headers.get_all("host") == (f"localhost:{stage.port}",)
            assert two.request.target == "/clear"
            assert stage.sink.losses == {}

    play(scene(), loop_name)


@LOOPS
@pytest.mark.parametrize("forward", [False, True])
def test_http2_on_both_sides(loop_name: str, forward: bool, confdir: Path, certificate: Certificate) -> None:
    async def scene() -> None:
        upstream = None if forward else "https"
        async with staged(echo_http2, confdir, upstream=upstream, tls=certificate) as stage:
            port = stage.upstream if forward else stage.port
            client = stage.forwarded(http2=True) if forward else stage.client("https", http2=True)
            url = f"https://localhost:{port}/in?q=1"
            async with client:
                answers = await asyncio.gather(*(client.post(url, content=b"x" * n) for n in range(20)))
            assert {answer.http_version for answer in answers} == {"HTTP/2"}
            told = {f"POST /in?q=1 HTTP/2|localhost:{stage.upstream}|{n}" for n in range(20)}
            assert {answer.text for answer in answers} == told
            exchanges = await stage.recorded(20)
            assert {each.request.target for each in exchanges} == {url if forward else "/in?q=1"}
            assert {each.request.version for each in exchanges} == {"2.0"}
            assert {each.request.headers.get_all("host") for each in exchanges} == {(f"localhost:{port}",)}
            assert not [name for each in exchanges for name, _ in each.request.headers if name.startswith(":")]
            assert sorted(len(each.request.body) for each in exchanges) == list(range(20))
            answered = [each.response for each in exchanges if each.response is not None]
            assert {each.body.decode() for each in answered} == told
            assert {(each.status, each.version, each.reason) for each in answered} == {(200, "2.0", "")}
            assert {each.headers.get_all("set-cookie") for each in answered} == {("a=1", "b=2")}
            assert stage.sink.losses == {}

    play(scene(), loop_name)


def test_one_reset_stream_is_one_failure(confdir: Path, certificate: Certificate) -> None:
    async def scene() -> None:
        async with (
            staged(echo_http2, confdir, upstream="https", tls=certificate) as stage,
            stage.client("https", http2=True) as client,
        ):
            assert (await client.get("/reset")).status_code == 502
            assert (await client.get("/fine")).status_code == 200
            one, two = await stage.recorded(2)
            assert one.failure is not None
            assert (one.failure.kind, one.failure.detail) == (FailureKind.RESET, "stream reset (INTERNAL_ERROR)")
            assert (two.request.target, two.failure) == ("/fine", None)

    play(scene(), "asyncio")


def test_http2_in_cleartext_with_prior_knowledge(confdir: Path) -> None:
    async def scene() -> None:
        async with (
            staged(echo_http2, confdir) as stage,
            stage.client(http1=False, http2=True) as client,
        ):
            answer = await client.post("/grpc.Service/Method", content=b"\0\0\0\0\0")
            assert answer.text == f"POST /grpc.Service/Method HTTP/2|localhost:{stage.port}|5"
            (one,) = await stage.recorded()
            assert (one.request.version, one.request.body) == ("2.0", b"\0\0\0\0\0")
            assert stage.sink.losses == {}

    play(scene(), "asyncio")


@LOOPS
def test_a_forward_proxy_in_cleartext_and_outbound_links(loop_name: str, confdir: Path) -> None:
    async def scene() -> None:
        links = LinkIndex()
        async with (
            staged(echo, confdir, upstream=None, role=Role.OUTBOUND, links=links) as outer,
            staged(echo, confdir, links=links) as inner,
            outer.forwarded() as client,
        ):
            trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
            # Through both: the forward proxy records the call, the reverse proxy behind it the request.
            url = f"http://127.0.0.1:{inner.port}/x"
            assert (await client.get(url, headers=trace)).status_code == 200
            (call,) = await outer.recorded()
            (request,) = await inner.recorded()
            assert (call.role, call.request.target) == (Role.OUTBOUND, url)
            assert request.request.target == "/x"
            await client.get(f"http://localhost:{outer.upstream}/y", headers=trace)
            second = (await outer.recorded(2))[1]
            assert [(link.parent, link.how) for link in second.links] == [(request.id, LinkKind.PROPAGATED)]

    play(scene(), loop_name)


def test_bodies_stream_through_and_are_cut_in_the_recording_only(confdir: Path) -> None:
    """An answer that never ends reaches the client piece by piece; a long one is passed whole and not kept."""

    async def serve(reader: Reader, writer: Writer) -> None:
        head = await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        if b"/events" in head:
            for letter in b"ab":
                writer.write(b"3\r\n%c\n\n\r\n" % letter)
                await reader.readexactly(1)
        else:
            writer.write(b"%x\r\n%s\r\n" % (300_000, b"z" * 300_000))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def scene() -> None:
        async with staged(serve, confdir, max_body=100_000) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
            # The server goes on only after it has been sent the next byte, so each piece must have come through.
            await reader.readuntil(b"a\n\n")
            writer.write(b"1")
            await reader.readuntil(b"b\n\n")
            writer.write(b"2")
            await reader.readuntil(b"0\r\n\r\n")
            writer.close()
            async with stage.client() as client:
                assert len((await client.get("/long")).content) == 300_000
            events, long = await stage.recorded(2)
            assert events.response is not None
            assert (events.request.body, events.response.body, events.truncated) == (b"12", b"a\n\nb\n\n", False)
            assert long.response is not None
            assert (long.response.body, long.truncated) == (b"", True)

    play(scene(), "asyncio")


def test_a_content_encoding_stays_on(confdir: Path) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\xff")
        await writer.drain()

    async def scene() -> None:
        async with staged(serve, confdir) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"\x1f\x8b\x00\xff")
            writer.close()
            (one,) = await stage.recorded()
            assert one.response is not None
            assert one.response.body == b"\x1f\x8b\x00\xff"

    play(scene(), "asyncio")


def test_an_upgraded_connection_passes_and_its_101_is_recorded(confdir: Path) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()

    async def scene() -> None:
        async with staged(serve, confdir) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(
                b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert (await read_head(reader)).startswith(b"HTTP/1.1 101")
            for _ in range(3):
                writer.write(b"not frames")
                assert await reader.readexactly(10) == b"NOT FRAMES"
            writer.close()
            (one,) = await stage.recorded()
            assert one.response is not None
            assert (one.request.target, one.response.status, one.response.body) == ("/ws", 101, b"")
            assert stage.sink.losses == {}

    play(scene(), "asyncio")


def test_an_upgrade_to_cleartext_http2_stays_http1(confdir: Path) -> None:
    async def scene() -> None:
        async with staged(echo, confdir) as stage, stage.client() as client:
            offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}
            assert (await client.get("/", headers=offer)).status_code == 200
            (one,) = await stage.recorded()
            assert one.request.headers.get("upgrade") == "h2c"

    play(scene(), "asyncio")


async def _silent(reader: Reader, writer: Writer) -> None:
    await read_head(reader)
    writer.close()


async def _cut(reader: Reader, writer: Writer) -> None:
    await read_head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    await writer.drain()
    writer.close()


async def _nonsense(reader: Reader, writer: Writer) -> None:
    await read_head(reader)
    writer.write(b"secret nonsense\r\n\r\n")
    await writer.drain()
    writer.close()


async def _reset(reader: Reader, writer: Writer) -> None:
    await read_head(reader)
    writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: close with RST
    writer.transport.abort()


@LOOPS
@pytest.mark.parametrize(
    ("serve", "kind", "detail"),
    [
        (_silent, FailureKind.RESET, "closed without an answer"),
        (_reset, FailureKind.RESET, "closed without an answer"),
        (_cut, FailureKind.TRUNCATED, "closed after status 200 and 3 bytes of the body"),
        (_nonsense, FailureKind.PROTOCOL, "not valid HTTP"),
    ],
)
def test_failures_of_the_upstream(loop_name: str, serve: Serve, kind: FailureKind, detail: str, confdir: Path) -> None:
    async def scene() -> None:
        async with staged(serve, confdir) as stage, stage.client() as client:
            with contextlib.suppress(httpx.HTTPError):
                await client.post("/f", content=b"body")
            (one,) = await stage.recorded()
            assert one.response is None
            assert one.failure is not None
            assert (one.failure.kind, one.failure.detail, one.request.body) == (kind, detail, b"body")

    play(scene(), loop_name)


@pytest.mark.parametrize("forward", [False, True])
def test_an_upstream_that_is_not_there_is_502_and_recorded(forward: bool, confdir: Path) -> None:
    async def scene() -> None:
        async with staged(echo, confdir, upstream=None if forward else "http") as stage:
            taken = await asyncio.start_server(echo, "127.0.0.1", 0)
            port = taken.sockets[0].getsockname()[1]
            taken.close()
            await taken.wait_closed()
            if forward:
                async with stage.forwarded() as client:
                    assert (await client.get(f"http://127.0.0.1:{port}/gone")).status_code == 502
            else:
                engine = ProxyEngine(
                    ("127.0.0.1", 0), f"http://127.0.0.1:{port}", stage.sink, LinkIndex(), confdir=confdir
                )
                _, listening = await engine.start()
                async with httpx.AsyncClient() as client:
                    assert (await client.get(f"http://127.0.0.1:{listening}/gone")).status_code == 502
                await engine.stop()
            (one,) = await stage.recorded()
            assert one.request.target.endswith("/gone")
            assert one.failure is not None
            assert (one.failure.kind, one.failure.detail) == (FailureKind.CONNECT, "connection refused")

    play(scene(), "asyncio")


def test_an_upstream_certificate_that_cannot_be_trusted(
    confdir: Path, certificate: Certificate, tmp_path: Path
) -> None:
    async def scene() -> None:
        other = make_certificate(tmp_path, "localhost")
        async with (
            staged(echo, confdir, upstream="https", tls=certificate, upstream_ca=other.authority) as stage,
            stage.client("https") as client,
        ):
            assert (await client.get("/")).status_code == 502
            (one,) = await stage.recorded()
            assert one.failure is not None
            assert one.failure.kind is FailureKind.CONNECT
            assert one.failure.detail.startswith("the upstream's certificate was refused: ")

    play(scene(), "asyncio")


def test_a_certificate_for_another_host_is_refused_unless_told_otherwise(confdir: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        other = make_certificate(tmp_path, "elsewhere.test")
        async with staged(echo, confdir, upstream="https", tls=other) as stage, stage.client() as client:
            assert (await client.get("/")).status_code == 502
        async with (
            staged(echo, confdir, upstream="https", tls=other, verify_upstream=False) as stage,
            stage.client() as client,
        ):
            assert (await client.get("/")).status_code == 200

    play(scene(), "asyncio")


def test_the_systems_authorities_are_what_ssl_cert_file_names(
    confdir: Path, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))

    async def scene() -> None:
        async with (
            staged(echo, confdir, upstream="https", tls=certificate, upstream_ca=None) as stage,
            stage.client() as client,
        ):
            assert (await client.get("/")).status_code == 200

    play(scene(), "asyncio")


@LOOPS
def test_a_client_that_goes_away_has_cancelled(loop_name: str, confdir: Path) -> None:
    async def scene() -> None:
        asked = asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            await read_head(reader)
            asked.set()
            await reader.read()
            writer.close()

        async with staged(serve, confdir) as stage:
            _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            await asked.wait()
            writer.close()
            (one,) = await stage.recorded()
            assert one.failure is not None
            assert (one.failure.kind, one.failure.detail) == (
                FailureKind.CANCELLED,
                "the client closed its connection",
            )

    play(scene(), loop_name)


@LOOPS
def test_stopping_waits_for_what_is_under_way_and_then_cuts(loop_name: str, confdir: Path) -> None:
    async def scene() -> None:
        asked, release = asyncio.Event(), asyncio.Event()

        async def serve(reader: Reader, writer: Writer) -> None:
            head = await read_head(reader)
            asked.set()
            if b"/never" in head:
                await reader.read()
            else:
                await release.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            writer.close()

        async with staged(serve, confdir) as stage, stage.client() as client:
            asking = asyncio.create_task(client.get("/waits"))
            await asked.wait()
            stopping = asyncio.create_task(stage.engine.stop(grace_s=10))
            await asyncio.sleep(0)
            release.set()
            await stopping
            assert (await asking).status_code == 200
            assert stage.sink.exchanges[0].response is not None
            with pytest.raises(httpx.ConnectError):
                await client.get("/after")
            await stage.engine.stop()
        async with staged(serve, confdir) as stage, stage.client() as client:
            asked.clear()
            asking = asyncio.create_task(client.get("/never"))
            await asked.wait()
            await stage.engine.stop(grace_s=0)
            with pytest.raises(httpx.HTTPError):
                await asking
            (one,) = stage.sink.exchanges
            assert one.failure is not None
            assert (one.failure.kind, one.failure.detail) == (FailureKind.CANCELLED, "the proxy was stopped")

    play(scene(), loop_name)


def test_what_is_not_http_is_counted(confdir: Path, certificate: Certificate) -> None:
    async def upper(reader: Reader, writer: Writer) -> None:
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()

    async def scene() -> None:
        async with staged(upper, confdir, upstream=None) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % stage.upstream)
            assert (await read_head(reader)).startswith(b"HTTP/1.1 200")
            writer.write(b"\x01\x02ab")
            assert await reader.readexactly(4) == b"\x01\x02AB"
            writer.close()
            await stage.until(lambda: ("gaps", "a connection that is not HTTP") in stage.sink.losses)
            assert stage.sink.exchanges == []
        async with staged(echo, confdir) as stage:
            for data in (b"GET /half HTT", b"\x00\x01\r\n\r\n"):
                reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
                writer.write(data)
                writer.write_eof()
                await reader.read()
                writer.close()
            await stage.until(lambda: len(stage.sink.losses) == 2)
            assert stage.sink.losses == {
                ("gaps", "a request's head was cut off"): 1,
                ("gaps", "client bytes that are not HTTP"): 1,
            }

    play(scene(), "asyncio")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "an interim answer that mitmproxy takes for the final one"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
            "mitmproxy failed on a connection",
        ),
    ],
)
def test_what_mitmproxy_cannot_do_is_counted(confdir: Path, answer: bytes, reason: str) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        await read_head(reader)
        writer.write(answer)
        await reader.read()
        writer.close()

    async def scene() -> None:
        async with staged(serve, confdir) as stage:
            _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await stage.until(lambda: stage.sink.losses == {("gaps", reason): 1})
            writer.close()
            await stage.recorded()

    play(scene(), "asyncio")


def test_a_client_without_the_authority_is_counted(confdir: Path, certificate: Certificate) -> None:
    async def scene() -> None:
        async with (
            staged(echo, confdir, upstream="https", tls=certificate) as stage,
            httpx.AsyncClient() as client,
        ):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"https://localhost:{stage.port}/")
            reason = "a client's TLS handshake failed (does it trust the proxy's authority?)"
            await stage.until(lambda: stage.sink.losses == {("gaps", reason): 1})

    play(scene(), "asyncio")


def test_a_proxy_does_not_call_itself(confdir: Path) -> None:
    async def scene() -> None:
        async with staged(echo, confdir, upstream=None) as stage, stage.forwarded() as client:
            assert (await client.get(f"http://127.0.0.1:{stage.port}/")).status_code == 502
            (one,) = await stage.recorded()
            assert one.failure is not None
            assert one.failure.detail == "the proxy was asked to call itself"

    play(scene(), "asyncio")


def test_a_broken_recorder_does_not_reach_the_traffic(confdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with staged(echo, confdir) as stage, stage.client() as client:
            for method in ("offer", "next_id"):
                monkeypatch.setattr(stage.sink, method, lambda *_: {}["broken"])
                assert (await client.get("/")).status_code == 200
            await stage.until(lambda: sum(stage.sink.losses.values()) == 2)
            assert set(stage.sink.losses) == {("gaps", "recording failed: KeyError")}

    play(scene(), "asyncio")


class Kept(logging.Handler):
    """An application's own log, at the most talkative level."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.names.append(record.name)


def test_nothing_is_said_or_stored(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong, the traffic shows neither on a stream, nor in a log, nor in a file."""
    secret = "planted-secret"
    kept = Kept()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [kept])
    monkeypatch.setattr(root, "level", logging.DEBUG)

    async def scene() -> None:
        for serve in (echo, _nonsense, _cut, _silent):
            async with staged(serve, tmp_path / "ca") as stage, stage.client("https", http2=True) as client:
                with contextlib.suppress(httpx.HTTPError):
                    await client.post(f"/{secret}", content=secret, headers={"X-Key": secret})
                for data in (
                    b"GET /%s HTT",
                    b"%s\r\n\r\n",
                    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n",
                ):
                    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
                    writer.write(data % secret.encode())
                    writer.write_eof()
                    await reader.read()
                    writer.close()

    play(scene(), "asyncio")
    said = capfd.readouterr()
    # httpx and httpcore log their own requests: they are the test's client, not ours.
    assert {name.split(".")[0] for name in kept.names} <= {"httpx", "httpcore", "asyncio"}
    assert (said.out, said.err, root.handlers) == ("", "", [kept])
    assert {path.name for path in tmp_path.rglob("*")} == {
        "ca", "ca-cert.pem", "mitmproxy-ca.pem", "mitmproxy-dhparam.pem",
    }  # fmt: skip
    assert not any(secret.encode() in path.read_bytes() for path in (tmp_path / "ca").iterdir())
    assert not (tmp_path / ".mitmproxy").exists()


def test_it_touches_no_home(tmp_path: Path, certificate: Certificate) -> None:
    """mitmproxy's own folder in the user's home is neither made nor read, and every file is the owner's alone."""
    code = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from seamline.capture.engines.proxy import ProxyEngine\n"
        "from seamline.capture.links import LinkIndex\n"
        "from support.taps import MemorySink\n"
        "os.umask(0)\n"
        "async def main():\n"
        "    engine = ProxyEngine(('127.0.0.1', 0), None, MemorySink(), LinkIndex(), confdir=Path(sys.argv[1]))\n"
        "    await engine.start(); await engine.stop()\n"
        "asyncio.run(main())\n"
        "assert os.umask(0) == 0\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "ca")], env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(home.iterdir()) == []
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "ca").iterdir()} == {0o600}


def test_a_damaged_authority_is_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir(mode=0o700)
    (tmp_path / "ca" / "mitmproxy-ca.pem").touch(mode=0o600)

    async def scene() -> None:
        engine = ProxyEngine(("127.0.0.1", 0), None, MemorySink(), LinkIndex(), confdir=tmp_path / "ca")
        with pytest.raises(UsageError, match="damaged"):
            await engine.start()

    play(scene(), "asyncio")


def test_an_address_in_use_is_an_os_error(confdir: Path) -> None:
    async def scene() -> None:
        async with staged(echo, confdir) as stage:
            engine = ProxyEngine(("127.0.0.1", stage.port), None, MemorySink(), LinkIndex(), confdir=confdir)
            with pytest.raises(OSError, match="in use"):
                await engine.start()
            await engine.stop()
            async with stage.client() as client:
                assert (await client.get("/")).status_code == 200

    play(scene(), "asyncio")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://[::1]:8443", ("https", "::1", 8443, "[::1]:8443")),
        ("https://a.test/", ("https", "a.test", 443, "a.test")),
        ("http://a.test", ("http", "a.test", 80, "a.test")),
        ("http://a.test:443", ("http", "a.test", 443, "a.test:443")),
    ],
)
def test_upstreams(url: str, said: tuple[str, str, int, str]) -> None:
    up = parse_upstream(url)
    assert (up.scheme, up.host, up.port, up.authority) == said


@pytest.mark.parametrize(
    "url",
    ["a:1", "ftp://a", "http://", "http://u:p@a", "http://a/base", "http://a?x", "http://a:99999", "http://[::1", ""],
)
def test_upstreams_that_are_none(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_upstream(url)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_upstream_authority_that_is_none(tmp_path: Path, content: str | None) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(UsageError, match=r"bundle\.pem"):
        ProxyEngine(("127.0.0.1", 0), None, MemorySink(), LinkIndex(), confdir=tmp_path, upstream_ca=bundle)
