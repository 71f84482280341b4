"""The proxy: mitmproxy as a recorder of what the tap cannot read: TLS, HTTP/2, and forward proxying.

Three rules hold here. Bodies are streamed through and copied in passing, so nothing waits for the recorder. Nothing
is stored and nothing is logged: mitmproxy's messages quote the traffic, so they are counted and thrown away. No
fault of the recording reaches mitmproxy. Importing this file takes a second: only the door does, when it is needed.
"""

import asyncio
import ipaddress
import logging
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mitmproxy import ctx
from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.connection import Client, ConnectionState
from mitmproxy.exceptions import OptionsError
from mitmproxy.http import Headers as MitmHeaders
from mitmproxy.http import HTTPFlow
from mitmproxy.log import MitmLogHandler
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.proxy import layer
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tcp import TCPFlow
from mitmproxy.tls import ClientHelloData, TlsData

from ..errors import UsageError
from ..headers import Headers
from ..links import LinkIndex
from ..model import Role
from ..recorder import Sink
from ..sample import Sampler
from ..wire.http1 import BODY_CAP
from .authority import ensure_authority, private_umask
from .flows import Flows, Trouble
from .hush import hushed

GRACE_S = 5.0
_CUT_WITHIN_S = 2.0
_IDLE_S = 7 * 24 * 3600
"""mitmproxy cuts a connection that is silent for this long; a recorder should not be what ends a long poll."""
_PREFACE = b"PRI * HTTP/2.0"


@dataclass(frozen=True, slots=True)
class Upstream:
    """What a reverse proxy stands for."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as a Host header has them: a default port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


def parse_upstream(url: str) -> Upstream:
    """`http(s)://HOST[:PORT]`, nothing else: UsageError otherwise."""
    hint = "give it as http://HOST:PORT or https://HOST:PORT"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"upstream {url!r}: not a URL", hint) from error
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"upstream {url!r}: not an http or https URL", hint)
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError("upstream: only scheme, host and port can be given", hint)
    return Upstream(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


class ProxyEngine:
    """One listener. With an `upstream` a reverse proxy for it, without one a forward proxy (CONNECT is intercepted).

    `confdir` holds the authority that clients have to trust. `max_body` bytes of a body are recorded at most; longer
    ones pass but count as truncated. `upstream_ca` is a PEM file trusted instead of the system's authorities (which
    SSL_CERT_FILE names, as for other programs), `verify_upstream=False` trusts any certificate. `links` and `sampler`
    are shared by all engines of a recorder.
    """

    def __init__(
        self,
        listen: tuple[str, int],
        upstream: str | None,
        recorder: Sink,
        links: LinkIndex,
        *,
        service: str = "service",
        confdir: Path,
        max_body: int = BODY_CAP,
        role: Role = Role.INBOUND,
        verify_upstream: bool = True,
        upstream_ca: Path | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self.upstream = None if upstream is None else parse_upstream(upstream)
        self.flows = Flows(recorder, links, role=role, service=service, body_cap=max_body, sampler=sampler)
        self.address = listen
        self.certificate: Path | None = None
        """The authority's certificate, once started: what a client has to trust."""
        self._recorder = recorder
        self._confdir = confdir
        self._verify = verify_upstream
        self._upstream_ca = _checked_bundle(upstream_ca)
        self._server: asyncio.Server | None = None
        self._master: Master | None = None
        self._mode: ProxyMode | None = None
        self._handlers: dict[asyncio.Task[Any], ProxyConnectionHandler] = {}
        self._connections = 0
        self.names: dict[str, str] = {}
        """mitmproxy's name of a connection, which is random, to ours."""
        self._quiet = ExitStack()

    async def start(self) -> tuple[str, int]:
        """Listen; the real address.

        OSError where the address cannot be had, UsageError where the authority is unusable.
        """
        self.certificate = ensure_authority(self._confdir)
        self._quiet.enter_context(hushed("mitmproxy", self._message, self._crashed, mute=("hpack",)))
        try:
            self._master = self._make_master()
            self._mode = ProxyMode.parse(self._mode_spec())
            self._server = await asyncio.start_server(self._accepted, *self.address)
        except BaseException:
            self._quiet.close()
            raise
        address = self._server.sockets[0].getsockname()
        self.address = (address[0], address[1])
        return self.address

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Take no more connections, give requests in flight `grace_s` seconds, then close everything."""
        if self._server is None or self._master is None:
            return
        self._server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flows.idle.wait(), grace_s)
        self.flows.abandon(None, "the proxy was stopped")
        self.flows.settle()
        await self._cut_connections()
        _enter(self._master)
        await self._master.done()
        self._server = self._master = None
        self._quiet.close()

    def _mode_spec(self) -> str:
        up = self.upstream
        if up is None:
            return "regular"
        return f"reverse:{up.scheme}://{f'[{up.host}]' if ':' in up.host else up.host}:{up.port}"

    def _make_master(self) -> Master:
        # Any: mitmproxy leaves the signatures of these untyped.
        options: Any = Options()
        master = Master(options)
        for handler in [each for each in logging.getLogger().handlers if isinstance(each, MitmLogHandler)]:
            handler.uninstall()
        tls = TlsConfig()
        # Proxyserver only declares the options that mitmproxy's layers read; the listening is our own.
        declares: Any = Proxyserver
        addons: Any = master.addons
        addons.add(declares(), _Addon(self), NextLayer(), tls, _Mirror())
        try:
            with private_umask():
                options.update(
                    confdir=str(self._confdir),
                    ssl_insecure=not self._verify,
                    ssl_verify_upstream_trusted_ca=str(self._upstream_ca) if self._upstream_ca else None,
                    # Lazy: a request that cannot be passed on is then seen, answered with 502 and recorded.
                    connection_strategy="lazy",
                    # The hook for requests rewrites Host where it has to be, after it has seen the client's.
                    keep_host_header=True,
                    http2=True,
                    # An upgraded connection is passed on as bytes, not taken apart into stored messages.
                    websocket=False,
                    rawtcp=True,
                    tcp_timeout=_IDLE_S,
                )
        except OptionsError as error:
            raise UsageError("mitmproxy refuses the proxy's options", str(error)) from error
        if tls.certstore is None or tls.certstore.default_ca.has_expired():
            state = "damaged" if tls.certstore is None else "too old"
            raise UsageError(
                f"{self._confdir}: the proxy's certificate authority is {state}",
                "delete the folder, and the next recording makes a new one",
            )
        return master

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client connection, to its end."""
        task = asyncio.current_task()
        assert task is not None
        assert self._master is not None
        assert self._mode is not None
        handler = _make_handler(self._master, reader, writer, self._mode)
        self._handlers[task] = handler
        self._connections += 1
        name = self.names[handler.client.id] = f"c-{self._connections}"
        try:
            await handler.handle_client()
        except Exception as error:
            self._crashed(type(error).__name__)
            writer.close()
        finally:
            del self._handlers[task], self.names[handler.client.id]
            self.flows.abandon(name, "the client closed its connection")

    async def _cut_connections(self) -> None:
        tasks = list(self._handlers)
        for handler in self._handlers.values():
            for end in list(handler.transports.values()):
                if end.handler is not None:
                    end.handler.cancel("the proxy was stopped")
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=_CUT_WITHIN_S)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def gap(self, reason: str) -> None:
        """Count traffic that passed, or was refused, without being understood."""
        self._recorder.lost("gaps", reason)

    def _crashed(self, error: str) -> None:
        self.gap(f"proxy failed: {error}")

    def _message(self, record: logging.LogRecord) -> None:
        """mitmproxy wanted to say something: count it where it stands for traffic that was not recorded."""
        peer = getattr(record, "client", None)
        if all(handler.client.peername != peer for handler in self._handlers.values()):
            return
        text = record.getMessage()
        if "crashed" in text:
            self.gap("mitmproxy failed on a connection")
        elif text.startswith("Client closed connection before completing request headers"):
            self.gap("a request's head was cut off")
        elif peer and text.startswith(f"{peer[0]}:{peer[1]}: "):
            self.gap("client bytes that are not HTTP")


