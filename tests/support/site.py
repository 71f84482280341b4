"""A small site with secrets in its answers, in a thread: HTTP/1.1 in cleartext, HTTP/1.1 and HTTP/2 behind TLS."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events

from .tls import Certificate

SECRETS = {
    "authorization": "tok-7f3a9c2e5b1d48f6a0c4e8b2d6f1a3c5",
    "cookie": "5e55c00c1e9d4b7fa2c3e4d5f6a7b8c9",
    "password": "correct-horse-battery-71",
    "email": "maria.jensen@nordbank-intern.dk",
    "card": "4929123456781238",
}
"""Planted by the clients and by the site; none of them may be in a capture."""

_PAGE = """<!doctype html><title>shop</title><link rel="icon" href="data:,"><p id="out">waiting</p>
<script src="/app.js"></script>"""
_SCRIPT = """
document.cookie = "sid=%(cookie)s";
const ask = (n) => fetch("/api/items?n=" + n, {method: "POST", credentials: "include",
  headers: {"content-type": "application/json", "authorization": "Bearer %(authorization)s"},
  body: JSON.stringify({n: n, password: "%(password)s", email: "%(email)s"})}).then((answer) => answer.json());
Promise.all([1, 2, 3, 4, 5].map(ask)).then((told) => {
  document.getElementById("out").textContent = "sum " + told.reduce((sum, each) => sum + each.n, 0);
});
"""


@dataclass(frozen=True)
class Site:
    """Its two ports."""

    http: int
    https: int


def answer(method: str, target: str, body: bytes) -> tuple[str, bytes]:
    """Content type and body for a request."""
    path, _, query = target.partition("?")
    if path == "/page.html":
        return "text/html", _PAGE.encode()
    if path == "/app.js":
        return "text/javascript", (_SCRIPT % SECRETS).encode()
    number = int(query.removeprefix("n=") or 0) if query.startswith("n=") else 0
    told = {"path": path, "method": method, "size": len(body), "n": number, "email": SECRETS["email"]}
    return "application/json", json.dumps({**told, "card_number": SECRETS["card"]}).encode()


def _cookie() -> str:
    return f"sid={SECRETS['cookie']}; HttpOnly"


async def _http1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        kind, told = answer(*line.split(" ")[:2], body)
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(told)}\r\n"
            f"Set-Cookie: {_cookie()}\r\n\r\n".encode()
        )
        writer.write(b"" if line.startswith("HEAD") else told)
        await writer.drain()


async def _http2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    heads: dict[int, dict[str, str]] = {}
    bodies: dict[int, bytes] = {}
    while data := await reader.read(65_535):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                heads[event.stream_id], bodies[event.stream_id] = dict(event.headers), b""
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                head, stream = heads.pop(event.stream_id), event.stream_id
                kind, told = answer(head[":method"], head[":path"], bodies.pop(stream))
                fields = [(":status", "200"), ("content-type", kind), ("set-cookie", _cookie())]
                connection.send_headers(stream, fields)
                connection.send_data(stream, told, end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    tls = writer.get_extra_info("ssl_object")
    try:
        await (_http2 if tls is not None and tls.selected_alpn_protocol() == "h2" else _http1)(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has left
    finally:
        writer.close()


@contextmanager
def site(certificate: Certificate) -> Iterator[Site]:
    """Serve on two ports of 127.0.0.1 until the end."""
    loop = asyncio.new_event_loop()

    async def start() -> tuple[Site, list[asyncio.Server]]:
        context = certificate.server_context("h2", "http/1.1")
        plain = await asyncio.start_server(_serve, "127.0.0.1", 0, backlog=512)
        secure = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=context, backlog=512)
        ports = [server.sockets[0].getsockname()[1] for server in (plain, secure)]
        return Site(*ports), [plain, secure]

    told, servers = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield told
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()