class _Mirror:
    """Comes after mitmproxy's own decision, and overrules it."""

    def tls_clienthello(self, data: ClientHelloData) -> None:
        """Ask the upstream first, so that the client is offered the HTTP version that the upstream speaks."""
        data.establish_server_tls_first = data.context.server.tls


class _Addon:
    """What mitmproxy calls. One method a hook; none of them may raise into it."""

    def __init__(self, engine: ProxyEngine) -> None:
        self._engine = engine
        self._flows = engine.flows
        self._upgraded: set[str] = set()
        for name in _HOOKS:
            setattr(self, name, self._guarded(getattr(self, f"_{name}")))

    def _guarded(self, hook: Callable[..., None]) -> Callable[..., None]:
        def guarded(*args: Any) -> None:
            try:
                hook(*args)
            except Exception as error:
                self._engine.gap(f"recording failed: {type(error).__name__}")

        return guarded

    def _client_connected(self, client: Client) -> None:
        # A forward proxy that anybody on the Internet can use is an open relay.
        if self._engine.upstream is None and ipaddress.ip_address(client.peername[0].split("%")[0]).is_global:
            client.error = "refused"
            self._engine.gap("a client from a public address was refused")

    def _client_disconnected(self, client: Client) -> None:
        self._upgraded.discard(client.id)

    def _next_layer(self, nextlayer: layer.NextLayer) -> None:
        """HTTP/2 without TLS starts with its preface; mitmproxy expects HTTP/2 only where ALPN has said so."""
        client = nextlayer.context.client
        data_client: Callable[[], bytes] = nextlayer.data_client
        if client.alpn is None and not client.tls and data_client().startswith(_PREFACE):
            client.alpn = b"h2"

    def _server_connect(self, data: ServerConnectionHookData) -> None:
        up, server = self._engine.upstream, data.server
        own_host, own_port = self._engine.address
        if (
            server.address
            and server.address[1] == own_port
            and server.address[0] in ("localhost", "127.0.0.1", "::1", own_host)
        ):
            server.error = "Request destination unknown."
        if up is not None and up.scheme == "https":
            server.sni = up.host
        elif up is not None and data.client.alpn == b"h2" and not data.client.tls:
            server.alpn = b"h2"

    def _tls_failed_client(self, _: TlsData) -> None:
        self._engine.gap("a client's TLS handshake failed (does it trust the proxy's authority?)")

    def _tcp_start(self, flow: TCPFlow) -> None:
        if flow.client_conn.id not in self._upgraded:
            self._engine.gap("a connection that is not HTTP")

    def _tcp_message(self, flow: TCPFlow) -> None:
        flow.messages.clear()

    def _requestheaders(self, flow: HTTPFlow) -> None:
        request = flow.request
        headers = _headers(request.headers)
        if request.is_http2 and request.authority and "host" not in headers:
            headers = Headers((("host", request.authority), *headers.items))
        version = request.http_version.removeprefix("HTTP/")
        target = request.path if self._engine.upstream is not None or request.path == "*" else request.url
        connection = self._engine.names[flow.client_conn.id]
        self._flows.begin(flow.id, connection, request.method, target, version, headers)
        request.stream = _copying(self._flows.request_data, flow.id)
        self._prepare(flow)

    def _prepare(self, flow: HTTPFlow) -> None:
        """What has to be different on the way to the upstream."""
        request, up = flow.request, self._engine.upstream
        if up is not None and up.scheme == "https":
            # Behind TLS the host name chooses the site, so the upstream is called by its own name.
            request.host_header = up.authority
        if request.headers.get("upgrade", "").lower() == "h2c":
            # An upgrade in the middle of a connection would end the recording of it.
            for name in ("upgrade", "connection", "http2-settings"):
                request.headers.pop(name, None)

    def _request(self, flow: HTTPFlow) -> None:
        self._flows.request_done(flow.id)

    def _responseheaders(self, flow: HTTPFlow) -> None:
        response = flow.response
        assert response is not None
        version = response.http_version.removeprefix("HTTP/")
        self._flows.answer(flow.id, response.status_code, response.reason, version, _headers(response.headers))
        if response.status_code < 200 and response.status_code != 101:
            self._engine.gap("an interim answer that mitmproxy takes for the final one")
        if response.status_code == 101:
            self._upgraded.add(flow.client_conn.id)
        response.stream = _copying(self._flows.answer_data, flow.id)

    def _response(self, flow: HTTPFlow) -> None:
        self._flows.answered(flow.id)

    def _error(self, flow: HTTPFlow) -> None:
        client, server = flow.client_conn, flow.server_conn
        trouble = Trouble(
            message=flow.error.msg if flow.error else "",
            client_open=bool(client.state & ConnectionState.CAN_READ),
            server_reached=server.timestamp_tcp_setup is not None,
            client_resettable=client.alpn == b"h2",
            server_resettable=server.alpn == b"h2",
        )
        self._flows.failed(flow.id, trouble)


_HOOKS = tuple(name[1:] for name in vars(_Addon) if not name.startswith("__") and name not in ("_guarded", "_prepare"))


def _copying(take: Callable[[str, bytes], None], flow: str) -> Callable[[bytes], bytes]:
    """A stream function for mitmproxy that passes everything on and shows it to `take`."""

    def pass_on(data: bytes) -> bytes:
        take(flow, data)
        return data

    return pass_on


def _headers(headers: MitmHeaders) -> Headers:
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.fields)


def _checked_bundle(path: Path | None) -> Path | None:
    if path is None:
        # None lets mitmproxy use the list that comes with Python's certifi.
        system = ssl.get_default_verify_paths().cafile
        return Path(system) if system else None
    try:
        if b"-----BEGIN CERTIFICATE-----" in path.read_bytes():
            return path
    except OSError as error:
        raise UsageError(f"{path}: cannot read the upstream's authority: {error.strerror}") from error
    raise UsageError(
        f"{path}: no certificate in it", "a PEM file of the authority that signed the upstream's certificate"
    )


def _enter(master: Master) -> None:
    """Make `master` the one that mitmproxy's addons find: they look it up in a global when a hook runs."""
    ctx.master = master
    ctx.options = master.options


class _Handler(ProxyConnectionHandler):
    """Hooks run without waiting, so several engines in one process can take turns with mitmproxy's globals."""

    async def handle_hook(self, hook: StartHook) -> None:
        _enter(self.master)
        await super().handle_hook(hook)


def _make_handler(
    master: Master, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: ProxyMode
) -> ProxyConnectionHandler:
    make: Callable[..., _Handler] = _Handler
    handler = make(master, reader, writer, master.options, mode)
    context = handler.layer.context
    handler.layer = modes.ReverseProxy(context) if isinstance(mode, ReverseMode) else modes.HttpProxy(context)
    return handler
